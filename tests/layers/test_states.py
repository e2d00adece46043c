"""The state of a network: after a sequence of any length, from piece to piece, in a folder."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.contract import random_inputs, random_weights

import throughtime as tt
from throughtime.layers import first_state

B, T, D, H, O, TOKENS = 3, 7, 2, 4, 5, 6  # noqa: E741
LONGEST = 2  # steps of a piece: each length is compiled


def make_network() -> tt.ManyToMany:
    """Every cell of the catalog, and every layer and wrapper that reads forward, one above the other."""
    cells = [cell(H, H, key=0) for cell in tt.cells.CELLS.values()]
    wrappers = [tt.LayerNorm, tt.Residual, tt.LearnedInitialState, lambda cell: tt.Zoneout(cell, 0.2)]
    wrapped = [wrap(tt.GRU(H, H, key=0)) for wrap in wrappers]
    layers = [tt.Dropout(H, 0.3), tt.Block(tt.LSTM(H, H, key=0)), tt.FeedForward(H, key=0)]
    return tt.ManyToMany([tt.Embedding(TOKENS, H, key=0), *cells, *wrapped, *layers], O, key=0)


NETWORK = random_weights(make_network, size=1.5)
SMALL = random_weights(
    lambda: tt.ManyToMany([tt.Embedding(TOKENS, H, key=1), tt.LSTM(H, H, key=2), tt.LRU(H, H, key=3)], O, key=4)
)
XS = np.random.default_rng(2).integers(0, TOKENS, (B, T))
MASK = np.array([[1, 1, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 1, 1], [1, 0, 0, 1, 0, 0, 0]], bool)


@eqx.filter_jit
def run(network, xs, state, mask):
    return network(xs, state, mask=mask)


def assert_close(came, expected):
    assert jax.tree.structure(came) == jax.tree.structure(expected)
    jax.tree.map(lambda new, old: np.testing.assert_allclose(new, old, rtol=2e-4, atol=2e-5), came, expected)


@settings(max_examples=15)
@given(lengths=st.lists(st.integers(0, LONGEST), min_size=T), mask=arrays(bool, (B, T)))
def test_pieces_of_any_lengths_give_the_numbers_of_the_whole(lengths, mask):
    """Random splits and random masks; the state after each piece starts the next one."""
    ends = np.minimum(np.cumsum(lengths), T)
    assert ends[-1] <= T
    cuts = [0, *ends.tolist(), *range(int(ends[-1]) + 1, T + 1)]
    state, parts = None, []
    for begin, end in pairwise(cuts):
        state, outputs = run(NETWORK, jnp.asarray(XS[:, begin:end]), state, jnp.asarray(mask[:, begin:end]))
        parts.append(outputs)
    whole, expected = run(NETWORK, jnp.asarray(XS), None, jnp.asarray(mask))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, rtol=2e-4, atol=2e-5)
    assert_close(state, whole)


def test_encode_is_the_state_after_the_sequence(monkeypatch):
    """Against the network's own state, from the beginning and from the middle; chunks of 3 leave a rest of 1."""
    monkeypatch.setattr("throughtime.layers.states.CHUNK", 3)
    for xs, mask in ((XS, MASK), (XS[0], MASK[0])):
        expected, _ = run(SMALL, jnp.asarray(xs), None, jnp.asarray(mask))
        assert_close(tt.encode(SMALL, xs, mask=mask), expected)
    middle = tt.encode(SMALL, XS[:, :4], mask=MASK[:, :4])
    kept = jax.tree.map(np.array, middle)
    one, other = tt.encode(SMALL, XS[:, 4:], middle), tt.encode(SMALL, XS[:, 4:], middle, mask=MASK[:, 4:])
    assert_close(other, run(SMALL, jnp.asarray(XS), None, jnp.asarray(MASK))[0])
    assert float(jnp.abs(one[1].h - other[1].h).max()) > 0.01  # two branches
    jax.tree.map(np.testing.assert_array_equal, middle, kept)


def test_no_steps_give_the_initial_state():
    """That of each cell, in its own types, and the learned one."""
    for cell in (tt.SLSTM(D, H, key=0), tt.LRU(D, H, key=0), NETWORK.layer.layers[len(tt.cells.CELLS) + 3]):
        expected = cell.initial_state()
        assert_same(first_state(cell, ()), expected)
        many = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (B, *leaf.shape)), expected)
        assert_same(first_state(cell, (B,)), many)
    assert_same(first_state(SMALL, (B,)), tt.encode(SMALL, XS[:, :0]))


def assert_same(came, expected):
    """Bit for bit."""
    assert jax.tree.structure(came) == jax.tree.structure(expected)
    for new, old in zip(jax.tree.leaves(came), jax.tree.leaves(expected), strict=True):
        assert new.dtype == old.dtype
        np.testing.assert_array_equal(new, old)


def test_memory_does_not_grow_with_the_sequence():
    """XLA's plan for 4 and for 40 chunks, without the inputs; the network itself keeps the outputs of all steps."""
    cell = tt.GRU(D, 64, key=0)

    def planned(of, steps):
        plan = eqx.filter_jit(of).lower(cell, random_inputs(steps, D)).compile().compiled.memory_analysis()
        return plan.temp_size_in_bytes + plan.output_size_in_bytes

    short, long = (planned(lambda cell, xs: tt.encode(cell, xs), 1024 * count) for count in (4, 40))
    assert long < 1.2 * short
    assert planned(lambda cell, xs: tt.unroll(cell, xs), 1024 * 40) > 5 * long


@pytest.mark.parametrize(
    ("network", "xs", "code"),
    [
        (tt.Bidirectional(tt.GRU(D, H, key=0), tt.GRU(D, H, key=1)), np.zeros((T, D)), "reads-ahead"),
        (tt.EncoderDecoder(tt.GRU(D, H, key=0), tt.GRU(D, H, key=1), key=2), np.zeros((T, D)), "wrong-network"),
        (tt.GRU(D, H, key=0), np.zeros((T, D + 1)), "wrong-shape"),
        (NETWORK, np.zeros((T, D)), "not-tokens"),
    ],
    ids=["both directions", "encoder-decoder", "shape", "tokens"],
)
def test_what_cannot_be_encoded_is_refused(network, xs, code):
    with pytest.raises(tt.InputError) as caught:
        tt.encode(network, xs)
    assert caught.value.code == code


def test_a_state_comes_back_from_a_folder_bit_for_bit(tmp_path):
    """Of a batch and of one sequence; with complex and whole numbers."""
    for network, xs in ((SMALL, XS), (SMALL, XS[1]), (tt.LRU(D, H, key=0), random_inputs(T, D))):
        state = tt.encode(network, xs)
        tt.save_state(tmp_path, state)
        assert_same(tt.load_state(tmp_path, network), state)


def test_states_of_other_networks_are_refused(tmp_path):
    tt.save_state(tmp_path / "state", tt.encode(tt.LSTM(D, H, key=0), random_inputs(B, T, D)))
    with pytest.raises(tt.InputError) as caught:
        tt.load_state(tmp_path / "state", tt.LSTM(D, H + 1, key=0))
    assert (caught.value.code, len(caught.value.found)) == ("arrays-misfit", 2)
    with pytest.raises(tt.InputError) as caught:
        tt.load_state(tmp_path / "state", tt.GRU(D, H, key=0))
    assert caught.value.found == ["state.c is not expected"]
    with pytest.raises(tt.InputError) as caught:
        tt.load(tmp_path / "state")
    assert caught.value.code == "unknown-kind"
    tt.training.checkpoint.save(tmp_path / "other", "training", {}, {"training": {"n": jnp.ones(2)}})
    with pytest.raises(tt.InputError) as caught:
        tt.load_state(tmp_path / "other", tt.GRU(D, H, key=0))
    assert (caught.value.code, caught.value.found) == ("unknown-kind", "training")
