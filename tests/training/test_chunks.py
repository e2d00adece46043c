"""Truncated backpropagation through time: the state goes from chunk to chunk, the gradient stops."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.contract import random_weights

import throughtime as tt
from throughtime.training import DivergedError, checkpoint

B, T, L, D, H = 3, 11, 4, 2, 5  # T is no multiple of L: the chunks have 4, 4 and 3 steps
RANDOM = np.random.default_rng(8)
XS = RANDOM.normal(size=(B, T, D)).astype(np.float32)
YS = RANDOM.normal(size=(B, T)).astype(np.float32)
ENDS = [4, 8, 11]
NETWORK = random_weights(lambda: tt.ManyToMany([tt.GRU(D, H, key=1), tt.LSTM(H, H, key=2)], 1, key=3))
SGD = optax.sgd(0.3)


def loss(network, batch, state):
    xs, ys = batch
    state, outputs = network(xs, state)
    return jnp.mean((outputs[..., 0] - ys) ** 2), state


def fit(chunks=None, *, steps=7, model=NETWORK, of=loss, optimizer=SGD, callbacks=(), key=4):
    chunks = tt.Chunks((XS, YS), L) if chunks is None else chunks
    return tt.train(model, of, chunks, optimizer=optimizer, steps=steps, key=key, callbacks=callbacks)


@eqx.filter_jit
def by_hand(model, xs, ys, state):
    """One step: the loss, the state after it, the model."""
    (value, state), gradient = eqx.filter_value_and_grad(loss, has_aux=True)(model, (xs, ys), state)
    return value, state, eqx.apply_updates(model, jax.tree.map(lambda slope: -0.3 * slope, gradient))


@pytest.fixture(scope="module")
def history():
    return fit()


def test_the_state_goes_on_and_the_gradient_stops(history):
    """Against a loop as one writes it: two passes and one chunk more, with a shorter chunk at the end of each."""
    model, state, losses = NETWORK, None, []
    for step in range(7):
        place = step % 3
        begin, end = ([0, *ENDS][place], ENDS[place])
        state = None if place == 0 else state
        value, state, model = by_hand(model, XS[:, begin:end], YS[:, begin:end], state)
        losses.append(value)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), history.state.carried, state)
    for trained, expected in zip(jax.tree.leaves(history.model), jax.tree.leaves(model), strict=True):
        np.testing.assert_allclose(trained, expected, rtol=1e-4, atol=1e-6)


def test_passes_without_a_shorter_chunk_follow_each_other():
    """A block then holds chunks of several passes."""
    xs, ys, state, model, losses = XS[:, :8], YS[:, :8], None, NETWORK, []
    for step in range(5):
        piece = slice(0, 4) if step % 2 == 0 else slice(4, 8)
        value, state, model = by_hand(model, xs[:, piece], ys[:, piece], None if step % 2 == 0 else state)
        losses.append(value)
    np.testing.assert_allclose(fit(tt.Chunks((xs, ys), L), steps=5).losses, losses, rtol=1e-5)


def test_a_run_in_parts_is_the_same(history):
    parts = list(tt.steps(NETWORK, loss, tt.Chunks((XS, YS), L), optimizer=SGD, steps=7, key=4, every=2))
    np.testing.assert_array_equal(np.concatenate([part.losses for part in parts]), history.losses)
    assert eqx.tree_equal(parts[-1].model, history.model)


def test_an_interrupted_run_continues_bit_for_bit_with_its_state(tmp_path, history):
    """Resumed in the middle of a pass; noise in the loss, whose key depends on the step."""

    def noisy(network, batch, state, key):
        value, state = loss(network, batch, state)
        return value * (1 + 0.1 * jax.random.normal(key)), state

    whole = fit(of=noisy, steps=5)
    fit(of=noisy, steps=2, callbacks=[tt.Checkpoints(tmp_path)])
    carried = checkpoint.load(tmp_path).arrays["training.carried.1.c"]
    assert carried.shape == (B, H)
    assert np.abs(carried).min() > 0
    resumed = fit(of=noisy, steps=5, callbacks=[tt.Checkpoints(tmp_path)])
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    assert eqx.tree_equal(resumed.model, whole.model)
    assert eqx.tree_equal(resumed.state.carried, whole.state.carried)
    for other in (tt.Chunks((XS, YS), L - 1), tt.Chunks((XS, YS + 1), L)):
        with pytest.raises(tt.InputError) as caught:
            fit(other, of=noisy, steps=5, callbacks=[tt.Checkpoints(tmp_path)])
        assert caught.value.found == ["batches"]


def test_validation_reads_whole_sequences_and_a_watch_looks_inside():
    network = tt.RecurrentNetwork(tt.GRU(D, H, key=1), 1, key=3)
    stopping, watch = tt.EarlyStopping((XS, YS), every=2), tt.Watch(lags=3, every=2)
    history = fit(model=network, steps=4, callbacks=[stopping, watch])
    best = int(np.argmin(history.validation))
    assert history.validation[best] == pytest.approx(float(loss(history.model, (XS, YS), None)[0]), rel=1e-5)
    assert history.watched.gradient_by_lag.shape == (2, 4)


def test_masked_sequences_are_those_of_their_lengths():
    """The chunks of a padded sequence, one of which is all padding, give its weights the gradient of the sequence."""

    def masked(network, batch, state):
        xs, ys, mask = batch
        state, outputs = network(xs, state, mask=mask)
        return tt.training.masked_mean((outputs[..., 0] - ys) ** 2, mask), state

    short = 6
    mask = np.broadcast_to(np.arange(T) < short, (B, T))
    padded = [np.where(mask[..., None], XS, np.nan), np.where(mask, YS, np.nan), mask]
    history = fit(tt.Chunks(padded, L), of=masked, steps=3)
    expected = fit(tt.Chunks((XS[:, :short], YS[:, :short]), L), steps=2)
    np.testing.assert_allclose(history.losses, [*expected.losses, 0], rtol=1e-5)
    for trained, other in zip(jax.tree.leaves(history.model), jax.tree.leaves(expected.model), strict=True):
        np.testing.assert_allclose(trained, other, rtol=1e-4, atol=1e-6)


def test_noise_goes_on_from_chunk_to_chunk():
    """A draw's state holds more than the state at inference."""

    def noisy(network, batch, state, key):
        state, outputs = network(batch[0], state, key=key)
        return jnp.mean((outputs[..., 0] - batch[1]) ** 2), state

    network = tt.ManyToMany([tt.Dropout(D, 0.2), tt.Zoneout(tt.GRU(D, H, key=1), 0.3)], 1, key=3)
    first, cell = fit(model=network, of=noisy, steps=2).state.carried
    np.testing.assert_array_equal(first.t, [2 * L] * B)
    np.testing.assert_array_equal(cell.t, [2 * L] * B)


def test_memory_maps_are_read_chunk_by_chunk(tmp_path, history):
    np.save(tmp_path / "xs.npy", XS)
    xs = np.load(tmp_path / "xs.npy", mmap_mode="r")
    chunks = tt.Chunks((xs, YS), L)
    assert np.shares_memory(chunks.first()[0], xs)
    assert len(chunks) == 3
    np.testing.assert_array_equal(fit(chunks).losses, history.losses)


def test_divergence_is_explained_from_the_state_that_was_carried():
    with pytest.raises(DivergedError) as caught:
        fit(optimizer=optax.sgd(1e30))
    assert caught.value.code == "learning-rate-too-high"


BOTH = random_weights(lambda: tt.ManyToMany(tt.Bidirectional(tt.GRU(D, H, key=1), tt.GRU(D, H, key=2)), 1, key=3))
LEARNED = random_weights(lambda: tt.ManyToMany(tt.LearnedInitialState(tt.GRU(D, H, key=1)), 1, key=3))


@pytest.mark.parametrize(
    ("model", "of", "code"),
    [
        (BOTH, loss, "reads-ahead"),
        (LEARNED, loss, "learned-start"),
        (NETWORK, lambda network, batch: 0.0, "wrong-loss"),
        (NETWORK, lambda network, batch, state: loss(network, batch, state)[0], "no-state"),
        (NETWORK, lambda network, batch, state: (loss(network, batch, state)[1], state), "loss-not-a-number"),
        (NETWORK, lambda network, batch, state: (loss(network, batch, state)[0], None), "state-changes"),
        (NETWORK, lambda network, batch, state: (loss(network, batch, None)[0], [state]), "state-changes"),
    ],
    ids=["both directions", "learned start", "no argument", "no state", "no number", "none", "nested"],
)
def test_what_cannot_carry_a_state_is_refused(model, of, code):
    with pytest.raises(tt.InputError) as caught:
        fit(model=model, of=of)
    assert caught.value.code == code


@pytest.mark.parametrize("arrays", [(XS, YS[:, :5]), (), (XS, 1.0), (XS, YS[0]), (XS[:, :0],)])
def test_arrays_that_cannot_be_cut_are_refused(arrays):
    with pytest.raises(tt.InputError) as caught:
        tt.Chunks(arrays, 2)
    assert caught.value.code == "unequal-lengths"
