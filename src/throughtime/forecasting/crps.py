"""The continuous ranked probability score of quantile forecasts."""

import numpy as np
import scoringrules

from throughtime.forecasting.intervals import QUANTILES

DECILES = tuple(i for i, q in enumerate(QUANTILES) if round(10 * q, 9) == round(10 * q))


def decile_crps(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Twice the mean pinball loss of the nine deciles, which approximates the CRPS (Berrisch & Ziel 2023).

    Of the deciles, as they are evenly spaced: with the outer quantiles too, the tails would weigh more than the middle.

    Args:
        y: (S,) what came.
        quantiles: (S, Q) at the levels ``QUANTILES``.
    """
    levels = np.array([QUANTILES[i] for i in DECILES])
    return np.asarray(scoringrules.crps_quantile(y, quantiles[:, DECILES], levels, backend="numpy"))
