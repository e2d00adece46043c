"""Lesson 8: continue a wave alone, why teacher forcing is not enough, and what helps.

Run it as a script, or open it as a notebook::

    python docs/lessons/own_outputs.py
    python docs/lessons/own_outputs.py --steps 100 --picture alone.png
    marimo edit docs/lessons/own_outputs.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 8: a network on its own")

with app.setup:
    import argparse
    from collections.abc import Callable
    from functools import partial
    from pathlib import Path

    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.plots import BLUE, INK, ORANGE, house_style
    from throughtime.training import squared_error

    PERIOD, CONTEXT, AHEAD = 25, 40, 300
    OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.005))


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Continue a wave alone.")
    _parser.add_argument("--steps", type=int, default=300, help="training steps of each network (default 300)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the networks on their own")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 8: a network on its own

    Lesson 2 ended with a network that continued a curve alone, and said that nothing in its training had prepared it
    for that. Here we prepare it, in three ways, and measure what each is worth.

    The task: read 40 points of a wave, then continue it for 300 points, each prediction being the next input
    (`tt.rollout`). The wave is a sine of 25 points with a harmonic, and starts anywhere.
    """)
    return


@app.function
def waves(key: jax.Array, batch: int, points: int) -> jax.Array:
    """Return waves (B, points, 1) that start anywhere."""
    phase = 2 * jnp.pi * (jnp.arange(points) / PERIOD + jax.random.uniform(key, (batch, 1)))
    return (jnp.sin(phase) + 0.5 * jnp.sin(2 * phase + 1))[..., None]


@app.function
def draw(key: jax.Array) -> jax.Array:
    """Return a batch for training."""
    return waves(key, 32, 2 * CONTEXT)


@app.function
def make_network() -> tt.RecurrentNetwork:
    """Return an untrained network with a GRU of 48 units."""
    key_cell, key_readout = jax.random.split(jax.random.key(1))
    return tt.RecurrentNetwork(tt.GRU(1, 48, key=key_cell), 1, key=key_readout)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Three losses

    **Teacher forcing** gives the network the true point at each step and asks for the next one. It is fast, since all
    inputs are known in advance. But the network only ever sees perfect inputs. Alone, it gets its own, which are a
    little wrong. What it does with those was never trained, so small errors may grow.

    **Noise on the inputs** shows it wrong inputs with right answers, so that it learns to come back to the wave.

    **Own outputs** trains what is wanted: roll out some points as later in use, and compare them with the truth.
    The gradient goes back through all of them.
    """)
    return


@app.function
def teacher_forcing(network: tt.RecurrentNetwork, batch: jax.Array) -> jax.Array:
    """Return the mean squared error one step ahead, from true inputs."""
    return squared_error(network(batch[:, :-1])[1], batch[:, 1:]).mean()


@app.function
def noisy_inputs(network: tt.RecurrentNetwork, batch: jax.Array, key: jax.Array) -> jax.Array:
    """Return the mean squared error one step ahead, from inputs with noise of 0.1."""
    noise = 0.1 * jax.random.normal(key, batch[:, :-1].shape)
    return squared_error(network(batch[:, :-1] + noise)[1], batch[:, 1:]).mean()


@app.function
def own_outputs(network: tt.RecurrentNetwork, batch: jax.Array, *, points: int) -> jax.Array:
    """Return the mean squared error of some points that the network generates alone."""
    generated = tt.rollout(network, batch[:, :CONTEXT], points)
    return squared_error(generated, batch[:, CONTEXT : CONTEXT + points]).mean()


@app.function
def losses() -> dict[str, Callable]:
    """Return the losses by name."""
    return {
        "teacher forcing": teacher_forcing,
        "noise on the inputs": noisy_inputs,
        "own outputs, 10 points": partial(own_outputs, points=10),
        "own outputs, 40 points": partial(own_outputs, points=40),
    }


@app.function
def learn(loss: Callable, steps: int) -> tt.RecurrentNetwork:
    """Train, and return the network."""
    return tt.train(make_network(), loss, draw, optimizer=OPTIMIZER, steps=steps, key=1).model


@app.function
def errors(network: tt.RecurrentNetwork, test: jax.Array) -> tuple[float, np.ndarray]:
    """Return the error one step ahead after the context, and that of each point alone, (AHEAD,)."""
    _, predictions = network(test[:, :-1])
    generated = tt.rollout(network, test[:, :CONTEXT], AHEAD)
    one_step = squared_error(predictions[:, CONTEXT - 1 :], test[:, CONTEXT:]).mean()
    return float(one_step), np.asarray(squared_error(generated, test[:, CONTEXT:]).mean((0, 2)))


@app.cell
def _(arguments):
    test = waves(jax.random.key(2), 100, CONTEXT + AHEAD)
    print(f"{'mean squared error':<24}{'one step':>12}{'alone: 10':>12}{'50':>10}{'300 points':>12}")
    networks, alone = {}, {}
    for _name, _loss in losses().items():
        networks[_name] = learn(_loss, arguments.steps)
        _one_step, alone[_name] = errors(networks[_name], test)
        _shares = [alone[_name][:_points].mean() for _points in (10, 50, AHEAD)]
        print(f"  {_name:<22}{_one_step:>12.6f}{_shares[0]:>12.5f}{_shares[1]:>10.5f}{_shares[2]:>12.5f}")
    print(f"  {'always 0':<22}{float((test**2).mean()):>12.6f}")
    return alone, networks, test


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Teacher forcing is good one step ahead and useless alone: after 300 points it is worse than always saying 0. The
    error one step ahead does not tell you so. Noise helps, at no cost. Training on own outputs is better by orders of
    magnitude.

    More is not always better: after the same number of steps, 40 own points do worse than 10. Early in training a long
    rollout is far from the wave, and its gradient says little. Start with few points; add more if the error far ahead
    still grows.
    """)
    return


@app.function
def picture(networks: dict[str, tt.RecurrentNetwork], alone: dict[str, np.ndarray], test: jax.Array) -> Figure:
    """Draw the last rollouts of three networks, and how the errors grow."""
    looks = {
        "teacher forcing": (ORANGE, "--"),
        "noise on the inputs": ("C2", "-."),
        "own outputs, 10 points": (BLUE, "-"),
    }
    last = np.arange(200, AHEAD)
    with house_style():
        figure = Figure(figsize=(9, 6.2))
        rows = figure.subplots(4, 1, height_ratios=[1, 1, 1, 1.6])
        for axes, (name, (color, dashes)) in zip(rows, looks.items(), strict=False):
            generated = tt.rollout(networks[name], test[0, :CONTEXT], AHEAD)[:, 0]
            axes.plot(last, test[0, CONTEXT:, 0][last], color=INK, linewidth=4, alpha=0.3)
            axes.plot(last, generated[last], dashes, color=color)
            axes.set_title(name)
        rows[0].set_title("teacher forcing (broad and pale: the wave)")
        for name, (color, dashes) in looks.items():
            smooth = np.convolve(alone[name], np.full(PERIOD, 1 / PERIOD), "valid")
            rows[3].plot(np.arange(PERIOD, AHEAD + 1), smooth, dashes, color=color, label=name)
        rows[3].axhline(float((test**2).mean()), color=INK, linestyle=":", label="always 0")
        rows[3].set(title="How does the error grow?", xlabel="points alone", ylabel="mean squared error", yscale="log")
        rows[3].legend(fontsize=8.5, ncols=2)
    return figure


@app.cell
def _(alone, networks, test):
    drawn = picture(networks, alone, test)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - Measure what you need: a model that will run alone is judged by its rollouts.
    - Noise on the inputs is the first remedy, of about the size of the errors that the network makes.
    - A short rollout in the loss costs little and trains what is used. For tokens, `tt.EncoderDecoder.scheduled` mixes
      own outputs and true ones (Bengio et al. 2015).
    - This network knows one wave. Ask it for another period, and it will fall back to its own.
    """)
    return


@app.cell(hide_code=True)
def _(arguments, drawn):
    if arguments.picture:
        drawn.savefig(arguments.picture)
        print(f"\nWritten to {arguments.picture}.")
    return


if __name__ == "__main__":
    app.run()
