from .keras import cell_from_keras as cell_from_keras
from .keras import weights_to_keras as weights_to_keras
from .tensorflow1 import cell_from_tensorflow1 as cell_from_tensorflow1
from .tensorflow1 import weights_to_tensorflow1 as weights_to_tensorflow1
from .torch import cell_from_torch as cell_from_torch
from .torch import weights_to_torch as weights_to_torch
