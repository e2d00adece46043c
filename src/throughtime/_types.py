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

Tests check them at run time (jaxtyping with beartype); outside of tests they cost nothing. Each is a named alias, so
that ``help`` and an editor show the name and not the union behind it.
"""

from typing import Any

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from typing_extensions import TypeAliasType

from throughtime._numbers import Real, Truth, Whole

Key = TypeAliasType("Key", PRNGKeyArray)
KeyLike = TypeAliasType("KeyLike", Key | Whole)
"""A random key, or its seed."""
Scalar = TypeAliasType("Scalar", Float[Array, ""])
InputWeights = TypeAliasType("InputWeights", Float[Array, "GH D"])
RecurrentWeights = TypeAliasType("RecurrentWeights", Float[Array, "GH H"])
GateBias = TypeAliasType("GateBias", Float[Array, "GH"])
Projected = TypeAliasType("Projected", Float[Array, "*steps GH"])
Hidden = TypeAliasType("Hidden", Float[Array, "H"])
Inputs = TypeAliasType("Inputs", Float[Array, "T D"] | Float[Array, "B T D"])
Outputs = TypeAliasType("Outputs", Float[Array, "T H"] | Float[Array, "B T H"])
Mask = TypeAliasType("Mask", Bool[Array, "T"] | Bool[Array, "B T"])
Sizes = TypeAliasType("Sizes", tuple[Any, ...])
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
