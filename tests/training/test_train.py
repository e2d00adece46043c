"""Training of models on batches: arrays, minibatches, functions that draw, iterators; callbacks; checkpoints; many."""

import itertools
import threading

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest

import throughtime as tt
from throughtime.training import DivergedError, Progress, checkpoint
from throughtime.training.callbacks import Follower, Setting

N, B, D, O, STEPS = 11, 4, 2, 3, 230  # noqa: E741
ADAM = optax.adam(0.02)
RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.normal(size=(O, D)).astype(np.float32)
XS = RANDOM.normal(size=(N, D)).astype(np.float32)
TARGETS = XS @ TRUTH.T + RANDOM.normal(size=(N, O), scale=0.5).astype(np.float32)
KEY = jax.random.key(9)


class Linear(eqx.Module):
    """A model with leaves of several kinds."""

    w: jax.Array
    scale: float
    activation: object

    def __init__(self, seed=1):
        self.w, self.scale = jnp.asarray(np.random.default_rng(seed).normal(size=(O, D)), jnp.float32), 2.0
        self.activation = jnp.tanh

    def __call__(self, xs):
        return self.scale * (xs @ self.w.T)


def loss(model, batch):
    xs, targets = batch
    return jnp.mean((model(xs) - targets) ** 2)


def fit(batches, *, model=None, of=loss, optimizer=ADAM, steps=STEPS, callbacks=(), key=KEY):
    return tt.train(model or Linear(), of, batches, optimizer=optimizer, steps=steps, key=key, callbacks=callbacks)


def assert_same(history, other):
    """Bit for bit."""
    np.testing.assert_array_equal(history.model.w, other.model.w)
    np.testing.assert_array_equal(history.losses, other.losses)
    np.testing.assert_array_equal(history.validation, other.validation)
    np.testing.assert_array_equal(history.validation_steps, other.validation_steps)
    assert (history.step, history.ended) == (other.step, other.ended)


def by_hand(batches):
    """Train as Optax's documentation shows, on these batches."""
    model, losses = Linear(), []
    state = ADAM.init(eqx.filter(model, eqx.is_inexact_array))
    step = eqx.filter_jit(eqx.filter_value_and_grad(loss))
    for batch in batches:
        value, gradient = step(model, batch)
        updates, state = ADAM.update(gradient, state)
        model = eqx.apply_updates(model, updates)
        losses.append(value)
    return model, losses


def host_batches(steps, size=B):
    """Batches that differ from step to step."""
    for step in range(steps):
        places = (np.arange(size) + 3 * step) % N
        yield XS[places].astype(np.float64), TARGETS[places]


def draw(key):
    xs = jax.random.normal(key, (B, D))
    return xs, xs @ jnp.asarray(TRUTH).T


@pytest.fixture(scope="module")
def minibatched():
    return fit(tt.Minibatches((XS, TARGETS), B))


def test_arrays_are_the_batch_of_each_step():
    history, (model, losses) = fit({"xs": XS, "ys": TARGETS}, of=named, steps=12), by_hand([(XS, TARGETS)] * 12)
    np.testing.assert_allclose(history.model.w, model.w, rtol=1e-5)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    assert (history.ended, history.step, history.model.activation) == ("steps", 12, jnp.tanh)
    assert history.state.model is history.model


def named(model, batch):
    return loss(model, (batch["xs"], batch["ys"]))


def test_batches_of_the_host_come_in_their_order_until_they_end():
    history, (model, losses) = fit(host_batches(17)), by_hand(host_batches(17))
    np.testing.assert_allclose(history.model.w, model.w, rtol=1e-5)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    assert history.ended == "batches"
    assert threading.active_count() == sum("throughtime" not in thread.name for thread in threading.enumerate())


def test_a_loader_starts_again_and_its_last_batch_may_be_smaller():
    class Loader:
        def __iter__(self):
            return iter([(XS[:4], TARGETS[:4]), (XS[4:8], TARGETS[4:8]), (XS[8:], TARGETS[8:])])

    history, (model, _) = fit(Loader(), steps=7), by_hand([*Loader(), *Loader(), (XS[:4], TARGETS[:4])])
    np.testing.assert_allclose(history.model.w, model.w, rtol=1e-5)


def test_an_error_of_an_iterator_comes_out():
    def broken():
        yield from host_batches(5)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        fit(broken())


def test_an_epoch_takes_every_example_once():
    """The loss of example n is n: the losses of one example a step are an order, and a new one in each epoch."""

    def number(model, batch):
        return jnp.sum(batch["n"]) + 0 * jnp.sum(model.w)

    arrays = {"n": np.arange(N, dtype=np.float32), "more": np.zeros((N, 2), np.int32)}
    single = fit(tt.Minibatches(arrays, 1), of=number, steps=3 * N).losses.reshape(3, N)
    np.testing.assert_array_equal(np.sort(single, axis=1), np.tile(np.arange(N), (3, 1)))
    assert len({tuple(row) for row in single}) == 3
    sums = fit(tt.Minibatches(arrays, B), of=number, steps=N).losses  # B epochs, cut into batches of B
    assert sums.sum() == B * arrays["n"].sum()
    np.testing.assert_array_equal(sums, fit(tt.Minibatches(arrays, B), of=number, steps=B * N).losses[:N])
    parts = tt.steps(Linear(), number, tt.Minibatches(arrays, B), optimizer=ADAM, steps=N, key=KEY, every=3)
    np.testing.assert_array_equal(np.concatenate([part.losses for part in parts]), sums)
    other = fit(tt.Minibatches(arrays, 1), of=number, steps=N, key=3).losses
    assert not np.array_equal(other, single[0])


def test_a_function_draws_with_its_own_key_and_the_loss_gets_another():
    history = fit(draw, steps=9)
    keys = [jax.random.split(jax.random.fold_in(KEY, step)) for step in range(9)]
    model, _ = by_hand([draw(key[0]) for key in keys])
    np.testing.assert_allclose(history.model.w, model.w, rtol=1e-5)
    seen = fit(
        draw, of=lambda model, _batch, noise_key: jax.random.uniform(noise_key) + 0 * jnp.sum(model.w), steps=9
    ).losses
    np.testing.assert_array_equal(seen, [jax.random.uniform(key[1]) for key in keys])

    def keyword(model, _batch, scale=2.0, *, key):
        return scale * jax.random.uniform(key) + 0 * jnp.sum(model.w)

    np.testing.assert_array_equal(fit(draw, of=keyword, steps=9).losses, 2 * seen)


def test_losses_made_by_the_same_line_share_a_program_and_others_do_not():
    traced = []

    def scaled(factor):
        def own(model, batch):
            traced.append(factor)
            return factor * loss(model, batch)

        return fit((XS, TARGETS), of=own, optimizer=optax.adam(0.02), steps=2).losses[0]

    first, again, other = scaled(1.0), scaled(1.0), scaled(3.0)
    assert traced.count(1.0) == traced.count(3.0) == len(traced) / 2
    assert first == again
    assert other == pytest.approx(3 * first, rel=1e-5)


def test_steps_are_the_same_as_a_loop(minibatched):
    seen = []
    for step in tt.steps(
        Linear(), loss, tt.Minibatches((XS, TARGETS), B), optimizer=ADAM, steps=STEPS, key=KEY, every=70
    ):
        seen.append((step.step, len(step.losses)))
        if step.step == 210:
            assert not np.array_equal(step.model.w, minibatched.model.w)
    assert seen == [(70, 70), (140, 70), (210, 70), (230, 20)]
    np.testing.assert_array_equal(step.model.w, minibatched.model.w)
    ends = [step.step for step in tt.steps(Linear(), loss, host_batches(9), optimizer=ADAM, steps=99, key=KEY, every=7)]
    assert ends == [7, 9]


def test_a_function_is_called_every_hundred_steps_and_may_end_the_run(minibatched):
    seen = []

    def note(progress: Progress) -> bool:
        seen.append((progress.step, len(progress.losses)))
        return progress.step >= 200

    history = fit(tt.Minibatches((XS, TARGETS), B), callbacks=[note])
    assert seen == [(100, 100), (200, 100)]
    assert history.ended == "callback"
    np.testing.assert_array_equal(history.losses, minibatched.losses[:200])


VALIDATION = (XS[:7], XS[:7] @ TRUTH.T)  # without the noise: so many steps lead away from it


def test_early_stopping_returns_the_best_model():
    stopping = tt.EarlyStopping(tt.Minibatches(VALIDATION, 3), patience=4, every=10)
    history = fit(tt.Minibatches((XS, TARGETS), B), steps=10_000, callbacks=[stopping])
    assert history.ended == "callback"
    best = int(np.argmin(history.validation))
    assert len(history.validation) == best + 1 + 4
    assert history.step == history.validation_steps[best] == 10 * (best + 1)
    assert len(history.losses) == history.validation_steps[-1] > history.step
    assert history.validation[best] == pytest.approx(float(loss(history.model, VALIDATION)), rel=1e-5)
    assert fit(tt.Minibatches((XS, TARGETS), B), steps=history.step).losses[-1] == history.losses[history.step - 1]


def test_validation_is_inference():
    """Dropout is off, and the loss gets no key."""

    def noisy(model, batch, key):
        xs, targets = batch
        return jnp.mean((model[1](model[0](xs), key=key) - targets) ** 2)

    model = (Linear(), eqx.nn.Dropout(0.5))
    history = fit((XS, TARGETS), model=model, of=noisy, steps=100, callbacks=[tt.EarlyStopping(VALIDATION)])
    assert history.validation[0] == pytest.approx(float(loss(history.model[0], VALIDATION)), rel=1e-5)


CELL = tt.RecurrentNetwork(tt.GRU(D, 3, key=KEY), O, key=KEY)


def sequence_loss(network, batch):
    return jnp.mean((network(batch[0][:, None])[1][:, 0] - batch[1]) ** 2)


class Killed(BaseException):
    """An end at any moment, as by Ctrl-C."""


def test_an_interrupted_run_continues_bit_for_bit(tmp_path):
    """Ended by an error between two checkpoints; with all that a run keeps."""
    ends_at = [0]

    class End(Setting, Follower):
        every = 10

        def begin(self, run):
            return self

        def __call__(self, progress):
            if progress.step == ends_at[0]:
                raise Killed

    def run(*more, rate=0.03, steps=400):
        watch, stopping = tt.Watch(lags=1, clip_norm=0.5, every=20), tt.EarlyStopping(VALIDATION, patience=6, every=10)
        batches = tt.Minibatches((XS, TARGETS), B)
        callbacks = [stopping, watch, End(), *more]
        return fit(batches, model=CELL, of=sequence_loss, optimizer=optax.adam(rate), steps=steps, callbacks=callbacks)

    whole = run()
    assert whole.ended == "callback"
    assert whole.step < 100 < len(whole.losses)  # the best model and the patience are in the checkpoint
    ends_at[0] = 110
    with pytest.raises(Killed):
        run(tt.Checkpoints(tmp_path))
    ends_at[0] = 0
    assert checkpoint.load(tmp_path).arrays["training.step"] == 100
    for resumed in (run(tt.Checkpoints(tmp_path)), run(tt.Checkpoints(tmp_path))):  # the second finds all done
        for name in ("losses", "validation", "validation_steps"):
            np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))
        assert (resumed.step, resumed.ended) == (whole.step, whole.ended)
        assert eqx.tree_equal(resumed.model, whole.model)
        for column, due in zip(resumed.watched[:5], whole.watched[:5], strict=True):
            np.testing.assert_array_equal(column, due)
    for change, code in (({"rate": 0.02}, ["optimizer"]), ({"steps": 50}, len(whole.losses))):
        with pytest.raises(tt.InputError) as caught:
            run(tt.Checkpoints(tmp_path), **change)
        assert caught.value.found == code


class Positioned:
    """Batches of the host that begin at any step, and which steps they began at."""

    def __init__(self):
        self.began = []

    def __iter__(self):
        return self.starting_at(0)

    def starting_at(self, step):
        self.began.append(step)
        return itertools.islice(host_batches(STEPS), step, None)


def test_batches_with_a_position_begin_where_a_run_goes_on(tmp_path):
    """The same numbers as of batches that are skipped, and none is made twice."""
    expected = fit(host_batches(STEPS))
    batches = Positioned()
    fit(batches, steps=100, callbacks=[tt.Checkpoints(tmp_path)])
    assert_same(fit(batches, callbacks=[tt.Checkpoints(tmp_path)]), expected)
    assert batches.began == [0, 100]


def test_a_diverged_run_keeps_what_was_good():
    with pytest.raises(DivergedError) as caught:
        fit((XS, TARGETS), optimizer=optax.sgd(1.0), callbacks=[lambda progress: None])
    history = caught.value.history
    assert history.ended == "diverged"
    assert np.isfinite(history.losses).all()
    assert jnp.isfinite(history.model.w).all()


def test_frozen_parts_stay_as_they_are():
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.02))
    frozen = tt.freeze(optimizer, lambda network: (network.cell.w_h, network.readout))
    history = fit((XS, TARGETS), model=CELL, of=sequence_loss, optimizer=frozen, steps=9)
    assert eqx.tree_equal(history.model.readout, CELL.readout)
    assert eqx.tree_equal(history.model.cell.w_h, CELL.cell.w_h)
    assert not np.array_equal(history.model.cell.w_x, CELL.cell.w_x)


def test_many_networks_are_each_as_trained_alone():
    """Other weights, series and rates, with one program; one diverges."""
    traced = []

    def own(model, batch):
        traced.append(1)
        return loss(model, batch)

    models = [Linear(seed) for seed in range(4)]
    series = [tt.Minibatches((XS, TARGETS * (1 + place)), B) for place in range(4)]
    rates = [optax.inject_hyperparams(optax.sgd)(learning_rate=rate) for rate in (0.01, 1e3, 0.02, 0.03)]
    stopping = tt.EarlyStopping(VALIDATION, patience=2, every=50)
    together = tt.fit_many(models, own, series, optimizer=rates, steps=300, key=KEY, callbacks=[stopping])
    assert together[1].ended == "diverged"
    count = len(traced)
    for place in (0, 2, 3):
        key = jax.random.fold_in(KEY, place)
        alone = fit(
            series[place],
            model=models[place],
            of=own,
            optimizer=rates[place],
            steps=300,
            key=key,
            callbacks=[stopping],
        )
        assert_same(together[place], alone)
    assert len(traced) == count
    assert tt.fit_many([], own, series[0], optimizer=ADAM, steps=3, key=KEY) == []
    with pytest.raises(tt.InputError) as caught:
        tt.fit_many(models, own, series[:3], optimizer=ADAM, steps=3, key=KEY)
    assert (caught.value.code, caught.value.found) == ("wrong-number", 3)


def weight(model, batch):
    return jnp.sum(model.w)


@pytest.mark.parametrize(
    ("batches", "of", "code"),
    [
        ("text", loss, "not-batches"),
        ((XS, "text"), loss, "not-batches"),
        (iter([(XS, "text")]), loss, "not-batches"),
        (map(np.zeros, range(1, 20)), weight, "too-many-shapes"),
        ((XS, TARGETS), lambda model: 0.0, "wrong-loss"),
        ((XS, TARGETS), lambda model, batch, key, more: 0.0, "wrong-loss"),
        ((XS, TARGETS), lambda model, xs, targets: 0.0, "wrong-loss"),
        ((XS, TARGETS), lambda model, xs, keypoints: 0.0, "wrong-loss"),
        ((XS, TARGETS), lambda model, xs, key_mask: 0.0, "wrong-loss"),
        ((XS, TARGETS), lambda model, batch: model(batch[0]), "loss-not-a-number"),
        ((XS, TARGETS), lambda model, batch: (loss(model, batch), 1), "loss-not-a-number"),
    ],
)
def test_what_cannot_be_used_is_refused(batches, of, code, monkeypatch):
    monkeypatch.setattr("throughtime.training.host_batches.MOST_SHAPES", 2)
    with pytest.raises(tt.InputError) as caught:
        fit(batches, of=of)
    assert caught.value.code == code


def test_what_cannot_be_trained_is_refused(monkeypatch):
    """Before anything is compiled: the first mistakes of people who know Equinox. The tests' check of types is off."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    batches, stopping = (XS, TARGETS), tt.EarlyStopping(VALIDATION)
    networks = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]) if eqx.is_array(leaf) else leaf, CELL)
    calls = {
        "not-an-optimizer": lambda: fit(batches, optimizer=optax.adam),
        "not-a-list": lambda: fit(batches, callbacks=stopping),
        "inside-transformation": lambda: eqx.filter_vmap(lambda of: fit(batches, model=of).losses)(networks),
    }
    many = {"optimizer": ADAM, "steps": 3, "key": KEY}
    lists = [lambda: tt.fit_many(CELL, loss, batches, **many)]
    lists += [lambda: tt.fit_many([CELL], loss, batches, callbacks=stopping, **many)]
    for code, call in [*calls.items(), *(("not-a-list", call) for call in lists)]:
        with pytest.raises(tt.InputError) as caught:
            call()
        assert caught.value.code == code


def test_validation_refuses_a_loss_that_needs_a_key():
    """Before the first step; an error that has another reason comes out as it is."""

    def noisy(model, batch, key):
        keys = jax.random.split(key, len(batch[0]))
        return loss(model, batch) + 0 * jnp.sum(jax.vmap(jax.random.uniform)(keys))

    def silent(model, batch, key):
        return loss(model, batch) if key is None else noisy(model, batch, key)

    with pytest.raises(tt.InputError) as caught:
        fit((XS, TARGETS), of=noisy, callbacks=[tt.EarlyStopping(tt.Minibatches(VALIDATION, 3))])
    assert caught.value.code == "loss-needs-key"
    assert len(fit((XS, TARGETS), of=silent, steps=3, callbacks=[tt.EarlyStopping(VALIDATION)]).validation) == 1
    with pytest.raises(TypeError):
        fit((XS, TARGETS), of=silent, callbacks=[tt.EarlyStopping((XS[:, :1], TARGETS))])


def test_a_schedule_that_changes_its_numbers_is_the_same_optimizer(tmp_path):
    """Optax's cosine schedules turn a number of steps into a float when they are first called."""
    cosine = optax.adam(optax.warmup_cosine_decay_schedule(0.0, 0.02, 5, STEPS))
    first = fit((XS, TARGETS), optimizer=cosine, steps=20, callbacks=[tt.Checkpoints(tmp_path)])
    longer = fit((XS, TARGETS), optimizer=cosine, steps=30, callbacks=[tt.Checkpoints(tmp_path)])
    np.testing.assert_array_equal(longer.losses[:20], first.losses)
    assert_same(longer, fit((XS, TARGETS), optimizer=cosine, steps=30))


@pytest.mark.parametrize(
    ("arrays", "size", "code"),
    [
        ((XS, TARGETS[:5]), 2, "unequal-lengths"),
        ((), 2, "unequal-lengths"),
        ((XS, 1.0), 2, "unequal-lengths"),
        (XS, 12, "batch-too-large"),
        (XS, 0, "not-a-size"),
    ],
)
def test_minibatches_that_cannot_be_are_refused(arrays, size, code):
    with pytest.raises(tt.InputError) as caught:
        tt.Minibatches(arrays, size)
    assert caught.value.code == code


def test_a_history_shows_itself(minibatched):
    history = minibatched
    assert history.losses.shape == (STEPS,)
    assert history.losses[-50:].mean() < history.losses[:50].mean()
    assert f"{STEPS}" in repr(history)
    assert "<svg" in history._repr_html_()
    assert str(history).count("\n") >= 3
    assert history.plot().axes[0].lines
    bar = fit(tt.Minibatches((XS, TARGETS), B), callbacks=[tt.ProgressBar()])  # nothing without a terminal
    np.testing.assert_array_equal(bar.losses, history.losses)
