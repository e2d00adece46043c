"""The laboratory: an interactive page on which networks learn.

In: curves, a file or a saved network. Out: a local server. Never: an algorithm that the library does not have.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
