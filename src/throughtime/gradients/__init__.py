"""Gradients through time: the dependence of a state on earlier ones, and remedies for vanishing and explosion.

In: a cell and inputs (T, D). Out: records of numbers, such as :class:`GradientFlow`, and their verdicts.
Never: forecasting, reports, files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
