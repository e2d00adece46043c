"""Networks made of cells."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax

from throughtime.cells.base import Cell
from throughtime.layers.config import cell_config, cell_from_config
from throughtime.layers.noise import unroll_drawn
from throughtime.layers.steps import per_step
from throughtime.recurrence import unroll
from throughtime.shapes import Array, Inputs, Key, Mask


class RecurrentNetwork(eqx.Module):
    """A cell unrolled through time, and a linear readout of each of its outputs.

    Attributes:
        cell: any cell, D inputs and H units.
        readout: O outputs from H units.
    """

    cell: Cell
    readout: eqx.nn.Linear

    def __init__(self, cell: Cell, outputs: int, *, key: Key):
        """A readout with random weights ``U(-1/sqrt(H), 1/sqrt(H))`` on top of ``cell``."""
        self.cell = cell
        self.readout = eqx.nn.Linear(cell.hidden, outputs, key=key)

    def __call__(
        self, xs: Inputs, state: Any = None, *, mask: Mask | None = None, key: Key | None = None
    ) -> tuple[Any, Array]:
        """The state after the last step and the outputs (T, O), or (B, T, O) of a batch (B, T, D).

        With a ``key``, for training, each sequence runs through its own draw of every random cell in ``cell``; see
        :func:`throughtime.layers.unroll_drawn`. Without one, which is for use, there is no noise.
        """
        if key is None:
            state, ys = unroll(self.cell, xs, state, mask=mask)
        else:
            state, ys = unroll_drawn(self.cell, xs, state, mask=mask, key=key)
        return state, per_step(self.readout, ys)


def network_config(network: RecurrentNetwork) -> dict[str, Any]:
    """The network as plain values, for a file: :func:`network_from_config` builds it again."""
    return {"cell": cell_config(network.cell), "outputs": network.readout.out_features}


def network_from_config(config: Mapping[str, Any], *, key: Key) -> RecurrentNetwork:
    """A network of this configuration with random weights."""
    key_cell, key_readout = jax.random.split(key)
    return RecurrentNetwork(cell_from_config(config["cell"], key=key_cell), config["outputs"], key=key_readout)
