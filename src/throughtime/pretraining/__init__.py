"""Pretraining: synthetic series, and the network that learns to forecast from them.

In: a seed, a number of steps. Out: the weights of a network. Never: real series.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
