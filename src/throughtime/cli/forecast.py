"""``throughtime forecast``."""

from pathlib import Path
from typing import Annotated

import typer

from throughtime.cli.answer import all_or_nothing, answering, show_training
from throughtime.cli.interrupts import INTERRUPTED
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


def forecast(
    context: typer.Context,
    file: SeriesFile,
    horizon: Annotated[int, typer.Option(help="How many steps ahead.")],
    season: Season = None,
    level: Level = [80, 95],  # noqa: B006
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    target: Targets = None,
    static: Static = None,
    past: Past = None,
    future: Future = None,
    future_file: Annotated[
        Path | None, typer.Option(help="Rows of the steps to forecast, where FILE has none for future covariates.")
    ] = None,
    calendar: Calendar = False,
    preset: Preset = "balanced",
    head: Head = "quantiles",
    cell: Cell = "gru",
    steps: Steps = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Annotated[Path, out_option("forecast")] = Path("out/forecast"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast every series of a file with one recurrent network, and say whether it beats seasonal naive."""
    with answering(as_json, quiet, all_or_nothing(out)) as answer:
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.cli.workflows import forecast_file
        from throughtime.forecasting import Forecaster

        model = Forecaster(horizon, **forecaster_arguments(context))
        say = answer.console.print
        with TrainingBar(answer.console, loss="pinball") as bar:
            answer.result = forecast_file(
                file,
                model,
                output_folder(out),
                columns=named_columns(context),
                future_file=future_file,
                levels=level,
                say=say,
                report=show_training(bar),
            )
        say(f"Written to {out}: forecasts.csv, report.html, model")
    if answer.result["interrupted"]:
        raise typer.Exit(INTERRUPTED)
