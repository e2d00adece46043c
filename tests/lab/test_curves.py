"""The curves, and a series of the user's own."""

import numpy as np
import polars as pl
import pytest

from throughtime._errors import InputError
from throughtime.lab.curves import CURVES, made_curve
from throughtime.lab.files import file_curve, read_file


@pytest.mark.parametrize("name", CURVES)
def test_a_made_curve_is_finite_moves_and_is_the_same_each_time(name):
    values = made_curve(name).values
    assert values.shape == (1000,)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values.std() > 0.4
    np.testing.assert_array_equal(values, made_curve(name).values)


def test_the_sine_is_one():
    np.testing.assert_allclose(made_curve("sine").values[[0, 5, 999]], np.sin([0, 0.5, 99.9]), rtol=1e-6, atol=1e-7)


def written(tmp_path, **columns):
    file = tmp_path / "series.csv"
    pl.DataFrame(columns).write_csv(file)
    return read_file(file)


def test_a_series_of_a_file_is_scaled_and_its_gaps_are_filled(tmp_path):
    panel = written(
        tmp_path, unique_id=["a"] * 3 + ["b"] * 5, ds=[1, 2, 3, 1, 2, 3, 4, 5], y=[1, 2, 4, 5, None, 9, 1, 3]
    )
    first, second = file_curve(panel), file_curve(panel, "b")
    assert first.values.shape == (3,)
    learned = [5, 5, 9, 1]
    assert second.cut == 4
    np.testing.assert_allclose(second.values, (np.array([*learned, 3]) - 5) / np.std(learned), rtol=1e-6)
    assert second.learned.mean() == pytest.approx(0, abs=1e-6)
    assert (second.axes.mean, second.axes.deviation) == pytest.approx((5, np.std(learned)))
    assert (second.axes.unit, second.axes.resolution, list(second.axes.stamps)) == ("y", "", [1, 2, 3, 4, 5])
    assert any("1 missing values of this series" in note for note in second.notes)
    assert not any("missing values of this series" in note for note in first.notes)
    assert "Networks read values less 5, by 2.828: mean 0, variance 1 in the learned part." in second.notes


def test_a_file_with_dates_has_them_on_its_axis(tmp_path):
    months = [f"2021-{month:02d}-01" for month in range(1, 13)]
    curve = file_curve(written(tmp_path, month=months, sold=[float(k * k) for k in range(12)]))
    assert (curve.axes.unit, curve.axes.resolution, curve.season, curve.cut) == ("sold", "month", 12, 10)
    due = np.array(months, "datetime64[ms]").astype(np.int64)
    np.testing.assert_array_equal(curve.axes.stamps, due)


def test_a_series_that_is_not_there_or_never_moves_is_told(tmp_path):
    panel = written(tmp_path, unique_id=["a"] * 3 + ["b"] * 3, ds=[1, 2, 3] * 2, y=[1.0, 2, 4, 7, 7, 7])
    with pytest.raises(InputError) as caught:
        file_curve(panel, "c")
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("unknown-series", "c", ["a", "b"])
    assert str(caught.value) == "there is no series 'c': expected one of 'a', 'b'"
    panel = written(tmp_path, ds=list(range(10)), y=[1.0, 2, 4, 7, 5, 6, 8, 9, None, None])
    with pytest.raises(InputError) as caught:
        file_curve(panel)
    assert caught.value.code == "no-held-out-values"
    for value in (7, 0.1):  # the deviation of three times 0.1 is not quite 0
        panel = written(tmp_path, unique_id=["a"] * 3 + ["b"] * 3, ds=[1, 2, 3] * 2, y=[1.0, 2, 4, value, value, value])
        with pytest.raises(InputError) as caught:
            file_curve(panel, "b")
        assert caught.value.code == "constant-series"
        assert caught.value.found == pytest.approx(value)
