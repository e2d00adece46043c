"""Arguments of a forecaster: NumPy's values, names in letters of any case, classes, wrong ones, levels, columns.

Varied: the type (signed, unsigned, narrow, truth values of NumPy), the argument (each of the constructor, and those of
predict, sample and backtest), the time of the mistake (constructor, set_params), the place of a class.
"""

import pickle
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from tests.forecasting.conftest import SMALL

import throughtime as tt
from throughtime._errors import InputError
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.heads import NormalHead
from throughtime.forecasting.intervals import as_levels

NUMPYS = {
    "horizon": np.uint8(3),
    "season": np.int64(12),
    "hidden": np.int16(4),
    "steps": np.int32(12),
    "members": np.int8(1),
    "lookback": np.uint16(30),
    "seed": np.int64(3),
    "calendar": np.bool_(True),
    "cell": np.str_("gru"),
}
PYTHONS = {name: value.item() for name, value in NUMPYS.items()}


class OwnCell(tt.MinGRU):
    """A cell that this module holds under its name."""


# NumPy's values


def test_numpys_settings_train_save_and_load_as_pythons(frame, tmp_path):
    model, expected = tt.Forecaster(**NUMPYS).fit(frame), tt.Forecaster(**PYTHONS).fit(frame)
    assert_frame_equal(model.predict(level=[80]), expected.predict(level=[80]), check_exact=True)
    model.save(tmp_path / "model")
    loaded = tt.load(tmp_path / "model")
    assert loaded.get_params() == expected.get_params()
    assert {type(value) for value in loaded.get_params().values()} == {int, str, bool}
    assert_frame_equal(loaded.predict(), expected.predict(), check_dtypes=False, check_exact=True)


def test_the_constructor_keeps_arguments_as_they_are():
    """By scikit-learn's contract, which clone checks by identity."""
    model = tt.Forecaster(**NUMPYS)
    assert all(model.get_params()[name] is value for name, value in NUMPYS.items())


@pytest.mark.parametrize("name", NUMPYS)
def test_the_configuration_has_pythons_values(name):
    value = getattr(ForecasterConfig(**{"horizon": 5, name: NUMPYS[name]}), name)
    assert (value, type(value) in (int, bool, str, np.str_)) == (PYTHONS[name], True)


def test_numpys_numbers_in_methods(model, frame):
    assert_frame_equal(model.sample(np.int64(4), seed=np.int32(2)), model.sample(4, seed=2), check_exact=True)
    found = model.backtest(frame, np.uint8(2), 80, step=np.int8(2), refit=np.False_, train_size=np.int64(28))
    assert_frame_equal(found, model.backtest(frame, 2, [80], step=2, train_size=28), check_exact=True)


# Wrong arguments


REFUSED = [
    ("horizon", 2.0, "bad-horizon"),
    ("horizon", "12", "bad-horizon"),
    ("season", [24, 168], "bad-season"),
    ("steps", 0, "bad-steps"),
    ("seed", None, "bad-seed"),
    ("seed", 0.5, "bad-seed"),
    ("calendar", "no", "bad-calendar"),
    ("calendar", None, "bad-calendar"),
    ("cell", "gruu", "unknown-name"),
    ("cell", 3, "unknown-name"),
    ("head", None, "unknown-name"),
    ("preset", "quick", "unknown-preset"),
    ("preset", 1, "unknown-preset"),
    ("lookback", 1, "bad-lookback"),
]
OWN_PROCESS = """
import throughtime as tt
for name, value, code in {cases!r}:
    for make in (lambda **wrong: tt.Forecaster(**{{"horizon": 3, **wrong}}), tt.Forecaster(3, seed=7).set_params):
        try:
            make(**{{name: value}})
        except tt.InputError as error:
            assert (error.code, error.found) == (code, value), (name, value, error.code, error.found)
        else:
            raise AssertionError((name, value))
"""


def test_the_constructor_and_set_params_refuse_what_cannot_be_used():
    """In a process without the type checker of the tests, which would refuse wrong types first."""
    subprocess.run([sys.executable, "-c", OWN_PROCESS.format(cases=REFUSED)], check=True)


def test_after_a_refusal_no_parameter_is_changed():
    model = tt.Forecaster(3, seed=7)
    with pytest.raises(InputError):
        model.set_params(seed=8, steps=0)
    assert (model.seed, model.steps) == (7, None)


# Names and classes


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("cell", "LSTM", "lstm"),
        ("cell", "MinGRU", "mingru"),
        ("cell", tt.GRU, "gru"),
        ("head", "Student-T", "student_t"),
        ("head", "QUANTILES", "quantiles"),
        ("head", NormalHead, "normal"),
        ("preset", "Fast", "fast"),
        ("preset", " BALANCED", "balanced"),
    ],
)
def test_names_are_those_of_the_tables(name, value, expected):
    assert getattr(ForecasterConfig(horizon=3, **{name: value}), name) == expected


@pytest.mark.parametrize("cell", [tt.MinGRU, OwnCell, "MINGRU"], ids=["class", "own class", "name"])
def test_cells_of_any_kind_are_trained_saved_and_loaded(frame, tmp_path, cell):
    model = tt.Forecaster(**SMALL, cell=cell).fit(frame)
    assert_frame_equal(model.predict(), tt.Forecaster(**SMALL, cell="mingru").fit(frame).predict(), check_exact=True)
    str(model)
    model.save(tmp_path / "model")
    loaded = tt.load(tmp_path / "model")
    assert loaded.cell == (cell if cell is OwnCell else "mingru")
    assert_frame_equal(loaded.predict(), model.predict(), check_dtypes=False, check_exact=True)


def test_a_class_that_no_file_can_name_is_refused_and_the_model_stays(frame, tmp_path):
    class Local(tt.MinGRU):
        """Of a function."""

    model = tt.Forecaster(**SMALL, cell=Local).fit(frame)
    for change in (Local, lambda inputs, hidden, key: tt.MinGRU(inputs, hidden, key=key)):
        model.fitted_ = model.fitted_._replace(
            plan=model.plan_._replace(design=model.plan_.design._replace(cell=change))
        )
        with pytest.raises(InputError) as caught:
            model.set_params(cell=change).save(tmp_path / "model")
        assert (caught.value.code, caught.value.found) == ("no-import-path", change)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("path", ["not.imported:Cell", "os:system", "throughtime:Forecaster", "json:nothing"])
def test_a_file_runs_no_foreign_code(frame, tmp_path, path, monkeypatch):
    """A module that is not imported stays so, and what is no cell is not called."""
    monkeypatch.setattr("throughtime.forecasting.persistence.import_path", lambda what, entry: path)
    tt.Forecaster(**SMALL, cell=OwnCell).fit(frame).save(tmp_path / "model")
    with pytest.raises(InputError) as caught:
        tt.load(tmp_path / "model")
    assert (caught.value.code, caught.value.found) == ("not-imported", path)


def test_a_forecaster_is_pickled(model):
    assert_frame_equal(pickle.loads(pickle.dumps(model)).predict(), model.predict(), check_exact=True)


# Levels


@pytest.mark.parametrize(
    "level",
    [
        80,
        80.0,
        [80],
        (80,),
        np.int64(80),
        np.array(80),
        np.array([80]),
        np.array([80.0], "float32"),
        {80},
        range(80, 81),
        pl.Series([80]),
    ],
    ids=repr,
)
def test_levels_are_a_number_or_numbers(level):
    assert as_levels(level) == [80]


@pytest.mark.parametrize("level", [80, np.array([80])])
def test_forecasts_take_a_number_or_numbers(model, level):
    assert_frame_equal(model.predict(level=level), model.predict(level=[80]), check_exact=True)


def test_no_levels():
    assert as_levels(None) == as_levels(()) == as_levels(np.array([])) == []


@pytest.mark.parametrize(
    ("level", "meant"),
    [(0.8, "80"), ([0.8], "80"), (np.array([0.95]), "95"), (np.float32(0.5), "50"), ("80", "80"), (["95"], "95")],
)
def test_a_share_and_a_text_are_asked_about(level, meant):
    with pytest.raises(InputError, match=f"Did you mean {meant}") as caught:
        as_levels(level)
    assert caught.value.code == "impossible-level"


@pytest.mark.parametrize("level", [0, 100, -5, 1e9, True, "x", [None], [[80]], np.nan])
def test_what_is_no_level_is_refused(level):
    with pytest.raises(InputError) as caught:
        as_levels(level)
    assert caught.value.code == "impossible-level"


def test_a_backtest_refuses_a_level_before_any_work(frame, monkeypatch):
    monkeypatch.setattr("throughtime.forecasting.backtest.fit_panel", None)
    with pytest.raises(InputError) as caught:
        tt.Forecaster(**SMALL).backtest(frame, level=[80, 0.8])
    assert caught.value.code == "impossible-level"


# Columns of a backtest


@pytest.mark.parametrize("kind", [lambda frame: frame, lambda frame: frame.to_pandas(), lambda frame: frame.to_arrow()])
def test_a_backtest_takes_the_columns_of_fit(frame, kind):
    renamed = frame.rename({"unique_id": "shop", "ds": "day", "y": "sold"}).with_columns(left=pl.col("sold") + 1)
    rows = tt.Forecaster(**SMALL).backtest(kind(renamed), 1, id="shop", time="day", target="sold")
    assert type(rows) is type(kind(frame))
    plain = tt.Forecaster(**SMALL).backtest(kind(frame), 1)
    assert_frame_equal(pl.DataFrame(rows), pl.DataFrame(plain), check_exact=True)


def test_a_backtest_takes_covariates_and_several_targets(frame):
    two = frame.with_columns(left=pl.col("y") + 1, promo=pl.int_range(pl.len()) % 3, town=pl.col("unique_id") + "!")
    rows = tt.Forecaster(**SMALL).backtest(two, 1, target=["y", "left"], static="town", past="promo")
    assert set(rows["unique_id"]) == {"a/y", "b/y", "a/left", "b/left"}
    assert rows["throughtime"].is_finite().all()


# scikit-learn


@pytest.fixture
def one_series(frame):
    return frame.filter(unique_id="b").select("ds", "y")


@pytest.mark.parametrize(
    ("kind", "scoring"),
    [("polars", None), ("pandas", lambda model, later: model.score(later))],
    ids=["polars-score", "pandas-own"],
)
def test_searches_of_scikit_learn(one_series, kind, scoring):
    table = one_series if kind == "polars" else one_series.to_pandas()
    grid, cv = {"seed": np.array([0, 1]), "members": [1, 2]}, TimeSeriesSplit(2, test_size=6)
    search = GridSearchCV(tt.Forecaster(**SMALL), grid, scoring=scoring, cv=cv, error_score="raise").fit(table)
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) < 0
    assert len(search.best_estimator_.predict()) == SMALL["horizon"]
    scores = cross_val_score(tt.Forecaster(**SMALL), table, cv=cv, error_score="raise", scoring=scoring)
    assert scores.shape == (2,)


def test_the_score_is_of_the_rows_after_the_history(frame):
    """Of two series that end in different months, in any order, with rows beyond the horizon and other series."""
    long = frame.filter(pl.col("unique_id") != "short")
    cut = long.group_by("unique_id", maintain_order=True).map_groups(lambda rows: rows.head(len(rows) - 5))
    model = tt.Forecaster(**SMALL).fit(cut)
    later = frame.join(cut, on=["unique_id", "ds"], how="anti").sample(fraction=1, shuffle=True, seed=3)
    joined = model.predict().join(long, on=["unique_id", "ds"])
    assert len(joined) == 6
    assert model.score(later) == pytest.approx(-(joined["throughtime"] - joined["y"]).abs().mean(), rel=1e-12)
    with pytest.raises(InputError) as caught:
        model.score(cut)
    assert caught.value.code == "nothing-to-score"
