"""Gradients through time: how strongly a state depends on earlier ones, and what changes that.

In: a cell and inputs (T, D). Out: records of numbers, such as :class:`GradientFlow`.
Never: forecasting, reports.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
