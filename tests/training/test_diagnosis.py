"""A run that goes wrong names the step, the array and the likely cause; each cause is made to happen here."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.layers.network import RecurrentNetwork
from throughtime.training.diagnosis import DivergedError
from throughtime.training.loop import run_steps, start

ROWS, D = 11, 3
BOTH = pytest.mark.parametrize("every", [1, 50])  # a failed step at the end of its chunk, and in the midst of it


def diverged(model, loss, optimizer, data=None, *, every=50):
    """The error of training for 50 steps, and the number of good states that were reported before."""
    reports = []
    with pytest.raises(DivergedError) as caught:
        reports.extend(
            run_steps(start(model, optimizer, jax.random.key(3)), loss, optimizer, data, steps=50, every=every)
        )
    for report in reports:
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(report.state.model))
    assert issubclass(DivergedError, tt.InputError)
    assert not np.isfinite(caught.value.found)
    return caught.value, len(reports)


def row_loss(model, data, key):
    """Squared error of a linear map on one row of the data."""
    row = data["x"][jax.random.randint(key, (), 0, ROWS)]
    return jnp.square(row @ model["w"] - model["b"][0])


def rows(bad=None):
    x = np.random.default_rng(0).normal(size=(ROWS, D))
    if bad is not None:
        x[5, 1] = bad
    return {"x": jnp.asarray(x, jnp.float32)}


LINEAR = {"w": jnp.asarray([0.3, -0.2, 0.1]), "b": jnp.zeros(1)}


@BOTH
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_number_in_the_data(every, bad):
    keys = [jax.random.fold_in(jax.random.key(3), step) for step in range(50)]
    step = next(n for n, key in enumerate(keys) if jax.random.randint(key, (), 0, ROWS) == 5) + 1
    assert step > 1
    error, reports = diverged(LINEAR, row_loss, optax.sgd(0.01), rows(bad), every=every)
    assert (error.code, error.step, error.array) == ("data-not-finite", step, "loss")
    assert str(error).endswith(f"Check the data: the data data.x holds {bad} in 1 of 33 places.")
    assert reports == (step - 1) // every


@BOTH
def test_a_learning_rate_that_is_too_high(every):
    """With w -> -3 w each step, w^2 = 9^k is past float32 (3.4e38) for k = 41: at step 42, the first being k = 0."""
    error, reports = diverged(
        {"w": jnp.ones(1)}, lambda model, _data, _key: jnp.sum(model["w"] ** 2), optax.sgd(2.0), every=every
    )
    assert (error.code, error.step, error.array) == ("learning-rate-too-high", 42, "loss")
    assert str(error) == (
        "training diverged at step 42: the loss is inf. Likely cause: a learning rate that is too high, or exploding "
        "gradients. From step 0 to step 41 the norm of the weights went from 1 to 3.65e+19. With the weights of step 0 "
        "the loss of the same batch is 1. Lower the learning rate or clip the gradient."
    )
    assert reports == 41 // every


def network(recurrent, activation):
    """One unit, so that its spectral radius is ``recurrent``."""
    cell = tt.Elman(1, 1, activation, key=jax.random.key(0))
    cell = eqx.tree_at(lambda cell: (cell.w_x, cell.w_h), cell, (jnp.ones((1, 1)), jnp.full((1, 1), recurrent)))
    return RecurrentNetwork(cell, 2, key=jax.random.key(1))


def test_activations_that_overflow():
    """A ReLU unit with rho = 1.5 over 300 steps: 1.5^300 = 1e52."""

    def loss(model, _data, _key):
        return jnp.mean(model(jnp.ones((300, 1)))[1] ** 2)

    error, _ = diverged(network(1.5, "relu"), loss, optax.sgd(0.001))
    assert (error.code, error.step, error.array) == ("activations-overflow", 1, "loss")
    assert "smaller recurrent weights" in str(error)


def test_an_exploding_gradient():
    """An input of 1e-30 grows by 2^199 to 8e29, which float32 holds; the gradient by the bias, 2^200 = 1e60, it not."""

    def loss(model, _data, _key):
        return jnp.sum(model(jnp.zeros((200, 1)).at[0].set(1e-30))[0].h)

    error, reports = diverged(network(2.0, "identity"), loss, optax.sgd(0.001), every=1)
    assert (error.code, error.step, error.array) == ("gradient-explodes", 1, "model.cell.w_x")
    assert "the gradient model.cell.w_x holds nan in 1 of 1 places." in str(error)
    assert "The loss is 8.03e+29, the gradient's norm about 1e60, " in str(error)
    assert reports == 0


@BOTH
def test_an_infinite_slope(every):
    """sqrt(w^2) is w on its way to 0, one a step. There the loss is finite: the state after it must not be reported."""

    def loss(model, _data, _key):
        return jnp.sqrt(jnp.sum(model["w"] ** 2)) - jnp.sum(model["b"])

    model = {"w": jnp.asarray([0.0, 4.0, 0.0]), "b": jnp.ones(2)}
    error, reports = diverged(model, loss, optax.sgd(1.0), every=every)
    assert (error.code, error.step, error.array) == ("infinite-slope", 5, "model.w")
    assert "the gradient model.w holds nan in 3 of 3 places." in str(error)
    assert "The loss is -10, but" in str(error)
    assert reports == 4 // every


def test_an_update_that_is_not_finite():
    optimizer = optax.sgd(lambda count: jnp.where(count == 6, jnp.inf, 0.01))
    error, _ = diverged(LINEAR, row_loss, optimizer, rows())
    assert (error.code, error.step, error.array) == ("update-not-finite", 7, "model.b")
    assert "its state" not in str(error)


def test_an_update_whose_moments_are_to_blame():
    """A trace of 3e38 and a gradient of 1e38 have no sum."""
    optimizer = optax.sgd(1e-30, momentum=0.99)

    def flat(model, _data, _key):
        return 1e38 * jnp.sum(model["w"] - jax.lax.stop_gradient(model["w"]))

    error, _ = diverged({"w": jnp.ones(2)}, flat, optimizer)
    assert (error.code, error.step, error.array, error.found) == ("update-not-finite", 4, "model.w", -np.inf)
    assert ": its state optimizer." in str(error)


def test_weights_that_overflow():
    model = {"w": jnp.asarray([3.3e38, 1.0])}
    error, _ = diverged(model, lambda model, _data, _key: -jnp.sum(model["w"]), optax.sgd(2e37))
    assert (error.code, error.step, error.array, error.found) == ("weights-overflow", 1, "model.w", np.inf)
    assert "the new weights model.w holds inf in 1 of 2 places." in str(error)


def test_weights_that_were_never_finite():
    error, _ = diverged(LINEAR | {"b": jnp.full(1, jnp.nan)}, row_loss, optax.sgd(0.1), rows())
    assert (error.code, error.step, error.array) == ("weights-not-finite", None, "model.b")
    assert error.fields()["array"] == "model.b"
    assert str(error) == (
        "training cannot start: the weights model.b holds nan in 1 of 1 places. Likely cause: they were not finite "
        "when they were drawn or loaded."
    )
