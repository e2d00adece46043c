"""Networks of other frameworks: PyTorch, Keras, TensorFlow 1, Flax, Equinox, and files of ONNX.

In: their modules, arrays by name, or files. Out: cells, layers and networks; and the reverse.
Never: code from a file; an import of another framework, unless one of its own objects or formats is asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
