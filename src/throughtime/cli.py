"""The command line: parse, call, print."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from throughtime import __version__, interrupts
from throughtime.errors import UNUSABLE, InputError, tell
from throughtime.outputs import is_filled, output_folder, remove_empty

BROKEN_PIPE = 1
CELLS = "elman, gru, lstm, mingru, minlstm, lru, slstm, lem or antisymmetric"  # to list them would load JAX
USAGE_ERROR: Any = typer.BadParameter.__base__  # Typer has it from click, or from a private copy

app = typer.Typer(
    help="Recurrent neural networks for time series, from the cell up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# What names the columns of a file, the same in every command that reads one.
Id = Annotated[str | None, typer.Option("--id", help="The column that names the series.")]
Time = Annotated[str | None, typer.Option("--time", help="The column of time stamps.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="The column to forecast; repeat it for more.")]
Static = Annotated[
    list[str] | None, typer.Option("--static", help="A covariate that is constant for each series; repeat it.")
]
Past = Annotated[list[str] | None, typer.Option("--past", help="A covariate known up to the present; repeat it.")]
Future = Annotated[list[str] | None, typer.Option("--future", help="A covariate known for the horizon too; repeat it.")]
FutureFile = Annotated[
    Path | None, typer.Option(help="Rows of the steps to forecast, where FILE has none for future covariates.")
]
Calendar = Annotated[bool, typer.Option("--calendar", help="Tell the network hour, weekday, month, as fits the data.")]

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
    cell: Annotated[str, typer.Option(help=f"The recurrent cell: {CELLS}.")] = "elman",
    seed: Seed = 0,
    out: Annotated[Path, _out("demo")] = Path("out/demo"),
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw the pictures.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Watch an RNN of 100 units learn to predict sin(t) one step ahead: the sine wave, from data to gallery."""

    def kept() -> str:
        if is_filled(out):
            return f"The results were already in {out}."
        if (out / "model" / "checkpoint.json").exists():
            return f"The last checkpoint is in {out / 'model'}; go on with --resume."
        return "There is no checkpoint yet."

    with _answering(as_json, quiet, kept) as answer:
        from throughtime import demo as notebook
        from throughtime.outputs import staged
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
        with staged(folder, former=notebook.PICTURES) as stage:
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
    id_column: Id = None,
    time_column: Time = None,
    target: Targets = None,
    static: Static = None,
    past: Past = None,
    future: Future = None,
    future_file: FutureFile = None,
    calendar: Calendar = False,
    cell: Annotated[str, typer.Option(help=f"The recurrent cell: {CELLS}.")] = "gru",
    steps: Annotated[int | None, typer.Option(help="Training steps; by default as the data asks.", min=1)] = None,
    seed: Seed = 0,
    out: Annotated[Path, _out("forecast")] = Path("out/forecast"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast every series of a file with one recurrent network, and say whether it beats seasonal naive."""

    def kept() -> str:
        return f"The results were already in {out}." if is_filled(out) else "Nothing was written."

    with _answering(as_json, quiet, kept) as answer:
        from throughtime.forecasting.forecaster import Forecaster
        from throughtime.pipeline import Columns, forecast_file
        from throughtime.training.progress import TrainingBar

        model = Forecaster(horizon, season=season, cell=cell, steps=steps, seed=seed, calendar=calendar)
        say = answer.console.print
        with TrainingBar(answer.console, loss="pinball") as bar:

            def report(stage: str, progress: Any) -> None:
                loss, speed = float(progress.losses.mean()), len(progress.losses) / progress.seconds
                bar.show(stage, int(progress.state.step), progress.steps, loss=loss, speed=speed)

            answer.result = forecast_file(
                file,
                model,
                output_folder(out),
                columns=Columns(id_column, time_column, target, static or (), past or (), future or ()),
                future_file=future_file,
                levels=level,
                say=say,
                report=report,
            )
        say(f"Written to {out}: forecasts.csv, report.html, model")


@app.command()
def gradients(
    cell: Annotated[list[str], typer.Option(help=f"A recurrent cell; repeat it: {CELLS}.")] = ["elman", "gru", "lstm"],  # noqa: B006
    activation: Annotated[list[str], typer.Option(help="An Elman cell's activation; repeat it.")] = ["tanh", "relu"],  # noqa: B006
    init: Annotated[
        list[str] | None,
        typer.Option(help="How weights start: glorot, orthogonal, identity, forget, chrono ...; repeat it."),
    ] = None,
    compare: Annotated[str | None, typer.Option(help="'remedies': all that helps, in one picture.")] = None,
    length: Annotated[int, typer.Option(help="Time steps.", min=1, max=10_000)] = 100,
    hidden: Annotated[int, typer.Option(help="Units.", min=1, max=4096)] = 32,
    model: Annotated[Path | None, typer.Option(help="A trained model's folder, in the place of cells.")] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet: series to read instead of noise.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="The column that names the series.")] = None,
    time_column: Annotated[str | None, typer.Option("--time", help="The column of time stamps.")] = None,
    target: Annotated[str | None, typer.Option(help="The column of values.")] = None,
    seed: Seed = 0,
    out: Annotated[Path, _out("gradients")] = Path("out/gradients"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """See what flows back through time: how fast gradients vanish in which cell, and why."""

    def kept() -> str:
        return f"The results were already in {out}." if is_filled(out) else "Nothing was written."

    with _answering(as_json, quiet, kept) as answer:
        from throughtime.data.readers import read_panel
        from throughtime.gradients import command

        if compare not in (None, "remedies"):
            raise InputError(f"--compare is {compare!r}: expected 'remedies'")
        panel = None if data is None else read_panel(data, id=id_column, time=time_column, target=target)
        folder, choice = output_folder(out), command.Choice(cell, activation, init or [], length, hidden, seed)
        if model is not None:
            answer.result = command.measure_model(folder, model, choice, panel)
        elif compare is not None:
            answer.result = command.measure_remedies(folder, choice, panel)
        else:
            answer.result = command.measure_cells(folder, choice, panel)
        answer.console.print(answer.result["verdict"])
        answer.console.print(f"Written to {out}: gradients.csv, gradients.png, verdict.txt")
        answer.result |= {"out": str(out)}


class _Answer:
    """Where a command's words go, and what ``--json`` prints in the end."""

    def __init__(self, as_json: bool, quiet: bool):
        self.console = Console(stderr=as_json, quiet=quiet, soft_wrap=True, markup=False, emoji=False, highlight=False)
        self.result: dict[str, Any] = {}


@contextmanager
def _answering(as_json: bool, quiet: bool, kept: Callable[[], str]) -> Iterator[_Answer]:
    """Run a command: its result as JSON where asked, every failure as one message and an exit code.

    ``kept`` says what there is when it is interrupted.
    """
    answer = _Answer(as_json, quiet)
    try:
        with interrupts.saying(kept), interrupts.cleaning(remove_empty):
            from throughtime.settings import prepare_jax, prepare_matplotlib

            prepare_jax()
            prepare_matplotlib()
            yield answer
            interrupts.answered()
            if as_json:
                _print_json(answer.result)
    except Exception as error:
        raise typer.Exit(_tell(error, as_json)) from None


def _print_json(result: dict[str, Any]) -> None:
    try:
        print(json.dumps(result), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def _tell(error: Exception, as_json: bool) -> int:
    """One message for what went wrong, and the exit code; what is no user's affair is raised again."""
    interrupts.answered()
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE  # whoever reads has had enough
    elif isinstance(error, InputError):
        message, code = str(error), UNUSABLE
    elif isinstance(error, OSError):
        message, code = f"{error.filename or 'the file system'}: {error.strerror or error}", UNUSABLE
    elif isinstance(error, MemoryError):
        message, code = "out of memory: the input is too large for this machine", UNUSABLE
    elif isinstance(error, USAGE_ERROR):
        message, code = (
            f"{error.format_message() or 'expected a command'}: see {error.ctx.command_path} --help",
            UNUSABLE,
        )
    else:
        raise error
    tell(message, as_json=as_json)
    return code


def main() -> None:
    """Parse the arguments of this process, run the command, and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot write is no reason to stop
    try:
        code = app(prog_name="throughtime", standalone_mode=False) or 0
        sys.stdout.flush()
    except Exception as error:
        code = _tell(error, "--json" in sys.argv)
    try:
        sys.stdout.flush()
    except OSError:  # told already; Python would do so again on leaving
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
