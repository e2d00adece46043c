"""Native kernels: the loop over time in C++, forward and backward, for the cells that have one.

In: a cell, its state and inputs (B, T, D). Out: the numbers of a scan, and their gradients.
Never: a choice of method; :func:`throughtime.unroll` makes it. ``available()`` tells if the kernels can run here, and
why not; inside ``with off():`` they are not used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
