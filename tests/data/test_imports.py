"""Reading imports neither pandas nor JAX. Each test runs in a process that has not imported them yet."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

WITHOUT_PANDAS = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

sys.meta_path.insert(0, Hidden())
try:
    import pandas
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("pandas is not hidden")
"""
READ = """
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
import throughtime as tt
from throughtime.data import calendar_names, format_times, to_native

frame = pl.read_parquet("file.parquet")
frames = [frame, frame.lazy(), frame.to_arrow()]
panels = [tt.read_panel("file.csv"), tt.read_panel("file.parquet"), *map(tt.Panel.from_frame, frames)]
for panel in panels:
    assert panel.ids.tolist() == ["b", "a"], panel.ids
    np.testing.assert_array_equal(panel.values, [5, np.nan, 4, 1, 3])
    assert panel.frequency.describe() == "daily"
ids, times = panels[0].future(2)
for like, kind in [(None, pl.DataFrame), *zip(frames, (pl.DataFrame, pl.DataFrame, pa.Table))]:
    forecasts = to_native({"unique_id": ids, "ds": times}, like)
    assert isinstance(forecasts, kind), kind
    written = forecasts["ds"].to_pylist() if kind is pa.Table else forecasts["ds"].to_list()
    assert written == times.tolist(), written
berlin = frame.with_columns(pl.col("ds").cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Berlin"))
panel = tt.Panel.from_frame(berlin)
assert (panel.frequency.describe(), panel.frequency.zone) == ("daily", "Europe/Berlin")
assert format_times(panel.times(1), "Europe/Berlin")[-1] == "2024-03-31T00:00:00+01:00"
"""


def run(code: str, folder: Path) -> None:
    frame = pl.DataFrame(
        {
            "unique_id": ["b", "b", "a", "a"],
            "ds": pl.Series(["2024-03-28", "2024-03-30", "2024-03-30", "2024-03-31"]).str.to_date(),
            "y": [5.0, 4.0, 1.0, 3.0],
        }
    )
    frame.write_csv(folder / "file.csv")
    frame.write_parquet(folder / "file.parquet")
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=os.environ)
    assert result.returncode == 0, result.stderr


def test_everything_is_read_and_given_back_without_pandas(tmp_path: Path) -> None:
    run(WITHOUT_PANDAS + READ, tmp_path)


def test_reading_imports_no_jax(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom throughtime.data import read_panel\nassert len(read_panel('file.csv')) == 2\n"
        "assert not {'jax', 'equinox'} & sys.modules.keys(), 'jax is imported'\n"
        "from throughtime.data import draw_windows\nassert 'jax' in sys.modules"
    )
    run(code, tmp_path)
