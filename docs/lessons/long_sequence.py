"""Lesson 11: a sequence of 100,000 steps with bounded memory, by truncated backpropagation.

Run it as a script, or open it as a notebook::

    python docs/lessons/long_sequence.py
    python docs/lessons/long_sequence.py --steps 20000 --picture chunks.png
    marimo edit docs/lessons/long_sequence.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 11: a sequence of 100,000 steps")

with app.setup(hide_code=True):
    import argparse
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, NamedTuple

    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import marimo as mo
    import optax
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.plots import BLUE, INK, ORANGE, house_style

    RATE = 0.02
    OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.005))


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Learn from one very long sequence.")
    _parser.add_argument("--steps", type=int, default=100_000, help="steps of the sequence (default 100000)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw memory and error")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 11: a sequence of 100,000 steps

    Backpropagation keeps the states of all steps until the gradient has come back. So its memory grows with the length
    of the sequence, and there is one update for the whole of it. A recording of a sensor has millions of steps.

    The remedy is old (Williams & Peng 1990): cut the sequence into chunks, run the network over one after the other,
    and update the weights after each. The state at the end of a chunk is the first state of the next, so the network
    forgets nothing. But the gradient stops at the border.

    The task: a switch. At one step in fifty a pulse of +1 or -1 arrives, with noise around it, and until the next one
    the output should be the value of the last. So the network has to remember for fifty steps on average, and sometimes
    for hundreds. The answer 0 has an error of 1.
    """)
    return


@app.function
def switch(key: jax.Array, steps: int) -> tuple[jax.Array, jax.Array]:
    """Return inputs (T, 1) with rare pulses, and the value of the last pulse at each step (T,)."""
    key_times, key_signs, key_noise = jax.random.split(key, 3)
    times = jax.random.bernoulli(key_times, RATE, (steps,)).at[0].set(True)
    pulses = jnp.where(times, jax.random.rademacher(key_signs, (steps,), jnp.float32), 0)
    last = jax.lax.cummax(jnp.where(times, jnp.arange(steps), 0))
    return (pulses + 0.1 * jax.random.normal(key_noise, (steps,)))[:, None], pulses[last]


@app.function
def make_network(seed: int) -> tt.RecurrentNetwork:
    """Return an untrained network with a GRU of 32 units."""
    key_cell, key_readout = jax.random.split(jax.random.key(seed))
    return tt.RecurrentNetwork(tt.GRU(1, 32, key=key_cell), 1, key=key_readout)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The loss

    `tt.Chunks` cuts arrays (B, T, ...) through time, here one sequence. With it, the loss of `tt.train` takes the state
    before a chunk, and returns the state after it beside its value.
    """)
    return


@app.function
def carried(network: tt.RecurrentNetwork, chunk: tuple[jax.Array, jax.Array], state: Any) -> tuple[jax.Array, Any]:
    """Return the mean squared error of a chunk that starts from a state, and the state after it."""
    xs, ys = chunk
    state, outputs = network(xs, state)
    return tt.losses.squared_error(outputs[..., 0], ys).mean(), state


@app.function
def from_zero(network: tt.RecurrentNetwork, chunk: tuple[jax.Array, jax.Array], state: Any) -> tuple[jax.Array, Any]:
    """Return the same for a network that forgets the state at the beginning of each chunk."""
    return carried(network, chunk, None)


@app.function
def learn(loss: Callable, network: tt.RecurrentNetwork, data: tuple[jax.Array, jax.Array], chunk: int) -> tt.History:
    """Run once over the sequence with an update after each chunk."""
    chunks = tt.Chunks(jax.tree.map(lambda array: array[None], data), chunk)
    return tt.train(network, loss, chunks, optimizer=OPTIMIZER, steps=len(chunks), key=0)


@app.function
def memory(loss: Callable, chunk: int) -> int:
    """Return the bytes that the gradient of a chunk needs beside its inputs."""
    network, (xs, ys) = make_network(0), switch(jax.random.key(0), chunk)
    gradient = eqx.filter_jit(eqx.filter_grad(loss, has_aux=True))
    plan = gradient.lower(network, (xs[None], ys[None]), None).compile().compiled.memory_analysis()
    return plan.temp_size_in_bytes


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The gradient is taken with respect to the weights alone, within a chunk. The state comes in as a constant, so
    nothing flows further back.

    ## Memory and error

    XLA plans all memory when it compiles, so it can be asked: `memory_analysis`. We run once over the sequence with
    chunks of different lengths, up to the whole sequence at once, which is ordinary backpropagation, and train three
    networks with each. They are compared on another sequence, which they read from its beginning to its end.
    """)
    return


@app.class_definition
class Result(NamedTuple):
    """One length of chunks: the updates, the memory of a gradient in bytes, and each network's error in the test."""

    updates: int
    memory: int
    errors: list[float]


@app.function
def tried(loss: Callable, data: tuple[jax.Array, jax.Array], test: tuple[jax.Array, jax.Array], chunk: int) -> Result:
    """Train three networks with chunks of this length, and measure."""
    errors = []
    for seed in range(3):
        history = learn(loss, make_network(seed), data, chunk)
        errors.append(float(tt.losses.squared_error(history.model(test[0])[1][:, 0], test[1]).mean()))
    return Result(history.step, memory(loss, chunk), sorted(errors))


@app.cell
def _(arguments):
    _data, _test = switch(jax.random.key(0), arguments.steps), switch(jax.random.key(1), 20_000)
    _whole = arguments.steps
    results = {_chunk: tried(carried, _data, _test, _chunk) for _chunk in (2, 10, 100, 1000, _whole // 10, _whole)}
    reset = tried(from_zero, _data, _test, 100)
    print(f"One pass over {_whole:,} steps\n")
    print(f"{'steps a chunk':>14}{'updates':>9}{'memory':>11}   mean squared errors of three networks in the test")
    for _chunk, _result in [*results.items(), (100, reset)]:
        _errors = "".join(f"{_error:>8.3f}" for _error in _result.errors)
        _note = "   from zero at each chunk" if _result is reset else ""
        print(f"{_chunk:>14,}{_result.updates:>9,}{_result.memory / 1e6:>8.3f} MB{_errors}{_note}")
    return reset, results


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The memory grows with the chunk: backpropagation keeps what it needs of each of its steps. Chunks of 10 or 100 steps
    learn the switch, although it must be remembered for longer: within a chunk a network learns to hold a value, and
    the state that is carried does the rest.

    - **Too long** a chunk has few updates. The whole sequence at once takes 1000 times the memory of chunks of 100
      steps and is a single update.
    - **Too short** a chunk is a gamble: with two steps, one network of three is worse than the answer 0.
    - **From zero at each chunk** the network is asked for pulses that it was not shown. Its error is more than twice as
      large.
    """)
    return


@app.function
def picture(results: dict[int, Result], reset: Result) -> Figure:
    """Draw memory and error by the length of a chunk."""
    lengths = list(results)
    with house_style():
        figure = Figure(figsize=(9, 3.4))
        left, right = figure.subplots(1, 2)
        left.loglog(lengths, [result.memory / 1e6 for result in results.values()], marker=".", color=BLUE)
        left.set(title="What memory does it take?", xlabel="steps a chunk", ylabel="MB")
        for chunk, result in results.items():
            right.loglog([chunk] * 3, result.errors, "o", color=BLUE, alpha=0.6)
        middle = [result.errors[1] for result in results.values()]
        right.loglog(lengths, middle, color=BLUE, label="carried (line: the median)")
        right.plot([100] * 3, reset.errors, "s", color=ORANGE, alpha=0.8, label="from zero at each chunk")
        right.axhline(1, color=INK, linestyle=":", label="always 0")
        right.set(title="What has it learned after one pass?", xlabel="steps a chunk", ylabel="mean squared error")
        right.legend(fontsize=8.5, loc="lower right")
    return figure


@app.cell
def _(reset, results):
    drawn = picture(results, reset)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - The state reaches further than the gradient. But an input that matters only after the end of its chunk, with
      nothing to learn from before, gets no gradient: then take longer chunks.
    - With many long sequences, make a batch of them: the arrays have a first axis for it already.
    - Start from zero only where a sequence starts.
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
