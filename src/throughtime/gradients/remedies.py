"""Remedies for vanishing and exploding gradients, measured side by side: the chapters of one picture."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._arguments import whole_number
from throughtime._keys import random_key
from throughtime._types import Array, Float, Key, KeyLike, Whole
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
from throughtime.gradients.comparison import Case, compare
from throughtime.gradients.flow import GradientFlow
from throughtime.layers import BatchNorm, LayerNorm, Zoneout, unroll_batch_norm
from throughtime.recurrence import unroll

EXPLOSIVE = 1.5  # all singular values of the recurrent matrix of the network whose gradient is clipped
CLIP_VALUE = CLIP_NORM = 1.0


class Chapter(NamedTuple):
    """A part of the story: its title and the cases that it compares, by label."""

    title: str
    cases: dict[str, Case]


class ClippedGradient(NamedTuple):
    """An exploding gradient, raw or clipped.

    Attributes:
        norm: its global norm.
        largest: its largest entry.
        cosine: with the raw gradient; 1 if the direction is the same.
    """

    norm: float
    largest: float
    cosine: float


class Remedies(NamedTuple):
    """All measurements of the story.

    Attributes:
        chapters: in the order of the lesson.
        cases: every distinct case, in that order.
        flows: the gradient flow of each distinct case.
        clipped: the gradient of an exploding network, raw and clipped, by label.
    """

    chapters: Sequence[Chapter]
    cases: Sequence[Case]
    flows: Sequence[GradientFlow]
    clipped: dict[str, ClippedGradient]

    def flows_of(self, chapter: Chapter) -> list[GradientFlow]:
        """Return the flows of a chapter's cases, in order."""
        by_case = dict(zip(map(_identity, self.cases), self.flows, strict=True))
        return [by_case[_identity(case)] for case in chapter.cases.values()]


def compare_remedies(xs: Float[Array, "B T D"], *, hidden: Whole, key: KeyLike) -> Remedies:
    """Measure all cases of the story on the same inputs, with weights from the same key."""
    hidden, key = whole_number("hidden", hidden), random_key(key)
    story = chapters(xs.shape[1])
    distinct = list({_identity(case): case for chapter in story for case in chapter.cases.values()}.values())
    flows = compare(distinct, xs, hidden=hidden, key=key)
    return Remedies(story, distinct, flows, clipping(xs, hidden=hidden, key=key))


def _identity(case: Case) -> tuple[str, str, str]:
    return case.cell, case.activation, case.init


def chapters(length: int) -> list[Chapter]:
    """Return the cases to compare, in the order of the lesson; chrono biases are for ``length`` steps."""
    return [_activations(), _recurrent_matrices(), _normalizations(), _gates(length), _beyond_gates()]


def _activations() -> Chapter:
    names = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
    return Chapter("1. Activations, with Glorot's weights", {name: _elman(name) for name in names})


def _recurrent_matrices() -> Chapter:
    pairs = [("tanh", "glorot"), ("tanh", "orthogonal"), ("relu", "glorot"), ("relu", "identity")]
    return Chapter(
        "2. How the recurrent matrix starts", {f"{name}, {init}": _elman(name, init) for name, init in pairs}
    )


def _normalizations() -> Chapter:
    return Chapter(
        "3. Normalization and zoneout, of tanh",
        {
            "as it is": _elman("tanh"),
            "layer normalization": _wrapped("layer norm", lambda cell, xs: LayerNorm(cell)),
            "batch normalization": _wrapped("batch norm", _batch_normalized),
            "zoneout, 0.5": _wrapped("zoneout 0.5", lambda cell, xs: Zoneout(cell, 0.5)),
        },
    )


def _gates(length: int) -> Chapter:
    return Chapter(
        "4. Gates",
        {
            "tanh": _elman("tanh"),
            "GRU": _cell("gru", GRU),
            "LSTM, f starts at 0": _cell("lstm", LSTM, "zeros", bias_init="zeros"),
            "LSTM, f starts at 1": _cell("lstm", LSTM, "forget", bias_init="forget"),
            "LSTM, chrono": _cell("lstm", LSTM, "chrono", bias_init=chrono(max(length, 2))),
        },
    )


def _beyond_gates() -> Chapter:
    return Chapter(
        "5. Beyond the gates",
        {
            "minGRU": _cell("mingru", MinGRU),
            "minLSTM": _cell("minlstm", MinLSTM),
            "LRU": _cell("lru", LRU),
            "sLSTM": _cell("slstm", SLSTM),
            "LEM": _cell("lem", LEM),
            "antisymmetric": _cell("antisymmetric", Antisymmetric),
        },
    )


def _elman(activation: str, init: str = "glorot") -> Case:
    def build(xs: Array, hidden: int, key: Key) -> Cell:
        return Elman(xs.shape[-1], hidden, activation, recurrent_init=init, key=key)

    return Case("elman", activation, init, build)


def _cell(name: str, kind: Callable[..., Cell], init: str = "", **options: object) -> Case:
    return Case(name, "", init, lambda xs, hidden, key: kind(xs.shape[-1], hidden, **options, key=key))


def _wrapped(wrapper: str, wrap: Callable[[Elman, Array], Cell]) -> Case:
    """Return a tanh cell in a wrapper, which may look at the inputs (B, T, D)."""

    def build(xs: Array, hidden: int, key: Key) -> Cell:
        return wrap(Elman(xs.shape[-1], hidden, "tanh", recurrent_init="glorot", key=key), xs)

    return Case("elman", "tanh", f"glorot, {wrapper}", build)


def _batch_normalized(cell: Elman, xs: Float[Array, "B T D"]) -> Cell:
    """Return the cell in batch normalization, with the statistics of these inputs."""
    normalized = BatchNorm(cell, xs.shape[1])
    return normalized.with_statistics(unroll_batch_norm(normalized, xs)[2], rate=1.0)


def clipping(xs: Float[Array, "B T D"], *, hidden: Whole, key: KeyLike) -> dict[str, ClippedGradient]:
    """Return the exploding gradient of a linear network: raw, clipped by value to [-1, 1], by global norm to 1."""
    cell = Elman(xs.shape[-1], hidden, "identity", recurrent_init=orthogonal(EXPLOSIVE), key=key)
    gradient = jax.grad(lambda cell: jnp.mean(unroll(cell, xs)[1][:, -1]))(cell)
    transformations = {
        "as it is": optax.identity(),
        "by value to [-1, 1]": optax.clip(CLIP_VALUE),
        "by global norm to 1": optax.clip_by_global_norm(CLIP_NORM),
    }
    return {
        name: _clipped(clip.update(gradient, clip.init(gradient))[0], gradient)
        for name, clip in transformations.items()
    }


def _clipped(gradient: Cell, raw: Cell) -> ClippedGradient:
    flat, flat_raw = (
        np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(tree)])
        for tree in (gradient, raw)
    )
    norm = float(np.linalg.norm(flat))
    return ClippedGradient(norm, float(np.abs(flat).max()), float(flat @ flat_raw / (norm * np.linalg.norm(flat_raw))))
