"""NumPy's numbers and truth values are taken for Python's, and seeds for random keys, by every public constructor.

Varied: the types of NumPy (signed, unsigned, narrow ones that overflow, floats, arrays without axes), the kinds of
objects that take them (cells, layers, tasks, series), and the position (by place or by name).
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime import layers
from throughtime._arguments import plain, real_number, truth_value, whole_number
from throughtime._errors import InputError
from throughtime._keys import random_key
from throughtime.cells import CELLS
from throughtime.data import tasks

KEY = jax.random.key(0)
INTEGERS = [np.int64, np.int32, np.uint8, np.int8, np.intp]


@pytest.mark.parametrize("value", [kind(7) for kind in INTEGERS] + [np.array(7), np.array([7, 8])[0], 7])
def test_whole_numbers_become_pythons(value):
    number = whole_number("size", value)
    assert (number, type(number)) == (7, int)


@pytest.mark.parametrize("value", [True, np.True_, np.array(True), 7.0, np.float32(7), "7", None, np.array([7]), 0, -3])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(InputError) as caught:
        whole_number("size", value)
    assert (caught.value.code, caught.value.expected) == ("not-a-size", "a whole number of at least 1")
    assert "np." not in str(caught.value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), np.float16(0.5), np.array(0.5)])
def test_numbers_become_pythons(value):
    number = real_number("rate", value)
    assert (number, type(number)) == (0.5, float)


@pytest.mark.parametrize("value", ["0.5", None, True, np.False_, [0.5], np.array([0.5])])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InputError) as caught:
        real_number("rate", value)
    assert caught.value.code == "not-a-number"


@pytest.mark.parametrize("value", [True, np.True_, 1, np.int64(1)])
def test_truth_values_become_pythons(value):
    assert truth_value("calendar", value) is True


@pytest.mark.parametrize("value", ["yes", None, 2, 1.0])
def test_what_is_no_truth_value_is_refused(value):
    with pytest.raises(InputError) as caught:
        truth_value("calendar", value)
    assert caught.value.code == "not-a-truth-value"


@pytest.mark.parametrize("seed", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_a_seed_is_its_key(seed):
    key = inspect.unwrap(random_key)(seed)
    assert jnp.array_equal(jax.random.key_data(key), jax.random.key_data(jax.random.key(3)))


def test_a_key_stays():
    assert random_key(KEY) is KEY


@pytest.mark.parametrize("key", [None, "0", 0.0, True])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InputError) as caught:
        inspect.unwrap(random_key)(key)
    assert caught.value.code == "not-a-key"


def test_plain_values_inside_of_others():
    value = {"a": [np.int64(1), (np.float32(0.5), np.bool_(True))], "b": {"c": np.arange(2)}, "d": "text"}
    assert plain(value) == {"a": [1, [0.5, True]], "b": {"c": [0, 1]}, "d": "text"}


def same(a, b):
    """Tell if two trees have the same structure and the same arrays."""
    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        jnp.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, np.uint8) for name in CELLS), *(("gru", kind) for kind in INTEGERS if kind != np.uint8)]
)
def test_cells_take_numpys_sizes_and_seeds(name, kind):
    made = CELLS[name](kind(3), kind(90), key=kind(5))  # 3 gates of 90 units are more than a byte counts
    assert same(made, CELLS[name](3, 90, key=jax.random.key(5)))


@pytest.mark.parametrize(
    "make",
    [
        lambda whole, real, key: tt.LEM(2, whole(4), dt=real(0.5), key=key),
        lambda whole, real, key: tt.Antisymmetric(2, whole(4), step_size=real(0.5), diffusion=real(0.25), key=key),
        lambda whole, real, key: tt.LRU(2, whole(4), radii=(real(0.5), real(0.75)), largest_phase=real(3), key=key),
        lambda whole, real, key: tt.Zoneout(tt.GRU(2, 4, key=key), real(0.5)),
        lambda whole, real, key: tt.VariationalDropout(tt.GRU(2, 4, key=key), real(0.5)),
        lambda whole, real, key: tt.BatchNorm(tt.GRU(2, 4, key=key), whole(6)),
        lambda whole, real, key: tt.RecurrentNetwork(tt.GRU(2, 4, key=key), whole(3), key=key),
        lambda whole, real, key: tt.FeedForward(whole(4), key=key),
        lambda whole, real, key: tt.StackedNetwork(whole(2), [tt.GRU(4, 4, key=key)], whole(3), key=key),
        lambda whole, real, key: tt.Zoneout(tt.GRU(2, 4, key=key), 0.5).draw(key),
        lambda whole, real, key: layers.draw_cells(tt.VariationalDropout(tt.GRU(2, 4, key=key), 0.5), key=key),
    ],
)
def test_cells_and_layers_take_numpys_numbers_and_seeds(make):
    assert same(make(np.uint8, np.float32, 9), make(int, float, jax.random.key(9)))


def test_a_network_of_numpys_rate_has_a_configuration_of_plain_values():
    network = tt.RecurrentNetwork(tt.Zoneout(tt.GRU(2, np.int64(4), key=0), np.float32(0.5)), np.int64(1), key=0)
    config = layers.network_config(network)
    assert type(config["cell"]["rate"]) is float
    assert type(config["outputs"]) is int


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (tasks.adding, (251,)),
        (tasks.copy_memory, (250,)),
        (tasks.temporal_order, (250, 3)),
        (tasks.parity, (3, 250)),
        (tasks.running_parity, (250,)),
        (tasks.selective_copy, (240, 30, 7)),
    ],
)
def test_tasks_take_numpys_sizes_and_seeds(make, sizes):
    """Sizes near 256, where a byte overflows as soon as something is added to it."""
    task, expected = make(*map(np.uint8, sizes)), make(*sizes)
    assert (type(task.steps), task[:6]) == (int, expected[:6])
    assert same(task.draw(4, np.uint8(3)), expected.draw(jax.random.key(4), 3))


def test_series_take_numpys_numbers_and_seeds():
    data = tt.TimeSeriesData(np.uint8(250), np.int8(-1), np.float32(9), seed=np.int64(3))
    expected = tt.TimeSeriesData(250, -1, 9, seed=3)
    assert data.resolution == expected.resolution
    for a, b in zip(data.next_batch(np.uint8(3), np.uint8(50)), expected.next_batch(3, 50), strict=True):
        np.testing.assert_array_equal(a, b)
    assert same(data.draw(8, np.uint8(3), np.uint8(50)), expected.draw(jax.random.key(8), 3, 50))
    np.testing.assert_array_equal(data.instance(np.float32(2), np.int16(9))[2], expected.instance(2, 9)[2])
