"""Lesson 6: classify sequences of different lengths, and why padding must not count.

Run it as a script, or open it as a notebook::

    python docs/lessons/different_lengths.py
    python docs/lessons/different_lengths.py --steps 100 --picture lengths.png
    marimo edit docs/lessons/different_lengths.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 6: sequences of different lengths")

with app.setup(hide_code=True):
    import argparse
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
    from throughtime.training import cross_entropy

    SHORTEST, LONGEST = 10, 80
    PITCHES = {"rising": (0.05, 0.25), "falling": (0.25, 0.05), "steady": (0.15, 0.15)}  # oscillations a step
    OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.005))


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Classify sequences of different lengths.")
    _parser.add_argument("--steps", type=int, default=250, help="training steps of each network (default 250)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw who is right, by length")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 6: classify sequences of different lengths

    Sequences of a data set rarely have the same length, but a batch is one array. So the short ones are padded, and a
    mask says which steps are real. This lesson classifies sequences of 10 to 80 steps with a mask, and shows what
    happens without one.

    The task: each sequence is a whistle with noise. Is its pitch rising, falling or steady? The ends of the pitch are
    the same at any length, so a long whistle changes slowly. Short ones are frequent: half of them are below 29 steps.
    A guess is right one time in three.
    """)
    return


@app.function
def whistle(random: np.random.Generator, first: float, last: float) -> np.ndarray:
    """Return a noisy sine (T, 1) of random length and phase, whose pitch goes from ``first`` to ``last``."""
    steps = int(np.exp(random.uniform(np.log(SHORTEST), np.log(LONGEST + 1))))
    phase = random.uniform() + np.cumsum(np.linspace(first, last, steps))
    return (np.sin(2 * np.pi * phase) + 0.2 * random.normal(size=steps))[:, None].astype(np.float32)


@app.function
def whistles(count: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return whistles, and the number of each one's class."""
    random = np.random.default_rng(seed)
    classes = random.integers(len(PITCHES), size=count)
    pitches = list(PITCHES.values())
    return [whistle(random, *pitches[kind]) for kind in classes], classes


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One array and a mask

    `tt.pad` fills each sequence up with zeros at its end, and makes the mask: True for real steps. More than half of
    this array is padding.
    """)
    return


@app.class_definition
class Batch(NamedTuple):
    """Padded sequences xs (B, T, 1), their mask (B, T), and their classes (B,)."""

    xs: jax.Array
    mask: jax.Array
    classes: jax.Array


@app.function
def padded(sequences: list[np.ndarray], classes: np.ndarray, steps: int = LONGEST) -> Batch:
    """Return sequences (T, 1) of any lengths as one batch of ``steps`` steps."""
    return Batch(*tt.pad(sequences, steps), jnp.asarray(classes))


@app.cell
def _():
    training, test = padded(*whistles(4000, seed=0)), padded(*whistles(2000, seed=1))
    print(f"1. One array of {training.xs.shape}, of which {1 - training.mask.mean():.0%} is padding")
    return test, training


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Many to one

    `tt.ManyToOne` is a layer, a pool over time, and a linear readout: one output for the whole sequence. The pool
    "last" is the output of the last real step; "mean" is the mean over all real steps. With the mask, a padded sequence
    gives exactly the numbers of the sequence alone.
    """)
    return


@app.function
def make_network(pool: str) -> tt.ManyToOne:
    """Return an untrained classifier with a GRU of 32 units."""
    key_cell, key_readout = jax.random.split(jax.random.key(0))
    return tt.ManyToOne(tt.GRU(1, 32, key=key_cell), len(PITCHES), pool, key=key_readout)


@app.function
def with_mask(network: tt.ManyToOne, batch: Batch) -> jax.Array:
    """Return the mean cross-entropy; padding does not count."""
    return cross_entropy(network(batch.xs, mask=batch.mask)[1], batch.classes).mean()


@app.function
def without_mask(network: tt.ManyToOne, batch: Batch) -> jax.Array:
    """Return the mean cross-entropy of a network that takes padding for input."""
    return cross_entropy(network(batch.xs)[1], batch.classes).mean()


@app.function
def learn(loss, pool: str, training: Batch, steps: int) -> tt.History:
    """Train on batches of 64 sequences."""
    return tt.train(make_network(pool), loss, tt.Minibatches(training, 64), optimizer=OPTIMIZER, steps=steps, key=0)


@app.function
def right(network: tt.ManyToOne, batch: Batch, mask: jax.Array | None) -> np.ndarray:
    """Return for each sequence if the network is right, (B,)."""
    return np.asarray(network(batch.xs, mask=mask)[1].argmax(-1) == batch.classes)


@app.cell
def _(arguments, test, training):
    masked = learn(with_mask, "last", training, arguments.steps)
    print(f"\n2. With the mask: {right(masked.model, test, test.mask).mean():.1%} right (a guess: 33.3%)")
    return (masked,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The same without the mask

    Now the network reads the padding as if it were input. It has to keep its answer over up to 70 zeros, and the
    gradient has to come back through all of them: the problem of lesson 3, and nothing in the data asked for it. It
    learns later, and the shortest sequences, which have the most padding, come last.
    """)
    return


@app.function
def by_length(correct: np.ndarray, batch: Batch) -> dict[str, float]:
    """Return the share of right answers for short, middle and long sequences."""
    lengths = np.asarray(batch.mask.sum(-1))
    parts = {"10-19": lengths < 20, "20-39": (lengths >= 20) & (lengths < 40), "40-80": lengths >= 40}
    return {name: float(correct[part].mean()) for name, part in parts.items()}


@app.cell
def _(arguments, masked, test, training):
    unmasked = learn(without_mask, "last", training, arguments.steps)
    shares = {
        "with the mask": by_length(right(masked.model, test, test.mask), test),
        "without": by_length(right(unmasked.model, test, None), test),
    }
    print("\n3. Right answers by length\n")
    for _name, _shares in shares.items():
        print(f"  {_name:<14}" + "".join(f"  {_length} steps {_share:6.1%}" for _length, _share in _shares.items()))
    return shares, unmasked


@app.function
def picture(masked: np.ndarray, unmasked: np.ndarray, shares: dict[str, dict[str, float]]) -> Figure:
    """Draw the losses of both trainings, and the shares of right answers by length."""
    with house_style():
        figure = Figure(figsize=(9, 3.4))
        left, right = figure.subplots(1, 2)
        looks = {"with the mask": (BLUE, "-", masked), "without": (ORANGE, "--", unmasked)}
        for place, (name, (color, dashes, losses)) in enumerate(looks.items()):
            left.plot(np.convolve(losses, np.full(20, 1 / 20), "valid"), dashes, color=color, label=name)
            bars = right.bar(np.arange(3) + 0.38 * (place - 0.5), shares[name].values(), 0.36, color=color)
            right.bar_label(bars, fmt="{:.0%}", fontsize=8.5)
        left.axhline(np.log(3), color=INK, linestyle=":", label="a guess")
        left.set(title="How fast does it learn?", xlabel="training step", ylabel="cross-entropy", ylim=(0, 1.35))
        right.axhline(1 / 3, color=INK, linestyle=":")
        right.set(title="Who is right after the training?", xlabel="steps of the sequence", ylabel="right")
        right.set_xticks(range(3), shares["without"])
        right.grid(visible=False, axis="x")
        left.legend(fontsize=8.5, loc="upper right", ncols=3)
    return figure


@app.cell
def _(masked, shares, unmasked):
    drawn = picture(masked.losses, unmasked.losses, shares)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The mistake that nobody notices

    With the pool "mean" the network learns without a mask too, because the zeros only dilute its mean. Its score on the
    test data looks fine. But the answer now depends on the padding, and so on the longest sequence of the batch: the
    same sequences in an array of 800 steps get other answers. With the mask nothing changes, to the last digit.
    """)
    return


@app.function
def repadded(batch: Batch, steps: int) -> Batch:
    """Return the same sequences with padding up to ``steps`` steps."""
    more = steps - batch.xs.shape[1]
    xs, mask = jnp.pad(batch.xs, ((0, 0), (0, more), (0, 0))), jnp.pad(batch.mask, ((0, 0), (0, more)))
    return Batch(xs, mask, batch.classes)


@app.cell
def _(arguments, masked, test, training):
    _diluted = learn(without_mask, "mean", training, arguments.steps).model
    _longer = repadded(test, 800)
    print("\n4. The same sequences in arrays of 80 and of 800 steps\n")
    for _name, _network, _masks in (
        ("last, with the mask", masked.model, (test.mask, _longer.mask)),
        ("mean, without", _diluted, (None, None)),
    ):
        _shares = [right(_network, _batch, _mask).mean() for _batch, _mask in zip((test, _longer), _masks, strict=True)]
        print(f"  {_name:<20} {_shares[0]:6.1%} right, then {_shares[1]:6.1%}")
    np.testing.assert_array_equal(
        masked.model(test.xs, mask=test.mask)[1], masked.model(_longer.xs, mask=_longer.mask)[1]
    )
    print("\nWith the mask the outputs are the same to the last digit.")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - Give every layer the mask; the loss too, if it has a value for each step: `throughtime.training.masked_mean`.
    - Padding may hold anything, NaN too: masked steps enter neither outputs nor gradients.
    - To test it, pad a sequence further: no output may change.
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
