"""The report of a forecast: one HTML page that opens offline.

In: a panel, forecasts, a backtest, a verdict. Out: the page as text. Never: new forecasts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
