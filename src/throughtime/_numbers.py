"""The types of numbers and truth values as arguments: Python's or NumPy's."""

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    Whole = int
    Real = float
    Truth = bool
else:  # an argument may be NumPy's; throughtime._arguments makes it Python's, as which it is used
    Whole = TypeAliasType("Whole", int | np.integer)
    Real = TypeAliasType("Real", int | float | np.integer | np.floating)
    Truth = TypeAliasType("Truth", bool | np.bool_ | Whole)
