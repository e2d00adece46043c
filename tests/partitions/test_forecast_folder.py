"""Forecasts of a folder: equal to those of each partition, resumed, and complete apart from failures."""

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.partitions.conftest import series

import throughtime as tt
from throughtime._temporary import STAGE, temporary_folder
from throughtime.partitions import forecast_folder

FILES = {"c": "c", "d": "d", "region=4/part-0": "ab"}


def written(out: Path) -> dict[str, pl.DataFrame]:
    folder = out / "forecasts"
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).with_suffix("").as_posix(): pl.read_parquet(file) for file in files}


def code(*arguments: object, **named: object) -> str:
    with pytest.raises(tt.InputError) as caught:
        forecast_folder(*arguments, **named)
    return caught.value.code


def test_each_partition_is_forecast_as_by_itself(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    result = forecast_folder(
        sales, instant, tmp_path / "out", 80, horizon=2, on_partition=lambda *counts: heard.append(counts)
    )
    assert (result.done, result.kept, result.rows, result.failures) == (3, 0, 8, ())
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
    found = written(tmp_path / "out")
    assert set(found) == set(FILES)
    for file, names in FILES.items():
        whole = pl.concat([series(name) for name in names])
        assert_frame_equal(found[file], instant.predict(whole, 80, horizon=2), check_exact=True)


def test_finished_partitions_stay(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    out, files = tmp_path / "out", [f"{file}.parquet" for file in FILES]
    forecast_folder(sales, instant, out)
    before = {file: (out / "forecasts" / file).stat().st_mtime_ns for file in files}
    (out / "forecasts" / "d.parquet").unlink()
    half = out / "forecasts" / f"{STAGE}0123"  # what a killed process leaves
    half.mkdir()
    os.utime(sales / "c.parquet", ns=(1, 1))
    with temporary_folder(out / "forecasts") as other:  # of another process
        result = forecast_folder(sales, out / "model", out)
        assert (half.exists(), other.exists()) == (False, True)
    assert (result.done, result.kept) == (2, 1)
    after = {file: (out / "forecasts" / file).stat().st_mtime_ns for file in files}
    assert [file for file in files if after[file] == before[file]] == ["region=4/part-0.parquet"]


def test_results_of_something_else_are_refused(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    forecast_folder(sales, instant, out, 80)
    kept = {file: file.read_bytes() for file in out.rglob("*.parquet")}
    assert code(sales, instant, out, 90) == "other-results"
    both = forecast_folder(sales, instant, tmp_path / "both", [95, 80])
    assert (both.done, forecast_folder(sales, instant, tmp_path / "both", [80, 95]).kept) == (3, 3)
    assert code(sales, instant, out, 80, horizon=2) == "other-results"
    other = tt.Forecaster(horizon=4, preset="instant").fit(series("b"))
    assert code(sales, other, out, 80) == "other-model"
    other.save(tmp_path / "other")
    assert code(sales, tmp_path / "other", out, 80) == "other-results"
    shutil.copytree(sales, tmp_path / "elsewhere")
    assert code(tmp_path / "elsewhere", instant, out, 80) == "other-results"
    assert {file: file.read_bytes() for file in out.rglob("*.parquet")} == kept
    pl.DataFrame({"a": [1]}).write_parquet(out / "forecasts" / "d.parquet")
    assert code(sales, instant, out, 80) == "other-results"


def test_results_follow_the_partitions(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    forecast_folder(sales, instant, out)
    (sales / "c.parquet").rename(sales / "e.parquet")
    series("d").head(0).write_parquet(sales / "d.parquet")
    (sales / "region=4" / "x.parquet").unlink()
    result = forecast_folder(sales, instant, out)
    assert (result.done, result.kept, result.failures) == (2, 0, ())
    assert {name: table["unique_id"][0] for name, table in written(out).items()} == {"e": "c", "region=4/part-0": "b"}
    series("a").with_columns(unique_id=3).write_parquet(sales / "f.parquet")
    (sales / "e.parquet").unlink()
    (sales / "region=4" / "y.parquet").unlink()
    assert (forecast_folder(sales, instant, out).done, written(out)["f"].schema["unique_id"]) == (1, pl.Int32)
    series("b").write_parquet(sales / "b.parquet")
    assert forecast_folder(sales, instant, out).done == 2  # as all names are text now
    assert pl.scan_parquet(out / "forecasts" / "*.parquet").collect().height == 6


def test_a_poisoned_partition_ends_no_other(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    truncated, weekly = sales / "d.parquet", sales / "w.parquet"
    whole = truncated.read_bytes()
    truncated.write_bytes(whole[:-9])
    series("b").with_columns(unique_id=pl.lit("w")).gather_every(7).write_parquet(weekly)
    result = forecast_folder(sales, instant, tmp_path / "out")
    assert [(failed.partition, failed.file, failed.fields["code"]) for failed in result.failures] == [
        ("d", str(truncated), "damaged-parquet"),
        ("w", str(weekly), "other-frequency"),
    ]
    assert json.loads(json.dumps(result.failures))[0][2] == result.failures[0].error
    assert (result.done, set(written(tmp_path / "out"))) == (2, {"c", "region=4/part-0"})
    truncated.write_bytes(whole)
    weekly.unlink()
    again = forecast_folder(sales, instant, tmp_path / "out")
    assert (again.done, again.kept, again.failures) == (1, 2, ())


def without_values(name: str, value: float | None) -> pl.DataFrame:
    return series(name).with_columns(y=pl.lit(value))


def test_a_partition_without_values_has_no_rows(sales: Path, instant: tt.Forecaster, tmp_path: Path) -> None:
    """As a file leaves such series out; numbers, text and a column without a type."""
    without_values("a", float("nan")).with_columns(unique_id=pl.lit("e")).write_parquet(sales / "e.parquet")
    without_values("a", None).with_columns(unique_id=pl.lit("f")).write_parquet(sales / "f.parquet")
    beside = pl.concat([series("a"), without_values("b", float("nan"))])
    beside.with_columns(unique_id=pl.lit("x") + pl.col("unique_id")).write_parquet(sales / "x.parquet")
    result = forecast_folder(sales, instant, tmp_path / "out", 80)
    assert (result.done, result.failures) == (6, ())
    found = written(tmp_path / "out")
    assert {name: len(found[name]) for name in ("e", "f", "x")} == {"e": 0, "f": 0, "x": 3}
    assert found["e"].schema == found["f"].schema == found["c"].schema


def test_a_partition_may_lack_the_values_of_one_target(tmp_path: Path) -> None:
    (tmp_path / "sales").mkdir()
    both = {name: series(name).with_columns(z=pl.col("y") + 1) for name in "bc"}
    model = tt.Forecaster(horizon=3, preset="instant").fit(both["b"], target=["y", "z"])
    half = both["c"].with_columns(z=pl.lit(None, pl.Float64))
    half.write_parquet(tmp_path / "sales" / "c.parquet")
    assert forecast_folder(tmp_path / "sales", model, tmp_path / "out").failures == ()
    whole = model.predict(pl.concat([both["b"], half]))
    expected = whole.filter(pl.col("unique_id").str.starts_with("c"))
    assert expected["unique_id"].unique().to_list() == ["c/y"]
    assert_frame_equal(written(tmp_path / "out")["c"], expected)  # up to rounding, as batches are others


def test_a_failure_names_the_file(
    sales: Path, instant: tt.Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (sales / "region=4" / name for name in ("x.parquet", "y.parquet"))
    twice = pl.concat([series("b"), series("b").tail(1)])
    twice.write_parquet(second)
    (failed,) = forecast_folder(sales, instant, tmp_path / "out").failures
    assert (failed.file, failed.fields["file"]) == (str(second.parent), str(second))
    assert (failed.fields["code"], failed.fields["line"]) == ("duplicate-time", len(twice))
    for file in (second, first):  # the first one that is damaged
        file.write_bytes(file.read_bytes()[:-9])
        (failed,) = forecast_folder(sales, instant, tmp_path / "out").failures
        assert (failed.fields["code"], failed.fields["file"]) == ("damaged-parquet", str(file))
    monkeypatch.setattr(tt.Forecaster, "predict", lambda *_, **__: 1 / 0)
    (failed, _) = forecast_folder(sales, instant, tmp_path / "other", horizon=2).failures[:2]
    assert failed.fields == {"file": str(sales / "c.parquet"), "code": "ZeroDivisionError"}
    assert str(sales / "c.parquet") in failed.error


def test_what_is_no_forecaster(sales: Path, tmp_path: Path) -> None:
    assert code(sales, tt.Forecaster(horizon=3), tmp_path / "out") == "not-fitted"
    assert code(sales, tmp_path / "nothing", tmp_path / "out") == "no-checkpoint"
    assert code(sales, tmp_path / "nothing", tmp_path / "out", engine="dask") == "unknown-name"
