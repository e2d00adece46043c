"""A native kernel as a function that JAX can map and differentiate, in four layers from the inside out.

=====  ===================  ==========================================================================================
layer  file                 adds
=====  ===================  ==========================================================================================
1      ``ffi.py``           the call: ``forward``, ``forward_with_residuals`` and ``backward`` of a :class:`Call`
2      ``batching.py``      ``jax.vmap``: the same three functions, whose rules make one larger call
3      here                 ``jax.grad``: the same three functions; a ``custom_vjp`` leads from forward to backward
4      here                 ``jax.grad`` of ``jax.grad``: the derivative of ``backward`` is that of :func:`scan_vjp`
=====  ===================  ==========================================================================================

Without a gradient ``forward`` runs, and nothing is saved. With one, JAX runs ``_forward_rule`` instead and later
``_backward_rule``. A call has no derivative in forward mode (``jax.jvp``).
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._devices import vary_alike
from throughtime._types import Array, Mask
from throughtime.cells import Cell, State
from throughtime.kernels import batching
from throughtime.kernels.ffi import Call, Gradients, KernelInputs, Outputs, Residuals, spec_of


def native_unroll(cell: Cell, state: State, xs: Array, mask: Mask | None, *, reverse: bool) -> tuple[State, Array]:
    """Run a cell that has a kernel over a sequence (T, D) or a batch (B, T, D), as :func:`throughtime.unroll`."""
    if xs.ndim == 2:
        batch = jax.tree.map(lambda leaf: leaf[None], (state, xs, mask))
        return jax.tree.map(lambda leaf: leaf[0], native_unroll(cell, *batch, reverse=reverse))
    spec = spec_of(cell)
    assert spec is not None
    if mask is not None:
        xs = jnp.where(mask[..., None], xs, 0)  # the kernel multiplies by 0 what is masked out, and NaN * 0 is NaN
    inputs = KernelInputs(xs, state.h, state.c if spec.has_c else None, mask)
    one_model = jax.tree.map(lambda leaf: leaf[None], vary_alike((cell, inputs)))
    hs, h, c = jax.tree.map(lambda leaf: leaf[0], forward(Call(spec, reverse), *one_model))
    return spec.make_state(h, c), hs if mask is None else jnp.where(mask[..., None], hs, 0)


# Layer 3: the gradient.


@jax.custom_vjp
def forward(call: Call, cell: Cell, inputs: KernelInputs) -> Outputs:
    """Run the cell and save nothing."""
    return batching.forward(call, cell, inputs)


@jax.custom_vjp
def forward_with_residuals(call: Call, cell: Cell, inputs: KernelInputs) -> tuple[Outputs, Residuals]:
    """Run the cell and save what the backward pass needs.

    This is the forward pass of a gradient. A second derivative differentiates it once more: by its outputs alone,
    because :func:`scan_vjp` computes all that residuals stand for from the cell and its inputs.
    """
    return batching.forward_with_residuals(call, cell, inputs)


class Saved(NamedTuple):
    """All that the backward pass reads. ``call.needs_dx`` tells if anyone differentiates by xs."""

    call: Call
    cell: Cell
    inputs: KernelInputs
    hs: Array
    residuals: Residuals


def _forward_with_residuals_rule(call: Call, cell: Any, inputs: Any) -> tuple[tuple[Outputs, Residuals], Saved]:
    call = replace(call, needs_dx=inputs.xs.perturbed)
    cell, inputs = jax.tree.map(lambda leaf: leaf.value, (cell, inputs))
    outputs, residuals = forward_with_residuals(call, cell, inputs)
    return (outputs, residuals), Saved(call, cell, inputs, outputs.hs, residuals)


def _forward_rule(call: Call, cell: Any, inputs: Any) -> tuple[Outputs, Saved]:
    (outputs, _), saved = _forward_with_residuals_rule(call, cell, inputs)
    return outputs, saved


def _backward_rule(saved: Saved, cotangents: Outputs) -> tuple[None, Cell, KernelInputs]:
    """Return the gradients by the arguments of ``forward``; None is JAX's zero."""
    cotangents = vary_alike(jax.tree.map(_without_symbolic_zero, cotangents), saved.inputs)
    gradients = backward(*saved, cotangents)
    d_inputs: Any = (gradients.xs, gradients.h, gradients.c, None)
    return None, gradients.cell, KernelInputs(*d_inputs)


def _without_symbolic_zero(leaf: Any) -> Array:
    return jnp.zeros(leaf.shape, leaf.dtype) if isinstance(leaf, jax.custom_derivatives.SymbolicZero) else leaf


forward.defvjp(_forward_rule, _backward_rule, symbolic_zeros=True)
forward_with_residuals.defvjp(
    _forward_with_residuals_rule,
    lambda saved, cotangents: _backward_rule(saved, cotangents[0]),
    symbolic_zeros=True,
)


# Layer 4: the gradient of the gradient.


@jax.custom_vjp
def backward(
    call: Call, cell: Cell, inputs: KernelInputs, hs: Array, residuals: Residuals, cotangents: Outputs
) -> Gradients:
    """Return the gradients for the cotangents of the outputs."""
    return batching.backward(call, cell, inputs, hs, residuals, cotangents)


def scan_vjp(call: Call, cell: Cell, inputs: KernelInputs, cotangents: Outputs) -> Gradients:
    """Return what ``backward`` returns, by the gradient of a scan, which JAX can differentiate."""
    xs, h, c, mask = inputs
    observed = jnp.ones(xs.shape[:-1], bool) if mask is None else mask
    _, vjp = jax.vjp(partial(_scan, call, observed), cell, xs, h, c)
    d_cell, d_xs, d_h, d_c = vjp(cotangents)
    return Gradients(d_cell, d_xs if call.needs_dx else None, d_h, d_c)


def _scan(call: Call, mask: Array, cell: Cell, xs: Array, h: Array, c: Array | None) -> Outputs:
    """Compute what ``forward`` computes, step by step."""

    def one_sequence(cell: Cell, xs: Array, h: Array, c: Array | None, mask: Array) -> Outputs:
        def step(state: State, at: tuple[Array, Array]) -> tuple[State, Array]:
            gx, observed = at
            new, _ = cell.step(state, gx)
            new = jax.tree.map(lambda new, old: jnp.where(observed, new, old), new, state)
            return new, new.h

        last, hs = jax.lax.scan(step, call.spec.make_state(h, c), (cell.project(xs), mask), reverse=call.reverse)
        return Outputs(hs, last.h, last.c if call.spec.has_c else None)

    one_model = jax.vmap(one_sequence, in_axes=(None, 0, 0, 0, 0))
    return jax.vmap(one_model)(cell, xs, h, c, mask)


def _backward_forward_rule(
    call: Call, cell: Cell, inputs: KernelInputs, hs: Array, residuals: Residuals, cotangents: Outputs
) -> tuple[Gradients, Any]:
    return backward(call, cell, inputs, hs, residuals, cotangents), (call, cell, inputs, cotangents)


def _backward_backward_rule(saved: Any, cotangents: Gradients) -> Any:
    """Return the gradients by the arguments of ``backward``: none by hs and residuals, see the forward pass."""
    call, *operands = saved
    _, vjp = jax.vjp(partial(scan_vjp, call), *operands)
    d_cell, d_inputs, d_cotangents = vjp(cotangents)
    return None, d_cell, d_inputs, None, None, d_cotangents


backward.defvjp(_backward_forward_rule, _backward_backward_rule)
