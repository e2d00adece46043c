"""Weights of TensorFlow 1's ``BasicRNNCell`` under ``dynamic_rnn``.

=============================  ==========  ==================================================
``rnn/basic_rnn_cell/kernel``  (D + H, H)  w_x and w_h transposed, the input's D rows first
``rnn/basic_rnn_cell/bias``    (H,)        b
=============================  ==========  ==================================================

TensorFlow's ``GRUCell`` applies the reset gate before the recurrent product, ours after it: it cannot be converted.
``leaky_relu`` has slope 0.2 in TensorFlow and 0.01 here.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime.cells import Elman, MatrixCell
from throughtime.interop import layout

KERNEL, BIAS = "rnn/basic_rnn_cell/kernel", "rnn/basic_rnn_cell/bias"
GATE_ORDERS: layout.GateOrders = {Elman: ("a",)}


def cell_from_tensorflow1(weights: layout.Weights, kind: type[layout.SomeCell], **settings: Any) -> layout.SomeCell:
    """Return the cell that computes the same as TensorFlow's.

    Args:
        weights: the cell's variables by their names, without ``:0``, as NumPy arrays.
        kind: ``Elman`` (``BasicRNNCell``).
        settings: further arguments of the cell's constructor: an Elman cell's ``activation``.

    Raises:
        InputError: for an array that is missing, has another shape, or belongs to no such cell.
    """
    layout.gate_order("TensorFlow 1", GATE_ORDERS, kind)
    rows, hidden = layout.matrix_shape(weights, KERNEL, "(D + H, H)")
    inputs = max(rows - hidden, 1)  # with too few rows, the check of the shape fails
    kernel, b = layout.take(weights, {KERNEL: (inputs + hidden, hidden), BIAS: (hidden,)})
    return layout.build_cell(kind, {"w_x": kernel[:inputs].T, "w_h": kernel[inputs:].T, "b": b}, settings)


def weights_to_tensorflow1(cell: MatrixCell) -> dict[str, np.ndarray]:
    """Return the variables, by name, of the TensorFlow cell that computes the same as this one.

    The variables do not hold the activation: set it in the cell.

    Raises:
        InputError: if TensorFlow 1 has no such cell.
    """
    layout.gate_order("TensorFlow 1", GATE_ORDERS, type(cell))
    return {KERNEL: np.asarray(jnp.concatenate([cell.w_x.T, cell.w_h.T])), BIAS: np.asarray(cell.b)}
