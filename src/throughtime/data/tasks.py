"""Synthetic data: the sine wave that a first network learns, and tasks that need a long memory."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._arguments import plain, whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Bool, Float, Int, KeyLike, Real, Truth, Whole


class TimeSeriesData:
    """A curve on [xmin, xmax], and windows of it to learn from.

    Attributes:
        resolution: the distance of two points of a window, ``(xmax - xmin) / num_points``.
        x_data: (num_points,) places, evenly spaced, both ends included.
        y_true: (num_points,) the curve there.
    """

    def __init__(
        self,
        num_points: Whole = 250,
        xmin: Real = 0,
        xmax: Real = 10,
        *,
        fn: Callable[[Any], Any] = jnp.sin,
        seed: Whole = 0,
    ):
        """``fn`` is elementwise; write it with ``jax.numpy`` to train on it. ``seed`` starts :meth:`next_batch`.

        Raises:
            InputError: for fewer than two points, and an interval that is empty or infinite.
        """
        num_points, xmin, xmax = whole_number("num_points", num_points, least=None), plain(xmin), plain(xmax)
        if num_points < 2 or not -np.inf < xmin < xmax < np.inf:
            raise InputError(
                "expected num_points >= 2 and xmin < xmax, both finite, "
                f"got num_points={num_points}, xmin={xmin}, xmax={xmax}",
                code="bad-interval",
                found=[num_points, xmin, xmax],
                expected="num_points >= 2 and xmin < xmax, both finite",
            )
        self.num_points, self.xmin, self.xmax, self.fn = num_points, xmin, xmax, fn
        self.resolution = (xmax - xmin) / num_points
        self.x_data = np.linspace(xmin, xmax, num_points)
        self.y_true = self.ret_true(self.x_data)
        self._random = np.random.default_rng(whole_number("seed", seed, least=0))

    def ret_true(self, x: np.ndarray) -> np.ndarray:
        """Return the curve at ``x``, of any shape."""
        return np.asarray(self.fn(x))

    def next_batch(
        self, batch_size: Whole, steps: Whole, return_batch_ts: Truth = False
    ) -> tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return windows that start at random and never leave [xmin, xmax].

        Returns:
            Inputs (B, T, 1) and targets (B, T, 1), one point ahead of the inputs; with ``return_batch_ts`` also the
            places (B, T + 1) of all the points.

        Raises:
            InputError: if a window of ``steps`` and its target do not fit, or a size is below 1.
        """
        batch_size, steps = _at_least(1, "batch_size", batch_size), whole_number("steps", steps, least=None)
        start = self._random.random((batch_size, 1)) * self._room(steps)
        times = np.minimum(self.xmin + start + np.arange(steps + 1) * self.resolution, self.xmax)
        y = self.ret_true(times)[..., None]
        return (y[:, :-1], y[:, 1:], times) if return_batch_ts else (y[:, :-1], y[:, 1:])

    def draw(
        self, key: KeyLike, batch_size: Whole, steps: Whole
    ) -> tuple[Float[Array, "B T 1"], Float[Array, "B T 1"], Float[Array, "B S"]]:
        """Return windows as :meth:`next_batch` does, from a random key: inside a compiled loop, without copies.

        Returns:
            Inputs (B, T, 1), targets (B, T, 1) and places (B, S) with S = T + 1.
        """
        batch_size, steps = _at_least(1, "batch_size", batch_size), whole_number("steps", steps, least=None)
        start = jax.random.uniform(random_key(key), (batch_size, 1)) * self._room(steps)
        times = jnp.minimum(self.xmin + start + jnp.arange(steps + 1.0)[None] * self.resolution, self.xmax)
        # Times the identity: XLA computes a product once, but would evaluate ``fn`` again for each unit that reads it.
        y = (self.fn(times) @ jnp.eye(steps + 1))[..., None]
        return y[:, :-1], y[:, 1:], times

    def instance(self, start: Real, steps: Whole) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the window from ``start``: inputs (T, 1), targets (T, 1) and places (T + 1,)."""
        times = plain(start) + np.arange(whole_number("steps", steps, least=0) + 1) * self.resolution
        y = self.ret_true(times)[:, None]
        return y[:-1], y[1:], times

    def _room(self, steps: int) -> float:
        """Return the distance that a window's start can move: the interval less the window."""
        if not 1 <= steps <= self.num_points:
            raise InputError(
                f"a window of {steps} steps and its target do not fit: expected 1 to {self.num_points} steps of "
                f"{self.resolution:g} between {self.xmin:g} and {self.xmax:g}",
                code="window-does-not-fit",
                found=steps,
                expected=f"1 to {self.num_points}",
            )
        return (self.num_points - steps) * self.resolution


class Batch(NamedTuple):
    """Sequences of a task, and the right answers.

    Attributes:
        xs: (B, T, D) inputs; zeros after the end of a sequence. Symbols are one-hot vectors.
        targets: (B, T) numbers, or classes 0 ... O - 1, at every step.
        mask: (B, T) True until the end of the sequence.
        scored: (B, T) True at the steps whose answer counts.
    """

    xs: Float[Array, "B T D"]
    targets: Float[Array, "B T"] | Int[Array, "B T"]
    mask: Bool[Array, "B T"]
    scored: Bool[Array, "B T"]


class Task(NamedTuple):
    """A task whose examples are drawn on the device, without end.

    Attributes:
        inputs: D.
        outputs: O: 1 for a number, else the number of classes.
        steps: T, of the longest sequence.
        loss: the loss to minimize, a mean over the scored steps.
        baseline: the loss of the best answer that does not look at the inputs.
        chance: the accuracy of that answer; None if answers are numbers.
        draw: ``draw(key, batch_size)``: a :class:`Batch`, also inside a compiled loop.
    """

    inputs: int
    outputs: int
    steps: int
    loss: Literal["squared error", "cross entropy"]
    baseline: float
    chance: float | None
    draw: Callable[[KeyLike, Whole], Batch]


def adding(steps: Whole) -> Task:
    """Return the task to add two marked numbers (Hochreiter & Schmidhuber 1997, experiment 4; Le et al. 2015, § 4.1).

    At each step a number from U[0, 1] and a marker, which is 1 once in each half of the sequence and 0 elsewhere. The
    answer counts at the last step. The variance of the sum, 1/6, is the baseline.
    """
    steps = _at_least(2, "steps", steps)

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        key_numbers, key_first, key_second = jax.random.split(random_key(key), 3)
        numbers = jax.random.uniform(key_numbers, (batch_size, steps))
        first = jax.random.randint(key_first, (batch_size, 1), 0, steps // 2)
        second = jax.random.randint(key_second, (batch_size, 1), steps // 2, steps)
        marked = (_places(steps) == first) | (_places(steps) == second)
        sums = jnp.sum(jnp.where(marked, numbers, 0), axis=1, keepdims=True)
        mask = jnp.ones((batch_size, steps), bool)
        xs = jnp.stack([numbers, marked.astype(numbers.dtype)], axis=-1)
        return Batch(xs, jnp.broadcast_to(sums, numbers.shape), mask, _last(mask))

    return Task(2, 1, steps, "squared error", 1 / 6, None, draw)


def copy_memory(blanks: Whole) -> Task:
    """Return the task to repeat ten symbols after a gap (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016, § 5.1).

    Symbols 0-7 in the first ten steps, then ``blanks - 1`` blanks (8), a marker (9) and ten more blanks. The answer is
    blank up to the marker, then the ten symbols. It counts at all ``blanks + 20`` steps.
    """
    blanks = _at_least(1, "blanks", blanks)
    steps, symbols, blank, marker = blanks + 20, 8, 8, 9

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        data = jax.random.randint(random_key(key), (batch_size, 10), 0, symbols)
        rest = jnp.full((batch_size, steps - 10), blank)
        letters = jnp.concatenate([data, rest.at[:, blanks - 1].set(marker)], axis=1)
        mask = jnp.ones((batch_size, steps), bool)
        return Batch(jax.nn.one_hot(letters, 10), jnp.concatenate([rest, data], axis=1), mask, mask)

    chance = (steps - 10 + 10 / symbols) / steps
    return Task(10, 9, steps, "cross entropy", 10 * float(np.log(symbols)) / steps, chance, draw)


# The places of two and of three marks, first and last, in hundredths of the length.
_MARK_PLACES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


def temporal_order(steps: Whole, marks: Whole = 2) -> Task:
    """Return the task to tell the order of distant marks (Hochreiter & Schmidhuber 1997, tasks 6a and 6b).

    Sequences of ``steps`` to 1.1 ``steps`` letters: E (4) at the start, B (5) at the end, the distractors a-d (0-3)
    between them, and two or three marks, each X (6) or Y (7). Of two, the first is 10 to 20 hundredths of ``steps``
    after E, the second 50 to 60; of three, 10 to 20, 33 to 43 and 66 to 76: the paper's places for 100 steps. The
    class, read as a binary number with X = 0 and Y = 1, counts at the last letter.
    """
    marks = whole_number("marks", marks, least=None)
    if marks not in _MARK_PLACES:
        raise InputError(
            f"temporal order has 2 or 3 marks, got marks={marks}", code="bad-size", found=marks, expected=[2, 3]
        )
    steps = _at_least(10, "steps", steps)
    longest, classes = steps + steps // 10, 2**marks
    low, high = np.array(_MARK_PLACES[marks]).T * steps // 100

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        key_letters, key_marks, key_places, key_lengths = jax.random.split(random_key(key), 4)
        letters = jax.random.randint(key_letters, (batch_size, longest), 0, 4)
        signs = jax.random.randint(key_marks, (batch_size, marks), 0, 2)
        places = jax.random.randint(key_places, (batch_size, marks), low[None], high[None] + 1)
        lengths = jax.random.randint(key_lengths, (batch_size, 1), steps, longest + 1)
        for number in range(marks):
            here = _places(longest) == places[:, number, None]
            letters = jnp.where(here, 6 + signs[:, number, None], letters)
        letters = jnp.where(_places(longest) == lengths - 1, 5, letters.at[:, 0].set(4))
        mask = _places(longest) < lengths
        answer = jnp.sum(signs * 2 ** jnp.arange(marks)[None, ::-1], axis=1, keepdims=True)
        return Batch(_one_hot(letters, 8, mask), jnp.broadcast_to(answer, mask.shape), mask, _last(mask))

    return Task(8, classes, longest, "cross entropy", float(np.log(classes)), 1 / classes, draw)


def parity(shortest: Whole, longest: Whole) -> Task:
    """Return the task to tell if the number of ones is odd; lengths are uniform from ``shortest`` to ``longest``.

    Bits are symbols 0 and 1. The answer counts at the last bit. A linear recurrence whose eigenvalues are in [0, 1]
    cannot compute it at every length (Grazzi et al. 2025, arXiv 2411.12537, theorem 1).
    """
    shortest = _at_least(1, "shortest", shortest)
    longest = _at_least(shortest, "longest", longest)

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        key_bits, key_lengths = jax.random.split(random_key(key))
        lengths = jax.random.randint(key_lengths, (batch_size, 1), shortest, longest + 1)
        mask = _places(longest) < lengths
        bits = jax.random.randint(key_bits, mask.shape, 0, 2)
        return Batch(_one_hot(bits, 2, mask), jnp.cumsum(bits, axis=1) % 2, mask, _last(mask))

    return Task(2, 2, longest, "cross entropy", float(np.log(2)), 0.5, draw)


def running_parity(steps: Whole) -> Task:
    """Return the task to tell the :func:`parity` of the bits so far at every step: all lengths up to ``steps``.

    Easier to learn than parity: the short lengths are learned first and lead to the long ones.
    """
    at_the_end = parity(steps, steps)

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        batch = at_the_end.draw(key, batch_size)
        return batch._replace(scored=batch.mask)

    return at_the_end._replace(draw=draw)


def selective_copy(steps: Whole, tokens: Whole, symbols: Whole = 8) -> Task:
    """Return the task to repeat, in order, symbols between noise (Gu & Dao 2023, arXiv 2312.00752, § 4.1.1).

    Of the first ``steps`` steps, ``tokens`` at random hold a symbol, the others noise (``symbols``); then ``tokens``
    markers (``symbols + 1``) ask for the symbols, one each. Only these answers count. Feng et al. 2024 (arXiv
    2410.01201, table 1) train on 4,096 steps with 16 tokens.
    """
    tokens, symbols = _at_least(1, "tokens", tokens), _at_least(2, "symbols", symbols)
    steps = _at_least(tokens, "steps", steps)

    def draw(key: KeyLike, batch_size: Whole) -> Batch:
        key_data, key_places = jax.random.split(random_key(key))
        data = jax.random.randint(key_data, (batch_size, tokens), 0, symbols)
        shuffled = jax.random.permutation(
            key_places, jnp.broadcast_to(_places(steps), (batch_size, steps)), axis=1, independent=True
        )
        holds = shuffled < tokens
        which = jnp.maximum(jnp.cumsum(holds, axis=1) - 1, 0)
        letters = jnp.where(holds, jnp.take_along_axis(data, which, axis=1), symbols)
        letters = jnp.concatenate([letters, jnp.full((batch_size, tokens), symbols + 1)], axis=1)
        targets = jnp.concatenate([jnp.zeros((batch_size, steps), data.dtype), data], axis=1)
        mask = jnp.ones(targets.shape, bool)
        return Batch(jax.nn.one_hot(letters, symbols + 2), targets, mask, mask & (_places(steps + tokens) >= steps))

    return Task(symbols + 2, symbols, steps + tokens, "cross entropy", float(np.log(symbols)), 1 / symbols, draw)


def _places(steps: int) -> Int[Array, "1 T"]:
    return jnp.arange(steps)[None]


def _last(mask: Bool[Array, "B T"]) -> Bool[Array, "B T"]:
    """Return a mask that is True only at the last step of each sequence."""
    return mask & ~jnp.pad(mask[:, 1:], ((0, 0), (0, 1)))


def _one_hot(letters: Int[Array, "B T"], symbols: int, mask: Bool[Array, "B T"]) -> Float[Array, "B T D"]:
    return jax.nn.one_hot(jnp.where(mask, letters, -1), symbols)  # -1 is no symbol: all zeros


def _at_least(least: int, name: str, size: Whole) -> int:
    """Return a size as Python's whole number; refuse one that is too small."""
    number = whole_number(name, size, least=None)
    if number < least:
        expected = f"at least {least}"
        raise InputError(f"{name} must be {expected}, got {number}", code="too-small", found=number, expected=expected)
    return number
