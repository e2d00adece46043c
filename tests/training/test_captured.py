"""Values that a loss reads from outside: assigned anew, they compile a new program; unchanged, they do not."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.training import Watch
from throughtime.training.loop import run_steps, start

SGD = optax.sgd(0.0)
MODEL = {"w": jnp.full(3, 0.5)}
SCALE = 1.0
TABLE = {"scale": 1.0}
TRACED = []


def mean_square(model):
    TRACED.append(1)
    return jnp.mean(model["w"] ** 2)


def helper(model):
    return SCALE * mean_square(model)


def run(loss):
    """Return the loss of one step, and how often the loss was traced."""
    TRACED.clear()
    (progress,) = run_steps(start(MODEL, SGD, jax.random.key(0)), loss, SGD, None, steps=1)
    return float(progress.losses[0]), len(TRACED)


def of_global():
    def loss(model, _data, _key):
        return SCALE * mean_square(model)

    return loss, lambda value: globals().update(SCALE=value)


def of_global_in_helper():
    def loss(model, _data, _key):
        return (lambda: helper(model))()

    return loss, lambda value: globals().update(SCALE=value)


def of_entry():
    def loss(model, _data, _key):
        return TABLE["scale"] * mean_square(model)

    return loss, lambda value: TABLE.update(scale=value)


def of_closure():
    scale = 1.0

    def loss(model, _data, _key):
        return scale * mean_square(model)

    def change(value):
        nonlocal scale
        scale = value

    return loss, change


def of_array():
    scale = jnp.ones(())

    def loss(model, _data, _key):
        return scale * mean_square(model)

    def change(value):
        nonlocal scale
        scale = jnp.float32(value)

    return loss, change


def of_default():
    def loss(model, _data, _key, scale=1.0, *, factor=1.0):
        return scale * factor * mean_square(model)

    return loss, lambda value: setattr(loss, "__kwdefaults__", {"factor": value})


class Scaled:
    def __init__(self):
        self.scale = 1.0
        self.inner = types.SimpleNamespace(scale=1.0)

    def __call__(self, model, _data, _key):
        return self.scale * mean_square(model)

    def method(self, model, _data, _key):
        return self.inner.scale * mean_square(model)


def of_callable_object():
    scaled = Scaled()
    return scaled, lambda value: setattr(scaled, "scale", value)


def of_bound_method():
    scaled = Scaled()
    return scaled.method, lambda value: setattr(scaled, "inner", types.SimpleNamespace(scale=value))


def of_attribute_of_captured_object():
    scaled = Scaled()

    def loss(model, data, key):
        return scaled(model, data, key)

    return loss, lambda value: setattr(scaled, "scale", value)


def of_partial():
    scaled = Scaled()
    partial = functools.partial(lambda factor, model, _data, _key: factor.scale * mean_square(model), scaled)
    return partial, lambda value: setattr(scaled, "scale", value)


WAYS = [
    of_global,
    of_global_in_helper,
    of_entry,
    of_closure,
    of_array,
    of_default,
    of_callable_object,
    of_bound_method,
    of_attribute_of_captured_object,
    of_partial,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_value_from_outside_is_read_again(way):
    """Varied: where the value is; set back to 1, the first program serves again."""
    loss, change = way()
    try:
        assert run(loss) == (0.25, 1)
        assert run(loss) == (0.25, 0)
        change(4.0)
        assert run(loss) == (1.0, 1)
        assert run(loss) == (1.0, 0)
    finally:
        change(1.0)
    assert run(loss)[0] == 0.25


def test_records_read_it_again():
    network = tt.RecurrentNetwork(tt.GRU(1, 3, key=jax.random.key(1)), 1, key=jax.random.key(2))
    scale = 1.0

    def loss(network, _data, _key):
        return scale * jnp.mean(network(jnp.ones((2, 4, 1)))[1] ** 2)

    norms = []
    for scale in (1.0, 100.0):  # noqa: B007
        (progress,) = run_steps(start(network, SGD, jax.random.key(0)), loss, SGD, None, steps=1, watch=Watch())
        norms.append(progress.record.gradient_norm)
    assert norms[1] == pytest.approx(100 * norms[0], rel=1e-5)


def test_data_of_a_series_are_read_again():
    series = tt.TimeSeriesData(50, 0, 5, fn=jnp.sin)

    def loss(model, _data, key):
        return jnp.mean(series.draw(key, 2, 4)[0]) + 0 * jnp.sum(model["w"])

    first = run(loss)[0]
    series.fn = lambda t: 3 + jnp.sin(t)
    assert run(loss)[0] == pytest.approx(first + 3, abs=1e-5)


def test_large_and_strange_captures_do_no_harm():
    many, table, closed = dict.fromkeys(range(5_000), 1.0), np.ones(3), {"self": None}
    closed["self"] = closed

    def loss(model, _data, _key):
        return table[0] * many[0] * len(closed) * mean_square(model) * jnp.sin(jnp.pi / 2)

    assert run(loss) == (pytest.approx(0.25), 1)
    assert run(loss) == (pytest.approx(0.25), 0)
