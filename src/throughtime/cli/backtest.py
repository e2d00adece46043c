"""``throughtime backtest``."""

from pathlib import Path
from typing import Annotated

import typer

from throughtime.cli.answer import all_or_nothing, answering, show_training
from throughtime.cli.options import (
    Calendar,
    Cell,
    Future,
    Head,
    IdColumn,
    Json,
    Level,
    Past,
    Preset,
    Quiet,
    Season,
    Seed,
    SeriesFile,
    Settings,
    Static,
    Steps,
    Targets,
    TimeColumn,
    forecaster_arguments,
    named_columns,
    out_option,
)
from throughtime.cli.outputs import output_folder

NAMES = "seasonal_naive (always), drift, naive2, autoets, autotheta, autoarima"


def backtest(
    context: typer.Context,
    file: SeriesFile,
    horizon: Annotated[int, typer.Option(help="How many steps ahead.")],
    windows: Annotated[int, typer.Option(help="How many horizons to forecast.")] = 3,
    step: Annotated[int | None, typer.Option(help="Steps between cutoffs; by default the horizon.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Train for each window, not once before the first.")] = False,
    train_size: Annotated[int | None, typer.Option(help="Learn from so many last steps, not from all.")] = None,
    baselines: Annotated[str, typer.Option(help=f"What to compare with: {NAMES}.")] = "seasonal_naive,drift,naive2",
    season: Season = None,
    level: Level = [80, 95],  # noqa: B006
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    target: Targets = None,
    static: Static = None,
    past: Past = None,
    future: Future = None,
    calendar: Calendar = False,
    preset: Preset = "balanced",
    head: Head = "quantiles",
    cell: Cell = "gru",
    steps: Steps = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Annotated[Path, out_option("backtest")] = Path("out/backtest"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast the past from what preceded it, and score the network beside baselines."""
    with answering(as_json, quiet, all_or_nothing(out)) as answer:
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.cli.workflows import backtest_file
        from throughtime.forecasting import Forecaster, Protocol

        names = [name.strip() for name in baselines.split(",") if name.strip()]
        with TrainingBar(answer.console, loss="pinball") as bar:
            answer.result = backtest_file(
                file,
                Forecaster(horizon, **forecaster_arguments(context)),
                output_folder(out),
                Protocol(windows, step, refit, train_size, names),
                columns=named_columns(context),
                levels=level,
                say=answer.console.print,
                report=show_training(bar),
                count=bar.count,
            )
        answer.console.print(f"Written to {out}: cv.csv, scores.csv, report.html")
