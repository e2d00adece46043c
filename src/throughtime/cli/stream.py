"""``throughtime stream``."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime.cli.options import (
    ANY_AHEAD,
    ANY_RUN,
    ANY_SERIES,
    AheadOptions,
    Process,
    RunOptions,
    SeriesOptions,
    default,
)
from throughtime.cli.runtime import running

Count = Parameter(validator=Number(gte=1))


@Parameter(name="*")
@dataclass(frozen=True)
class PlaceOptions:
    """The numbers of rows at which the input begins, answers begin, and checkpoints are written."""

    every: Annotated[int, Count] = 1000
    """Rows from one checkpoint to the next."""
    first_row: Annotated[int, Count] = 1
    """The number of the input's first row, if rows before it are left out."""
    after: Annotated[int, Parameter(validator=Number(gte=0))] = 0
    """Print no forecasts of rows up to this number: you have them already."""


ANY_PLACE = PlaceOptions()


def stream(
    model: Path,
    /,
    *,
    ahead: AheadOptions = ANY_AHEAD,
    flag: Annotated[float | None, default("no values are judged")] = None,
    place: PlaceOptions = ANY_PLACE,
    columns: SeriesOptions = ANY_SERIES,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Forecast each series again whenever a row of it comes: rows on standard input, forecasts on standard output.

    Rows are CSV below the names of the columns, or a JSON object a line; those without a value bring future covariates.
    Rows that cannot be used are reported on standard error, and skipped. Run again with the same input, a stream goes
    on from its last checkpoint.

    Example: tail -n +1 -f rows.csv | throughtime stream out/forecast/model --flag 0.999

    Args:
        model: The folder of a saved forecaster; it is only read.
        flag: Flag values outside of the interval that should hold this share of them, such as 0.999.
    """
    with running("stream", options, interrupts) as runtime, interrupts.terminable():
        from throughtime.cli.streams import KeptProgress, run_stream, stream_settings
        from throughtime.service import load_model, warm_up

        names = columns.names()
        fitted = load_model(model, names)
        settings = stream_settings(fitted, ahead.horizon, ahead.level, flag, place.after)
        kept = KeptProgress(runtime.out.path, model, fitted, place.first_row, names)
        runtime.out.open()
        if kept.resumed is not None and not options.quiet:
            print(f"throughtime: going on after row {kept.resumed}", file=sys.stderr, flush=True)
        warm_up(fitted)
        summary = run_stream(kept, settings, place.first_row, place.every, runtime, as_json=options.json)
        runtime.result = {"model": str(model), **summary, "out": str(runtime.out.path)}
