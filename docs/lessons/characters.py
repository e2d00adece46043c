"""Lesson 10: a network that writes, character by character.

Run it as a script, or open it as a notebook::

    python docs/lessons/characters.py
    python docs/lessons/characters.py --steps 200 --picture surprise.png
    marimo edit docs/lessons/characters.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 10: a network that writes")

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
    from throughtime.plots import BLUE, INK, house_style
    from throughtime.training import cross_entropy

    WINDOW = 100
    NOUNS = {"cat": "cats", "dog": "dogs", "bird": "birds", "child": "children", "fox": "foxes", "mouse": "mice"}
    VERBS = {"sleeps": "sleep", "sings": "sing", "waits": "wait", "runs": "run"}
    SENSES = {"sees": "see", "hears": "hear", "follows": "follow"}
    ANYTHING = (*NOUNS, *NOUNS.values())


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Learn to write from a text.")
    _parser.add_argument("--steps", type=int, default=800, help="training steps (default 800)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw what surprises the network")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 10: a network that writes

    A network reads a text character by character and predicts the next one. Drawing from its predictions makes it
    write. It is hard to say how good such a text is. So the text of this lesson comes from a small grammar, for which
    the best possible score is known and every sentence can be checked.

    A sentence is "the", a noun, often "that" with a verb and another noun, and a verb: *the mice that see the fox run*.
    There are 1,776 sentences. The last verb agrees with the first noun, however much is between them: the network has
    to remember for up to thirty characters whether it was one mouse or many.

    One sentence in five is kept out of the text, to see if the network learns rules or sentences.
    """)
    return


@app.function
def sentences() -> list[str]:
    """Return all sentences, each with its end of line."""
    subjects = [(noun, list(VERBS), list(SENSES)) for noun in NOUNS]
    subjects += [(noun, list(VERBS.values()), list(SENSES.values())) for noun in NOUNS.values()]
    written = []
    for subject, verbs, senses in subjects:
        clauses = ["", *(f" that {sense} the {noun}" for sense in senses for noun in ANYTHING)]
        written += [f"the {subject}{clause} {verb}.\n" for clause in clauses for verb in verbs]
    return written


@app.function
def chances(written: list[str]) -> np.ndarray:
    """Return the probability of each sentence; short ones are nine times as frequent as those with "that"."""
    weights = np.array([1.0 if " that " in sentence else 9.0 for sentence in written])
    return weights / weights.sum()


@app.class_definition
class Text(NamedTuple):
    """The sentences that are in it, those kept out, its characters by number, and its tokens."""

    known: list[str]
    kept_out: list[str]
    characters: str
    tokens: jax.Array


@app.function
def make_text(count: int = 4000) -> Text:
    """Draw a text of ``count`` sentences."""
    random = np.random.default_rng(0)
    mixed = random.permutation(sentences()).tolist()
    known, kept_out = mixed[len(mixed) // 5 :], mixed[: len(mixed) // 5]
    text = "".join(random.choice(known, count, p=chances(known)))
    characters = "".join(sorted(set(text)))
    return Text(known, kept_out, characters, jnp.array([characters.index(character) for character in text]))


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The score

    The loss is the cross-entropy, here in bits a character. If only the frequency of each character is known, it is
    about 4. The grammar itself is not free of surprise, because it chooses nouns and verbs at random: the entropy of a
    sentence, divided by its mean length, is the least that is possible.
    """)
    return


@app.function
def entropy(probabilities: np.ndarray) -> float:
    """Return the entropy in bits."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log2(positive)).sum())


@app.function
def bits_by_frequency(text: Text) -> float:
    """Return the bits a character of a guess by the frequency of the characters."""
    return entropy(np.bincount(np.asarray(text.tokens)) / text.tokens.size)


@app.function
def least_bits(written: list[str]) -> float:
    """Return the bits a character of the grammar of these sentences."""
    probabilities = chances(written)
    return entropy(probabilities) / float(probabilities @ np.array([len(sentence) for sentence in written]))


@app.cell
def _():
    text = make_text()
    print(f"1. A text of {text.tokens.size:,} characters, {len(text.characters)} different ones\n")
    print("".join(text.characters[_token] for _token in text.tokens[:150]), "...\n")
    print(f"  bits a character, by frequency   {bits_by_frequency(text):.3f}")
    print(f"  the grammar, the least possible  {least_bits(text.known):.3f}")
    return (text,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Training

    `tt.Embedding` turns tokens, whole numbers, into vectors. The batches are windows of the text that start anywhere.
    """)
    return


@app.function
def make_network(tokens: int) -> tt.ManyToMany:
    """Return an untrained network with a GRU of 96 units."""
    keys = jax.random.split(jax.random.key(0), 3)
    layers = [tt.Embedding(tokens, 16, key=keys[0]), tt.GRU(16, 96, key=keys[1])]
    return tt.ManyToMany(layers, tokens, key=keys[2])


@app.function
def loss(network: tt.ManyToMany, windows: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of the next character, in nats."""
    return cross_entropy(network(windows[:, :-1])[1], windows[:, 1:]).mean()


@app.function
def learn(text: Text, steps: int) -> tt.History:
    """Train on windows of the text."""

    def draw(key: jax.Array) -> jax.Array:
        starts = jax.random.randint(key, (32, 1), 0, text.tokens.size - WINDOW)
        return text.tokens[starts + jnp.arange(WINDOW + 1)[None]]

    rate = optax.cosine_decay_schedule(0.005, steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    return tt.train(make_network(len(text.characters)), loss, draw, optimizer=optimizer, steps=steps, key=0)


@app.cell
def _(arguments, text):
    history = learn(text, arguments.steps)
    network = history.model
    print(f"\n2. The network's last 50 batches: {history.losses[-50:].mean() / np.log(2):.3f} bits a character")
    return (network,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    A window starts in the middle of a sentence, whose beginning the network does not know. That is a part of the
    distance to the least possible.

    ## Writing, and the temperature

    `tt.rollout` with a key draws each character by its probability and reads it as the next input. `temperature`
    divides the logits before. Below 1, likely characters become more likely: fewer mistakes, less variety. Above 1,
    the reverse.
    """)
    return


@app.function
def write(network: tt.ManyToMany, text: Text, temperature: float, count: int = 20) -> list[str]:
    """Return the sentences of ``count`` texts of 400 characters."""
    start = jnp.full((count, 1), text.characters.index("\n"))
    tokens = tt.rollout(network, start, 400, key=1, temperature=temperature)
    texts = ["".join(text.characters[token] for token in row) for row in np.asarray(tokens)]
    return [sentence + "\n" for one in texts for sentence in one.split("\n")[:-1]]


@app.class_definition
class Shares(NamedTuple):
    """The shares of sentences that are right, and that are right but not in the text; distinct ones by their number."""

    right: float
    new: float
    distinct: float


@app.function
def judged(written: list[str], text: Text) -> Shares:
    """Check sentences against the grammar."""
    known, kept_out = set(text.known), set(text.kept_out)
    right = np.mean([sentence in known | kept_out for sentence in written])
    new = np.mean([sentence in kept_out for sentence in written])
    return Shares(float(right), float(new), len(set(written)) / len(written))


@app.cell
def _(network, text):
    print(f"\n3. Sentences that it writes\n\n{'temperature':>13}{'right':>8}{'new and right':>15}{'different':>11}")
    for _temperature in (0.5, 1.0, 1.5):
        _written = write(network, text, _temperature)
        _shares = judged(_written, text)
        print(f"{_temperature:>13}{_shares.right:>8.0%}{_shares.new:>15.0%}{_shares.distinct:>11.0%}")
        print("".join(f"{'':>15}{_sentence}" for _sentence in _written[:3]))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Some of the sentences are right although the network never read them: it has learned rules. The grammar itself would
    write one new sentence in five.

    ## What surprises it?

    The surprise of a character is -log2 of its probability: the bits that it costs. The grammar's own surprise can be
    computed, as the probability of a beginning is the sum over all sentences that begin so. At the first letter of a
    noun or verb both are surprised, and inside of a word neither: the word is known by then.
    """)
    return


@app.function
def surprise(network: tt.ManyToMany, text: Text, sentence: str) -> np.ndarray:
    """Return the bits that each character costs the network."""
    tokens = jnp.array([text.characters.index(character) for character in "\n" + sentence])
    _, logits = network(tokens[:-1])
    return np.asarray(cross_entropy(logits, tokens[1:]) / np.log(2))


@app.function
def true_surprise(text: Text, sentence: str) -> np.ndarray:
    """Return the bits that each character costs the grammar of the text."""
    probabilities = chances(text.known)
    begins = [
        sum(p for p, known in zip(probabilities, text.known, strict=True) if known.startswith(sentence[:place]))
        for place in range(len(sentence) + 1)
    ]
    return np.log2(np.array(begins[:-1]) / np.array(begins[1:]))


@app.function
def picture(network: tt.ManyToMany, text: Text, sentence: str) -> Figure:
    """Draw the surprise at each character of a sentence: the network's and the grammar's."""
    places = np.arange(len(sentence))
    with house_style():
        figure = Figure(figsize=(9, 3.0))
        axes = figure.subplots()
        axes.bar(places, surprise(network, text, sentence), 0.8, color=BLUE, label="network")
        least = true_surprise(text, sentence)
        axes.plot(places, least, "_", color=INK, markersize=11, markeredgewidth=2, label="grammar, the least possible")
        axes.set_xticks(places, [{"\n": "end"}.get(character, character) for character in sentence])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set(title="Which characters surprise it?", ylabel="bits")
        axes.legend(fontsize=8.5, loc="upper right")
    return figure


@app.cell
def _(network, text):
    _example = next(sentence for sentence in text.known if sentence.startswith("the mice that follow the "))
    drawn = picture(network, text, _example)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - Compare bits a character with a simple guess, and with the least possible if you know it.
    - A text that looks right may be copied. Keep something out, and look for it.
    - A short text is learned by heart; it takes a long one to learn rules. For a text of your own change `make_text`.
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
