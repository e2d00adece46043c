"""Networks from sequence to sequence: an encoder, and a decoder that reads what it wrote."""

from collections.abc import Callable, Sequence
from operator import index
from typing import Any, SupportsIndex

import equinox as eqx
import jax
import jax.numpy as jnp

from throughtime._devices import vary_alike
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime._types import Array, Key, KeyLike, Real
from throughtime.layers.arguments import ArrayOrLists, as_mask
from throughtime.layers.attention import Attention
from throughtime.layers.decoder import Decoded, Decoder, Source
from throughtime.layers.layer import AnyLayer, Network, final_output, noise_keys, reads_tokens, require_layer, run_layer
from throughtime.layers.stack import as_layer


class EncoderDecoder(Network):
    """A network from sequence to sequence, with attention (Luong, Pham & Manning 2015, arXiv 1508.04025).

    Equations::

        memory = encoder(source)
        h[-1] = tanh(bridge(the encoder's final output))
        y[t], h[t] = decoder(target[t-1], h[t-1])
        context[t] = attention(y[t], memory)
        output[t] = readout(tanh(combine(concatenate([context[t], y[t]]))))

    The decoder predicts what it reads: logits of its own tokens if it starts with an :class:`Embedding`, otherwise
    values. Before the first target it reads token 0, which targets should use for padding alone, or zeros.
    ``target[t-1]`` is the true one in teacher forcing (:meth:`__call__`), the network's own at random in scheduled
    sampling (:meth:`scheduled`), and always its own in :meth:`generate`.

    The h of all cells of the decoder start from the source; other arrays of their states, such as c, start as they do
    without one. The attention's result does not enter the next step (no input feeding, section 3.3 of the paper): so in
    teacher forcing the decoder runs over all steps at once, in its native kernel.

    Attributes:
        encoder: a cell or a layer of M outputs, also a Bidirectional one.
        decoder: a layer with its attention and readout, ``decoder.layer``, ``decoder.attention``, ``decoder.readout``.
    """

    encoder: AnyLayer
    decoder: Decoder

    def __init__(
        self,
        encoder: AnyLayer | Sequence[AnyLayer],
        decoder: AnyLayer | Sequence[AnyLayer],
        attention: str | Callable[..., Attention] = "dot",
        *,
        key: KeyLike,
    ):
        """Draw random weights between two layers, or lists of layers.

        Args:
            encoder: reads the source.
            decoder: reads the targets, so it decides what the network predicts; it must not read ahead.
            attention: "dot" (Luong et al., "general"), "additive" (Bahdanau et al. 2015), or a class such as
                :class:`throughtime.layers.DotAttention`.
            key: of the weights of attention, bridge, combination and readout.

        Raises:
            InputError: for anything but cells and layers, a decoder that reads ahead, and an unknown attention.
        """
        self.encoder = as_layer(encoder)
        require_layer("EncoderDecoder", self.encoder)
        self.decoder = Decoder(as_layer(decoder), self.encoder.hidden, attention, key=random_key(key))

    @property
    def inputs(self) -> int:
        """Return D of the encoder, or the number of its tokens."""
        return self.encoder.inputs

    @property
    def outputs(self) -> int:
        """Return O, the number of the decoder's inputs or tokens."""
        return self.decoder.layer.inputs

    @property
    def reads_tokens(self) -> bool:
        """Tell if the encoder reads tokens."""
        return reads_tokens(self.encoder)

    def __call__(
        self,
        xs: ArrayOrLists,
        targets: ArrayOrLists,
        *,
        mask: ArrayOrLists | None = None,
        target_mask: ArrayOrLists | None = None,
        key: KeyLike | None = None,
    ) -> Decoded:
        """Predict each target from the source and the true targets before it: teacher forcing, all steps at once.

        Args:
            xs: the source (S, D) or tokens (S,), or a batch of either, (B, S, D) or (B, S).
            targets: (T, O) or tokens (T,), or a batch of either.
            mask: (S,) or (B, S), True for steps of the source.
            target_mask: (T,) or (B, T), True for targets; padding stands at the end.
            key: of the noise of both layers, in training; without one there is none.

        Returns:
            Outputs, predictions and weights at the places of the targets that they predict; zeros at masked ones.

        Raises:
            InputError: if a shape or a type does not fit, or a token is out of range.
        """
        of_encoder, of_decoder = noise_keys(key, 2)
        source, state = self._encode(xs, mask, of_encoder, of_decoder)
        targets, target_mask = self._targets(source, targets, target_mask)
        first = jnp.expand_dims(self.decoder.first_input(source), self.decoder.time)
        inputs = jnp.concatenate([first, targets], axis=self.decoder.time)
        inputs = jax.lax.slice_in_dim(inputs, 0, -1, axis=self.decoder.time)
        return self.decoder.run(source, inputs, state, target_mask, of_decoder)[1]

    def scheduled(
        self,
        xs: ArrayOrLists,
        targets: ArrayOrLists,
        probability: Real | Array,
        *,
        mask: ArrayOrLists | None = None,
        target_mask: ArrayOrLists | None = None,
        key: KeyLike,
    ) -> Decoded:
        """Predict as in teacher forcing, but sometimes from own predictions (Bengio et al. 2015, arXiv 1506.03099).

        Before each step the decoder reads, with this probability, a token drawn from its own last output, or that
        output if it predicts values; otherwise the true target. A schedule moves the probability from 0, which is
        teacher forcing, towards 1 in the course of the training. The paper's epsilon is ``1 - probability``.

        Args:
            xs: the source, as in :meth:`__call__`.
            targets: as there.
            probability: a number, or an array without axes, which a schedule may compute.
            mask: as there.
            target_mask: as there.
            key: of the noise of both layers, the same as there, and of the choices.

        Raises:
            InputError: if a shape or a type does not fit, a token is out of range, or the probability is no such.
        """
        if not isinstance(probability, jax.core.Tracer) and not 0 <= float(probability) <= 1:
            raise InputError(
                f"probability is {probability}: expected a number from 0 to 1",
                code="wrong-probability",
                found=float(probability),
                expected="0 <= probability <= 1",
            )
        of_encoder, of_decoder = noise_keys(key, 2)
        source, state = self._encode(xs, mask, of_encoder, of_decoder)
        with_mask = self._targets(source, targets, target_mask)
        keys = of_decoder, jax.random.fold_in(random_key(key), 2)
        share = jnp.asarray(probability, jnp.float32)
        return _scheduled(self.decoder, source, state, with_mask, share, keys)

    def generate(self, xs: ArrayOrLists, steps: SupportsIndex, *, mask: ArrayOrLists | None = None) -> Decoded:
        """Predict ``steps`` (T) steps, each from the network's own predictions before it: the most likely tokens.

        Args:
            xs: the source, as in :meth:`__call__`.
            steps: T, at least 1. There is no token that ends a sequence: look for yours in the predictions.
            mask: (S,) or (B, S), True for steps of the source.

        Raises:
            InputError: if a shape or a type does not fit, a token is out of range, or steps is below 1.
        """
        count = index(steps)
        if count < 1:
            raise InputError(f"steps is {count}: expected at least 1", code="no-steps", found=count, expected=">= 1")
        source, state = self._encode(xs, mask, None, None)
        return _generated(self.decoder, source, state, count)

    def _encode(
        self, xs: ArrayOrLists, mask: ArrayOrLists | None, of_encoder: Key | None, of_decoder: Key | None
    ) -> tuple[Source, Any]:
        """Return what the decoder sees of the source, and the state from which it starts."""
        _, memory = run_layer(self.encoder, xs, mask=mask, key=of_encoder)
        flags = None if mask is None else as_mask(mask, memory.shape[:-1])
        state = self.decoder.first_state(final_output(self.encoder, memory, flags), of_decoder)
        return Source(memory, self.decoder.attention.keys(memory), flags), state

    def _targets(self, source: Source, targets: ArrayOrLists, mask: ArrayOrLists | None) -> tuple[Array, Array | None]:
        """Return targets and their mask as arrays.

        Raises:
            InputError: if they do not fit the decoder or the source.
        """
        arrays, flags = self.decoder.as_targets(targets, mask)
        if arrays.shape[: self.decoder.time] != source.batch:
            raise InputError(
                f"targets has shape {arrays.shape}: expected {source.batch} before the steps, as the source has",
                code="wrong-batch",
                found=arrays.shape,
                expected=source.batch,
            )
        return arrays, flags


@eqx.filter_jit
def _scheduled(
    decoder: Decoder,
    source: Source,
    state: Any,
    targets: tuple[Array, Array | None],
    probability: Array,
    keys: tuple[Key | None, Key],
) -> Decoded:
    """Decode step by step; each reads the true target before it, or with this probability the decoder's own.

    Args:
        decoder: it runs over one step at a time.
        source: what it attends to.
        state: its first.
        targets: with their mask.
        probability: of reading its own.
        keys: of its noise, and of the choices.
    """
    truths, mask = targets
    of_noise, of_choices = keys

    def step(carry: tuple[Any, Array], at: tuple[Array, Array | None, Key]) -> tuple[tuple[Any, Array], Decoded]:
        (state, x), (truth, flags, key) = carry, at
        state, decoded = decoder.run_one(source, x, state, flags, of_noise)
        of_coin, of_token = jax.random.split(key)
        coin = source.split_alike(jax.random.bernoulli(of_coin, probability, source.batch))
        if decoder.reads_tokens:
            return (state, jnp.where(coin, jax.random.categorical(of_token, decoded.outputs), truth)), decoded
        return (state, jnp.where(coin[..., None], decoded.outputs, truth)), decoded

    steps = jnp.moveaxis(truths, decoder.time, 0)
    flags = None if mask is None else jnp.moveaxis(mask, -1, 0)
    keys_of_steps = jax.random.split(of_choices, len(steps))
    first = vary_alike((state, decoder.first_input(source)), decoder, source, targets)
    return decoder.joined(jax.lax.scan(step, first, (steps, flags, keys_of_steps))[1])


@eqx.filter_jit
def _generated(decoder: Decoder, source: Source, state: Any, steps: int) -> Decoded:
    """Decode step by step; each reads the prediction of the one before it."""

    def step(carry: tuple[Any, Array], _: None) -> tuple[tuple[Any, Array], Decoded]:
        state, decoded = decoder.run_one(source, carry[1], carry[0], None, None)
        return (state, decoded.predictions), decoded

    first = vary_alike((state, decoder.first_input(source)), decoder, source)
    return decoder.joined(jax.lax.scan(step, first, None, length=steps)[1])
