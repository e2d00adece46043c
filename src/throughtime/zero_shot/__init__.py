"""Zero-shot forecasts: a network that was trained on synthetic series, in NumPy alone.

In: histories as arrays, seasons, a horizon. Out: quantiles of the next steps. Never: JAX, frames, files of series.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
