"""``throughtime tune``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from throughtime.cli.answer import answering
from throughtime.cli.options import (
    CELLS,
    Future,
    IdColumn,
    Json,
    Past,
    Quiet,
    Season,
    Seed,
    SeriesFile,
    Static,
    Steps,
    Targets,
    TimeColumn,
    named_columns,
    out_option,
)
from throughtime.cli.outputs import output_folder


def tune(
    context: typer.Context,
    file: SeriesFile,
    horizon: Annotated[int, typer.Option(help="How many steps ahead.")],
    trials: Annotated[int, typer.Option(help="How many in all, those of an earlier run included.")] = 20,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no more is tried.")] = None,
    windows: Annotated[
        int | None, typer.Option(help="Horizons at the end that are forecast; by default up to 3.")
    ] = None,
    hold_back: Annotated[int, typer.Option(help="Steps at the end that the search must not see.")] = 0,
    season: Season = None,
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    target: Targets = None,
    static: Static = None,
    past: Past = None,
    future: Future = None,
    calendar: Annotated[bool | None, typer.Option("--calendar/--no-calendar", help="Not searched then.")] = None,
    head: Annotated[str | None, typer.Option(help="Not searched then: quantiles, normal, student_t ...")] = None,
    cell: Annotated[str | None, typer.Option(help=f"Not searched then: {CELLS}.")] = None,
    steps: Steps = None,
    seed: Seed = 0,
    out: Annotated[Path, out_option("tune")] = Path("out/tune"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Search for the settings that forecast the last windows of a file best. Run again, it goes on."""
    with answering(as_json, quiet, _kept(out)) as answer:
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.data import read_panel
        from throughtime.forecasting import tune as search

        given = {"season": season, "calendar": calendar, "head": head, "cell": cell, "steps": steps}
        panel = read_panel(file, **named_columns(context)._asdict())
        say = answer.console.print
        for note in panel.notes:
            say(note)
        with TrainingBar(answer.console, loss="pinball") as bar:
            found = search(
                panel,
                horizon,
                out=output_folder(out),
                trials=trials,
                timeout=timeout,
                windows=windows,
                hold_back=hold_back,
                seed=seed,
                say=say,
                count=lambda done, total: bar.count("tuning", done, total, unit="window"),
                **{name: value for name, value in given.items() if value is not None},
            )
        say(found.words)
        say(f"Written to {out}: study.db, trials.csv, best.json")
        say(f"Use it: throughtime forecast {file} --horizon {horizon} --settings {out / 'best.json'}")
        answer.result = {
            "file": str(file),
            "series": len(panel),
            "horizon": horizon,
            "trials": len(found.trials),
            "states": dict(found.trials["state"].value_counts().sort("state").iter_rows()),
            "loss": found.loss,
            "default_loss": found.default_loss,
            "arguments": found.arguments,
            "verdict": found.words,
            "out": str(out),
        }


def _kept(out: Path) -> Callable[[], str]:
    """What there is when tuning is interrupted."""
    study = out / "study.db"
    return lambda: (
        f"{study} has all trials that came to an end: the same command goes on from there."
        if study.exists()
        else "Nothing was written."
    )
