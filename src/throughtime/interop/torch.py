"""Weights of PyTorch's ``nn.RNN``, ``nn.GRU`` and ``nn.LSTM``, with one layer, one direction and biases.

================  ========  ============================================================
``weight_ih_l0``  (G*H, D)  w_x
``weight_hh_l0``  (G*H, H)  w_h
``bias_ih_l0``    (G*H,)    of the input's product; their sum is b, but for n of a GRU
``bias_hh_l0``    (G*H,)    the reset gate multiplies ``bias_hh_l0``: it is our b_h
================  ========  ============================================================

Gates are blocks of H rows: ``r z n`` of a GRU and ``i f g o`` of an LSTM, in our order.
"""

from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime.cells import ACTIVATIONS, GRU, LSTM, Elman, MatrixCell
from throughtime.interop import layout

GATE_ORDERS: layout.GateOrders = {Elman: ("a",), GRU: ("r", "z", "n"), LSTM: ("i", "f", "g", "o")}


def cell_from_torch(weights: layout.Weights, kind: type[layout.SomeCell], **settings: Any) -> layout.SomeCell:
    """Return the cell that computes the same as PyTorch's layer.

    Args:
        weights: the layer's ``state_dict()`` as NumPy arrays.
        kind: ``Elman`` (``nn.RNN``), ``GRU`` or ``LSTM``.
        settings: further arguments of the cell's constructor: an Elman cell's ``activation``, "tanh" or "relu".

    Raises:
        InputError: for an array that is missing, has another shape, or belongs to more than one layer.
    """
    order = layout.gate_order("PyTorch", GATE_ORDERS, kind)
    _, inputs = layout.matrix_shape(weights, "weight_ih_l0", "(G*H, D)")
    _, hidden = layout.matrix_shape(weights, "weight_hh_l0", "(G*H, H)")
    rows = len(order) * hidden
    shapes = {
        "weight_ih_l0": (rows, inputs),
        "weight_hh_l0": (rows, hidden),
        "bias_ih_l0": (rows,),
        "bias_hh_l0": (rows,),
    }
    w_x, w_h, b_ih, b_hh = [layout.reorder(w, order, kind.GATES) for w in layout.take(weights, shapes)]
    return layout.build_cell(kind, {"w_x": w_x, "w_h": w_h, **layout.merge_biases(kind, b_ih, b_hh)}, settings)


def weights_to_torch(cell: MatrixCell) -> dict[str, np.ndarray]:
    """Return the ``state_dict()`` of the PyTorch layer that computes the same as the cell.

    ``bias_ih_l0`` holds the biases, ``bias_hh_l0`` a GRU's ``b_h`` alone.

    Raises:
        InputError: if PyTorch has no such layer; the activation of ``nn.RNN`` is tanh or relu.
    """
    order = layout.gate_order("PyTorch", GATE_ORDERS, type(cell))
    if isinstance(cell, Elman) and cell.activation not in (ACTIVATIONS["tanh"], ACTIVATIONS["relu"]):
        name = getattr(cell.activation, "__name__", str(cell.activation))
        raise InputError(
            f"nn.RNN of PyTorch does not have the activation {name}: expected tanh or relu",
            code="unsupported-activation",
            found=name,
            expected=["tanh", "relu"],
        )
    b_ih, b_hh = layout.split_biases(cell)
    arrays = {"weight_ih_l0": cell.w_x, "weight_hh_l0": cell.w_h, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
    return {name: np.asarray(layout.reorder(array, cell.GATES, order)) for name, array in arrays.items()}
