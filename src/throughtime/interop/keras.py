"""Weights of Keras 3's ``SimpleRNN``, ``GRU(reset_after=True)`` and ``LSTM``, with their default gate activations.

====================  ============  ========================================================
``kernel``            (D, G*H)      w_x transposed
``recurrent_kernel``  (H, G*H)      w_h transposed
``bias``              (G*H,)        b
``bias`` of a GRU     (2, 3H)       of the input's and of the recurrent product; their sum is b,
                                    but for the candidate the second is our b_h
====================  ============  ========================================================

Gates are blocks of H columns: ``z r h`` of a GRU (ours: ``r z n``), ``i f c o`` of an LSTM (ours: ``i f g o``). In both
z multiplies the old state. ``leaky_relu`` has slope 0.2 in Keras and 0.01 here.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from throughtime.cells import GRU, LSTM, Elman, MatrixCell
from throughtime.interop import layout

GATE_ORDERS: layout.GateOrders = {Elman: ("a",), GRU: ("z", "r", "n"), LSTM: ("i", "f", "g", "o")}


def cell_from_keras(weights: layout.Weights, kind: type[layout.SomeCell], **settings: Any) -> layout.SomeCell:
    """Return the cell that computes the same as Keras's layer.

    Args:
        weights: the layer's weights by their names, as NumPy arrays.
        kind: ``Elman`` (``SimpleRNN``), ``GRU`` or ``LSTM``.
        settings: further arguments of the cell's constructor: an Elman cell's ``activation``.

    Raises:
        InputError: for an array that is missing, has another shape, or belongs to no such layer.
    """
    order = layout.gate_order("Keras", GATE_ORDERS, kind)
    inputs, _ = layout.matrix_shape(weights, "kernel", "(D, G*H)")
    hidden, _ = layout.matrix_shape(weights, "recurrent_kernel", "(H, G*H)")
    columns = len(order) * hidden
    shapes = {
        "kernel": (inputs, columns),
        "recurrent_kernel": (hidden, columns),
        "bias": (2, columns) if kind is GRU else (columns,),
    }
    w_x, w_h, b = [layout.reorder(w.T, order, kind.GATES) for w in layout.take(weights, shapes)]
    biases = layout.merge_biases(kind, *b.T) if kind is GRU else {"b": b}
    return layout.build_cell(kind, {"w_x": w_x, "w_h": w_h, **biases}, settings)


def weights_to_keras(cell: MatrixCell) -> dict[str, np.ndarray]:
    """Return the weights, by name, of the Keras layer that computes the same as the cell.

    The weights do not hold the activation: set it in the layer.

    Raises:
        InputError: if Keras has no such layer.
    """
    order = layout.gate_order("Keras", GATE_ORDERS, type(cell))
    bias = jnp.stack(layout.split_biases(cell), axis=1) if isinstance(cell, GRU) else cell.b
    arrays = {"kernel": cell.w_x, "recurrent_kernel": cell.w_h, "bias": bias}
    return {name: np.asarray(layout.reorder(array, cell.GATES, order).T) for name, array in arrays.items()}
