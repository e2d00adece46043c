"""Forecasts of the pretrained network: with a Forecaster, by itself, beside trained networks, and without JAX.

Its weights are drawn at random, so that nothing depends on what the shipped ones have learned.
"""

import subprocess
import sys
from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.forecasting.conftest import LENGTHS, SMALL, monthly_frame

import throughtime as tt
from throughtime.forecasting import trained
from throughtime.forecasting.config import OF_TRAINING, PRESETS
from throughtime.forecasting.fitted import Selected
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.held_out import hold_out, stretch_factors
from throughtime.forecasting.infer import trained_quantiles
from throughtime.forecasting.intervals import QUANTILES, stretched
from throughtime.forecasting.plan import Calibration
from throughtime.forecasting.selection import mixed
from throughtime.forecasting.trials import Moment, Trial
from throughtime.forecasting.zero_shot import ZeroShot, held_out_zero_shot, seasons_of, zero_shot_quantiles
from throughtime.zero_shot import LEVELS, quantiles_of, save_weights, shipped_weights

F = SMALL["horizon"]


def drawn(seed):
    draw, weights = np.random.default_rng(seed), {}
    for name, array in shipped_weights()[0].items():
        values = draw.normal(size=array.shape) / np.sqrt(array.shape[-1] if array.ndim > 1 else 4)
        weights[name] = values.astype(np.float16).astype(np.float32)  # as files have them
    return ZeroShot(weights, {"seed": seed})


@pytest.fixture(scope="module", autouse=True)
def pretrained():
    """Random weights in the place of the shipped ones."""
    network = drawn(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("throughtime.forecasting.zero_shot.shipped", lambda: network)
        yield network


def fit(frame, preset="instant", horizon=F, **arguments):
    return tt.Forecaster(horizon, preset=preset, **arguments).fit(frame)


def frame_of(values, name="a"):
    days = pl.date_range(date(2020, 1, 1), date(2023, 1, 1), eager=True)[: len(values)]
    return pl.DataFrame({"unique_id": name, "ds": days, "y": values})


def bounds(forecast):
    return forecast.select(pl.exclude("unique_id", "ds")).to_numpy()


# Instant


def test_instant_is_the_network_as_it_is(frame, pretrained):
    model = fit(frame, season=12)
    series = [frame.filter(unique_id=name)["y"].to_numpy() for name in LENGTHS]
    expected = quantiles_of(pretrained.weights, series, (12, 1), F).reshape(-1, len(LEVELS))
    forecast = model.predict(level=[80, 95])
    assert forecast["unique_id"].to_list() == [name for name in LENGTHS for _ in range(F)]
    columns = [expected[:, LEVELS.index(level)] for level in (0.5, 0.1, 0.9, 0.025, 0.975)]
    np.testing.assert_allclose(bounds(forecast), np.maximum(np.stack(columns, axis=1), 0), rtol=1e-9)
    assert (model.networks_, model.losses_.size) == ((), 0)
    assert model.calibration_ == Calibration(0, zero_shot=1.0)


GIVEN = {"cell": "lstm", "hidden": 8, "steps": 3, "members": 2, "lookback": 9, "head": "normal", "calendar": True}


@pytest.mark.parametrize("name", OF_TRAINING)
def test_instant_refuses_arguments_of_a_training(name):
    with pytest.raises(tt.InputError, match=f"{name}=") as caught:
        tt.Forecaster(F, preset="instant", **{name: GIVEN[name]})
    assert (caught.value.code, caught.value.found) == ("argument-of-training", name)


@pytest.mark.parametrize("role", ["static", "past", "future"])
def test_instant_refuses_covariates_by_name(frame, role):
    with pytest.raises(tt.InputError, match="price") as caught:
        tt.Forecaster(F, preset="instant").fit(frame.with_columns(price=pl.lit(2.0)), **{role: "price"})
    assert caught.value.code == "covariates-of-instant"
    assert list(caught.value.found) == ["price"]


def test_short_series_and_far_horizons():
    """One and two values are repeated, three forecast; also 720 steps ahead, beside a long series."""
    lengths = {"one": 1, "two": 2, "three": 3, "long": 250}
    frame = pl.concat([frame_of(5 + np.arange(n) % 7 * 1.0, name) for name, n in lengths.items()])
    for horizon in (4, 720):
        forecast = fit(frame, horizon=horizon, season=7).predict(level=[80])
        assert len(forecast) == horizon * len(lengths)
        assert np.isfinite(bounds(forecast)).all()
        assert (forecast["throughtime-lo-80"] <= forecast["throughtime"]).all()
        assert (forecast["throughtime"] <= forecast["throughtime-hi-80"]).all()
        for name, value in (("one", 5), ("two", 6)):
            assert set(forecast.filter(unique_id=name)["throughtime"].to_list()) == {value}


def test_no_count_is_negative_and_others_may_be():
    counts = np.random.default_rng(0).poisson(0.3, 60).astype(float)
    frame = pl.concat([frame_of(counts), frame_of(counts - 5, "b")])
    model = fit(frame, "fast")
    lowest = model.predict(level=[99]).group_by("unique_id").agg(pl.min("throughtime-lo-99")).sort("unique_id")
    assert lowest["throughtime-lo-99"][0] == 0 > lowest["throughtime-lo-99"][1]
    assert model.sample(50).filter(unique_id="a")["throughtime"].min() == 0


def test_the_seasons_that_the_network_is_told(frame):
    def of(season, frame=frame):
        return seasons_of(tt.Forecaster(F, season=season, preset="instant").fit(frame).plan_)

    assert [of(season) for season in (12, 1)] == [(12, 1), (1, 1)]
    hours = frame_of(np.arange(400.0))
    assert of(24, hours) == (24, 168)
    assert of(7, hours) == (7, 365)


def test_a_backtest_sees_what_a_fit_before_saw(frame):
    frame = frame.filter(pl.col("unique_id") != "short")
    tested = fit(frame).backtest(frame, windows=2, level=[80])
    before = pl.int_range(pl.len()).over("unique_id") < pl.len().over("unique_id") - 2 * F
    expected = fit(frame.filter(before)).predict(level=[80])
    first = tested.filter(pl.col("cutoff") == pl.col("cutoff").min().over("unique_id")).select(expected.columns)
    assert_frame_equal(first, expected)


# Fast


def test_fast_covers_the_held_out_ends(frame, pretrained):
    jumps = pl.int_range(pl.len()).over("unique_id") >= pl.len().over("unique_id") - 3
    frame = frame.with_columns(y=pl.col("y") + 40 * jumps)
    model = fit(frame, "fast")
    panel, plan = model.panel_, model.plan_
    held = hold_out(panel, panel.lengths, plan, needed=1)
    known = np.concatenate([panel.lengths - window * F for window in (3, 2, 1)])
    assert held.judged[1].tolist() == [steps for steps in known if steps > F]
    factors = stretch_factors(held_out_zero_shot(held, pretrained, plan), held.truth)
    assert max(factors) > 1
    assert model.calibration_.stretch == factors
    found = forecast_quantiles(model.fitted_, panel, panel.lengths)
    alone = forecast_quantiles(fit(frame).fitted_, panel, panel.lengths)
    np.testing.assert_allclose(found, np.maximum(stretched(alone, factors), 0))


def test_fast_trains_if_it_is_asked_to(frame, model):
    """As the balanced preset with the same number of steps does."""
    fast = tt.Forecaster(**SMALL, preset="fast").fit(frame)
    assert len(fast.networks_) == 1
    assert fast.calibration_ == model.calibration_ == Calibration(SMALL["steps"])
    assert_frame_equal(*(of.predict().filter(pl.col("unique_id") != "short") for of in (fast, model)))


def test_few_values_train_no_network(frame):
    """With the default preset; one value more than the limit trains, as does an argument of a training."""
    assert_frame_equal(fit(frame, "balanced").predict(level=[80]), fit(frame, "fast").predict(level=[80]))
    config, few = tt.Forecaster(F).config, int(PRESETS["balanced"].trains_from)
    assert [config.trains(observations) for observations in (few - 1, few)] == [False, True]
    assert tt.Forecaster(F, cell="lstm").config.trains(few - 1)
    assert tt.Forecaster(F, preset="best").config.trains(1)
    assert not tt.Forecaster(F, preset="fast").config.trains(10**9)


# Beside trained networks


def test_the_held_out_ends_choose_the_mixture(model):
    """Made-up forecasts of them: a perfect one wins; two that miss by as much on both sides win together."""
    panel, plan = model.panel_, model.plan_
    held = hold_out(panel, panel.lengths, plan, needed=1)
    spread = np.linspace(-0.1, 0.1, len(QUANTILES))

    def choose(of_networks, **of_pretrained):
        networks, *others = (held.truth[..., None] + miss + spread for miss in (of_networks, *of_pretrained.values()))
        return mixed(held, Trial(plan, Moment(0.3, 7, networks)), dict(zip((0, 200), others, strict=False)))

    chosen = {
        (0, 0): choose(0, plain=2, tuned=2),
        (0.5, 0): choose(2, plain=-2, tuned=3),
        (1, 0): choose(2, plain=0, tuned=0),  # of equals the simpler
        (0.5, 200): choose(2, plain=3, tuned=-2),
        (1, 200): choose(2, plain=-1, tuned=0),
    }
    assert [(found.zero_shot, found.tuning) for found in chosen.values()] == list(chosen)
    assert len({round(found.loss, 9) for found in chosen.values()}) == 1
    assert {found.steps for found in chosen.values()} == {7}
    assert choose(2, plain=0).zero_shot == 1
    nearly, clearly = choose(2, plain=1.98), choose(2, plain=1.9)  # the mean's loss is .5 % higher, and 2.6 %
    assert (nearly.zero_shot, clearly.zero_shot) == (0.5, 1)
    alone = choose(2)
    assert (alone.zero_shot, alone.tuning) == (0, 0)
    assert alone.loss > chosen[0, 0].loss
    assert max(alone.stretch) > max(chosen[0, 0].stretch)


@pytest.mark.parametrize(
    ("preset", "members", "share", "trained_networks"),
    [("balanced", None, 0.5, 2), ("balanced", None, 0.0, 4), ("balanced", 3, 0.5, 3), ("best", None, 0.5, 10)],
)
def test_beside_the_pretrained_network_fewer_are_trained(frame, monkeypatch, preset, members, share, trained_networks):
    """As many as the preset says, unless the user has set their number."""
    monkeypatch.setattr(
        trained, "select_plan", lambda panel, cutoffs, plan, **_: Selected(plan, Calibration(1, zero_shot=share))
    )
    settings = {name: SMALL[name] for name in ("horizon", "season", "hidden", "lookback")}
    model = tt.Forecaster(**settings, preset=preset, members=members).fit(frame)
    assert (len(model.networks_), model.plan_.members) == (trained_networks, trained_networks)


def test_a_mixture_is_the_mean_of_quantiles(model, pretrained):
    """Stretched as a whole; the series that is too short for the trained network has the pretrained one alone."""
    stretch = tuple(np.linspace(1, 2, len(QUANTILES)).tolist())
    fitted = model.fitted_._replace(
        zero_shot=pretrained, calibration=model.calibration_._replace(stretch=stretch, zero_shot=0.5)
    )
    panel, lengths = fitted.panel, fitted.panel.lengths
    rows = np.arange(3)
    by_pretrained = zero_shot_quantiles(pretrained, panel, rows, lengths, fitted.plan)
    by_trained = trained_quantiles(fitted, panel, rows[:2], lengths, stretch=False)
    expected = np.concatenate([(by_trained + by_pretrained[:2]) / 2, by_pretrained[2:]])
    found = forecast_quantiles(fitted, panel, lengths)
    np.testing.assert_allclose(found, np.maximum(stretched(expected, stretch), 0))


def test_a_mixture_samples_from_both(model, pretrained):
    """The first half of the samples is the pretrained network's, the others are the trained one's."""
    both, alone = tt.Forecaster(**SMALL), tt.Forecaster(F, preset="instant")
    both.fitted_ = model.fitted_._replace(zero_shot=pretrained, calibration=model.calibration_._replace(zero_shot=0.5))
    alone.fitted_ = both.fitted_._replace(networks=(), calibration=Calibration(0, zero_shot=1.0))
    halves, ours, theirs = (
        of.sample(n)["throughtime"].to_numpy().reshape(3, F, n) for of, n in ((both, 8), (alone, 4), (model, 8))
    )
    np.testing.assert_array_equal(halves[:2, :, :4], ours[:2])
    np.testing.assert_array_equal(halves[:2, :, 4:], theirs[:2, :, 4:])
    assert np.isfinite(halves[2]).all()


def test_samples_have_the_quantiles_of_the_forecast(frame):
    model, n = fit(frame), 4000
    samples = np.sort(model.sample(n, seed=3)["throughtime"].to_numpy().reshape(-1, n))
    quantiles = forecast_quantiles(model.fitted_, model.panel_, model.panel_.lengths).reshape(-1, len(QUANTILES))
    for place in range(1, len(QUANTILES) - 1):  # found where two others should be at least and at most
        found = np.quantile(samples, QUANTILES[place], axis=1)
        assert (found > quantiles[:, place - 1] - 1e-9).all()
        assert (found < quantiles[:, place + 1] + 1e-9).all()
    assert_frame_equal(model.sample(5, seed=3), model.sample(5, seed=3))
    assert not model.sample(5, seed=3).equals(model.sample(5, seed=4))


def test_samples_are_drawn_from_what_forecasts_the_series():
    """Constant series, and those of one or two values, by seasonal naive; nothing is drawn without a value."""
    frame = pl.concat([frame_of(np.full(30, 7.0)), frame_of(np.array([3.0, 5.0]), "b"), frame_of(noisy(), "c")])
    model = fit(frame, horizon=3, season=7)
    samples = model.sample(400, seed=1)
    assert set(samples.filter(unique_id="a")["throughtime"]) == {7.0}
    middle = samples.group_by("unique_id", "ds", maintain_order=True).agg(pl.median("throughtime"))
    np.testing.assert_allclose(middle["throughtime"], model.predict()["throughtime"], atol=0.7)
    assert samples.filter(unique_id="b")["throughtime"].n_unique() > 400


def noisy(length: int = 40) -> np.ndarray:
    return 5 + np.random.default_rng(3).normal(size=length)


def test_no_network_is_kept_if_the_pretrained_one_is_chosen(frame, monkeypatch):
    def select(panel, cutoffs, plan, **_):
        return Selected(plan, Calibration(40, zero_shot=1.0))

    monkeypatch.setattr(trained, "select_plan", select)
    model = fit(frame, "best", season=12)
    assert model.networks_ == ()
    assert_frame_equal(model.predict(level=[80]), fit(frame, season=12).predict(level=[80]))


def test_other_heads_exclude_it():
    """A distribution of three values has nothing to be learned from, so they are repeated."""
    model = tt.Forecaster(F, head="normal", season=1).fit(frame_of(np.array([3.0, 5.0, 4.0])))
    assert model.fitted_.zero_shot is None
    np.testing.assert_array_equal(model.predict()["throughtime"], 4)


# Files


@pytest.mark.parametrize("preset", ["instant", "fast"])
def test_saved_and_loaded_it_forecasts_the_same(frame, tmp_path, monkeypatch, preset):
    """By the weights that it was fitted with, whatever is shipped by then."""
    model = fit(frame, preset)
    model.save(tmp_path)
    monkeypatch.setattr("throughtime.forecasting.zero_shot.shipped", lambda: drawn(2))
    loaded = tt.Forecaster.load(tmp_path)
    assert loaded.get_params() == model.get_params()
    assert loaded.calibration_ == model.calibration_
    assert loaded.fitted_.zero_shot.card == {"seed": 1}
    for forecast in (lambda of: of.predict(level=[80, 95]), lambda of: of.sample(3)):
        assert_frame_equal(forecast(loaded).with_columns(pl.col("ds").cast(pl.Date)), forecast(model))


# By itself


def test_the_network_by_itself(frame, tmp_path, pretrained):
    file = tmp_path / "weights.safetensors"
    save_weights(file, drawn(2).weights, {"seed": 2})
    model = tt.pretrained(file)
    assert model.card == {"seed": 2}
    assert repr(model) == "PretrainedModel(seed=2)"
    series = [frame.filter(unique_id=name)["y"].to_numpy() for name in LENGTHS]
    quantiles = model.quantiles(series, F, (12, 1))
    np.testing.assert_array_equal(quantiles, quantiles_of(drawn(2).weights, series, (12, 1), F))
    forecast = model.predict(frame.rename({"y": "sold"}), F, 80, season=12, target="sold")
    columns = np.maximum(quantiles[:, :, [LEVELS.index(level) for level in (0.5, 0.1, 0.9)]], 0)
    np.testing.assert_allclose(bounds(forecast), columns.reshape(-1, 3), rtol=1e-9)
    assert tt.pretrained().card == shipped_weights()[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (([np.ones(4)], 0), "bad-horizon"),
        (([np.ones(4)], 3, (0, 1)), "bad-season"),
        (([np.ones(4), np.full(3, np.nan)], 3), "bad-series"),
        (([np.ones(0)], 3), "bad-series"),
        (([np.ones((4, 2))], 3), "bad-series"),
    ],
)
def test_arrays_that_cannot_be_forecast(arguments, code):
    with pytest.raises(tt.InputError) as caught:
        tt.pretrained().quantiles(*arguments)
    assert caught.value.code == code


def test_a_file_without_weights_is_refused(tmp_path):
    with pytest.raises(tt.InputError) as caught:
        tt.pretrained(tmp_path / "none")
    assert caught.value.code == "not-weights"


# Without JAX

HEAVY = {"jax", "jaxlib", "equinox", "optax", "scipy", "matplotlib"}
LIBRARY = """
import sys
import polars as pl
import throughtime as tt
frame = pl.read_csv("sales.csv", try_parse_dates=True)
model = tt.Forecaster(3, preset="instant").fit(frame)
model.predict(level=[80])
model.save("model")
tt.Forecaster.load("model").sample(2)
tt.pretrained().predict(frame, 3)
"""
COMMAND = """
import sys
sys.argv = "throughtime forecast sales.csv --preset instant --horizon 3 --out there --json".split()
from throughtime.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("script", [LIBRARY, COMMAND], ids=["library", "command"])
def test_no_jax_is_loaded(tmp_path, script):
    monthly_frame().write_csv(tmp_path / "sales.csv")
    script += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "throughtime" in loaded
    assert not loaded & HEAVY
