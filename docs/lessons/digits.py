"""Lesson 9: from sequence to sequence, with attention, on strings of digits.

Run it as a script, or open it as a notebook::

    python docs/lessons/digits.py
    python docs/lessons/digits.py --steps 200 --picture attention.png
    marimo edit docs/lessons/digits.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 9: from sequence to sequence")

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
    from throughtime.layers import Attention
    from throughtime.plots import BLUE, ORANGE, house_style
    from throughtime.training import cross_entropy, masked_mean

    TOKENS = 11  # 0 is padding and the start, 1 to 10 are the digits 0 to 9
    SHORTEST, LONGEST, TESTED = 3, 10, 16  # digits in training, and at most in the test


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Reverse strings of digits.")
    _parser.add_argument("--steps", type=int, default=800, help="training steps of each network (default 800)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the attention")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 9: from sequence to sequence

    A tagger gives one output for each input. A translation has another length and another order. For that there are two
    networks: an encoder reads the source, and a decoder writes the result, one token after the other.

    The task: reverse a string of 3 to 10 digits. It is easy to say and hard for a memory, since the first digit is
    needed last. Digits are random, so a guess of one digit is right one time in ten.
    """)
    return


@app.class_definition
class Pairs(NamedTuple):
    """Sources and targets (B, T), digits plus 1, and their common mask (B, T)."""

    sources: jax.Array
    targets: jax.Array
    mask: jax.Array


@app.function
def draw(key: jax.Array, batch: int = 64, shortest: int = SHORTEST, longest: int = LONGEST) -> Pairs:
    """Return strings of random lengths and their reversals."""
    key_digits, key_lengths = jax.random.split(key)
    lengths = jax.random.randint(key_lengths, (batch, 1), shortest, longest + 1)
    mask = tt.sequence_mask(lengths[:, 0], longest)
    sources = jnp.where(mask, jax.random.randint(key_digits, mask.shape, 1, TOKENS), 0)
    mirrored = jnp.where(mask, lengths - 1 - jnp.arange(longest)[None], 0)
    return Pairs(sources, jnp.where(mask, jnp.take_along_axis(sources, mirrored, axis=1), 0), mask)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Encoder, decoder, attention

    `tt.EncoderDecoder` joins two lists of layers. The encoder may read in both directions, because the source is known
    as a whole. The decoder starts from a summary of the source, one vector. If that were all, every digit would have to
    pass through it. With attention, the decoder computes at each step a weight for each output of the encoder, and
    reads their weighted mean: it looks back at the source.

    To see what attention is worth, there is a second network without it. `Attention` is a base class, so this takes a
    few lines: all scores are equal, the decoder reads the plain mean, and cannot look at anything.
    """)
    return


@app.class_definition
class NoAttention(Attention):
    """Equal weights for all steps of the source."""

    def __init__(self, queries: int, memory: int, *, key: jax.Array):
        """Draw nothing: there are no weights."""

    def keys(self, memory: jax.Array) -> jax.Array:
        """Return the memory itself."""
        return memory

    def scores(self, queries: jax.Array, keys: jax.Array) -> jax.Array:
        """Return zeros (..., T, S)."""
        return jnp.zeros((*queries.shape[:-1], keys.shape[-2]), queries.dtype)


@app.function
def make_network(attention: str | type[Attention]) -> tt.EncoderDecoder:
    """Return an untrained network with 64 units in the encoder and in the decoder."""
    keys = jax.random.split(jax.random.key(0), 6)
    both = tt.Bidirectional(tt.GRU(16, 32, key=keys[0]), tt.GRU(16, 32, key=keys[1]))
    encoder = [tt.Embedding(TOKENS, 16, key=keys[2]), both]
    decoder = [tt.Embedding(TOKENS, 16, key=keys[3]), tt.GRU(16, 64, key=keys[4])]
    return tt.EncoderDecoder(encoder, decoder, attention, key=keys[5])


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Training, and writing alone

    In training the decoder reads the true digits before the one that it predicts: teacher forcing, as in lesson 8. The
    mask tells both what is padding, and the loss too. In the test `generate` lets the decoder read what it wrote. A
    string counts if all its digits are right.
    """)
    return


@app.function
def loss(network: tt.EncoderDecoder, batch: Pairs) -> jax.Array:
    """Return the mean cross-entropy of all real digits."""
    decoded = network(batch.sources, batch.targets, mask=batch.mask, target_mask=batch.mask)
    return masked_mean(cross_entropy(decoded.outputs, batch.targets), batch.mask)


@app.function
def learn(attention: str | type[Attention], steps: int) -> tt.EncoderDecoder:
    """Train, and return the network."""
    rate = optax.cosine_decay_schedule(0.005, steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    return tt.train(make_network(attention), loss, draw, optimizer=optimizer, steps=steps, key=0).model


@app.function
def by_length(network: tt.EncoderDecoder) -> dict[int, float]:
    """Return the share of right strings for each length."""
    test = draw(jax.random.key(1), 3000, SHORTEST, TESTED)
    written = network.generate(test.sources, TESTED, mask=test.mask).predictions
    right = np.asarray(((written == test.targets) | ~test.mask).all(-1))
    lengths = np.asarray(test.mask.sum(-1))
    return {length: float(right[lengths == length].mean()) for length in range(SHORTEST, TESTED + 1)}


@app.cell
def _(arguments):
    networks = {
        "attention": learn("additive", arguments.steps),
        "no attention": learn(NoAttention, arguments.steps),
    }
    shares = {_name: by_length(_network) for _name, _network in networks.items()}
    print("Strings without a mistake, by their number of digits\n")
    print(f"{'':<14}" + "".join(f"{_length:>6}" for _length in shares["attention"]))
    for _name, _row in shares.items():
        print(f"{_name:<14}" + "".join(f"{_share:>6.0%}" for _share in _row.values()))
    return networks, shares


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Both learn the short strings. Without attention the long ones do not fit through one vector. No training string had
    more than ten digits: with attention most longer ones are right too, without it nearly none.

    ## Where does it look?

    `generate` returns the weights too. Nobody told the network that it should read from right to left.
    """)
    return


@app.function
def picture(network: tt.EncoderDecoder, shares: dict[str, dict[int, float]], digits: str) -> Figure:
    """Draw the attention while the network reverses ``digits``, and the shares of right strings."""
    source = jnp.array([int(digit) + 1 for digit in digits])
    decoded = network.generate(source, len(digits))
    looks = {"attention": (BLUE, "-"), "no attention": (ORANGE, "--")}
    with house_style():
        figure = Figure(figsize=(9, 3.9))
        left, right = figure.subplots(1, 2)
        left.imshow(np.asarray(decoded.weights), cmap="Blues", vmin=0, vmax=1)
        left.set_xticks(range(len(digits)), digits)
        left.set_yticks(range(len(digits)), [str(token - 1) for token in decoded.predictions])
        left.set(title="Where does it look?", xlabel="digits that are read", ylabel="digits that are written")
        left.grid(visible=False)
        for name, (color, dashes) in looks.items():
            right.plot(shares[name].keys(), shares[name].values(), dashes, marker=".", color=color, label=name)
        right.axvline(LONGEST + 0.5, color="gray", linestyle=":", label="longest in training")
        right.set(title="Which strings are right?", xlabel="digits", ylabel="without a mistake", ylim=(-0.03, 1.05))
        right.legend(fontsize=8.5)
    return figure


@app.cell
def _(networks, shares):
    drawn = picture(networks["attention"], shares, "3141592653")
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - Targets are shifted inside: give `tt.EncoderDecoder` the targets themselves. Token 0 is what the decoder reads
      first, so keep it for padding.
    - The score that counts is that of `generate`; in teacher forcing a mistake has no consequences.
    - If the result has another length than the source, end it with a token of your own and look for it in the
      predictions.
    - Attention weights show where the decoder looks, not why.
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
