"""Recurrent cells, one short file each, with the equations in the docstring.

In: sizes and a random key. Out: frozen modules; ``step(state, gx) -> (state, y)`` is one time step of one
sequence. Never: a batch axis, a time axis, a loop over time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
