"""``throughtime stream``."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime.cli.options import ANY_RUN, ANY_SERIES, Process, RunOptions, SeriesOptions, default
from throughtime.cli.runtime import running

Count = Parameter(validator=Number(gte=1))


def stream(
    model: Path,
    /,
    *,
    horizon: Annotated[int | None, default("that of the model")] = None,
    level: Annotated[tuple[float, ...], default("80 and 95")] = (80.0, 95.0),
    flag: Annotated[float | None, default("no values are judged")] = None,
    every: Annotated[int, Count] = 1000,
    first_row: Annotated[int, Count] = 1,
    after: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    columns: SeriesOptions = ANY_SERIES,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Forecast each series again whenever a row of it comes: rows on standard input, forecasts on standard output.

    Rows are CSV below the names of the columns, or a JSON object a line. Rows that cannot be used are reported on
    standard error, and skipped. Run again with the same input, a stream goes on from its last checkpoint.

    Example: tail -n +1 -f rows.csv | throughtime stream out/forecast/model --flag 0.999

    Args:
        model: The folder of a saved forecaster; it is only read.
        horizon: How many steps ahead, at most those of the model.
        level: Coverage of an interval in per cent; repeat it for more.
        flag: Flag values outside of the interval that should hold this share of them, such as 0.999.
        every: Rows from one checkpoint to the next.
        first_row: The number of the input's first row, if rows before it are left out.
        after: Print no forecasts of rows up to this number: you have them already.
    """
    with running("stream", options, interrupts) as runtime, interrupts.terminable():
        from throughtime.cli.streams import KeptProgress, run_stream, stream_settings
        from throughtime.service import load_model, warm_up

        fitted = load_model(model, asdict(columns.names()))
        settings = stream_settings(fitted, horizon, level, flag, after)
        kept = KeptProgress(runtime.out.path, model, fitted, first_row)
        runtime.out.open()
        if kept.resumed is not None and not options.quiet:
            print(f"throughtime: going on after row {kept.resumed}", file=sys.stderr, flush=True)
        warm_up(fitted)
        summary = run_stream(kept, settings, first_row, every, runtime, as_json=options.json)
        runtime.result = {"model": str(model), **summary, "out": str(runtime.out.path)}
