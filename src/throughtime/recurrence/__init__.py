"""Unrolling: the loop of a cell over time.

In: a cell, inputs (T, D) or (B, T, D), a state, a mask. Out: the last state and the outputs (T, H) or (B, T, H).
Never: parameters or training.
"""

from throughtime.recurrence.checks import require_no_mask, require_shapes
from throughtime.recurrence.method import choose_method
from throughtime.recurrence.trajectories import trajectory, unroll_perturbed, zero_perturbations
from throughtime.recurrence.unroll import unroll

__all__ = [
    "choose_method",
    "require_no_mask",
    "require_shapes",
    "trajectory",
    "unroll",
    "unroll_perturbed",
    "zero_perturbations",
]
