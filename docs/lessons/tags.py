"""Lesson 7: tag each step of a sequence, and why one direction cannot know the future.

Run it as a script, or open it as a notebook::

    python docs/lessons/tags.py
    python docs/lessons/tags.py --steps 100 --picture tags.png
    marimo edit docs/lessons/tags.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 7: tag each step")

with app.setup(hide_code=True):
    import argparse
    from pathlib import Path

    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.plots import BLUE, INK, ORANGE, house_style
    from throughtime.training import cross_entropy

    STEPS, RATE, NEAR = 100, 0.05, 4  # a spike at each step with this probability; steps that count as near
    TAGS = ("calm", "before", "after")
    OPTIMIZER = optax.adam(0.01)


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Tag each step of a sequence.")
    _parser.add_argument("--steps", type=int, default=200, help="training steps of each network (default 200)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw one sequence and its tags")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 7: tag each step, with the future or without

    A tagger has an output for each step of a sequence. If the whole sequence is known, it may look ahead: a word's
    meaning depends on the next word, a heartbeat is judged by what follows. This lesson shows what that is worth.

    The task: noise, and a spike at each step with a probability of 5 %. A step is *before* if a spike comes within the
    next four steps, otherwise *after* if one came within the last four (its own step included), otherwise *calm*.

    Nothing announces a spike. So no network that reads forward can know *before*: at each step its probability is
    1 - 0.95^4 = 18.5 %, whatever has been read. That is never the most likely tag, so the best such network misses all
    of them, however large it is and however long it learns: the share of the other steps is its bound.
    """)
    return


@app.function
def draw(key: jax.Array, batch: int = 64) -> tuple[jax.Array, jax.Array]:
    """Return sequences (B, T, 1) and the tag of each step (B, T)."""
    key_spikes, key_noise = jax.random.split(key)
    spikes = jax.random.bernoulli(key_spikes, RATE, (batch, STEPS))
    xs = 3.0 * spikes + 0.5 * jax.random.normal(key_noise, spikes.shape)
    around = jnp.pad(spikes, ((0, 0), (NEAR, NEAR)))
    before = jnp.stack([around[:, NEAR + k : NEAR + k + STEPS] for k in range(1, NEAR + 1)]).any(0)
    after = jnp.stack([around[:, NEAR - k : NEAR - k + STEPS] for k in range(NEAR + 1)]).any(0)
    return xs[..., None], jnp.where(before, 1, jnp.where(after, 2, 0))


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Two networks

    `tt.ManyToMany` has an output for each step. One network is a GRU of 32 units. The other reads the sequence in both
    directions, by `tt.Bidirectional` with two GRUs of 16 units, and has fewer weights. (With sequences of different
    lengths, give it the mask of lesson 6: the backward layer then starts at the last real step.)
    """)
    return


@app.function
def make_networks() -> dict[str, tt.ManyToMany]:
    """Return both networks, untrained."""
    keys = jax.random.split(jax.random.key(0), 5)
    both = tt.Bidirectional(tt.GRU(1, 16, key=keys[0]), tt.GRU(1, 16, key=keys[1]))
    return {
        "forward": tt.ManyToMany(tt.GRU(1, 32, key=keys[2]), len(TAGS), key=keys[3]),
        "both directions": tt.ManyToMany(both, len(TAGS), key=keys[4]),
    }


@app.function
def loss(network: tt.ManyToMany, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Return the mean cross-entropy of all steps."""
    xs, tags = batch
    return cross_entropy(network(xs)[1], tags).mean()


@app.function
def learn(network: tt.ManyToMany, steps: int) -> tt.ManyToMany:
    """Train on sequences that the compiled loop draws, and return the network."""
    return tt.train(network, loss, draw, optimizer=OPTIMIZER, steps=steps, key=0).model


@app.function
def tagged(network: tt.ManyToMany, xs: jax.Array) -> np.ndarray:
    """Return the most likely tag of each step, (B, T)."""
    return np.asarray(network(xs)[1].argmax(-1))


@app.function
def found(said: np.ndarray, tags: np.ndarray) -> dict[str, float]:
    """Return the share of right steps, of all and of those with each tag."""
    return {"all steps": float((said == tags).mean())} | {
        name: float((said == tags)[tags == tag].mean()) for tag, name in enumerate(TAGS)
    }


@app.cell
def _(arguments):
    networks = {_name: learn(_network, arguments.steps) for _name, _network in make_networks().items()}
    xs, tags = draw(jax.random.key(1), 500)
    print("Right, of all steps and of those with each tag\n")
    print(" " * 18 + "".join(f"{_name:>10}" for _name in ("all steps", *TAGS)))
    print(f"  {'bound, forward':<16}{float((tags != TAGS.index('before')).mean()):>10.1%}")
    _always_calm = found(np.zeros(tags.shape, int), np.asarray(tags))
    _shares = {_name: found(tagged(_network, xs), np.asarray(tags)) for _name, _network in networks.items()}
    for _name, _row in ({"always calm": _always_calm} | _shares).items():
        print(f"  {_name:<16}" + "".join(f"{_share:>10.1%}" for _share in _row.values()))
    return networks, tags, xs


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The forward network finds nearly every step *after* a spike and not one *before* it. It has reached its bound: more
    units or more training would not help. Both directions find both.

    Ask the forward network for probabilities instead of its most likely tag, and it knows what it cannot know: away
    from spikes it says about 18.5 % for *before*, all the time. The other network is nearly certain at each step.
    """)
    return


@app.function
def probability_of_before(network: tt.ManyToMany, xs: jax.Array) -> np.ndarray:
    """Return the probability of the tag "before" at each step, (B, T)."""
    return np.asarray(jax.nn.softmax(network(xs)[1])[..., TAGS.index("before")])


@app.function
def picture(networks: dict[str, tt.ManyToMany], xs: jax.Array, tags: jax.Array) -> Figure:
    """Draw one sequence, its steps before a spike, and both networks' probabilities of them."""
    steps = np.arange(STEPS)
    looks = {"forward": (ORANGE, "--"), "both directions": (BLUE, "-")}
    with house_style():
        figure = Figure(figsize=(9, 4.2))
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(steps, xs[:, 0], color=INK, linewidth=1.3)
        above.set(title="A sequence; the gray steps are before a spike", ylabel="input")
        for name, (color, dashes) in looks.items():
            below.plot(steps, probability_of_before(networks[name], xs), dashes, color=color, label=name)
        below.axhline(1 - (1 - RATE) ** NEAR, color=INK, linestyle=":", label="always 18.5 %")
        below.set(title='How probable is "before"?', xlabel="step", ylabel="probability", ylim=(-0.03, 1.03))
        for axes in (above, below):
            for step in np.flatnonzero(np.asarray(tags) == TAGS.index("before")):
                axes.axvspan(step - 0.5, step + 0.5, color=INK, alpha=0.1, linewidth=0)
        figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8.5)
    return figure


@app.cell
def _(networks, tags, xs):
    _away = probability_of_before(networks["forward"], xs)[np.asarray(tags) == 0].mean()
    print(f'The forward network\'s mean probability of "before" at calm steps: {_away:.1%}')
    drawn = picture(networks, xs[0], tags[0])
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## When to use both directions

    Use them if the whole sequence is there before an answer is needed: texts, recordings, filling gaps. They cannot
    forecast or run on a live stream, because their input would contain what they should predict. So `tt.rollout` and
    the decoder of a `tt.EncoderDecoder` refuse a bidirectional layer. If an answer may be late, there is a way between:
    train a forward network on tags that are four steps delayed.
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
