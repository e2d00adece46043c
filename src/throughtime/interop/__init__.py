"""Weights of other frameworks: PyTorch, Keras and TensorFlow 1.

In: dictionaries of NumPy arrays, as the framework names them. Out: cells; and the reverse.
Never: an import of the other framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
