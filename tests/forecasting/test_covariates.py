"""Forecasts with covariates: what they may see, what they gain, and that they come back from a folder."""

import copy
from dataclasses import replace
from datetime import timedelta

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data.encoding import CovariateSizes, TableSizes
from throughtime.data.panel import Panel
from throughtime.data.windows import CovariateTable, WindowCovariates, Windows
from throughtime.forecasting import selection, trained, zero_shot
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.covariate_network import CovariateNetwork, NoCovariates, covariate_network
from throughtime.forecasting.dataset import prepare
from throughtime.forecasting.fitting import fit_panel
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.importance import covariate_effects
from throughtime.forecasting.intervals import MEDIAN
from throughtime.training import checkpoint

F, LENGTHS = 3, {"b": 40, "a": 31, "c": 36}
SMALL = {"horizon": F, "season": 7, "hidden": 4, "steps": 12, "members": 1, "lookback": 14}
ROLES = {"static": "kind", "past": ["visits", "sky"], "future": ["promo", "event"]}
CONFIG = ForecasterConfig(**SMALL, calendar=True)
CUTOFFS = np.array([33, 26, 30])


def table_of(lengths=LENGTHS, horizon=F, noise=0.3):
    """Daily series, and rows of the horizon; a promotion adds 8."""
    parts = []
    for seed, (name, length) in enumerate(lengths.items()):
        rng, steps = np.random.default_rng(seed), np.arange(length + horizon)
        promo = (rng.random(len(steps)) < 0.3).astype(float)
        y = 30 + 5 * seed + 3 * np.sin(2 * np.pi * steps / 7) + 8 * promo + rng.normal(0, noise, len(steps))
        part = {
            "unique_id": name,
            "ds": np.datetime64("2024-01-01") + steps,
            "truth": y,
            "y": np.where(steps < length, y, np.nan),
            "promo": promo,
            "event": rng.choice(["none", "fair"], len(steps)),
            "visits": rng.normal(100, 20, len(steps)),
            "sky": rng.choice(["sun", "rain", "snow"], len(steps)),
            "kind": "shop" if seed % 2 else "kiosk",
        }
        parts.append(pl.DataFrame(part))
    return pl.concat(parts)


TABLE = table_of()
HISTORY, AHEAD = TABLE.filter(pl.col("y").is_not_nan()), TABLE.filter(pl.col("y").is_nan())


@pytest.fixture(scope="module")
def model():
    return tt.Forecaster(**SMALL, calendar=True).fit(TABLE, **ROLES)


@pytest.fixture(scope="module")
def forecasts(model):
    return model.predict(level=[80])


def test_the_future_may_come_with_the_rows_or_later(model, forecasts):
    assert forecasts.columns == ["unique_id", "ds", "throughtime", "throughtime-lo-80", "throughtime-hi-80"]
    assert forecasts["ds"].to_list() == AHEAD["ds"].to_list()
    later = tt.Forecaster(**SMALL, calendar=True).fit(HISTORY, **ROLES)
    with pytest.raises(InputError, match="'promo', 'event' are missing") as raised:
        later.predict()
    assert "needs from" in str(raised.value)
    assert_frame_equal(later.predict(level=[80], future=AHEAD), forecasts)
    assert_frame_equal(later.predict(level=[80], future=AHEAD.reverse().to_pandas()), forecasts)


def test_blocks_of_a_large_panel_have_their_covariates(model, forecasts, monkeypatch):
    monkeypatch.setattr("throughtime.forecasting.forecasts.VALUES_AT_ONCE", 1)
    assert len(model.panel_) > 1
    assert_frame_equal(model.predict(level=80), forecasts, rel_tol=1e-6)


def test_it_comes_back_from_a_folder(model, forecasts, tmp_path):
    model.save(tmp_path / "model")
    loaded = tt.load(tmp_path / "model")
    assert (loaded.plan_, loaded.get_params()) == (model.plan_, model.get_params())
    assert_frame_equal(loaded.predict(level=[80]), forecasts, check_dtypes=False)
    changed = AHEAD.with_columns(promo=1 - pl.col("promo"), event=pl.lit("never seen"))
    assert_frame_equal(loaded.predict(future=changed), model.predict(future=changed), check_dtypes=False)


def test_other_series_bring_their_covariates(model, forecasts):
    """Read as in training: a column of numbers stays one of numbers, and categories stay categories."""
    assert_frame_equal(model.predict(TABLE, level=[80]), forecasts)
    others = TABLE.with_columns(pl.col("unique_id") + "2").sample(fraction=1.0, shuffle=True, seed=0)
    found = model.predict(others, level=[80]).sort("unique_id", "ds").drop("unique_id")
    assert_frame_equal(found, forecasts.sort("unique_id", "ds").drop("unique_id"))
    assert_frame_equal(model.predict(HISTORY, level=[80], future=AHEAD.to_pandas()), forecasts)
    for frame, code in (
        (HISTORY, "future-missing"),
        (TABLE.drop("visits"), "no-such-column"),
        (TABLE.with_columns(visits=pl.lit("many")), "not-a-number"),
        (TABLE.with_columns(sky=pl.lit(3)), "other-categories"),
    ):
        with pytest.raises(InputError) as caught:
            model.predict(frame)
        assert caught.value.code == code


def with_series(model, frame):
    """The same networks, plan and calibration, with the series of a frame."""
    other = copy.copy(model)
    other.fitted_ = model.fitted_._replace(panel=Panel.from_frame(frame, **ROLES))
    return other


@pytest.mark.parametrize("seed", range(6))
def test_an_updated_model_is_one_that_was_given_all_rows(model, seed):
    """However rows are split; some are missing, some wait for their values."""
    draw = np.random.default_rng(seed)
    place = pl.int_range(pl.len()).over("unique_id").alias("place")
    rows = TABLE.with_columns(place, y=pl.when(pl.Series(draw.random(len(TABLE)) > 0.1)).then("y"))
    lasts = pl.Series([name for name, length in LENGTHS.items() for _ in range(length + F)]).replace_strict(LENGTHS)
    rows = rows.filter((place >= lasts - 1) | pl.Series(draw.random(len(rows)) > 0.1))
    part = np.zeros(len(rows), int)
    for name, length in LENGTHS.items():
        first, second = sorted(draw.integers(0 if name == "c" else 20, length, 2))
        at = rows["place"].to_numpy()
        part += (rows["unique_id"] == name).to_numpy() * ((at >= first).astype(int) + (at >= second))
    rows = rows.with_columns(part=pl.Series(part)).drop("place", "truth")
    updated, kinds = with_series(model, early(rows, 0, draw)), [pl.DataFrame.to_pandas, pl.DataFrame.to_arrow]
    for number in (1, 2):
        chunk = early(rows, number, draw).sample(fraction=1.0, shuffle=True, seed=seed)
        updated.update(kinds[seed % 2](chunk))
    expected = with_series(model, rows)
    assert sorted(updated.panel_.ids) == sorted(expected.panel_.ids)
    found = updated.predict(level=[80]).sort("unique_id", maintain_order=True)
    assert_frame_equal(found, expected.predict(level=[80]).sort("unique_id", maintain_order=True), rel_tol=1e-5)


def early(rows, number, draw):
    """Rows of one part, and perhaps those after them whose values are to come."""
    waiting = rows.filter(pl.col("part") == number + 1).with_columns(y=None)
    ahead = [part.head(int(draw.integers(0, F + 1))) for part in waiting.partition_by("unique_id")]
    return pl.concat([rows.filter(part=number), *ahead]).drop("part")


def test_a_future_must_come_with_an_update_or_a_forecast(model):
    late = TABLE.filter(pl.col("unique_id") == "a").tail(F).drop("truth")
    updated = with_series(model, TABLE.filter(pl.col("unique_id") == "a").head(31)).update(late.with_columns(y=33.0))
    with pytest.raises(InputError) as caught:
        updated.predict()
    assert caught.value.code == "future-missing"
    ahead = late.with_columns(pl.col("ds") + timedelta(F))
    assert_frame_equal(updated.predict(future=ahead), copy.copy(updated).update(ahead).predict())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: rows.with_columns(kind=pl.lit("kiosk")), "static-covariate-changes"),
        (lambda rows: rows.drop("sky"), "no-such-column"),
        (lambda rows: rows.with_columns(promo=pl.lit("many")), "not-a-number"),
    ],
)
def test_rows_with_other_covariates_change_nothing(model, change, code):
    series = with_series(model, TABLE)
    before, rows = series.fitted_, TABLE.filter(pl.col("unique_id") == "a").tail(F).with_columns(y=33.0)
    with pytest.raises(InputError) as caught:
        series.update(change(rows))
    assert (caught.value.code, series.fitted_) == (code, before)


def test_anomalies_of_series_with_covariates(model, monkeypatch):
    """A value is compared with the forecast from the values before it, and from the future covariates after them."""
    judged = HISTORY.filter(pl.int_range(pl.len()).over("unique_id") >= 14)
    assert model.anomalies(TABLE)["ds"].to_list() == judged["ds"].to_list()
    monkeypatch.setattr("throughtime.forecasting.anomalies.shares_below", lambda _, quantiles: quantiles[:, MEDIAN])
    medians = model.anomalies(TABLE)["quantile"]
    place = pl.int_range(pl.len()).over("unique_id")
    known = TABLE.with_columns(y=pl.when(place < 19).then("y"))
    expected = model.predict(known, horizon=1)["throughtime"]
    np.testing.assert_allclose(medians.gather([5, 5 + 26, 5 + 26 + 17]), expected, rtol=1e-6)
    promo = pl.when((place == 19) & (pl.col("unique_id") == "b")).then(1 - pl.col("promo")).otherwise("promo")
    differs = model.anomalies(TABLE.with_columns(promo=promo))["quantile"] != medians
    assert differs.arg_true().to_list() == list(range(5, 5 + 15))
    short = model.anomalies(TABLE.filter(place < 30))["quantile"]
    np.testing.assert_allclose(short[: 16 - F + 1], medians[: 16 - F + 1], rtol=1e-6)
    assert len(short) == 3 * (16 - F + 1)


def test_series_of_a_panel_with_their_covariates():
    panel = Panel.from_frame(TABLE, **ROLES)
    some = panel.of_series(np.array([2, 0, 2]))
    assert some.ids.tolist() == ["c", "b", "c"]
    for row, name in enumerate(some.ids.tolist()):
        alone = Panel.from_frame(TABLE.filter(unique_id=name), **ROLES)
        np.testing.assert_array_equal(some.series(row), alone.series(0))
        one = some.of_series(np.array([row])).covariates
        for column, expected in zip(one.columns, alone.covariates.columns, strict=True):
            assert names_of(column) == names_of(expected)


def names_of(column):
    """Its values as text, categories by name; "none" is a missing one."""
    if column.categories is None:
        return list(map(str, column.values))
    return ["" if np.isnan(code) else column.categories[int(code)] for code in column.values]


def test_a_model_that_was_saved_before_there_were_covariates(tmp_path):
    model = tt.Forecaster(**SMALL).fit(HISTORY.select("unique_id", "ds", "y"))
    model.save(tmp_path / "new")
    saved = checkpoint.load(tmp_path / "new")
    for part, name in ((saved.config["plan"], "encodings"), (saved.config["panel"], "covariates")):
        assert part.pop(name) is None
    saved.config["plan"]["design"].pop("covariates")
    saved.config["params"].pop("calendar")
    trees = {}
    for name, array in saved.arrays.items():
        prefix, _, rest = name.partition(".")
        place = trees.setdefault(prefix, {})
        *folders, last = rest.split(".")
        for folder in folders:  # a name in the file is a place in the trees
            place = place.setdefault(folder, {})
        place[last] = array
    checkpoint.save(tmp_path / "old", saved.kind, saved.config, trees)
    assert_frame_equal(tt.load(tmp_path / "old").predict(), tt.load(tmp_path / "new").predict())


def test_what_was_found_is_said(model):
    assert "Covariates: static 'kind'; past 'visits', 'sky'; future 'promo', 'event'." in model.notes_
    assert any("calendar" in note and "day of the week" in note for note in model.notes_)


# Nothing looks past the cut


def scrambled(panel, seed, past, future):
    """The panel with covariates scrambled from so many steps after the cutoffs on; None leaves them."""
    rng, covariates = np.random.default_rng(seed), panel.covariates
    step = np.arange(covariates.offsets[-1]) - np.repeat(covariates.offsets[:-1], np.diff(covariates.offsets))
    after = step - np.repeat(CUTOFFS, np.diff(covariates.offsets))

    def changed(column, first):
        if first is None:
            return column
        odd = [np.nan, 0.0, 1e300, -7.0] if column.categories is None else [np.nan, *range(len(column.categories))]
        return replace(column, values=np.where(after >= first, rng.choice(odd, len(after)), column.values))

    columns = {
        "past": tuple(changed(column, past) for column in covariates.past),
        "future": tuple(changed(column, future) for column in covariates.future),
    }
    return replace(panel, covariates=replace(covariates, **columns))


def results(panel):
    fitted = fit_panel(CONFIG, panel, CUTOFFS)
    arrays = [forecast_quantiles(fitted, panel, CUTOFFS), fitted.losses, *jax.tree.leaves(fitted.networks)]
    return arrays, (fitted.plan, fitted.calibration)


@pytest.fixture(scope="module")
def panel():
    return Panel.from_frame(TABLE, **ROLES)


@pytest.fixture(scope="module")
def expected(panel):
    return results(panel)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_covariate_beyond_what_may_be_known_changes_a_bit(panel, expected, seed):
    """Past ones from the cutoff on, future ones from the horizon's end on: forecasts, weights, plan."""
    actual = results(scrambled(panel, seed, past=0, future=F))
    assert actual[1] == expected[1]
    for new, old in zip(actual[0], expected[0], strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("sooner", [{"past": -1, "future": None}, {"past": None, "future": F - 1}])
def test_what_may_be_known_is_looked_at(panel, expected, sooner):
    fitted = fit_panel(CONFIG, panel, CUTOFFS)
    changed = forecast_quantiles(fitted, scrambled(panel, 0, **sooner), CUTOFFS)
    if sooner["past"] is None:  # the last step's covariates change its own forecast alone
        np.testing.assert_array_equal(changed[:, :-1], expected[0][0][:, :-1])
    assert (changed[:, -1] != expected[0][0][:, -1]).any()


def test_rows_before_the_first_value_change_nothing(panel):
    before = pl.DataFrame({"ds": np.datetime64("2024-01-01") - np.arange(1, 6)}).join(
        TABLE.unique("unique_id").drop("ds").with_columns(y=float("nan"), promo=0.5, visits=-9.0), how="cross"
    )
    padded = Panel.from_frame(pl.concat([TABLE, before.select(TABLE.columns)]), **ROLES)
    actual, expected = (tt.Forecaster(**SMALL, calendar=True).fit(one).predict(level=[80]) for one in (padded, panel))
    assert_frame_equal(actual, expected, check_exact=True)


# What the network makes of them


def random_module(sizes, width, quantiles):
    """No weight is zero, as they are when training starts."""
    module = CovariateNetwork(sizes, width, quantiles, key=jax.random.key(0))
    leaves, tree = jax.tree.flatten(module)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    return jax.tree.unflatten(
        tree, [jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    )


def test_each_step_is_explained_by_its_own_covariates():
    """The regression against a loop in NumPy; a step of the future moves its own forecast and no other."""
    batch, reach, horizon, width, quantiles = 2, 4, 3, 5, 7
    sizes = CovariateSizes(TableSizes(1, ()), TableSizes(0, (2,)), TableSizes(1, (3,)))
    module, rng = random_module(sizes, width, quantiles), np.random.default_rng(2)

    def table(*shape, numbers, codes):
        number = rng.normal(size=(*shape, 2 * numbers)).astype(np.float32)
        return CovariateTable(jnp.asarray(number), jnp.asarray(rng.integers(0, 3, (*shape, codes)), jnp.int32))

    known = WindowCovariates(
        table(batch, numbers=1, codes=0),
        table(batch, reach, numbers=0, codes=1),
        table(batch, reach + horizon, numbers=1, codes=1),
    )
    inside = jnp.asarray(np.arange(reach) >= np.array([[0], [2]]))
    past, future = jnp.ones((batch, reach)), jnp.ones((batch, horizon))
    windows = Windows(past, inside, inside, future, future > 0, known)
    actual = module(windows)
    vectors = np.asarray(module.future.vectors[0])
    for b in range(batch):
        for s in range(reach + horizon):
            x = [known.future.numbers[b, s], vectors[known.future.codes[b, s, 0]], known.static.numbers[b]]
            x = np.concatenate([np.asarray(part) for part in x])
            units = np.asarray(jax.nn.gelu(module.regression.weight @ x + module.regression.bias))
            y = (module.sum.weight @ units + module.sum.bias)[0] if s >= reach or inside[b, s] else 0.0
            np.testing.assert_allclose(actual.explained[b, s], y, rtol=1e-4, atol=1e-5)
    state = jnp.asarray(rng.normal(size=(batch, width)), jnp.float32)
    ahead = module.ahead(actual.future[:, reach:], state)
    moved = module.ahead(actual.future.at[0, reach + 1].add(1.0)[:, reach:], state)
    assert np.argwhere(np.any(ahead != moved, axis=-1)).tolist() == [[0, 1]]


def test_without_covariates_there_are_no_weights_and_nothing_is_explained():
    network = covariate_network(None, 5, 7, key=jax.random.key(0))
    assert isinstance(network, NoCovariates)
    assert jax.tree.leaves(network) == []
    assert (network.channels, network.features) == (0, 0)
    inside = jnp.ones((2, 4), bool)
    actual = network(Windows(jnp.ones((2, 4)), inside, inside, jnp.ones((2, 3)), inside[:, :3]))
    assert [array.shape for array in actual] == [(2, 4, 0), (2, 0), (2, 7, 0), (2, 7)]
    assert not actual.explained.any()
    assert network.ahead(actual.future[:, 4:], jnp.ones((2, 5))) == 0


def test_a_future_covariate_that_drives_the_target_lowers_the_error_greatly():
    lengths = {name: 56 + seed for seed, name in enumerate("abcdef")}
    table = table_of(lengths)
    truth = table.filter(pl.col("y").is_nan())["truth"].to_numpy()
    sizes = {"horizon": F, "season": 7, "hidden": 8, "steps": 200, "members": 1}

    def error(**roles):
        model = tt.Forecaster(**sizes).fit(table if roles else table.filter(pl.col("y").is_not_nan()), **roles)
        return np.abs(model.predict()["throughtime"].to_numpy() - truth).mean(), model

    (with_it, model), (without, _) = error(future="promo"), error()
    assert with_it < 0.4 * without
    (effect,) = covariate_effects(model.fitted_, model.panel_, model.panel_.lengths[None] - F, seed=0)
    assert effect.name == "promo"
    assert effect.change > max(1, 2 * effect.doubt)


def test_effects_are_those_of_shuffled_values_alone(model, monkeypatch):
    """A constant has none; the same seed gives the same; missing values stay where they are."""
    panel, cutoffs = model.panel_, model.panel_.lengths[None] - np.array([[F], [2 * F]])
    constant = replace(panel.covariates.past[0], values=np.full_like(panel.covariates.past[0].values, 90.0))
    known = replace(panel, covariates=replace(panel.covariates, past=(constant, panel.covariates.past[1])))
    effects = covariate_effects(model.fitted_, known, cutoffs, seed=1)
    assert {effect.name for effect in effects} == {"kind", "visits", "sky", "promo", "event"}
    assert {effect.name: (effect.change, effect.doubt) for effect in effects}["visits"] == (0, 0)
    assert [effect.change for effect in effects] == sorted((effect.change for effect in effects), reverse=True)
    assert covariate_effects(model.fitted_, known, cutoffs, seed=1) == effects
    assert covariate_effects(model.fitted_._replace(networks=()), known, cutoffs, seed=1) == ()
    monkeypatch.setattr("throughtime.forecasting.importance.MOST_COLUMNS", 4)
    assert covariate_effects(model.fitted_, known, cutoffs, seed=1) == ()


def test_how_far_back_a_forecaster_with_covariates_looks(model):
    flow = tt.gradient_flow(model)
    assert np.isfinite(flow.horizon_by_lag).all()
    assert (flow.horizon_by_lag[:, 0] > 0).all()


def test_several_targets_are_forecast_as_series_of_their_columns():
    table = TABLE.with_columns(left=pl.col("y") / 2).to_pandas()
    model = tt.Forecaster(**SMALL).fit(table, target=["y", "left"], future="promo")
    actual = model.predict()
    assert isinstance(actual, pd.DataFrame)
    assert actual["unique_id"].unique().tolist() == ["b/y", "b/left", "a/y", "a/left", "c/y", "c/left"]
    assert len(actual) == 6 * F


def test_the_held_out_run_encodes_nothing_that_it_holds_out(monkeypatch):
    """Categories that only the held-out windows have are not known there, nor do their numbers count."""
    y = pl.col("ds") < pl.col("ds").max() - pl.duration(days=F)
    late = HISTORY.with_columns(
        y=pl.col("y") - 60,  # without logarithms there are half as many networks to choose from
        sky=pl.when(y.over("unique_id")).then(pl.col("sky")).otherwise(pl.lit("hail")),
        promo=pl.when(y.over("unique_id")).then(pl.col("promo")).otherwise(1e6),
    )
    plans = []

    def recorded(panel, cutoffs, plan):
        plans.append(plan)
        return prepare(panel, cutoffs, plan)

    monkeypatch.setattr(selection, "prepare", recorded)
    monkeypatch.setattr(trained, "prepare", recorded)
    monkeypatch.setattr(zero_shot, "shipped", lambda: None)  # the pretrained network alone might be better
    monkeypatch.setattr(selection, "MOST_STEPS", 2)
    monkeypatch.setattr("throughtime.forecasting.plan.STEPS", (6, 6, 6))
    model = tt.Forecaster(**SMALL | {"steps": None}, calendar=True).fit(late, **ROLES)
    *held_out, last = plans
    assert {held.encodings.past[1].vocabulary for held in held_out} == {("rain", "snow", "sun")}
    assert max(held.encodings.future[0].mean for held in held_out) < 1
    assert last.encodings == model.plan_.encodings
    assert last.encodings.past[1].vocabulary == ("hail", "rain", "snow", "sun")
    assert last.encodings.future[0].mean > 1e3
    assert all(network.design == model.plan_.design for network in model.networks_)
