"""The decay of a gradient: norms of the derivative of the last state by earlier ones, lag by lag."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

UNDERFLOW = 1e-290  # smaller positive numbers may become 0 in float64
REACH_THRESHOLD = 0.01  # the share of a gradient that remains at the reach
STRAIGHT = 0.98  # the share of the variance from which a curve counts as a straight line

BoundKind = Literal["pascanu", "product"]
"""``pascanu``: of an Elman cell, for any input; ``product``: the product of the steps' own norms, for these inputs."""


@dataclass(frozen=True, eq=False)
class Decay:
    """The factor by which a gradient shrinks or grows over k steps, for each lag k = 0 .. T.

    Over several sequences every array is the median over them. h is the array of that name in the state, or all of the
    state if there is none.

    Attributes:
        norms: (T + 1,) spectral norm of dh_T / dh_(T-k).
        bound: (T + 1,) an upper bound on ``norms``.
        bound_kind: "pascanu" or "product"; see :data:`BoundKind`.
        memory: (T + 1,) spectral norm of dh_T / ds_(T-k), where s is all of the state. Equal to ``norms`` if the state
            is h alone.
        singular_values: (T + 1, H) of dh_T / dh_(T-k), descending; (T + 1, 1), the largest alone, if the norms are
            estimates.
        errors: (T + 1,) of ``norms`` and ``memory`` if they are estimates; 0 if they are exact.
        per_sequence: (B, T + 1) ``memory`` of each sequence.
        paths: for each array of a state with several, the norm (T + 1,) of the gradient through that array alone: "c"
            is the memory of an LSTM, "h" the path through its gates.
    """

    norms: np.ndarray
    bound: np.ndarray
    bound_kind: BoundKind
    memory: np.ndarray
    singular_values: np.ndarray
    errors: np.ndarray
    per_sequence: np.ndarray
    paths: dict[str, np.ndarray]

    @property
    def steps(self) -> int:
        """Return T."""
        return len(self.norms) - 1

    @cached_property
    def half_life(self) -> float:
        """Return the number of steps that halve the memory; see :func:`half_life`."""
        return half_life(self.memory)

    @cached_property
    def is_straight(self) -> bool:
        """Return True if the logarithm of the memory is a straight line, so that the half-life describes it."""
        return straightness(self.memory) >= STRAIGHT

    @cached_property
    def reach(self) -> int:
        """Return the largest lag at which at least 1 % remains; T means T or more."""
        lags = np.flatnonzero(self.memory >= REACH_THRESHOLD)
        return int(lags[-1]) if len(lags) else 0


def half_life(memory: np.ndarray) -> float:
    """Return the half-life in steps of a curve (T + 1,) by lag, from the straight line through its logarithm.

    It is infinite if the curve does not fall, and NaN if the curve holds NaN. If the curve falls to exactly 0 at once,
    as when all units are dead, it is the first lag from which on less than half remains; 0 if that is every lag.
    """
    if np.isnan(memory).any():
        return float("nan")
    if np.isinf(memory).any():
        return float("inf")
    lags = np.flatnonzero(memory > 0)
    if len(lags) < 2:
        return float("inf") if len(memory) < 2 else 0.0
    if _ends_at_once(memory):
        return float(np.flatnonzero(memory >= 0.5 * memory[0])[-1] + 1)
    slope, _ = np.polyfit(*_fitted_part(memory), 1)
    return float(-1 / slope) if slope < -1e-9 else float("inf")


def straightness(memory: np.ndarray) -> float:
    """Return the share of the variance of a curve's logarithm that its straight line explains (R squared).

    1 for a curve that stays as it is; 0 for one that is not finite, or falls to exactly 0 at once.
    """
    lags = np.flatnonzero(memory > 0)
    if not np.isfinite(memory).all() or len(lags) < 2 or _ends_at_once(memory):
        return 0.0
    lags, logs = _fitted_part(memory)
    variance = logs.var()
    if variance < 1e-12:
        return 1.0
    return float(1 - (logs - np.polyval(np.polyfit(lags, logs, 1), lags)).var() / variance)


def _ends_at_once(memory: np.ndarray) -> bool:
    """Return True if a curve, positive somewhere, falls to exactly 0 at once: no straight line fits."""
    lags = np.flatnonzero(memory > 0)
    return len(lags) < len(memory) and bool(memory[lags[-1]] > UNDERFLOW)


def _fitted_part(memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lags of a curve that a straight line is fitted to, and the base-2 logarithms there.

    Lag 0 is left out: lag 1 of a gated cell holds the output gate's factor, which later lags share.
    """
    lags = np.flatnonzero(memory > 0)
    lags = lags[1:] if len(lags) > 2 else lags
    return lags, np.log2(memory[lags])
