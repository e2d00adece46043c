"""The table of heads by name."""

from typing import TYPE_CHECKING

from throughtime._registry import LazyTable, resolve

if TYPE_CHECKING:  # it loads JAX
    from throughtime.forecasting.heads import Head

HEADS: "LazyTable[type[Head]]" = LazyTable(
    {
        "quantiles": "throughtime.forecasting.heads:QuantileHead",
        "normal": "throughtime.forecasting.heads:NormalHead",
        "student_t": "throughtime.forecasting.heads:StudentTHead",
        "negative_binomial": "throughtime.forecasting.heads:NegativeBinomialHead",
    }
)


def head_type(choice: "str | type[Head]") -> "type[Head]":
    """Return the head of a name, such as "student_t".

    Raises:
        InputError: for an unknown name, with the known ones.
    """
    return resolve("head", HEADS, choice)
