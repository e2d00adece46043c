"""Experiments from settings, and the errors of settings that do not fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime._errors import InputError
from throughtime.lab import compiled
from throughtime.lab.experiment import make_experiment, window_loss
from throughtime.lab.inputs import LabInput, read_input
from throughtime.lab.settings import Course, Learner
from throughtime.lab.trainer import Trainer


def test_a_network_is_as_the_settings_say():
    made = make_experiment(Course(window=9, batch=3), Learner(cell="lstm", hidden=7, init="chrono"), LabInput())
    cell = made.start.model.cell
    assert isinstance(cell, tt.LSTM)
    assert (cell.inputs, cell.hidden, made.start.model.readout.out_features) == (1, 7, 1)
    i, f, g, o = np.split(np.asarray(cell.b), 4)
    assert (f >= 0).all()
    assert (f <= np.log(8)).all()
    np.testing.assert_array_equal(i, -f)
    assert not g.any()
    assert not o.any()


def test_the_same_seed_starts_the_same_and_another_does_not():
    one, same, other = (make_experiment(Course(seed=seed), Learner(hidden=6), LabInput()).start for seed in (1, 1, 2))
    assert eqx.tree_equal(one.model, same.model)
    assert not np.array_equal(one.model.cell.w_h, other.model.cell.w_h)


def test_a_given_network_goes_on_from_its_weights():
    network = tt.RecurrentNetwork(tt.GRU(1, 6, key=jax.random.key(4)), 1, key=jax.random.key(5))
    made = make_experiment(Course(), Learner(cell="elman", hidden=9), LabInput(network=network))
    assert eqx.tree_equal(made.start.model, network)


def test_the_loss_is_the_mean_squared_error_one_step_ahead():
    made = make_experiment(Course(window=4, batch=2), Learner(hidden=3), LabInput())
    values = jnp.sin(jnp.arange(6.0))  # two places for a window to begin: 0 and 1
    network = made.start.model
    each = []
    for begin in (0, 1):
        window = values[begin : begin + 5, None]
        each.append(jnp.mean((network(window[:-1])[1] - window[1:]) ** 2))
    possible = [float((each[a] + each[b]) / 2) for a in (0, 1) for b in (0, 1)]
    for number in range(4):
        came = float(made.loss(network, values, jax.random.key(number)))
        assert np.isclose(possible, came, rtol=1e-5).any()


def test_noise_is_drawn_anew_for_each_batch_unless_examples_are_counted():
    """Of a constant curve a window is its noise: the losses of steps differ; of two examples there are three losses."""
    flat = jnp.zeros(30)
    network = make_experiment(Course(window=4, batch=2), Learner(hidden=3), LabInput()).start.model
    anew, known = window_loss(4, 2, 0.5, 0), window_loss(4, 2, 0.5, 2)
    losses = {round(float(anew(network, flat, jax.random.key(number))), 6) for number in range(12)}
    assert len(losses) == 12
    losses = {round(float(known(network, flat, jax.random.key(number))), 6) for number in range(12)}
    assert len(losses) == 3
    assert float(window_loss(4, 2, 0.0, 0)(network, flat, jax.random.key(0))) < min(losses)


def test_no_training_window_reaches_into_the_held_out_part():
    """The held-out values are infinite: the loss of every batch is finite all the same."""
    made = make_experiment(Course(window=6, batch=64), Learner(hidden=3), LabInput())
    curve = made.curve._replace(clean=np.where(np.arange(1000) < made.curve.cut, 0.0, np.inf).astype(np.float32))
    trainer = Trainer(made._replace(curve=curve))
    trainer.train_to(30)
    assert trainer.problem == ""
    assert np.isfinite(trainer.history[-1][1])


@pytest.mark.parametrize(
    ("course", "learner", "code", "found"),
    [
        (Course(curve="file"), Learner(), "no-file", None),
        (Course(), Learner(cell="elman", init="chrono"), "initializer-misfit", "chrono"),
        (Course(), Learner(cell="lru", init="orthogonal"), "initializer-misfit", "orthogonal"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(course, learner, code, found):
    with pytest.raises(InputError) as caught:
        make_experiment(course, learner, LabInput())
    assert (caught.value.code, caught.value.found) == (code, found)


def test_a_window_longer_than_the_series_is_told(tmp_path):
    file = tmp_path / "short.csv"
    file.write_text("ds,y\n" + "\n".join(f"{t},{t * t}" for t in range(12)))
    lab_input = read_input(file, None)
    with pytest.raises(InputError) as caught:
        make_experiment(Course(curve="file", window=9), Learner(), lab_input)
    assert (caught.value.code, caught.value.found) == ("window-too-long", 9)
    assert str(caught.value) == (
        "a window of 9 steps does not fit: of 12 values 10 are learned; expected a window of at most 8"
    )
    assert make_experiment(Course(curve="file", window=8), Learner(), lab_input).curve.values.shape == (12,)


def test_a_network_that_cannot_be_looked_into_is_refused(tmp_path):
    from throughtime.lab.inputs import read_input
    from throughtime.layers.network import network_config
    from throughtime.training import checkpoint

    cell = tt.BatchNorm(tt.LSTM(1, 3, key=jax.random.key(0)), steps=5)
    for name, network, config in (
        ("counting", tt.RecurrentNetwork(cell, 1, key=jax.random.key(1)), True),
        ("two", tt.RecurrentNetwork(tt.GRU(2, 3, key=jax.random.key(0)), 1, key=jax.random.key(1)), True),
        ("bare", tt.RecurrentNetwork(tt.GRU(1, 3, key=jax.random.key(0)), 1, key=jax.random.key(1)), False),
    ):
        saved = {"network": network_config(network)} if config else {}
        checkpoint.save(tmp_path / name, "training", saved, {"training": {"model": network}})
    with pytest.raises(InputError) as caught:
        read_input(None, tmp_path / "counting")
    assert (caught.value.code, caught.value.found) == ("state-without-gradient", "BatchNorm")
    with pytest.raises(InputError) as caught:
        read_input(None, tmp_path / "two")
    assert (caught.value.code, caught.value.found) == ("not-one-to-one", [2, 1])
    assert caught.value.file == str(tmp_path / "two")
    with pytest.raises(InputError, match=r"without its network's configuration"):
        read_input(None, tmp_path / "bare")


def test_programs_of_many_settings_are_not_kept_forever(monkeypatch):
    cleared = []
    monkeypatch.setattr(compiled, "MOST", 2)
    monkeypatch.setattr(compiled.jax, "clear_caches", lambda: cleared.append(True))
    settings = compiled.CompiledSettings()
    for hidden in (3, 4, 3, 4):
        settings.add(Course(seed=hidden), Learner(hidden=hidden))  # another seed needs no other program
    assert cleared == []
    settings.add(Course(), Learner(hidden=5))
    assert cleared == [True]
    settings.add(Course(window=9), Learner(hidden=5))
    assert cleared == [True]
