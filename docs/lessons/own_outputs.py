"""Lesson 8: continue a wave alone, why teacher forcing is not enough, and what helps.

Run it as a script, or open it as a notebook::

    python docs/lessons/own_outputs.py
    python docs/lessons/own_outputs.py --steps 100 --picture alone.png
    marimo edit docs/lessons/own_outputs.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 8: a network on its own")

with app.setup(hide_code=True):
    import argparse
    from collections.abc import Callable
    from functools import partial
    from pathlib import Path
    from typing import NamedTuple

    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.plots import BLUE, INK, ORANGE, house_style
    from throughtime.training import squared_error

    PERIODS, CONTEXT, AHEAD = (12.0, 30.0), 40, 100


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Continue a wave alone.")
    _parser.add_argument("--steps", type=int, default=400, help="training steps of each network (default 400)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the networks on their own")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 8: a network on its own

    Lesson 2 ended with a network that continued a curve alone, and said that nothing in its training had prepared it
    for that. Here we prepare it, in three ways, and measure what each is worth.

    The task: read 40 points of a wave, then continue it for 100 points, each prediction being the next input
    (`tt.rollout`). A wave is a sine with a harmonic. It starts anywhere, and its period is between 12 and 30 points:
    the network has to find it in what it reads, and keep it.
    """)
    return


@app.function
def waves(key: jax.Array, batch: int, points: int) -> jax.Array:
    """Return waves (B, points, 1) of random periods that start anywhere."""
    key_period, key_start = jax.random.split(key)
    period = jax.random.uniform(key_period, (batch, 1), minval=PERIODS[0], maxval=PERIODS[1])
    phase = 2 * jnp.pi * (jnp.arange(points)[None] / period + jax.random.uniform(key_start, (batch, 1)))
    return (jnp.sin(phase) + 0.5 * jnp.sin(2 * phase + 1))[..., None]


@app.function
def draw(key: jax.Array) -> jax.Array:
    """Return a batch for training."""
    return waves(key, 32, 2 * CONTEXT)


@app.function
def make_network(seed: int) -> tt.RecurrentNetwork:
    """Return an untrained network with a GRU of 48 units."""
    key_cell, key_readout = jax.random.split(jax.random.key(seed))
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


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The measurement

    Rollouts differ from network to network, so one of each kind proves nothing: `tt.fit_many` trains three, with one
    compilation, and the table has their medians. The learning rate ends at zero. With a constant one the last steps of
    Adam still push the network around, and its rollouts with it.
    """)
    return


@app.function
def learn(loss: Callable, steps: int, count: int = 3) -> list[tt.RecurrentNetwork]:
    """Train some networks side by side."""
    rate = optax.cosine_decay_schedule(0.005, steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    networks = [make_network(seed) for seed in range(count)]
    return [history.model for history in tt.fit_many(networks, loss, draw, optimizer=optimizer, steps=steps, key=0)]


@app.class_definition
class Errors(NamedTuple):
    """Mean squared errors: one step ahead after the context, and of each point alone, (AHEAD,)."""

    one_step: float
    alone: np.ndarray


@app.function
def errors(networks: list[tt.RecurrentNetwork], test: jax.Array) -> Errors:
    """Return the medians over some networks."""
    one_step, alone = [], []
    for network in networks:
        _, predictions = network(test[:, :-1])
        one_step.append(squared_error(predictions[:, CONTEXT - 1 :], test[:, CONTEXT:]).mean())
        generated = tt.rollout(network, test[:, :CONTEXT], AHEAD)
        alone.append(squared_error(generated, test[:, CONTEXT:]).mean((0, 2)))
    return Errors(float(np.median(one_step)), np.median(alone, axis=0))


@app.cell
def _(arguments):
    test = waves(jax.random.key(2), 200, CONTEXT + AHEAD)
    print(f"{'mean squared error':<24}{'one step':>12}{'alone: 10':>12}{'50':>10}{'100 points':>12}")
    networks, measured = {}, {}
    for _name, _loss in losses().items():
        networks[_name] = learn(_loss, arguments.steps)
        measured[_name] = errors(networks[_name], test)
        _first, _middle, _all = (measured[_name].alone[:_points].mean() for _points in (10, 50, AHEAD))
        print(f"  {_name:<22}{measured[_name].one_step:>12.5f}{_first:>12.4f}{_middle:>10.4f}{_all:>12.4f}")
    print(f"  {'always 0':<22}{float((test**2).mean()):>12.5f}")
    return measured, networks, test


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    One step ahead, teacher forcing looks fine. Alone it is worse than always saying 0, because its errors do not just
    add up: they grow. The error one step ahead does not tell you so.

    Noise costs one line, and the error is a fraction. Training on own outputs does the same, and better the more points
    it is trained on, at least far ahead. It makes the network worse one step ahead: it is trained for another use.

    No remedy is perfect. After a hundred points a period that is wrong by a few percent puts the wave out of step, and
    nothing that the network reads can tell it so.
    """)
    return


@app.function
def picture(networks: dict[str, list[tt.RecurrentNetwork]], measured: dict[str, Errors], test: jax.Array) -> Figure:
    """Draw one wave that three networks continue, and how their errors grow."""
    looks = {
        "teacher forcing": (ORANGE, "--"),
        "noise on the inputs": ("C2", "-."),
        "own outputs, 40 points": (BLUE, "-"),
    }
    points = np.arange(AHEAD)
    with house_style():
        figure = Figure(figsize=(9, 6.2))
        rows = figure.subplots(4, 1, height_ratios=[1, 1, 1, 1.8], sharex=True)
        for axes, (name, (color, dashes)) in zip(rows, looks.items(), strict=False):
            axes.plot(points, test[0, CONTEXT:, 0], color=INK, linewidth=4, alpha=0.3)
            axes.plot(points, tt.rollout(networks[name][0], test[0, :CONTEXT], AHEAD)[:, 0], dashes, color=color)
            axes.set(title=name, ylim=(-2.2, 2.2))
        rows[0].set_title("teacher forcing (broad and pale: the wave)")
        for name, (color, dashes) in looks.items():
            rows[3].plot(points + 1, measured[name].alone, dashes, color=color, label=name)
        rows[3].axhline(float((test**2).mean()), color=INK, linestyle=":", label="always 0")
        rows[3].set(title="How does the error grow?", xlabel="points alone", ylabel="mean squared error", yscale="log")
        rows[3].legend(fontsize=8.5, ncols=2)
    return figure


@app.cell
def _(measured, networks, test):
    drawn = picture(networks, measured, test)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - Measure what you need: a model that will run alone is judged by its rollouts.
    - Noise on the inputs is the first remedy. If you have to forecast one step ahead too, it is the safe one.
    - A rollout in the loss trains what is used. For tokens, `tt.EncoderDecoder.scheduled` mixes own outputs and true
      ones (Bengio et al. 2015).
    - Repeat a comparison of rollouts with other seeds before you believe it.
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
