"""The results of a command on a file of series: what it writes, and what ``--json`` prints."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from throughtime.data import Panel, format_times
from throughtime.forecasting import BacktestSettings, Evaluation, Forecaster
from throughtime.report import backtest_content, forecast_content, model_label, render

Levels = Sequence[int | float]
"""Coverage of intervals in per cent."""
SHOWN = ("mase", "smape", "owa", "crps")  # scores that the terminal shows


@dataclass(frozen=True)
class ForecastResult:
    """A fitted model, its forecasts, and the backtest before it.

    Attributes:
        file: the series' file.
        model: fitted on all series.
        levels: coverage of the intervals in per cent.
        forecasts: ``unique_id, ds, throughtime, throughtime-lo-80, ...`` as arrays.
        tested: the backtest.
        interrupted: whether Ctrl-C ended training early.
        began: when the command began, in seconds of ``time.perf_counter``.
    """

    file: Path
    model: Forecaster
    levels: Levels
    forecasts: dict[str, np.ndarray]
    tested: Evaluation
    interrupted: bool
    began: float

    def write(self, folder: Path) -> None:
        """Write ``forecasts.csv``, ``report.html`` and ``model/``."""
        write_forecasts(self.forecasts, self.model.panel_.frequency.zone, folder)
        content = forecast_content(
            self.file.name,
            self.model,
            self.forecasts,
            self.tested,
            self.levels,
            seconds=time.perf_counter() - self.began,
        )
        (folder / "report.html").write_text(render(content), encoding="utf-8")
        self.model.save(folder / "model")

    def summary(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        panel, verdict = self.model.panel_, self.tested.verdict
        return {
            "file": str(self.file),
            "series": len(panel),
            "horizon": self.model.horizon,
            "frequency": panel.frequency.describe(),
            "season": self.model.plan_.design.seasons[0],
            "verdict": verdict.headline,
            "mase": verdict.model,
            "seasonal_naive_mase": _mean_mase(self.tested, "seasonal_naive"),
            "best_baseline": verdict.best,
            "best_baseline_mase": verdict.baseline,
            "backtest_windows": self.tested.windows,
            "coverage": {f"{level:g}": share for level, share in self.tested.coverage.items()},
            "notes": self.model.notes_,
            "interrupted": self.interrupted,
            "seconds": time.perf_counter() - self.began,
        }


def write_forecasts(forecasts: dict[str, np.ndarray], zone: str | None, folder: Path) -> None:
    """Write ``forecasts.csv`` to a folder.

    Args:
        forecasts: ``unique_id, ds, throughtime, ...`` as arrays.
        zone: the time zone of ``ds``.
        folder: an existing one.
    """
    table = forecasts | {"ds": np.array(format_times(forecasts["ds"], zone))}
    pl.DataFrame(table).write_csv(folder / "forecasts.csv")


def _mean_mase(tested: Evaluation, model: str) -> float | None:
    """Return a model's mean MASE; None if no series has one."""
    return None if tested.scores.is_empty() else float(tested.scores[model].to_numpy().mean())


@dataclass(frozen=True)
class BacktestResult:
    """A backtest and its scores.

    Attributes:
        file: the series' file.
        panel: its series.
        model: fitted on what preceded the last training.
        settings: which windows, and the baselines.
        levels: coverage of the intervals in per cent.
        tested: forecasts and scores.
        notes: what was found in the data, decided, and which baselines failed.
        began: when the command began, in seconds of ``time.perf_counter``.
    """

    file: Path
    panel: Panel
    model: Forecaster
    settings: BacktestSettings
    levels: Levels
    tested: Evaluation
    notes: list[str]
    began: float

    def write(self, folder: Path) -> None:
        """Write ``cv.csv``, ``scores.csv`` and ``report.html``."""
        tested, zone = self.tested, self.panel.frequency.zone
        times = {name: np.array(format_times(tested.rows[name], zone)) for name in ("ds", "cutoff")}
        pl.DataFrame(tested.rows | times).with_columns(pl.col("y").fill_nan(None)).write_csv(folder / "cv.csv")
        tested.table.write_csv(folder / "scores.csv")
        content = backtest_content(
            self.file.name,
            self.model,
            self.panel,
            tested,
            self.notes,
            self.levels,
            seconds=time.perf_counter() - self.began,
        )
        (folder / "report.html").write_text(render(content), encoding="utf-8")

    def summary(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        tested = self.tested
        overall = tested.table.filter(unique_id="").drop("unique_id").rows_by_key("metric", named=True, unique=True)
        return {
            "file": str(self.file),
            "series": len(self.panel),
            "horizon": self.model.horizon,
            **self.settings._asdict(),
            "step": self.model.horizon if self.settings.step is None else self.settings.step,
            "baselines": list(tested.seconds)[1:],
            "frequency": self.panel.frequency.describe(),
            "verdict": tested.verdict.headline,
            "best_baseline": tested.verdict.best,
            "scores": overall,
            "seconds_by_model": dict(tested.seconds),
            "notes": self.notes,
            "seconds": time.perf_counter() - self.began,
        }

    def score_lines(self) -> list[str]:
        """Return a line for each model: its overall scores and the seconds that it took."""
        table, season = self.tested.table, self.model.plan_.design.seasons[0]
        shown = table.filter((pl.col("unique_id") == "") & pl.col("metric").is_in(SHOWN))
        return [
            f"{model_label(name, season):<15} {seconds:8.1f} s   "
            + "   ".join(f"{metric} {value:.3f}" for metric, value in shown.select("metric", name).rows())
            for name, seconds in self.tested.seconds.items()
        ]
