"""What the commands have in common: their options' names and words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from throughtime.data import Named

PRESETS = "fast, balanced or best"
CELLS = "elman, gru, lstm, mingru, minlstm, lru, slstm, lem or antisymmetric"  # to list them would load JAX
FORECASTER = ("season", "cell", "steps", "head", "preset", "seed", "calendar")  # its arguments that are options
Seed = Annotated[
    int, typer.Option(help="Makes every random number: the same seed gives the same numbers.", min=0, max=2**32 - 1)
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]
SeriesFile = Annotated[Path, typer.Argument(help="CSV or Parquet: unique_id, ds, y; or a time and a value column.")]
IdColumn = Annotated[str | None, typer.Option("--id", help="The column that names the series.")]
TimeColumn = Annotated[str | None, typer.Option("--time", help="The column of time stamps.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="The column to forecast; repeat it for more.")]
Static = Annotated[
    list[str] | None, typer.Option("--static", help="A covariate that is constant for each series; repeat it.")
]
Past = Annotated[list[str] | None, typer.Option("--past", help="A covariate known up to the present; repeat it.")]
Future = Annotated[list[str] | None, typer.Option("--future", help="A covariate known for the horizon too; repeat it.")]
Calendar = Annotated[bool, typer.Option("--calendar", help="Tell the network hour, weekday, month, as fits the data.")]
Season = Annotated[int | None, typer.Option(help="The period in steps; by default the frequency's own.")]
Level = Annotated[list[float], typer.Option(help="Coverage of an interval in per cent; repeat it.")]
Cell = Annotated[str, typer.Option(help=f"The recurrent cell: {CELLS}.")]
Head = Annotated[str, typer.Option(help="quantiles, normal, student_t, or negative_binomial for counts.")]
Preset = Annotated[str, typer.Option(help=f"How much work: {PRESETS}.")]
Settings = Annotated[
    Path | None, typer.Option(help="Arguments that tuning found: its best.json. What is given here comes before them.")
]
Steps = Annotated[int | None, typer.Option(help="Training steps; by default as the data asks.", min=1)]


def named_columns(context: typer.Context) -> "Named":
    """The columns that a command's options name."""
    from throughtime.data import Named

    given = context.params
    covariates = {role: given[role] or () for role in ("static", "past", "future")}
    return Named(given["id_column"], given["time_column"], given["target"], **covariates)


def forecaster_arguments(context: typer.Context) -> dict[str, Any]:
    """A Forecaster's arguments but its horizon: what was typed, else what the settings' file says, else the default."""
    given = {name: context.params[name] for name in FORECASTER}
    path, horizon = context.params["settings"], context.params["horizon"]
    if path is None:
        return given
    from throughtime.cli.settings_file import read_settings

    typed = {name for name in given if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"}
    return given | {name: value for name, value in read_settings(path, horizon=horizon).items() if name not in typed}


def out_option(command: str) -> Any:
    """The folder that a command writes to."""
    return typer.Option(help="The folder to write to.", show_default=f"out/{command}")
