"""Lesson 3: why gradients vanish, and what helps.

Run it as a script, or open it as a notebook; it imports the network of lesson 1, by_hand.py, from the same folder::

    python docs/lessons/vanishing_gradients.py
    python docs/lessons/vanishing_gradients.py --pictures out/lesson
    marimo edit docs/lessons/vanishing_gradients.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 3: why gradients vanish")

with app.setup(hide_code=True):
    import argparse
    from pathlib import Path
    from typing import Any

    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    from by_hand import WEIGHTS, X0, X1, cell_by_hand, scaled, slope, two_steps  # lesson 1
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.cells import chrono, orthogonal
    from throughtime.data import adding
    from throughtime.layers import unroll_batch_norm
    from throughtime.plots import BLUE, ORANGE, comparison_picture, house_style
    from throughtime.training import Records

    INPUTS = jnp.stack(scaled(X0, X1), axis=1)  # lesson 1's sequences (3, 2, 2), as tt.unroll takes them

    STEPS, UNITS = 40, 20
    KEY = jax.random.key(0)
    NOISE = jax.random.normal(KEY, (4, STEPS, 2))

    CLIPS = {"as it is": optax.identity(), "by value": optax.clip(1.0), "by norm": optax.clip_by_global_norm(1.0)}

    TASK = adding(STEPS)
    OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.005))


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Why gradients vanish, and what helps.")
    _parser.add_argument("--pictures", type=Path, metavar="DIR", help="also draw the chapters into this folder")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 3: why gradients vanish, and what helps

    Lesson 1 ended with an observation: dy1/dy0 is a factor of the gradient through which the network learns about the
    first step. This lesson follows that factor over two steps and over forty, and shows the remedies found since 1991.

    The state before the first step is h. By the chain rule dy1/dh = dy1/dy0 * dy0/dh: a product of two matrices, one
    per step, the Jacobians. Each is the slope of tanh, neuron by neuron, times the recurrent weights.
    """)
    return


@app.function
def jacobians_by_hand() -> tuple[np.ndarray, np.ndarray]:
    """Return dy0/dh and dy1/dy0 of each sequence, (3, 3, 3) each: slope times weights."""
    y0, y1 = (np.asarray(y, np.float64) for y in two_steps(WEIGHTS, *scaled(X0, X1)))
    w_h = np.asarray(WEIGHTS.w_y, np.float64).T
    return slope(y0)[:, :, None] * w_h, slope(y1)[:, :, None] * w_h


@app.function
def norms_by_hand() -> np.ndarray:
    """Return (3, 3): for each sequence the norm of dy1/dy1, dy1/dy0 and dy1/dh, over 0, 1 and 2 steps."""
    first, second = jacobians_by_hand()
    size = [[1.0, np.linalg.norm(b, 2), np.linalg.norm(b @ a, 2)] for a, b in zip(first, second, strict=True)]
    return np.array(size)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    `tt.gradient_flow` computes the same for any cell and any length. The norm is the largest singular value: the factor
    for the gradient that survives best. `per_sequence` has it for each sequence, `norms` is their median.
    """)
    return


@app.function
def say_two_steps() -> None:
    """Print the norms by hand and compare them with tt.gradient_flow."""
    by_hand, flow = norms_by_hand(), tt.gradient_flow(cell_by_hand(WEIGHTS), INPUTS)
    print("1. Two steps: a product of Jacobians\n\n               dy1/dy0  dy1/dh")
    for number, (ours, theirs) in enumerate(zip(by_hand, flow.per_sequence, strict=True)):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5)
        print(f"  sequence {number}   {ours[1]:.4f}   {ours[2]:.4f}")
    print("\nBy tt.gradient_flow: the same numbers, to 1e-5.\n")


@app.cell
def _():
    say_two_steps()
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forty steps, and the bound

    Over k steps there are k factors. The norm of a product is at most the product of the norms. With g the largest
    slope of the activation and sigma_max the norm of the weights, it is at most (g * sigma_max)^k (Pascanu, Mikolov &
    Bengio 2013). If g * sigma_max is below 1, the gradient vanishes, whatever the data. Above 1 it may explode, but
    need not: this is only a bound.
    """)
    return


@app.function
def elman(activation: str, recurrent_init: Any, bias: float = 0.0) -> tt.Elman:
    """Return a cell with two inputs, twenty units and the same bias for all of them."""
    cell = tt.Elman(2, UNITS, activation, recurrent_init=recurrent_init, key=KEY)
    return eqx.tree_at(lambda cell: cell.b, cell, jnp.full(UNITS, bias))


@app.function
def bounds() -> dict[str, tt.Cell]:
    """Return lesson 1's cell, and others whose result is known."""
    return {
        "lesson 1's tanh": cell_by_hand(WEIGHTS),
        "sigmoid, sigma_max 3.9": elman("sigmoid", orthogonal(3.9)),
        "tanh, sigma_max 1": elman("tanh", "orthogonal"),
        "tanh, sigma_max 3": elman("tanh", orthogonal(3.0)),
        "linear, sigma_max 1.1": elman("identity", orthogonal(1.1)),
    }


@app.function
def measured(cells: dict[str, tt.Cell]) -> dict[str, tt.GradientFlow]:
    """Measure each cell over forty steps of the same noise."""
    return {name: tt.gradient_flow(cell, NOISE) for name, cell in cells.items()}


@app.function
def chapter(title: str, cells: dict[str, tt.Cell]) -> dict[str, tt.GradientFlow]:
    """Measure these cells; print the part of a gradient that is left after forty steps, and its bound."""
    flows = measured(cells)
    print(f"{title}\n\n{'':<26}{f'left after {STEPS}':>16}{'bound':>10}{'1 % left after':>18}{'dead':>8}")
    for name, flow in flows.items():
        reach = str(flow.reach) if flow.reach < STEPS else f"{STEPS} or more"
        print(f"  {name:<24}{flow.memory[-1]:>16.2g}{flow.bound[-1]:>10.2g}{reach:>18}{flow.dead:>8.0%}")
    print()
    return flows


@app.function
def compared(flows: dict[str, tt.GradientFlow], of: str) -> Figure:
    """Draw the curves of a chapter side by side."""
    return comparison_picture(list(flows.values()), list(flows), f"What is left of a gradient: {of}")


@app.cell
def _():
    bounds_flows = chapter("2. Forty steps, and the bound (g sigma_max)^40", bounds())
    bounds_picture = compared(bounds_flows, "bounds")
    bounds_picture
    return (bounds_picture,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## ReLU and its relatives

    A ReLU has slope 1 above zero, so a gradient passes unchanged. Below zero its slope and its output are 0. A unit
    that is below zero for all inputs is dead: no gradient flows through it, so training cannot revive it. A leaky ReLU
    passes 1 % and an ELU exp(a): more than nothing, but over many steps nearly nothing. With random weights half the
    units are below zero at each step, so a ReLU halves the gradient about every step or two, although no unit is dead
    at all steps.
    """)
    return


@app.function
def activations() -> dict[str, tt.Cell]:
    """Return each activation with biases of 0, and of -3, which keep every unit below zero."""
    names = ("relu", "leaky_relu", "elu")
    return {f"{name}, bias {bias:g}": elman(name, "orthogonal", bias) for name in names for bias in (0.0, -3.0)}


@app.cell
def _():
    activations_flows = chapter("3. ReLU and its relatives", activations())
    activations_picture = compared(activations_flows, "activations")
    activations_picture
    return (activations_picture,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## How the weights start

    The initial weights are a free choice. With small normal weights the gradient vanishes at once. All singular values
    of an orthogonal matrix are 1, so it shrinks no gradient; only the slopes do. The identity with ReLU (Le, Jaitly &
    Hinton 2015) passes the whole gradient as long as a unit stays above zero, and none after all units have been below.
    """)
    return


@app.function
def initializers() -> dict[str, tt.Cell]:
    """Return the same cells with different initializers."""
    tanh = {f"tanh, {init}": elman("tanh", init) for init in ("normal", "glorot", "orthogonal", "identity")}
    return tanh | {"relu, identity": elman("relu", "identity")}


@app.cell
def _():
    initializers_flows = chapter("4. How the weights start", initializers())
    initializers_picture = compared(initializers_flows, "initializers")
    initializers_picture
    return (initializers_picture,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Normalization

    Lesson 1's network could not learn because its inputs of 100 drove tanh into its flat part. Scaling them was one
    remedy; normalization inside the cell is another. Layer normalization (Ba et al. 2016) computes mean and variance
    over the units of one step, batch normalization (Cooijmans et al. 2016) over the sequences of a batch at one step.
    With either, the scale of the inputs no longer matters. That alone does not make a memory longer.
    """)
    return


@app.function
def normalized() -> dict[str, tt.Cell]:
    """Return lesson 1's cell, which reads inputs of 100, without and with normalization."""
    cell, xs = cell_by_hand(WEIGHTS), jnp.stack([X0, X1], axis=1)
    batch = tt.BatchNorm(cell, steps=2)
    batch = batch.with_statistics(unroll_batch_norm(batch, xs)[2], rate=1.0)  # of this very batch
    return {"as it is": cell, "layer normalization": tt.LayerNorm(cell), "batch normalization": batch}


@app.function
def flow_of_the_last_step(cell: tt.Cell) -> float:
    """Return the norm of dy1/dy0 with lesson 1's unscaled inputs."""
    return float(tt.gradient_flow(cell, jnp.stack([X0, X1], axis=1)).norms[1])


@app.function
def say_normalized() -> None:
    """Print the norm for the last step, without and with normalization."""
    print("5. Normalization: lesson 1's network with inputs of 100\n")
    for name, cell in normalized().items():
        print(f"  dy1/dy0, {name:<20} {flow_of_the_last_step(cell):.4g}")


@app.cell
def _():
    say_normalized()
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Clipping

    Clipping helps against exploding gradients: it shrinks the gradient before the update. Clipping by value limits
    every entry to [-1, 1], which changes the direction. Clipping by norm scales the whole gradient, which keeps the
    direction. Neither enlarges a vanished gradient. By value, a NaN stays in its place; by norm, it makes every entry
    NaN. An infinite entry becomes 1 by value, which hides the problem; by norm it becomes NaN and the others 0.
    """)
    return


@app.function
def exploded() -> tt.Elman:
    """Return the gradient of the mean last output of a linear cell whose weights have singular values of 1.5."""
    cell = elman("identity", orthogonal(1.5))
    return jax.grad(lambda cell: jnp.mean(tt.unroll(cell, NOISE)[1][:, -1]))(cell)


@app.function
def clipped(way: str, gradient: Any) -> np.ndarray:
    """Return all entries of a gradient after clipping."""
    update, _ = CLIPS[way].update(gradient, CLIPS[way].init(gradient))
    return np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(update)])


@app.function
def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the cosine of the angle between two vectors: 1 if both have the same direction."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@app.cell
def _():
    print("\n6. Clipping\n")
    _gradient = exploded()
    for _way in CLIPS:
        _before, _after = clipped("as it is", _gradient), clipped(_way, _gradient)
        print(f"  {_way:<9} norm {np.linalg.norm(_after):9.3g}   cosine with the first {cosine(_after, _before):.2f}")
    for _bad in (np.nan, np.inf):
        for _way in ("by value", "by norm"):
            print(f"  {_way:<9} [3, -4, {_bad}] becomes {clipped(_way, jnp.array([3.0, -4.0, _bad])) + 0.0}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Gates

    The remedy that lasted is another path. In an LSTM the memory c is only multiplied by the forget gate and added to.
    Along this path dc_T/dc_0 is the product of the gates, without weights or slopes. With all weights zero the gate is
    sigmoid(b), and over k steps sigmoid(b)^k is left: 0.5^k for b = 0, 0.73^k for b = 1 (Gers et al. 2000; Jozefowicz
    et al. 2015). Chrono biases (Tallec & Ollivier 2018) spread the units' gates so that some memories last as long as
    the sequence. A GRU's z does for h what f does for c.
    """)
    return


@app.function
def bare_lstm(bias: float) -> tt.LSTM:
    """Return an LSTM with zero weights and this bias at the forget gate."""
    cell = jax.tree.map(jnp.zeros_like, tt.LSTM(2, 3, key=KEY))
    return eqx.tree_at(lambda cell: cell.b, cell, cell.b.at[3:6].set(bias))


@app.function
def expected_path(bias: float) -> float:
    """Return sigmoid(bias)^40."""
    return float((1 + np.exp(-bias)) ** -STEPS)


@app.function
def say_bare_lstm() -> None:
    """Print the gradient through c of an LSTM with zero weights, measured and by the formula."""
    print("\n7. Gates: an LSTM with zero weights\n")
    for bias in (0.0, 1.0, 3.0):
        path = tt.gradient_flow(bare_lstm(bias), NOISE).paths["c"][-1]
        print(f"  bias {bias:g}: through c {path:.3e}, sigmoid({bias:g})^{STEPS} = {expected_path(bias):.3e}")


@app.cell
def _():
    say_bare_lstm()
    return


@app.function
def gates() -> dict[str, tt.Cell]:
    """Return cells whose keeping gate has a bias of 0, of 1, or spread over the length."""
    starts = {"0": "zeros", "1": "forget", "chrono": chrono(STEPS)}
    lstms = {f"LSTM, f starts at {name}": tt.LSTM(2, UNITS, bias_init=init, key=KEY) for name, init in starts.items()}
    grus = {f"GRU, z starts at {name}": tt.GRU(2, UNITS, bias_init=init, key=KEY) for name, init in starts.items()}
    return lstms | grus


@app.cell
def _():
    gates_flows = chapter("\n   And with random weights", gates())
    gates_picture = compared(gates_flows, "gates")
    gates_picture
    return (gates_picture,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Does it matter?

    In the adding task two of forty numbers are marked, one in each half, and the last output should be their sum. The
    constant answer 1, the mean, has an error of 1/6. A tanh cell and a GRU are trained in the same way and watched:
    each record has the norm of the loss's gradient with respect to the state k steps back.
    """)
    return


@app.function
def adding_loss(network: tt.RecurrentNetwork, data: None, key: jax.Array) -> jax.Array:
    """Return the mean squared error of the last output, over 32 sequences."""
    batch = TASK.draw(key, 32)
    _, says = network(batch.xs)
    return jnp.mean((says[:, -1, 0] - batch.targets[:, -1]) ** 2)


@app.function
def learn(kind: type[tt.Cell], steps: int) -> Records:
    """Train with a cell of 24 units and return the watch's records."""
    key_cell, key_readout = jax.random.split(KEY)
    network = tt.RecurrentNetwork(kind(2, 24, key=key_cell), 1, key=key_readout)
    watch = tt.Watch(clip_norm=1.0, lags=STEPS)
    history = tt.train(network, adding_loss, None, optimizer=OPTIMIZER, steps=steps, key=KEY, callbacks=[watch])
    return history.watched


@app.function
def say_history(name: str, history: Records) -> None:
    """Print the losses, and the gradient 35 steps back relative to that at the end."""
    losses = "  ".join(f"{loss:.4f}" for loss in history.loss)
    print(f"  {name}: mean error of each 100 steps  {losses}   (1/6 = {TASK.baseline:.4f})")
    for place in (0, -1):
        ratio = history.gradient_by_lag[place][35] / history.gradient_by_lag[place][0]
        print(f"    after {history.step[place]} steps: gradient 35 steps back / at the end  {ratio:.1e}")


@app.cell
def _():
    print(f"8. Does it matter? The adding task, {STEPS} steps\n")
    histories = {_name: learn(_kind, 600) for _name, _kind in (("tanh", tt.Elman), ("GRU", tt.GRU))}
    for _name, _history in histories.items():
        say_history(_name, _history)
    return (histories,)


@app.function
def training_picture(histories: dict[str, Records]) -> Figure:
    """Draw the errors over the training, and the gradient by lag at its first and last record."""
    with house_style():
        figure = Figure(figsize=(10, 3.8))
        left, right = figure.subplots(1, 2)
        for (name, history), color in zip(histories.items(), (BLUE, ORANGE), strict=True):
            left.plot(history.step, history.loss, ".-", color=color, label=name)
            for place, dash in ((0, ":"), (-1, "-")):
                by_lag = history.gradient_by_lag[place]
                words = f"{name}, after {history.step[place]} steps"
                right.plot(by_lag / by_lag[0], dash, color=color, label=words)
        left.axhline(TASK.baseline, color="#888888", linestyle=":", label="always saying 1")
        left.set(title="Adding: mean squared error", xlabel="training step", yscale="log")
        right.set(title="Gradient by the state, k = 0 being 1", xlabel="k: steps back in time", yscale="log")
        for axes in (left, right):
            axes.legend(fontsize=8.5)
        return figure


@app.cell
def _(histories):
    training = training_picture(histories)
    training
    return (training,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What all this does not say

    - A small gradient does not prove that nothing is remembered. One tanh unit with a recurrent weight of 3 is a latch:
      it keeps the sign of its first input for ever, near 1 or -1. There tanh is flat, and almost no
      gradient is left (Bengio, Simard & Frasconi 1994: the gradient of safely stored information vanishes).
    - A gradient holds for the current weights. Training changes it.
    - A large gradient does not prove that the memory is useful. An orthogonal linear network keeps every gradient.
    - One task, one seed and one learning rate are an example. With other settings a tanh network may learn this too.
    """)
    return


@app.function
def latch(first: float) -> tuple[float, float]:
    """Return the output of one tanh unit forty steps after its only input, and the norm over these steps."""
    cell = tt.Elman(1, 1, "tanh", key=KEY)
    cell = eqx.tree_at(lambda cell: (cell.w_x, cell.w_h), cell, (jnp.ones((1, 1)), jnp.full((1, 1), 3.0)))
    xs = jnp.zeros((STEPS + 1, 1)).at[0].set(first)
    return float(tt.unroll(cell, xs)[1][-1, 0]), float(tt.gradient_flow(cell, xs).norms[STEPS])


@app.cell
def _():
    print("\n9. What a small gradient does not prove: a latch\n")
    for _first in (2.0, -2.0):
        _says, _left = latch(_first)
        print(
            f"  first input {_first:+g}: after {STEPS} more steps it says {_says:+.4f}; left of a gradient {_left:.1e}"
        )
    return


@app.cell(hide_code=True)
def _(activations_picture, arguments, bounds_picture, gates_picture, initializers_picture, training):
    if _folder := arguments.pictures:
        _folder.mkdir(parents=True, exist_ok=True)
        bounds_picture.savefig(_folder / "bounds.png")
        activations_picture.savefig(_folder / "activations.png")
        initializers_picture.savefig(_folder / "initializers.png")
        gates_picture.savefig(_folder / "gates.png")
        training.savefig(_folder / "training.png")
        print(f"Pictures written to {_folder}.")
    return


if __name__ == "__main__":
    app.run()
