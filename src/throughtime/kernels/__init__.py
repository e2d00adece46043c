"""Native kernels: the loop over time in C++, forward and backward, where there is one for the cell.

:func:`throughtime.unroll` takes them by itself where they are faster; nothing need be called. ``available()`` says
whether they are there, and why not; ``with off():`` does without them.
"""

from throughtime.kernels.library import Availability, available, off

__all__ = ["Availability", "available", "off"]
