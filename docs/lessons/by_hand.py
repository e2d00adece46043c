"""Lesson 1: a recurrent network by hand, two steps of three neurons.

Run it as a script, or open it as a notebook::

    python docs/lessons/by_hand.py
    python docs/lessons/by_hand.py --picture by_hand.png
    marimo edit docs/lessons/by_hand.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 1: an RNN by hand")

with app.setup(hide_code=True):
    import argparse
    from pathlib import Path
    from typing import NamedTuple

    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.plots import BLUE, ORANGE, SKY, house_style

    class Weights(NamedTuple):
        """Wx (2, 3), Wy (3, 3) and b (1, 3), as in the equations below: one row per sequence."""

        w_x: jax.Array
        w_y: jax.Array
        b: jax.Array

    WEIGHTS = Weights(
        w_x=jnp.array([[0.6, -0.9, 0.3], [-0.4, 0.2, 0.5]]),
        w_y=jnp.array([[0.5, -0.7, 0.2], [0.1, 0.4, -0.6], [-0.3, 0.8, 0.9]]),
        b=jnp.array([[0.1, -0.2, 0.05]]),
    )

    # Three sequences side by side: a batch. X0 holds the first step of each, X1 the second.
    X0 = jnp.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    X1 = jnp.array([[100.0, 101.0], [102.0, 103.0], [104.0, 105.0]])

    TARGET = 0.5  # the output that each neuron should learn


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="A recurrent network by hand, two steps of three neurons.")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw where y1 stands on the tanh")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 1: an RNN by hand

    A recurrent network reads a sequence one step at a time and passes its output to the next step. With two inputs,
    three tanh neurons and two steps, the whole network is:

        y0 = tanh(x0 Wx + b)
        y1 = tanh(y0 Wy + x1 Wx + b)

    Both steps use the same Wx, Wy and b. Wx (2, 3) multiplies the inputs, Wy (3, 3) the outputs of the previous step.
    The weights and the sequences are fixed numbers, so that you can check every result on paper.
    """)
    return


@app.function
def two_steps(weights: Weights, x0: jax.Array, x1: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return y0 and y1, (3, 3) each: one row per sequence, one column per neuron."""
    y0 = jnp.tanh(x0 @ weights.w_x + weights.b)
    y1 = jnp.tanh(y0 @ weights.w_y + x1 @ weights.w_x + weights.b)
    return y0, y1


@app.cell
def _():
    y0, y1 = two_steps(WEIGHTS, X0, X1)
    print(f"1. By hand\n\ny0 = tanh(x0 Wx + b)\n{y0}\n\ny1 = tanh(y0 Wy + x1 Wx + b)\n{y1}\n")
    return (y1,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The same with throughtime

    This cell is `tt.Elman`. Its weights are the same numbers, transposed: a row for each neuron. The cell computes one
    step; `tt.unroll` applies it to every step of every sequence of a batch (B, T, D), here (3, 2, 2).
    """)
    return


@app.function
def cell_by_hand(weights: Weights) -> tt.Elman:
    """Return an Elman cell with exactly these weights instead of random ones."""
    cell = tt.Elman(2, 3, activation="tanh", key=jax.random.key(0))
    return eqx.tree_at(
        lambda cell: (cell.w_x, cell.w_h, cell.b), cell, (weights.w_x.T, weights.w_y.T, weights.b.ravel())
    )


@app.function
def unrolled(weights: Weights, x0: jax.Array, x1: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the same y0 and y1, by `tt.unroll`."""
    _, ys = tt.unroll(cell_by_hand(weights), jnp.stack([x0, x1], axis=1))
    return ys[:, 0], ys[:, 1]


@app.cell
def _():
    for _ours, _by_hand in zip(unrolled(WEIGHTS, X0, X1), two_steps(WEIGHTS, X0, X1), strict=True):
        np.testing.assert_allclose(_ours, _by_hand, rtol=0, atol=1e-6)
    print("2. By tt.unroll(tt.Elman(2, 3), ...)\n\nThe same numbers, to 1e-6.\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Why y1 is 1 and -1

    Every entry of y1 is 1 or -1. The input of tanh is x1 Wx, about 100 times the weights, and tanh is flat there. Its
    derivative at a is 1 - tanh(a)^2, about 4 exp(-2 |a|) for a large a. Beyond |a| = 10, float32 cannot distinguish
    tanh(a) from 1, so the computed derivative is not just small: it is 0.
    """)
    return


@app.function
def pre_activation(weights: Weights, x0: jax.Array, x1: jax.Array) -> jax.Array:
    """Return the pre-activation (3, 3): y1 is its tanh."""
    y0, _ = two_steps(weights, x0, x1)
    return y0 @ weights.w_y + x1 @ weights.w_x + weights.b


@app.function
def slope(y: jax.Array) -> jax.Array:
    """Return the derivative of tanh at the point where tanh is y."""
    return 1 - y**2


@app.cell
def _(y1):
    before = pre_activation(WEIGHTS, X0, X1)
    nearest = float(jnp.abs(before).min())
    print(f"3. Why y1 is 1 and -1\n\ny1 is the tanh of\n{before}\n")
    print(f"tanh' there, 1 - y1^2, in float32\n{slope(y1)}")
    print(f"and in exact arithmetic at most 4 exp(-2 * {nearest:.1f}) = {4 * np.exp(-2 * nearest):.0e}.\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What that means for learning

    Learning needs that derivative. By the chain rule it is a factor of the gradient with respect to every weight, and
    of dy1/dy0. With a factor of 0, gradient descent does not move, however wrong y1 is. No learning rate helps, because
    1000 times 0 is 0. And no gradient flows back to the first step.
    """)
    return


@app.function
def error(weights: Weights, x0: jax.Array, x1: jax.Array) -> jax.Array:
    """Return the mean squared error of y1, if each output should be 0.5."""
    return jnp.mean((two_steps(weights, x0, x1)[1] - TARGET) ** 2)


@app.function
def largest_gradient(weights: Weights, x0: jax.Array, x1: jax.Array) -> float:
    """Return the largest entry, by magnitude, of the error's gradient with respect to all weights."""
    gradient = jax.grad(error)(weights, x0, x1)
    return max(float(jnp.abs(part).max()) for part in gradient)


@app.function
def flow_to_first_step(weights: Weights, x0: jax.Array, x1: jax.Array) -> jax.Array:
    """Return dy1/dy0 for each sequence (3, 3, 3): [sequence, neuron of y1, neuron of y0]."""

    def second_step(y0: jax.Array, x1: jax.Array) -> jax.Array:
        return jnp.tanh(y0 @ weights.w_y + x1 @ weights.w_x + weights.b[0])

    return jax.vmap(jax.jacobian(second_step))(two_steps(weights, x0, x1)[0], x1)


@app.function
def descend(weights: Weights, x0: jax.Array, x1: jax.Array, *, steps: int = 200, rate: float = 0.5) -> Weights:
    """Return the weights after some steps of gradient descent on the error."""

    def one_step(_: int, weights: Weights) -> Weights:
        gradient = jax.grad(error)(weights, x0, x1)
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradient)

    return jax.lax.fori_loop(0, steps, one_step, weights)


@app.function
def report(title: str, x0: jax.Array, x1: jax.Array) -> None:
    """Print the gradients with these inputs, and the error after gradient descent."""
    learned = descend(WEIGHTS, x0, x1)
    print(title)
    print(f"  |pre-activation|, largest  {float(jnp.abs(pre_activation(WEIGHTS, x0, x1)).max()):.2f}")
    print(f"  gradient, largest          {largest_gradient(WEIGHTS, x0, x1):.4g}")
    print(f"  dy1/dy0, largest           {float(jnp.abs(flow_to_first_step(WEIGHTS, x0, x1)).max()):.4g}")
    print(f"  error                      {float(error(WEIGHTS, x0, x1)):.4f}")
    print(f"  after 200 steps of descent {float(error(learned, x0, x1)):.4f}\n")


@app.cell
def _():
    print("4. What that means for learning\n")
    report("Inputs as they are:", X0, X1)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The remedy

    Scale the inputs to a size that suits the weights: subtract each input's mean and divide by its standard deviation.
    The weights, the network and the target do not change.
    """)
    return


@app.function
def scaled(x0: jax.Array, x1: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return both steps with mean 0 and standard deviation 1 in each of the two inputs."""
    both = jnp.concatenate([x0, x1])
    mean, deviation = both.mean(axis=0, keepdims=True), both.std(axis=0, keepdims=True)
    return (x0 - mean) / deviation, (x1 - mean) / deviation


@app.cell
def _():
    report("The same inputs, scaled to mean 0 and standard deviation 1:", *scaled(X0, X1))

    # Check tt.unroll again: with inputs of 100, y1 is 1 or -1 for any Wy, which would hide an error in Wy.
    for _ours, _by_hand in zip(unrolled(WEIGHTS, *scaled(X0, X1)), two_steps(WEIGHTS, *scaled(X0, X1)), strict=True):
        np.testing.assert_allclose(_ours, _by_hand, rtol=0, atol=1e-6)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The picture shows tanh, its derivative, and the nine entries of y1 on the curve, before and after scaling.
    """)
    return


@app.function
def picture() -> Figure:
    """Draw tanh, its derivative, and y1 on the curve, before and after scaling."""
    cases = (("inputs as they are", X0, X1), ("scaled inputs", *scaled(X0, X1)))
    with house_style():
        figure = Figure(figsize=(9, 3.6))
        for axes, (title, x0, x1) in zip(figure.subplots(1, 2, sharey=True), cases, strict=True):
            a = np.asarray(pre_activation(WEIGHTS, x0, x1)).ravel()
            reach = 1.1 * np.abs(a).max()
            places = np.linspace(-reach, reach, 1001)
            axes.plot(places, np.tanh(places), color=SKY, label="tanh(a)")
            axes.plot(places, 1 - np.tanh(places) ** 2, color=ORANGE, label="its derivative")
            axes.plot(a, np.tanh(a), "o", color=BLUE, label="y1")
            axes.set_title(title)
            axes.set_xlabel("a, the pre-activation")
        figure.axes[0].legend(loc="center right")
    return figure


@app.cell
def _():
    drawn = picture()
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _(arguments, drawn):
    if arguments.picture:
        drawn.savefig(arguments.picture)
        print(f"Written to {arguments.picture}.")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What next

    Lesson 2, *the sine wave*, trains a network of 100 neurons. Lesson 3, *why gradients vanish*, follows the gradient
    over more than two steps.
    """)
    return


if __name__ == "__main__":
    app.run()
