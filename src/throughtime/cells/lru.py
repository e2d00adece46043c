"""The linear recurrent unit."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._arguments import real_number, whole_number
from throughtime._keys import random_key
from throughtime._types import Array, GateBias, Hidden, InputWeights, KeyLike, Real, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.linear import LinearCell


class LRUState(NamedTuple):
    """The state of an LRU: its complex memory, as re (H,) and im (H,)."""

    re: Hidden
    im: Hidden


class LRU(LinearCell):
    """Linear recurrent unit: a diagonal, complex, linear recurrence (Orvieto et al. 2023, arXiv 2303.06349, § 3).

    Equations::

        lam = exp(-exp(nu) + 1j * exp(theta))
        gamma = sqrt(1 - abs(lam) ** 2)
        s = lam * (re + 1j * im) + gamma * (Wx_re @ x + b_re + 1j * (Wx_im @ x + b_im))
        re, im = s.real, s.imag
        y = c_re @ re - c_im @ im + Wx_skip @ x + b_skip

    ============  ==================================================================
    gates         ``re im skip``: the parts of the paper's B x, and its D x
    w_x           (3H, D)
    w_h           none: the memory enters unit by unit, so a parallel scan computes it
    b             (3H,); the paper has none, it starts at zero
    nu, theta     (H,), of the eigenvalues lam
    c_re, c_im    (H, H), of the readout C
    state         ``LRUState(re, im)``
    ============  ==================================================================

    ``step(state, gx)`` is ``s = a * s + c`` and ``y = output(s, gx)``, with ``a, c = coefficients(gx)`` and
    ``gx = project(x)``.

    Eigenvalues start uniform in the ring ``radii`` of the complex plane, with phases in [0, ``largest_phase``]; they
    never leave the unit disk. gamma is computed from them; in the paper this is only its initial value, and it is
    learned. The cell is linear from x to y: its power comes from the nonlinear layers around it.
    """

    GATES: ClassVar[tuple[str, ...]] = ("re", "im", "skip")
    w_x: InputWeights
    b: GateBias
    nu: Hidden
    theta: Hidden
    c_re: RecurrentWeights
    c_im: RecurrentWeights

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        radii: tuple[Real, Real] = (0.9, 0.999),
        largest_phase: Real = 2 * jnp.pi,
        input_init: str | initializers.MatrixInit = "glorot",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; eigenvalues as in the paper's lemma 3.2."""
        key_in, key_radius, key_phase, key_re, key_im = jax.random.split(random_key(key), 5)
        self.w_x, self.b = initializers.input_weights(inputs, hidden, self.GATES, (input_init, "zeros"), key_in)
        dtype = self.w_x.dtype
        smallest, largest = (real_number("a radius", radius) for radius in radii)
        hidden, largest_phase = whole_number("hidden", hidden), real_number("largest_phase", largest_phase)
        squared = jax.random.uniform(key_radius, (hidden,), dtype, minval=smallest**2, maxval=largest**2)
        self.nu = jnp.log(-0.5 * jnp.log(squared))
        tiny = jnp.finfo(dtype).tiny  # theta is a logarithm
        self.theta = jnp.log(jax.random.uniform(key_phase, (hidden,), dtype, minval=tiny, maxval=largest_phase))
        draw = initializers.glorot
        self.c_re, self.c_im = (draw(k, (hidden, hidden), dtype) for k in (key_re, key_im))

    @property
    def slopes(self) -> tuple[float, float, float]:
        """Return 1 for each gate, which is linear."""
        return 1.0, 1.0, 1.0

    def initial_state(self) -> LRUState:
        """Return zeros."""
        zeros = jnp.zeros(self.hidden, self.w_x.dtype)
        return LRUState(zeros, zeros)

    def gates(self, state: LRUState, gx: GateBias) -> tuple[Hidden, Hidden, Hidden]:
        """Return the two parts that the input adds to the memory, before gamma, and its share of the output."""
        re, im, skip = jnp.split(gx, 3)
        return re, im, skip

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """Return ``a = lam`` and ``c = gamma * (re + 1j * im)``."""
        re, im, _ = jnp.split(gx, 3, axis=-1)
        lam = jnp.exp(_complex(-jnp.exp(self.nu), jnp.exp(self.theta)))
        gamma = jnp.sqrt(-jnp.expm1(-2 * jnp.exp(self.nu)))  # sqrt(1 - |lam|^2), accurate for |lam| near 1
        gamma = jnp.broadcast_to(gamma, re.shape)
        return jnp.broadcast_to(lam, re.shape), _complex(gamma * re, gamma * im)

    def state_to_array(self, state: LRUState) -> Array:
        """Return ``s = re + 1j * im``."""
        return _complex(state.re, state.im)

    def array_to_state(self, s: Array) -> LRUState:
        """Return the real and the imaginary part of s."""
        dtype = self.w_x.dtype
        return LRUState(s.real.astype(dtype), s.imag.astype(dtype))

    def output(self, s: Array, gx: Array) -> Array:
        """Return the real part of ``C s``, plus the input's share that skips the memory."""
        re, im = self.array_to_state(s)
        return re @ self.c_re.T - im @ self.c_im.T + gx[..., -self.hidden :]


def _complex(re: Array, im: Array) -> Array:
    """Return ``re + 1j * im``, complex64 for types of 16 bits, which have no complex one."""
    dtype = jnp.float32 if re.dtype.itemsize < 4 else re.dtype
    return jax.lax.complex(re.astype(dtype), im.astype(dtype))
