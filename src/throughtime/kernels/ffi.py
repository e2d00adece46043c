"""The native calls: a cell through all time steps, forward and backward, in one foreign function each.

Arrays have a leading axis of M models, each with a batch of B sequences. Weights have one too, of length 1 if all
models share them. The C++ side is ``native/handlers.cc``, for which an array that is None here has size 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._devices import vary_alike
from throughtime._types import Array, Bool, Float
from throughtime.cells import ACTIVATIONS, GRU, LSTM, Activation, Cell, Elman, ElmanState, GRUState, LSTMState, State
from throughtime.kernels.library import BACKWARD, FORWARD

Residuals = Float[Array, "M B T S"]
LANES = 16  # residuals are padded to whole vectors of 16 floats (AVX-512); their layout is private to the kernels


class KernelInputs(NamedTuple):
    """The arrays that a kernel reads besides the cell's weights. c is the LSTM's; steps with mask False are skipped."""

    xs: Float[Array, "M B T D"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B H"] | None
    mask: Bool[Array, "M B T"] | None


class Outputs(NamedTuple):
    """The h of every step and the last state."""

    hs: Float[Array, "M B T H"]
    h: Float[Array, "M B H"]
    c: Float[Array, "M B H"] | None


class Gradients(NamedTuple):
    """The gradients of a loss by the cell and its inputs; xs is None if it is not needed."""

    cell: Cell
    xs: Float[Array, "M B T D"] | None
    h: Float[Array, "M B H"]
    c: Float[Array, "M B H"] | None


class Spec(NamedTuple):
    """The kernel of a type of cell, numbered as in ``native/kernels.h``.

    Attributes:
        cell: the number of the type.
        activation: the number of an Elman cell's activation, 0 for other cells.
        state: the class of the cell's state.
        weights: the names of the cell's arrays.
        residuals: how many blocks of H numbers a step saves for the backward pass.
    """

    cell: int
    activation: int
    state: Any
    weights: tuple[str, ...]
    residuals: int

    @property
    def has_c(self) -> bool:
        """Tell if the state has a c."""
        return "c" in self.state._fields

    def make_state(self, h: Array, c: Array | None) -> State:
        """Return the cell's state of h and, if it has one, c."""
        return self.state(h, c) if self.has_c else self.state(h)


ACTIVATION_NAMES = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu")
ACTIVATION_NUMBERS: dict[Activation, int] = {ACTIVATIONS[name]: number for number, name in enumerate(ACTIVATION_NAMES)}


def spec_of(cell: Cell) -> Spec | None:
    """Return the kernel for a cell of exactly this type and activation, None if there is none."""
    if type(cell) is LSTM:
        return Spec(2, 0, LSTMState, ("w_x", "w_h", "b"), residuals=5)
    if type(cell) is GRU:
        return Spec(1, 0, GRUState, ("w_x", "w_h", "b", "b_h"), residuals=4)
    if type(cell) is Elman and cell.activation in ACTIVATION_NUMBERS:
        return Spec(0, ACTIVATION_NUMBERS[cell.activation], ElmanState, ("w_x", "w_h", "b"), residuals=0)
    return None


@jax.tree_util.register_static
@dataclass(frozen=True)
class Call:
    """The static part of a native call: for JAX a pytree without arrays, so that any transformed function may take it.

    Attributes:
        spec: the kernel.
        reverse: run from the last step to the first.
        needs_dx: let the backward pass compute the gradient by xs.
    """

    spec: Spec
    reverse: bool
    needs_dx: bool = True

    def forward(self, cell: Cell, inputs: KernelInputs) -> Outputs:
        """Run the cell and save nothing."""
        outputs, _ = self._forward(cell, inputs, residual_size=0)
        return outputs

    def forward_with_residuals(self, cell: Cell, inputs: KernelInputs) -> tuple[Outputs, Residuals]:
        """Run the cell and save what the backward pass needs."""
        padded = -(-inputs.h.shape[-1] // LANES) * LANES
        return self._forward(cell, inputs, residual_size=self.spec.residuals * padded)

    def _forward(self, cell: Cell, inputs: KernelInputs, residual_size: int) -> tuple[Outputs, Residuals]:
        M, B, T, _ = inputs.xs.shape
        H, C = self._state_sizes(inputs)
        results = [(M, B, T, H), (M, B, H), (M, B, C), (M, B, T, residual_size)]
        hs, h, c, residuals = self._run(FORWARD, results, self._operands(cell, inputs))
        return Outputs(hs, h, self._optional_c(c)), residuals

    def backward(
        self, cell: Cell, inputs: KernelInputs, hs: Array, residuals: Residuals, cotangents: Outputs
    ) -> Gradients:
        """Return the gradients for the ``cotangents`` of the outputs: by the weights, one for each of the M models."""
        M, B, T, D = inputs.xs.shape
        H, C = self._state_sizes(inputs)
        operands = self._operands(cell, inputs)
        weights = [(M, *weight.shape[1:]) for weight in operands[:4]]
        results = [*weights, (M, B, T, D if self.needs_dx else 0), (M, B, H), (M, B, C)]
        operands += (hs, residuals, cotangents.hs, cotangents.h, self._c_or_empty(cotangents))
        *d_weights, d_xs, d_h, d_c = self._run(BACKWARD, results, operands)
        d_cell = eqx.tree_at(self._weights, cell, d_weights[: len(self.spec.weights)])
        return Gradients(d_cell, d_xs if self.needs_dx else None, d_h, self._optional_c(d_c))

    def _run(self, target: str, results: list[tuple[int, ...]], operands: tuple[Array, ...]) -> Sequence[Array]:
        """Call a function of the native library, for results of these shapes that vary as the operands do."""
        operands = vary_alike(operands)
        function = jax.ffi.ffi_call(target, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in results])
        cell, activation = np.int32(self.spec.cell), np.int32(self.spec.activation)
        came = function(*operands, cell=cell, activation=activation, reverse=np.bool_(self.reverse))
        return vary_alike(came, operands)

    def _operands(self, cell: Cell, inputs: KernelInputs) -> tuple[Array, ...]:
        """Return w_x, w_h, b, b_h, xs, h, c and the mask, as every call takes them."""
        w_x, w_h, b, *b_h = self._weights(cell)
        inner_bias = b_h[0] if b_h else jnp.zeros((len(w_x), 0), jnp.float32)
        no_mask = jnp.zeros((*inputs.h.shape[:2], 0), bool)
        mask = no_mask if inputs.mask is None else inputs.mask
        return w_x, w_h, b, inner_bias, inputs.xs, inputs.h, self._c_or_empty(inputs), mask

    def _state_sizes(self, inputs: KernelInputs) -> tuple[int, int]:
        """Return the sizes of h and c."""
        H = inputs.h.shape[-1]
        return H, H if self.spec.has_c else 0

    def _weights(self, cell: Cell) -> list[Any]:
        return [getattr(cell, name) for name in self.spec.weights]

    def _c_or_empty(self, state: KernelInputs | Outputs) -> Array:
        return jnp.zeros((*state.h.shape[:2], 0), jnp.float32) if state.c is None else state.c

    def _optional_c(self, c: Array) -> Array | None:
        return c if self.spec.has_c else None
