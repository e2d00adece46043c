"""Forecasting: a panel in, quantiles of the next steps out.

In: a :class:`~throughtime.data.Panel` or a frame. Out: forecasts, backtests, scores and a verdict, as records and
frames. Never: files, apart from saved models and the
folder of a search; sentences, apart from errors, notes, verdicts and the summary of a search.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
