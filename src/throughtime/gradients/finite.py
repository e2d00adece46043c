"""The search for the first value that is not finite."""

from typing import Literal, NamedTuple

import numpy as np

from throughtime._types import Array, Float
from throughtime.gradients.jacobians import StepJacobians


class NotFinite(NamedTuple):
    """The first value that is not finite.

    Attributes:
        step: t, from 0.
        kind: "input", "state" or "jacobian".
        array: for a state, the name of its array; else None.
        largest_before: for a state, the largest magnitude in that array one step earlier; else None.
    """

    step: int
    kind: Literal["input", "state", "jacobian"]
    array: str | None = None
    largest_before: float | None = None


def first_not_finite(xs: Float[Array, "T D"], steps: StepJacobians) -> NotFinite | None:
    """Return the first step whose input, next state or Jacobian is not finite; None if all are finite."""
    inputs = np.isfinite(np.asarray(xs)).all(axis=1)
    states = {name: np.isfinite(steps.states[1:, part]).all(axis=1) for name, part in steps.fields.items()}
    jacobians = np.isfinite(steps.jacobians).all(axis=(1, 2))
    wrong = np.flatnonzero(~(inputs & jacobians & np.all(list(states.values()), axis=0)))
    if not len(wrong):
        return None
    t = int(wrong[0])
    if not inputs[t]:
        return NotFinite(t, "input")
    for name, finite in states.items():
        if not finite[t]:
            return NotFinite(t, "state", name, float(np.abs(steps.states[t, steps.fields[name]]).max()))
    return NotFinite(t, "jacobian")
