"""The story of vanishing gradients and what helps, in one picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._types import Array, Key
from throughtime.cells import (
    GRU,
    LEM,
    LRU,
    LSTM,
    SLSTM,
    Antisymmetric,
    Cell,
    Elman,
    MinGRU,
    MinLSTM,
    chrono,
    orthogonal,
)
from throughtime.gradients.comparison import Case, compare, write_figures
from throughtime.gradients.flow import GradientFlow
from throughtime.layers import BatchNorm, LayerNorm, Zoneout, unroll_batch
from throughtime.recurrence import unroll

EXPLOSIVE = 1.5  # what the recurrent matrix of the clipped network multiplies by
CLIP_VALUE = CLIP_NORM = 1.0


class Chapter(NamedTuple):
    """A part of the story: its title and what it compares, by label."""

    title: str
    cases: dict[str, Case]


class Clipped(NamedTuple):
    """A gradient that exploded, before and after clipping.

    Attributes:
        norm: its global norm.
        largest: its largest entry.
        cosine: with the gradient before; 1 where the direction is the same.
    """

    norm: float
    largest: float
    cosine: float


def chapters(length: int) -> list[Chapter]:
    """What is compared, in the order in which the lesson tells it; chrono biases are for ``length`` steps."""

    def elman(name: str, init: str = "glorot") -> Case:
        return Case("elman", name, init, lambda xs, h, key: Elman(xs.shape[-1], h, name, recurrent_init=init, key=key))

    def wrapped(words: str, wrap: Callable[[Elman, Array], Cell]) -> Case:
        def build(xs: Array, hidden: int, key: Key) -> Cell:
            return wrap(Elman(xs.shape[-1], hidden, "tanh", recurrent_init="glorot", key=key), xs)

        return Case("elman", "tanh", f"glorot, {words}", build)

    def plain(name: str, kind: Callable[..., Cell], init: str = "", **options: object) -> Case:
        return Case(name, "", init, lambda xs, h, key: kind(xs.shape[-1], h, **options, key=key))

    activations = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
    return [
        Chapter("1. Activations, with Glorot's weights", {name: elman(name) for name in activations}),
        Chapter(
            "2. How the recurrent matrix starts",
            {
                "tanh, glorot": elman("tanh"),
                "tanh, orthogonal": elman("tanh", "orthogonal"),
                "relu, glorot": elman("relu"),
                "relu, identity": elman("relu", "identity"),
            },
        ),
        Chapter(
            "3. Normalization and zoneout, of tanh",
            {
                "as it is": elman("tanh"),
                "layer normalization": wrapped("layer norm", lambda cell, xs: LayerNorm(cell)),
                "batch normalization": wrapped("batch norm", _batch_normalized),
                "zoneout, 0.5": wrapped("zoneout 0.5", lambda cell, xs: Zoneout(cell, 0.5)),
            },
        ),
        Chapter(
            "4. Gates",
            {
                "tanh": elman("tanh"),
                "GRU": plain("gru", GRU),
                "LSTM, f starts at 0": plain("lstm", LSTM, "zeros", bias_init="zeros"),
                "LSTM, f starts at 1": plain("lstm", LSTM, "forget", bias_init="forget"),
                "LSTM, chrono": plain("lstm", LSTM, "chrono", bias_init=chrono(max(length, 2))),
            },
        ),
        Chapter(
            "5. Beyond the gates",
            {
                "minGRU": plain("mingru", MinGRU),
                "minLSTM": plain("minlstm", MinLSTM),
                "LRU": plain("lru", LRU),
                "sLSTM": plain("slstm", SLSTM),
                "LEM": plain("lem", LEM),
                "antisymmetric": plain("antisymmetric", Antisymmetric),
            },
        ),
    ]


def write_remedies(folder: Path, xs: Array, *, hidden: int, key: Key) -> tuple[str, list[tuple[Case, GradientFlow]]]:
    """Measure everything on the same inputs (B, T, D) and write the picture, the table and the verdicts.

    Returns:
        The verdicts, and each case with what was measured.
    """
    from throughtime.plots import remedies_picture

    told = chapters(xs.shape[1])
    distinct = {case[:3]: case for chapter in told for case in chapter.cases.values()}
    flows = dict(zip(distinct, compare(list(distinct.values()), xs, hidden=hidden, key=key), strict=True))
    clipped = clipping(xs, hidden=hidden, key=key)
    words = write_figures(folder, list(distinct.values()), list(flows.values()))
    parts = [
        (chapter.title, list(chapter.cases), [flows[case[:3]] for case in chapter.cases.values()]) for chapter in told
    ]
    remedies_picture(parts, clipped).savefig(folder / "gradients.png")
    return words, [(distinct[name], flow) for name, flow in flows.items()]


def clipping(xs: Array, *, hidden: int, key: Key) -> dict[str, Clipped]:
    """The gradient of a linear network that explodes: as it is, clipped by value to [-1, 1], by global norm to 1."""
    cell = Elman(xs.shape[-1], hidden, "identity", recurrent_init=orthogonal(EXPLOSIVE), key=key)
    gradient = jax.grad(lambda cell: jnp.mean(unroll(cell, xs)[1][:, -1]))(cell)
    ways = {
        "as it is": optax.identity(),
        "by value to [-1, 1]": optax.clip(CLIP_VALUE),
        "by global norm to 1": optax.clip_by_global_norm(CLIP_NORM),
    }
    return {name: _clipped(way.update(gradient, way.init(gradient))[0], gradient) for name, way in ways.items()}


def _clipped(gradient: Cell, before: Cell) -> Clipped:
    flat, original = (
        np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(tree)])
        for tree in (gradient, before)
    )
    norm = float(np.linalg.norm(flat))
    return Clipped(norm, float(np.abs(flat).max()), float(flat @ original / (norm * np.linalg.norm(original))))


def _batch_normalized(cell: Elman, xs: Array) -> Cell:
    """With the statistics of these very inputs."""
    normalized = BatchNorm(cell, xs.shape[1])
    return normalized.with_statistics(unroll_batch(normalized, xs)[2], rate=1.0)


Parts = Sequence[tuple[str, Sequence[str], Sequence[GradientFlow]]]
"""The title, labels and flows of each chapter."""
