"""The types of numbers and truth values as arguments: Python's or NumPy's."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    Whole = int
    Real = float
    Truth = bool
else:  # an argument may be NumPy's; throughtime._arguments makes it Python's, as which it is used
    Whole = int | np.integer
    Real = int | float | np.integer | np.floating
    Truth = bool | np.bool_ | Whole
