"""Training is a plain function of its start: neither reports nor interruptions change a bit of it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.training.diagnosis import DivergedError
from throughtime.training.loop import run_steps, start

B, D, O, STEPS = 3, 2, 4, 23  # noqa: E741
ADAM = optax.adam(0.02)


def linear_loss(model, data, key):
    """A linear map's mean squared error on random inputs; data holds the true map."""
    x = jax.random.normal(key, (B, D), model["w"].dtype)
    error = x @ model["w"].T + model["b"][None] - x @ data.T
    return jnp.mean(error**2)


def square(model, _data, _key):
    return jnp.sum(model["w"] ** 2)


def linear_start(dtype=jnp.float32):
    random = np.random.default_rng(1)
    model = {"w": jnp.asarray(random.normal(size=(O, D)), dtype), "b": jnp.asarray(random.normal(size=O), dtype)}
    return start(model, ADAM, jax.random.key(2)), jnp.asarray(random.normal(size=(O, D)), dtype)


def run(state, data, *, steps=STEPS, every=7):
    return list(run_steps(state, linear_loss, ADAM, data, steps=steps, every=every))


def assert_identical(state, other):
    """Bit for bit, in every array."""
    leaves, others = jax.tree.leaves(state), jax.tree.leaves(other)
    assert jax.tree.structure(state) == jax.tree.structure(other)
    for a, b in zip(leaves, others, strict=True):
        if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.fixture(scope="module")
def reference():
    return run(*linear_start())


def test_reports_come_at_round_steps_and_at_the_end(reference):
    assert [int(progress.state.step) for progress in reference] == [7, 14, 21, 23]
    assert [len(progress.losses) for progress in reference] == [7, 7, 7, 2]
    assert {progress.steps for progress in reference} == {STEPS}
    assert all(progress.seconds > 0 for progress in reference)
    assert [progress.compile_seconds > 0 for progress in reference] == [True, False, False, False]


def test_training_learns(reference):
    assert np.concatenate([p.losses for p in reference])[-5:].mean() < reference[0].losses[:5].mean()


@pytest.mark.parametrize("every", [1, 10, 100])
def test_reports_change_nothing(reference, every):
    again = run(*linear_start(), every=every)
    assert_identical(again[-1].state, reference[-1].state)
    np.testing.assert_array_equal(
        np.concatenate([p.losses for p in again]), np.concatenate([p.losses for p in reference])
    )


@pytest.mark.parametrize("report", [0, 1, 2])
def test_a_snapshot_is_a_shorter_run(reference, report):
    snapshot = reference[report].state
    assert_identical(run(*linear_start(), steps=int(snapshot.step))[-1].state, snapshot)


@pytest.mark.parametrize("stop", [1, 9, 14])
def test_going_on_is_never_having_stopped(reference, stop):
    state, data = linear_start()
    stopped = run(state, data, steps=stop, every=5)[-1].state
    rest = run(stopped, data)
    assert_identical(rest[-1].state, reference[-1].state)
    assert [int(progress.state.step) for progress in rest] == [step for step in (7, 14, 21, 23) if step > stop]


def test_what_is_done_is_not_done_again(reference):
    assert run(reference[-1].state, linear_start()[1]) == []
    assert run(reference[-1].state, linear_start()[1], steps=3) == []


def test_the_same_program_is_compiled_once():
    traced = []

    def loss(model, data, key):
        traced.append(1)
        return linear_loss(model, data, key)

    state, data = linear_start()
    for steps in (5, 9):
        list(run_steps(state, loss, ADAM, data, steps=steps, every=4))
    assert len(traced) == 1


def test_threads_compile_the_same_program_once():
    traced, together = [], threading.Barrier(3)

    def loss(model, data, key):
        traced.append(1)
        time.sleep(0.1)  # the others ask while the first one compiles
        return linear_loss(model, data, key)

    def learn(seed):
        state, data = linear_start()
        together.wait()
        *_, last = run_steps(state._replace(key=jax.random.key(seed)), loss, ADAM, data, steps=5, every=5)
        return np.asarray(last.losses)

    with ThreadPoolExecutor(3) as pool:
        losses = list(pool.map(learn, range(3)))
    assert len(traced) == 1
    assert len({row.tobytes() for row in losses}) == 3


def test_a_loss_that_is_defined_again_is_compiled_again():
    """As in a notebook whose cell is edited and run again: the name is the same, the function is not."""
    state, data = linear_start()
    ends = []
    for factor in (1.0, 3.0):

        def loss(model, data, key, factor=factor):
            return factor * linear_loss(model, data, key)

        *_, last = run_steps(state, loss, ADAM, data, steps=1)
        ends.append(float(last.losses[0]))
    assert ends[1] == pytest.approx(3 * ends[0], rel=1e-5)


@pytest.mark.usefixtures("x64")
def test_a_step_is_adams():
    """Kingma & Ba 2015, algorithm 1, with the gradient by hand and the batches of the documented keys, in float64."""
    state, true = linear_start(jnp.float64)
    w, b, true_w = (np.asarray(array) for array in (state.model["w"], state.model["b"], true))
    moments = [[np.zeros_like(w), np.zeros_like(w)], [np.zeros_like(b), np.zeros_like(b)]]
    losses = []
    for step in range(STEPS):
        x = np.asarray(jax.random.normal(jax.random.fold_in(state.key, step), (B, D), jnp.float64))
        error = x @ w.T + b - x @ true_w.T
        losses.append(np.mean(error**2))
        gradients = 2 / error.size * error.T @ x, 2 / error.size * error.sum(0)
        steps = []
        for moment, gradient in zip(moments, gradients, strict=True):
            moment[0] = 0.9 * moment[0] + 0.1 * gradient
            moment[1] = 0.999 * moment[1] + 0.001 * gradient**2
            first, second = moment[0] / (1 - 0.9 ** (step + 1)), moment[1] / (1 - 0.999 ** (step + 1))
            steps.append(0.02 * first / (np.sqrt(second) + 1e-8))
        w, b = w - steps[0], b - steps[1]
    came = run(state, true)
    np.testing.assert_allclose(came[-1].state.model["w"], w, rtol=1e-12)
    np.testing.assert_allclose(came[-1].state.model["b"], b, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([p.losses for p in came]), losses, rtol=1e-11)


@pytest.mark.parametrize("every", [1, 10, 1000])
def test_divergence_names_the_step(every):
    """With w -> -3 w each step, w^2 = 9^k is past float32 (3.4e38) for k = 41: at step 42, the first being k = 0."""
    too_fast = optax.sgd(2.0)
    state = start({"w": jnp.ones(1)}, too_fast, jax.random.key(0))
    good = []
    with pytest.raises(DivergedError) as caught:
        good.extend(run_steps(state, square, too_fast, None, steps=200, every=every))
    assert (caught.value.step, caught.value.code) == (42, "learning-rate-too-high")
    assert [int(progress.state.step) for progress in good] == list(range(every, 42, every))
    assert all(np.isfinite(progress.state.model["w"]).all() for progress in good)
    assert issubclass(DivergedError, tt.InputError)


def test_a_report_every_zero_steps_is_refused():
    with pytest.raises(tt.InputError) as caught:
        run(*linear_start(), every=0)
    assert (caught.value.code, caught.value.found) == ("every-below-1", 0)


@pytest.mark.parametrize("stop", [7, 14])
def test_leaving_the_loop_early_is_a_shorter_run(reference, stop):
    state, data = linear_start()
    for progress in run_steps(state, linear_loss, ADAM, data, steps=STEPS, every=7):
        state = progress.state
        if int(state.step) == stop:
            break
    assert_identical(state, reference[stop // 7 - 1].state)
