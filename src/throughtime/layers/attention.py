"""Attention over the outputs of an encoder: a weighted mean of them for each query."""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._arguments import whole_number
from throughtime._keys import random_key
from throughtime._types import Array, KeyLike, Whole
from throughtime.layers.arguments import zero_masked


class Attended(NamedTuple):
    """The result of attention.

    Attributes:
        context: (T, M) or (B, T, M), the mean of the memory by the weights.
        weights: (T, S) or (B, T, S), which sum to 1 over the S steps of the memory, and are 0 at masked steps.
    """

    context: Array
    weights: Array


class Attention(eqx.Module):
    """Attention of T queries (H each) over a memory of S steps (M each), such as the outputs of an encoder.

    A derived class has ``keys`` and ``scores``. The weights are the softmax of the scores over all steps that are not
    masked. A memory whose steps are all masked gives a context of zeros.
    """

    @abstractmethod
    def keys(self, memory: Array) -> Array:
        """Return what ``scores`` needs of the memory (..., S, M), computed once for all queries: (..., S, A)."""

    @abstractmethod
    def scores(self, queries: Array, keys: Array) -> Array:
        """Return the scores (..., T, S) of queries (..., T, H)."""

    def attend(self, queries: Array, memory: Array, keys: Array, mask: Array | None = None) -> Attended:
        """Return contexts and weights of queries (..., T, H) over a memory (..., S, M) and its ``keys``.

        Args:
            queries: such as the outputs of a decoder.
            memory: such as the outputs of an encoder.
            keys: of this memory.
            mask: (..., S), True for the steps to attend to.
        """
        scores = self.scores(queries, keys)
        if mask is None:
            weights = jax.nn.softmax(scores, axis=-1)
        else:
            flags = jnp.broadcast_to(mask[..., None, :], scores.shape)
            least = jnp.finfo(scores.dtype).min  # not -inf, whose softmax is NaN if all steps are masked
            weights = jnp.where(flags, jax.nn.softmax(jnp.where(flags, scores, least), axis=-1), 0)
        return Attended(weights @ zero_masked(memory, mask), weights)

    def __call__(self, queries: Array, memory: Array, mask: Array | None = None) -> Attended:
        """Return contexts and weights of queries (..., T, H) over a memory (..., S, M)."""
        memory = zero_masked(memory, mask)
        return self.attend(queries, memory, self.keys(memory), mask)


class DotAttention(Attention):
    """Attention by a bilinear product (Luong, Pham & Manning 2015, arXiv 1508.04025, eq. 8, "general").

    Equations::

        score[t, s] = query[t] @ (W @ memory[s])

    Attributes:
        w: (H, M), drawn from ``U(-1/sqrt(M), 1/sqrt(M))``.
    """

    w: Array

    def __init__(self, queries: Whole, memory: Whole, *, key: KeyLike):
        """Draw random weights for queries of H and a memory of M numbers."""
        hidden, width = whole_number("queries", queries), whole_number("memory", memory)
        self.w = jax.random.uniform(random_key(key), (hidden, width), minval=-(width**-0.5), maxval=width**-0.5)

    def keys(self, memory: Array) -> Array:
        """Return ``W @ memory``, (..., S, H)."""
        return memory @ self.w.T

    def scores(self, queries: Array, keys: Array) -> Array:
        """Return the products (..., T, S)."""
        return queries @ jnp.swapaxes(keys, -1, -2)


class AdditiveAttention(Attention):
    """Attention by a small network (Bahdanau, Cho & Bengio 2015, arXiv 1409.0473, appendix A.1.2).

    Equations::

        score[t, s] = v @ tanh(W @ query[t] + U @ memory[s])

    It holds T x S x A numbers, where :class:`DotAttention` holds T x S.

    Attributes:
        w: (A, H), with A = H.
        u: (A, M).
        v: (A,).
    """

    w: Array
    u: Array
    v: Array

    def __init__(self, queries: Whole, memory: Whole, *, key: KeyLike):
        """Draw random weights ``U(-1/sqrt(n), 1/sqrt(n))`` of n columns, for queries of H and a memory of M numbers."""
        hidden, width = whole_number("queries", queries), whole_number("memory", memory)
        keys = jax.random.split(random_key(key), 3)
        shapes = ((hidden, hidden), (hidden, width), (hidden,))
        self.w, self.u, self.v = (
            jax.random.uniform(key, shape, minval=-(shape[-1] ** -0.5), maxval=shape[-1] ** -0.5)
            for key, shape in zip(keys, shapes, strict=True)
        )

    def keys(self, memory: Array) -> Array:
        """Return ``U @ memory``, (..., S, A)."""
        return memory @ self.u.T

    def scores(self, queries: Array, keys: Array) -> Array:
        """Return the scores (..., T, S)."""
        both = jnp.expand_dims(queries @ self.w.T, -2) + jnp.expand_dims(keys, -3)
        return jnp.tanh(both) @ self.v


ATTENTIONS: dict[str, Callable[..., Attention]] = {"dot": DotAttention, "additive": AdditiveAttention}
