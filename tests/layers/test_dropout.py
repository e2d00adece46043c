"""Dropout between layers: independent in each step, and a function of the key and the step alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import throughtime as tt
from throughtime.training import checkpoint

B, T, H, RATE = 3, 200, 5, 0.3
KEY = jax.random.key(29)
run = eqx.filter_jit(lambda layer, xs, state=None, mask=None, key=None: layer(xs, state, mask=mask, key=key))


def test_units_are_dropped_independently():
    dropout, xs = tt.Dropout(H, RATE), np.random.default_rng(1).normal(size=(B, T, H)).astype(np.float32)
    state, ys = run(dropout, jnp.asarray(xs), key=KEY)
    kept = np.asarray(ys) != 0
    np.testing.assert_allclose(ys, np.where(kept, xs / (1 - RATE), 0), rtol=1e-6)
    assert kept.mean() == pytest.approx(1 - RATE, abs=0.03)  # 3000 units: 4 standard deviations
    for one, other in ((kept[:, 1:], kept[:, :-1]), (kept[1:], kept[:-1]), (kept[..., 1:], kept[..., :-1])):
        assert (one & other).mean() == pytest.approx((1 - RATE) ** 2, abs=0.05)  # steps, sequences and units
    np.testing.assert_array_equal(state.t, [T] * B)
    np.testing.assert_array_equal(run(dropout, jnp.asarray(xs))[1], xs)


def test_pieces_of_a_sequence_have_the_noise_of_the_whole():
    dropout, xs = tt.Dropout(H, RATE), jnp.ones((B, 6, H))
    mask = tt.sequence_mask([6, 2, 0], 6)
    state, whole = run(dropout, xs, key=KEY)
    middle, first = run(dropout, xs[:, :4], key=KEY)
    end, rest = run(dropout, xs[:, 4:], middle, key=KEY)
    np.testing.assert_array_equal(jnp.concatenate([first, rest], axis=1), whole)
    np.testing.assert_array_equal(end.t, state.t)
    np.testing.assert_array_equal(run(dropout, xs, mask=mask, key=KEY)[1], np.where(mask[..., None], whole, 0))
    assert run(dropout, xs[0], key=KEY)[1].shape == (6, H)


def build():
    cell = tt.LearnedInitialState(tt.Zoneout(tt.GRU(3, 3, key=2), 0.1))
    decoder = [tt.Embedding(7, 3, key=1), tt.Dropout(3, 0.2), cell]
    encoder = tt.Stack([tt.Bidirectional(tt.GRU(2, 4, key=3), tt.LRU(2, 5, key=4))])
    return tt.EncoderDecoder(encoder, decoder, "additive", key=5), tt.ManyToOne(decoder, 2, "max", key=6)


def test_networks_of_all_layers_come_back_from_disk(tmp_path):
    draw = np.random.default_rng(7)
    networks = jax.tree.map(lambda w: jnp.asarray(draw.normal(size=w.shape), w.dtype), build())
    checkpoint.save(tmp_path, "training", {}, {"model": networks})
    assert eqx.tree_equal(checkpoint.restore(checkpoint.load(tmp_path).arrays, build, "model"), networks)


def test_units_come_before_the_rate(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # it would refuse the types before the library
    with pytest.raises(tt.InputError) as caught:
        tt.Dropout(RATE, H)
    assert (caught.value.code, caught.value.found) == ("wrong-order", (RATE, H))
    with pytest.raises(tt.InputError) as caught:
        tt.Dropout(8.0, 0)  # which the other order would not mend
    assert caught.value.found == 8.0


def test_a_rate_is_a_probability():
    for rate in (-0.1, 1.0, float("nan")):
        with pytest.raises(tt.InputError) as caught:
            tt.Dropout(H, rate)
        assert caught.value.code == "wrong-rate"
