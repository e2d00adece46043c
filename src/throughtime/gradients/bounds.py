"""What the norm of a product of Jacobians cannot exceed."""

import numpy as np

from throughtime.cells.base import Cell
from throughtime.cells.elman import Elman
from throughtime.gradients.jacobians import spectral_norm

PASCANU = "(g sigma_max(W))^k, g the activation's largest slope (Pascanu, Mikolov & Bengio 2013)"
STEPWISE = "the product of the last k steps' own norms"


def bound(cell: Cell, step_norms: np.ndarray) -> tuple[np.ndarray, str]:
    """The bound (T + 1,) on the norms, and what it is.

    Of an Elman cell whose activation's largest slope is known it is that of Pascanu, Mikolov & Bengio (arXiv 1211.5063,
    section 2.1), which holds for any input. Other cells have none that does not depend on their input: theirs is the
    product of the norms of the steps that were taken.

    Args:
        cell: the cell.
        step_norms: (T,) spectral norm of each step's Jacobian, the last step first.
    """
    lags = np.arange(len(step_norms) + 1)
    slope = cell.slopes[0] if isinstance(cell, Elman) else None
    with np.errstate(over="ignore", under="ignore"):
        if isinstance(cell, Elman) and slope is not None:
            return (slope * spectral_norm(cell.w_h)) ** lags, PASCANU
        return np.append(1.0, np.cumprod(step_norms)), STEPWISE
