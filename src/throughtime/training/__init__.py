"""Training: the compiled loop, losses and optimizers, records of a run, and checkpoints.

In: a model, a loss, batches, an optimizer. Out: the trained model, a history, checkpoints on disk.
Never: time series, frames, forecasts; signals belong to the command line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
