"""The letters for axes in all signatures, and the array types made of them.

=====  =====================================================================
B      batch: sequences, series or windows side by side
T      time steps
D      inputs of a cell at one time step
H      hidden units, and the outputs of a cell at one time step
G      gates of a cell; ``GH`` is G blocks of H rows, in the order of ``GATES``
F      forecast horizon, in steps
Q      quantiles
O      outputs of a readout at one time step
=====  =====================================================================

Tests check them at run time (jaxtyping with beartype); outside of tests they cost nothing.
"""

from typing import Any

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from throughtime._numbers import Real, Truth, Whole

Key = PRNGKeyArray
KeyLike = Key | Whole
"""A random key, or its seed."""
Scalar = Float[Array, ""]
InputWeights = Float[Array, "GH D"]
RecurrentWeights = Float[Array, "GH H"]
GateBias = Float[Array, "GH"]
Projected = Float[Array, "*steps GH"]
Hidden = Float[Array, "H"]
Inputs = Float[Array, "T D"] | Float[Array, "B T D"]
Outputs = Float[Array, "T H"] | Float[Array, "B T H"]
Mask = Bool[Array, "T"] | Bool[Array, "B T"]
Sizes = tuple[Any, ...]
"""Sizes of axes: whole numbers, or names such as B and T where a program is traced for any size."""
__all__ = [
    "Array",
    "Bool",
    "Float",
    "GateBias",
    "Hidden",
    "InputWeights",
    "Inputs",
    "Int",
    "Key",
    "KeyLike",
    "Mask",
    "Outputs",
    "Projected",
    "Real",
    "RecurrentWeights",
    "Scalar",
    "Sizes",
    "Truth",
    "Whole",
]
