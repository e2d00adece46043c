"""Numbers as the page has them: short, and null instead of NaN."""

import numpy as np


def shortened(values: np.ndarray, *, digits: int, spans: float | np.ndarray = 0.0) -> list[float | None]:
    """Round values (K,) to a number of significant digits; None for values that are not finite.

    A series that moves little around a large value keeps the digits that show its movement: ``digits - 1`` of its span.

    Args:
        values: any numbers.
        digits: significant digits.
        spans: the difference of the greatest and the least of the values around: one for all, or (K,).
    """
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0)
    decimals = np.maximum(_decimals(np.abs(known), digits), _decimals(np.asarray(spans, np.float64), digits - 1))
    return [
        round(value, count) if is_finite else None
        for value, count, is_finite in zip(known.tolist(), decimals.tolist(), finite.tolist(), strict=True)
    ]


def span_of(values: np.ndarray) -> float:
    """Return the difference of the greatest and the least finite value (K,); 0 without any."""
    finite = values[np.isfinite(values)]
    return float(finite.max() - finite.min()) if len(finite) else 0.0


def _decimals(sizes: np.ndarray, digits: int) -> np.ndarray:
    """Return the decimals that show the significant digits of numbers of these sizes; a size of 0 needs none."""
    exponents = np.floor(np.log10(sizes, where=sizes > 0, out=np.zeros(sizes.shape)))
    return np.where(sizes > 0, digits - 1 - exponents, -400).astype(int)  # -400: fewer than any number has
