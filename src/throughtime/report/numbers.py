"""Numbers as the page has them: short, and null where there is none."""

from typing import Any

import numpy as np

DIGITS = 6


def shortened(values: np.ndarray, span: float | None = None) -> list[float | None]:
    """Six digits of each value (K,), and at least five of the span that they move in; None for what is not finite.

    Args:
        values: any numbers.
        span: how far they reach from the least to the greatest; taken from them if None.
    """
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    if span is None:
        span = span_of(values)
    known = np.where(finite, values, 0.0)
    with np.errstate(over="ignore"):
        decimals = np.maximum(_decimals(np.abs(known), DIGITS), _decimals(np.array(span), DIGITS - 1))
    rounded = [round(value, int(count)) for value, count in zip(known.tolist(), decimals.tolist(), strict=True)]
    return [value if there else None for value, there in zip(rounded, finite.tolist(), strict=True)]


def span_of(values: np.ndarray) -> float:
    """How far the finite values reach from the least to the greatest; 0 where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max() - finite.min()) if len(finite) else 0.0


def _decimals(sizes: np.ndarray, digits: int) -> Any:
    """How many decimals show so many digits of numbers of these sizes; none is asked of 0."""
    exponents = np.floor(np.log10(sizes, where=sizes > 0, out=np.full(sizes.shape, np.inf)))
    return np.where(sizes > 0, digits - 1 - exponents, -400)
