"""Weights of TensorFlow 1's ``BasicRNNCell`` under ``dynamic_rnn``.

=============================  ==========  ==================================================
``rnn/basic_rnn_cell/kernel``  (D + H, H)  w_x and w_h transposed, the input's D rows first
``rnn/basic_rnn_cell/bias``    (H,)        b
=============================  ==========  ==================================================

Its ``GRUCell`` resets before the recurrent product and is another cell than ours. ``leaky_relu`` has slope 0.2 in
TensorFlow and 0.01 here.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime.cells import Elman, MatrixCell
from throughtime.interop import layout

KERNEL, BIAS = "rnn/basic_rnn_cell/kernel", "rnn/basic_rnn_cell/bias"
GATE_ORDERS: layout.GateOrders = {Elman: ("a",)}


def cell_from_tensorflow1(weights: layout.Weights, kind: type[layout.SomeCell], **settings: Any) -> layout.SomeCell:
    """The cell that computes what TensorFlow's does.

    Args:
        weights: the cell's variables by their names, without ``:0``, as NumPy arrays.
        kind: ``Elman`` (``BasicRNNCell``).
        settings: the cell's own, as its constructor takes them: an Elman cell's ``activation``.

    Raises:
        InputError: for an array that is missing, has another shape, or belongs to no such cell.
    """
    layout.gate_order("TensorFlow 1", GATE_ORDERS, kind)
    rows, hidden = layout.matrix_shape(weights, KERNEL, "(D + H, H)")
    inputs = max(rows - hidden, 1)  # too few rows are then not what is expected
    kernel, b = layout.take(weights, {KERNEL: (inputs + hidden, hidden), BIAS: (hidden,)})
    return layout.cell_of(kind, {"w_x": kernel[:inputs].T, "w_h": kernel[inputs:].T, "b": b}, settings)


def weights_to_tensorflow1(cell: MatrixCell) -> dict[str, np.ndarray]:
    """The variables, by name, of TensorFlow's cell that computes this one; its activation is for the caller to set.

    Raises:
        InputError: for a cell that TensorFlow 1 does not have.
    """
    layout.gate_order("TensorFlow 1", GATE_ORDERS, type(cell))
    return {KERNEL: np.asarray(jnp.concatenate([cell.w_x.T, cell.w_h.T])), BIAS: np.asarray(cell.b)}
