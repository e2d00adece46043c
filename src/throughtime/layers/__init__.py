"""Layers: functions of whole sequences, networks made of them, and wrappers that change a cell.

In: cells. Out: modules that read sequences, or cells that :func:`throughtime.unroll` accepts.
Never: a loss, an optimizer, data.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
