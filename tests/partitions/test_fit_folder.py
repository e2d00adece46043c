"""Fits on a folder: equal to a fit in memory if all fits there; samples of the series in turn if not."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.partitions.conftest import LENGTHS, series

import throughtime as tt
from throughtime.data import ColumnNames, Panel, as_panel
from throughtime.partitions.mapped import MappedSeries

SMALL = {"horizon": 3, "hidden": 4, "steps": 12, "members": 1, "lookback": 14}
NAMES = ColumnNames(static=("color", "size"), past="visits", future="promotion")
EVERY = np.arange(5)  # series of the fixture
COLORS = {"a": "red", "b": "blue", "c": None, "d": "red"}


def rows(name: str) -> pl.DataFrame:
    """A series with covariates, and rows of its future; the colors of c and its first promotions are not known."""
    steps = np.arange(LENGTHS[name] + SMALL["horizon"])
    last = series(name).tail(1).with_columns(y=pl.lit(None, pl.Float64))
    later = [last.with_columns(pl.col("ds").dt.offset_by(f"{k}d")) for k in range(1, 4)]
    promotions = np.array(["full", "sale", name])[steps % 3]
    return pl.concat([series(name), *later]).with_columns(
        color=pl.lit(COLORS[name], pl.String),
        size=pl.lit(ord(name)),
        visits=pl.Series(np.cos(steps)),
        promotion=pl.Series(promotions) if name != "c" else pl.lit(None, pl.String),
    )


def code(*arguments: object, **named: object) -> str:
    with pytest.raises(tt.InputError) as caught:
        tt.fit_folder(*arguments, **named)
    return caught.value.code


@pytest.fixture
def mapped(tmp_path: Path) -> MappedSeries:
    """Five series of 44, 31, 25, 38 and 31 steps in three parts; the names of one part are numbers."""
    frames = [pl.concat([series("b"), series("a")]), series("d"), pl.concat([series("c"), series("a")])]
    frames[1] = frames[1].with_columns(unique_id=7)
    frames[2] = frames[2].with_columns(unique_id=pl.col("unique_id").str.to_uppercase())
    return on_disk(tmp_path, map(as_panel, frames))


def on_disk(folder: Path, panels: Iterable[Panel]) -> MappedSeries:
    mapped = MappedSeries(folder)
    for panel in panels:
        mapped.add(panel)
    return mapped


@pytest.mark.parametrize("hold_back", [0, 4])
def test_a_folder_that_fits_in_memory_is_fitted_as_a_frame(sales: Path, tmp_path: Path, hold_back: int) -> None:
    empty = series("b").with_columns(unique_id=pl.lit("empty"), y=pl.lit(float("nan")))
    empty.write_parquet(sales / "a.parquet")
    single = series("a").head(1).with_columns(unique_id=pl.lit("single"))  # tells no frequency: it is read at last
    single.write_parquet(sales / "0.parquet")
    whole = pl.concat([series(name).head(LENGTHS[name] - hold_back) for name in "cdab"])  # in the partitions' order
    whole = whole if hold_back else pl.concat([whole, single])
    expected = tt.Forecaster(**SMALL).fit(whole)
    model = tt.fit_folder(tt.Forecaster(**SMALL), sales, hold_back=hold_back, work=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sales"]  # the arrays are gone
    assert_frame_equal(model.predict(whole, 80), expected.predict(level=80), check_exact=True)
    model.save(tmp_path / "model")
    assert_frame_equal(tt.load(tmp_path / "model").predict(whole, 80), model.predict(whole, 80), check_exact=True)


@pytest.fixture
def promoted(tmp_path: Path) -> Path:
    """The series with covariates, c and d in one partition that is read first."""
    (tmp_path / "promoted").mkdir()
    for file, names in {"1": "c", "2": "da", "3": "b"}.items():
        pl.concat(map(rows, names)).write_parquet(tmp_path / "promoted" / f"{file}.parquet")
    return tmp_path / "promoted"


def test_covariates_are_learned_as_from_a_frame(promoted: Path) -> None:
    whole = pl.concat(map(rows, "cdab"))
    expected = tt.Forecaster(**SMALL).fit(whole, **asdict(NAMES))
    model = tt.fit_folder(tt.Forecaster(**SMALL), promoted, columns=NAMES)
    assert model.plan_ == expected.plan_
    assert [encoding.vocabulary for encoding in model.plan_.encodings.future] == [("a", "b", "d", "full", "sale")]
    assert_frame_equal(model.predict(whole, 80), expected.predict(level=80), check_exact=True)


def test_samples_take_turns_where_memory_ends(promoted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 1010  # MiB: the process itself and the least number of values
    monkeypatch.setattr("throughtime.partitions.fitting.OF_VALUE", 2**20 // 8)  # eighty values fit
    monkeypatch.setattr("throughtime.partitions.fitting.LEAST_VALUES", 1)
    (promoted / "e.parquet").write_bytes(b"PAR1")
    short = [rows("a").head(3).with_columns(unique_id=pl.lit(f"short {k}")) for k in range(60)]
    pl.concat(short).write_parquet(promoted / "f.parquet")  # more than a sample holds, and nothing to learn from
    model = tt.fit_folder(tt.Forecaster(**SMALL | {"steps": 61}), promoted, columns=NAMES, memory=limit)
    assert len(model.panel_) < len(LENGTHS)
    assert (model.losses_ > 0).all()
    for part in ("4 of 4 samples", "e.parquet"):  # of at most forty of the 138 values
        assert any(part in note for note in model.notes_)
    seen = {name for name in model.panel_.ids.tolist() if name != "c"}  # the sample decides the encodings
    assert set(model.plan_.encodings.future[0].vocabulary) == {"full", "sale", *seen}
    assert len(model.predict(rows("a"))) == SMALL["horizon"]


def test_a_folder_of_short_series_is_fitted_as_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throughtime.partitions.fitting.OF_VALUE", 2**20 // 8)
    monkeypatch.setattr("throughtime.partitions.fitting.LEAST_VALUES", 1)
    short = pl.concat([series("a").head(3).with_columns(unique_id=pl.lit(f"short {k}")) for k in range(60)])
    (tmp_path / "short").mkdir()
    short.write_parquet(tmp_path / "short" / "a.parquet")
    model = tt.fit_folder(tt.Forecaster(**SMALL), tmp_path / "short", memory=1010)
    expected = tt.Forecaster(**SMALL).fit(short)
    assert (model.networks_, expected.networks_) == ((), ())
    assert_frame_equal(model.predict(short, 80), expected.predict(level=80), check_exact=True)


def test_what_cannot_be_fitted(sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tt.Forecaster(**SMALL)
    assert code(model, sales, memory=900) == "small-memory"
    assert code(model, sales, hold_back=max(LENGTHS.values())) == "series-too-short"
    instant = tt.Forecaster(horizon=3, preset="instant")
    assert code(instant, sales, columns=ColumnNames(static="region")) == "covariates-of-instant"
    monkeypatch.setattr("throughtime.partitions.reading.OF_ROW", 2**40)
    assert code(model, sales) == "large-partition"
    for file in sales.rglob("*.parquet"):
        file.write_bytes(b"PAR1")
    monkeypatch.undo()
    assert code(model, sales) == "damaged-parquet"
    for file in sales.rglob("*.parquet"):
        file.unlink()
    series("a").with_columns(y=pl.lit(None, pl.Float64)).write_parquet(sales / "a.parquet")
    assert code(model, sales) == "series-too-short"


def test_each_series_comes_once_in_a_round(mapped: MappedSeries) -> None:
    names = ["b", "a", "7", "C", "A"]
    assert mapped.lengths.tolist() == [44, 31, 25, 38, 31]
    panels = list(islice(mapped.samples(EVERY, mapped.lengths, 70, seed=3), 8))
    assert all(len(panel.values) <= 70 for panel in panels)
    assert [panel.ids.tolist() for panel in panels] == [
        panel.ids.tolist() for panel in islice(mapped.samples(EVERY, mapped.lengths, 70, seed=3), 8)
    ]
    rounds = np.cumsum([len(panel) for panel in panels])
    ends = [rounds.tolist().index(5) + 1, rounds.tolist().index(10) + 1]
    first, second = panels[: ends[0]], panels[ends[0] : ends[1]]
    for panels in (first, second):
        assert sorted(str(name) for panel in panels for name in panel.ids) == sorted(names)
    assert [panel.ids.tolist() for panel in first] != [panel.ids.tolist() for panel in second]
    (longest,) = islice(mapped.samples(EVERY, mapped.lengths, 1, seed=0), 1)
    assert len(longest) == 1  # a series that is larger than a sample comes alone


def test_series_to_learn_from_come_first(mapped: MappedSeries) -> None:
    gaps = series("b").with_columns(y=pl.when(pl.int_range(pl.len()) % 30 == 0).then("y"), unique_id=pl.lit("gaps"))
    mapped.add(as_panel(gaps))  # two observed values
    assert mapped.lengths.tolist() == [44, 31, 25, 38, 31, 44]
    assert mapped.learnable(25).tolist() == [True, True, False, True, True, False]
    known = mapped.before(10)
    assert known.learnable(25).tolist() == [True, False, False, True, False, False]
    for seed in range(5):
        assert set(known.sample(known.learnable(25), known.lengths, 34 + 28, seed).ids.tolist()) == {"b", "C"}
    alike = np.ones(6, bool)
    (first,) = islice(mapped.samples(np.arange(6), mapped.lengths, 70, seed=3), 1)
    assert mapped.sample(alike, mapped.lengths, 70, seed=3).ids.tolist() == first.ids.tolist()
    assert not list(mapped.samples(EVERY[:0], mapped.lengths, 70, seed=3))


def test_a_sample_has_the_values_of_its_series(mapped: MappedSeries) -> None:
    found = mapped.of_series(np.array([3, 0, 2]))
    assert found.ids.tolist() == ["b", "7", "C"]
    expected = as_panel(pl.concat([series("b"), series("d"), series("c")]))
    for name in ("values", "offsets", "starts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_a_sample_has_the_covariates_of_its_series(tmp_path: Path) -> None:
    """Categories have other numbers in each partition; the arrays of none stay open."""
    mapped = on_disk(tmp_path, (as_panel(pl.concat(map(rows, names)), NAMES) for names in ("da", "b")))
    files = len(list(Path("/proc/self/fd").iterdir()))
    found = mapped.of_series(np.array([1, 2])).covariates
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    expected = as_panel(pl.concat(map(rows, "ab")), NAMES).covariates
    for name in ("sources", "starts", "offsets", "has_row"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for column, other in zip(found.columns, expected.columns, strict=True):
        if column.categories is None:
            np.testing.assert_array_equal(column.values, other.values)
        else:
            assert list(map(column.text, column.values)) == list(map(other.text, other.values))


LIMITED = """
import resource, sys
import polars as pl
folder, memory, covariates, reads = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "covariates", sys.argv[4]
resource.setrlimit(resource.RLIMIT_DATA, (memory << 20, memory << 20))
import throughtime as tt
from throughtime.data import ColumnNames
model = tt.Forecaster(horizon=14, hidden=8, members=2, steps=20)
names = ColumnNames(static="color", future=("price", "promotion")) if covariates else ColumnNames()
if reads == "all":
    model.fit(pl.read_parquet(folder + "/*.parquet"))
else:
    tt.fit_folder(model, folder, memory=memory, work=folder, columns=names)
print(len(model.networks_))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["values", "covariates"])
def test_the_memory_is_kept(tmp_path: Path, kind: str) -> None:
    """Ten million rows in a process that the system allows 1,100 MiB: too few for all rows at once."""
    days = np.datetime64("2024-01-01") + np.arange(100)
    for part in range(20):
        draw = np.random.default_rng(part)
        names = np.repeat([f"{part} {k}" for k in range(5000)], 100)
        values = 20 + 5 * np.sin(np.arange(500_000) * 2 * np.pi / 7) + draw.normal(size=500_000)
        table = {"unique_id": names, "ds": np.tile(days, 5000), "y": values}
        if kind == "covariates":
            kinds = np.array(["no", "half", "two for one"])[draw.integers(0, 3, 500_000)]
            colors = np.repeat(np.array(["red", "blue"])[draw.integers(0, 2, 5000)], 100)
            table |= {"price": draw.normal(size=500_000), "promotion": kinds, "color": colors}
        pl.DataFrame(table).write_parquet(tmp_path / f"{part}.parquet")
    command = [sys.executable, "-c", LIMITED, str(tmp_path), "1100", kind]
    limited, whole = (subprocess.run([*command, how], capture_output=True, text=True) for how in ("parts", "all"))
    assert (limited.returncode, limited.stdout.strip()) == (0, "2"), limited.stderr
    assert whole.returncode != 0
