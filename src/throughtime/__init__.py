"""Recurrent neural networks for time series, from the cell up.

The public names are listed in ``__init__.pyi``; each loads its module when it is first used, so that importing
throughtime costs nothing.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
