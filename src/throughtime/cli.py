"""The command line: parse, call, print."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from throughtime import __version__
from throughtime.errors import InputError

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
UNUSABLE = 2

app = typer.Typer(
    help="Recurrent neural networks for time series, from the cell up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Seed = Annotated[
    int, typer.Option(help="Makes every random number: the same seed gives the same numbers.", min=0, max=2**32 - 1)
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]


def _out(command: str) -> Any:
    return typer.Option(help="The folder to write to.", show_default=f"out/{command}")


def _print_version(wanted: bool) -> bool:
    if wanted:
        print(f"throughtime {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Recurrent neural networks for time series, from the cell up."""


@app.command()
def demo(
    steps: Annotated[int, typer.Option(help="Training steps.", min=1, max=10_000_000)] = 2000,
    cell: Annotated[str, typer.Option(help="The recurrent cell: elman, gru or lstm.")] = "elman",
    seed: Seed = 0,
    out: Annotated[Path, _out("demo")] = Path("out/demo"),
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw the pictures.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Watch an RNN of 100 units learn to predict sin(t) one step ahead: the sine wave, from data to gallery."""
    with _answering(as_json, quiet, kept=f"The last checkpoint is in {out / 'model'}; go on with --resume.") as answer:
        from throughtime import demo as notebook
        from throughtime.outputs import output_folder, staged
        from throughtime.training.progress import TrainingBar

        folder = output_folder(out)
        answer.console.print(f"An RNN learns sin(t): cell {cell}, {notebook.HIDDEN} units, {steps} steps, seed {seed}.")
        with TrainingBar(answer.console, loss="MSE") as bar:

            def report(learnt: Any) -> None:
                step, mse = learnt.mse[-1]
                answer.console.print(f"step {step:>6}   MSE {mse:.6f}")
                bar.show("training", step, steps, loss=mse, speed=step / learnt.seconds if learnt.seconds else 0.0)

            learnt = notebook.learn(
                steps=steps, cell=cell, seed=seed, folder=folder / "model", resume=resume, report=report
            )
        shutil.rmtree(folder / "gallery", ignore_errors=True)  # it may hold later steps of an earlier run
        with staged(folder) as stage:
            metrics = notebook.write_results(stage, learnt, seed, pictures=pictures)
        answer.console.print(
            f"Trained in {metrics['train_seconds']:.2f} s ({metrics['us_per_step']:.0f} us a step). Mean squared error "
            f"on the training instance: {metrics['test_mse']:.2e}.\n"
            f"Going on alone, each prediction fed back, it stays within {notebook.NEAR} of the curve for "
            f"{metrics['continuation_follows']} of {metrics['continuation_points']} points.\n"
            f"Written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}"
        )
        answer.result = metrics | {"out": str(folder)}


@app.command()
def forecast(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet: unique_id, ds, y; or a time and a value column.")],
    horizon: Annotated[int, typer.Option(help="How many steps ahead.")],
    season: Annotated[int | None, typer.Option(help="The period in steps; by default the frequency's own.")] = None,
    level: Annotated[list[float], typer.Option(help="Coverage of an interval in per cent; repeat it.")] = [80, 95],  # noqa: B006
    id_column: Annotated[str | None, typer.Option("--id", help="The column that names the series.")] = None,
    time_column: Annotated[str | None, typer.Option("--time", help="The column of time stamps.")] = None,
    target: Annotated[str | None, typer.Option(help="The column to forecast.")] = None,
    cell: Annotated[str, typer.Option(help="The recurrent cell: gru, lstm or elman.")] = "gru",
    steps: Annotated[int | None, typer.Option(help="Training steps; by default as the data asks.", min=1)] = None,
    seed: Seed = 0,
    out: Annotated[Path, _out("forecast")] = Path("out/forecast"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast every series of a file with one recurrent network, and say whether it beats seasonal naive."""
    with _answering(as_json, quiet, kept="Nothing was written.") as answer:
        from throughtime.forecasting.forecaster import Forecaster
        from throughtime.outputs import output_folder
        from throughtime.pipeline import Columns, forecast_file
        from throughtime.training.progress import TrainingBar

        model = Forecaster(horizon, season=season, cell=cell, steps=steps, seed=seed)
        say = answer.console.print
        with TrainingBar(answer.console, loss="pinball") as bar:

            def report(stage: str, progress: Any) -> None:
                loss, speed = float(progress.losses.mean()), len(progress.losses) / progress.seconds
                bar.show(stage, int(progress.state.step), progress.steps, loss=loss, speed=speed)

            answer.result = forecast_file(
                file,
                model,
                output_folder(out),
                columns=Columns(id_column, time_column, target),
                levels=level,
                say=say,
                report=report,
            )
        say(f"Written to {out}: forecasts.csv, report.html, model")


class _Answer:
    """Where a command's words go, and what ``--json`` prints in the end."""

    def __init__(self, as_json: bool, quiet: bool):
        self.console = Console(stderr=as_json, quiet=quiet, soft_wrap=True, markup=False, emoji=False, highlight=False)
        self.result: dict[str, Any] = {}


@contextmanager
def _answering(as_json: bool, quiet: bool, *, kept: str = "") -> Iterator[_Answer]:
    """Run a command: its result as JSON where asked, every failure as one message and an exit code."""
    answer = _Answer(as_json, quiet)
    try:
        from throughtime.settings import prepare_jax

        prepare_jax()
        yield answer
    except KeyboardInterrupt:
        _fail(as_json, f"interrupted. {kept}".strip(), INTERRUPTED)
    except InputError as error:
        _fail(as_json, str(error), UNUSABLE)
    except OSError as error:
        _fail(as_json, f"{error.filename or 'the file system'}: {error.strerror or error}", UNUSABLE)
    except MemoryError:
        _fail(as_json, "out of memory: the input is too large for this machine", UNUSABLE)
    if as_json:
        print(json.dumps(answer.result))


def _fail(as_json: bool, message: str, code: int) -> None:
    if as_json:
        print(json.dumps({"error": message}))
    print(f"throughtime: {message}", file=sys.stderr)
    raise typer.Exit(code)


def main() -> None:
    """The entry point of ``throughtime``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot write is no reason to stop
    app()
