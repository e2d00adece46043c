"""The service: a fitted forecaster that takes rows and forecasts from them, as a stream or over HTTP.

In: a saved forecaster; rows as lines of CSV or JSON, or as requests. Out: forecasts as JSON, checkpoints of a stream, a
server. Never: training, a change to the model's folder, signals of the process.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
