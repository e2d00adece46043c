"""Numbers as the page has them: short, and null where there is none."""

import numpy as np


def shortened(values: np.ndarray, *, digits: int, spans: float | np.ndarray = 0.0) -> list[float | None]:
    """So many digits of each value (K,), and one less of the span that it moves in; None for what is not finite.

    Args:
        values: any numbers.
        digits: how many count.
        spans: how far the values around reach from the least to the greatest: for all, or (K,) for each.
    """
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0)
    decimals = np.maximum(_decimals(np.abs(known), digits), _decimals(np.asarray(spans, np.float64), digits - 1))
    return [
        round(value, count) if there else None
        for value, count, there in zip(known.tolist(), decimals.tolist(), finite.tolist(), strict=True)
    ]


def span_of(values: np.ndarray) -> float:
    """How far the finite values (K,) reach from the least to the greatest; 0 where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max() - finite.min()) if len(finite) else 0.0


def _decimals(sizes: np.ndarray, digits: int) -> np.ndarray:
    """How many decimals show so many digits of numbers of these sizes; 0 needs none."""
    exponents = np.floor(np.log10(sizes, where=sizes > 0, out=np.zeros(sizes.shape)))
    return np.where(sizes > 0, digits - 1 - exponents, -400).astype(int)
