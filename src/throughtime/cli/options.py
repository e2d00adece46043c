"""The options that commands share: one dataclass a concern, flattened into the command's own options."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from throughtime.cli.interrupts import Interrupts

if TYPE_CHECKING:
    from throughtime.data import ColumnNames
    from throughtime.partitions import Engine

# To list the cells would load JAX.
CELLS = "elman, gru, reset_first_gru, lstm, mingru, minlstm, lru, slstm, lem or antisymmetric"
HEADS = "quantiles, normal, student_t, or negative_binomial for counts"
PRESETS = "instant, fast, balanced or best"

COLUMNS = Group("Columns", sort_key=1)
NETWORK = Group("Network", sort_key=2)
FOLDER = Group("Folder", sort_key=3)
RUN = Group("Run", sort_key=4)

Flag = Parameter(negative=(), show_default=False)
Repeated = Parameter(show_default=False)
Process = Annotated[Interrupts, Parameter(parse=False)]
"""The process's handling of Ctrl-C, which no word of the command line names."""
SEED = Parameter(
    validator=Number(gte=0, lte=2**32 - 1), help="Makes every random number: the same seed gives the same numbers."
)
Seed = Annotated[int, Parameter(group=RUN), SEED]


def default(text: str) -> Parameter:
    """Show ``text`` as the default of an option whose value is decided later."""
    return Parameter(show_default=lambda _: text)


@Parameter(name="*", group=COLUMNS)
@dataclass(frozen=True)
class SeriesOptions:
    """The names of the columns of series."""

    id: str | None = None
    """The column that names the series."""
    time: str | None = None
    """The column of time stamps."""
    target: Annotated[tuple[str, ...], Repeated] = ()
    """The column of values; repeat it for more."""
    wide: Annotated[bool, Flag] = False
    """Take every column of numbers, each as a series."""

    def names(self) -> "ColumnNames":
        """Return the names for the library."""
        from throughtime.data import ColumnNames

        return ColumnNames(self.id, self.time, self._targets())

    def _targets(self) -> str | tuple[str, ...] | None:
        """Return the target, several, or None if the user typed none."""
        from throughtime._errors import InputError
        from throughtime.data import ALL

        if self.wide and self.target:
            raise InputError(
                "--wide takes every column of numbers: leave out --target", code="target-and-wide", found=self.target
            )
        return ALL if self.wide else self.target or None


@Parameter(name="*", group=COLUMNS)
@dataclass(frozen=True)
class ColumnOptions(SeriesOptions):
    """The names of the columns of series and covariates."""

    static: Annotated[tuple[str, ...], Repeated] = ()
    """A covariate that is constant for each series; repeat it for more."""
    past: Annotated[tuple[str, ...], Repeated] = ()
    """A covariate known up to the present; repeat it for more."""
    future: Annotated[tuple[str, ...], Repeated] = ()
    """A covariate known for the horizon too; repeat it for more."""

    def names(self) -> "ColumnNames":
        """Return the names for the library."""
        from throughtime.data import ColumnNames

        return ColumnNames(self.id, self.time, self._targets(), self.static, self.past, self.future)


@Parameter(name="*")
@dataclass(frozen=True)
class HorizonOptions:
    """The steps to forecast."""

    horizon: int
    """How many steps ahead."""
    level: Annotated[tuple[float, ...], default("80 and 95")] = (80.0, 95.0)
    """Coverage of an interval in per cent; repeat it for more."""


@Parameter(name="*")
@dataclass(frozen=True)
class AheadOptions:
    """The steps that a saved model forecasts."""

    horizon: Annotated[int | None, default("that of the model")] = None
    """How many steps ahead, at most those of the model."""
    level: Annotated[tuple[float, ...], default("80 and 95")] = (80.0, 95.0)
    """Coverage of an interval in per cent; repeat it for more."""


@Parameter(name="*", group=NETWORK)
@dataclass(frozen=True)
class NetworkOptions:
    """Arguments of a Forecaster; None if the user typed nothing."""

    season: Annotated[int | None, default("the frequency's own")] = None
    """The period in steps."""
    calendar: Annotated[bool | None, default("no-calendar")] = None
    """Tell the network hour, weekday, month, as fits the data."""
    cell: Annotated[str | None, default("gru"), Parameter(help=f"The recurrent cell: {CELLS}.")] = None
    head: Annotated[str | None, default("quantiles"), Parameter(help=f"The distribution: {HEADS}.")] = None
    steps: Annotated[int | None, Parameter(validator=Number(gte=1)), default("as the data asks")] = None
    """Training steps."""
    seed: Annotated[int | None, SEED, default("0")] = None

    def typed(self) -> dict[str, Any]:
        """Return the arguments that the user typed."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@Parameter(name="*", group=NETWORK)
@dataclass(frozen=True)
class ModelOptions(NetworkOptions):
    """Arguments of a Forecaster, some of them from a file."""

    preset: Annotated[str | None, default("balanced"), Parameter(help=f"The effort: {PRESETS}.")] = None
    devices: Annotated[int | None, Parameter(validator=Number(gte=1)), default("1")] = None
    """How many devices split each batch in training."""
    settings: Path | None = None
    """Arguments that tuning found: its best.json. Options typed here take precedence."""

    def arguments(self, horizon: int) -> dict[str, Any]:
        """Return the arguments for this horizon: those typed, else those of the settings' file.

        Raises:
            InputError: for a settings' file that cannot be used.
        """
        from throughtime.cli.settings_file import read_settings

        typed = self.typed()
        path = typed.pop("settings", None)
        saved = {} if path is None else read_settings(path, horizon=horizon)
        return {"horizon": horizon, **saved, **typed}


@Parameter(name="*", group=FOLDER)
@dataclass(frozen=True)
class FolderOptions:
    """The engine for the partitions of a folder, and the memory of a fit; None if the user typed nothing."""

    engine: Annotated[str | None, default("process")] = None
    """Where partitions are forecast: process (here, one by one) or ray."""
    address: Annotated[str | None, Repeated] = None
    """Of a Ray cluster, such as auto; without it, ray uses this machine."""
    workers: Annotated[int | None, Parameter(validator=Number(gte=1)), default("all cores")] = None
    """How many partitions ray forecasts at a time on this machine."""
    memory: Annotated[int | None, Parameter(validator=Number(gte=1)), default("half of this machine's")] = None
    """The most memory of the fit, in MiB."""

    def build(self) -> "Engine":
        """Return the engine.

        Raises:
            InputError: for an unknown one, and for options of Ray without it.
        """
        from throughtime._errors import InputError
        from throughtime.partitions import RayEngine, engine_of

        if self.engine == "ray":
            return RayEngine(self.address, self.workers)
        if self.address is not None or self.workers is not None:
            raise InputError("--address and --workers are for --engine ray", code="option-of-ray", expected="ray")
        return engine_of(self.engine or "process")

    def require_folder(self, file: Path) -> None:
        """Refuse these options for a file.

        Raises:
            InputError: if the user typed one of them.
        """
        from throughtime._errors import InputError

        typed = [f"--{field.name}" for field in fields(self) if getattr(self, field.name) is not None]
        if typed:
            raise InputError(
                f"{file} is no folder: {', '.join(typed)} are for a folder of Parquet files",
                code="option-of-folder",
                file=file,
                found=typed,
                expected="a folder of Parquet files",
            )


@Parameter(name="*", group=RUN)
@dataclass(frozen=True)
class RunOptions:
    """Options of a run: output folder and printing."""

    out: Annotated[Path | None, default("out/<command>")] = None
    """The folder to write to."""
    quiet: Annotated[bool, Flag] = False
    """Print nothing but errors."""
    json: Annotated[bool, Flag] = False
    """Print one JSON object on standard output and nothing else there."""


@Parameter(name="*", group=RUN)
@dataclass(frozen=True)
class ReportOptions(RunOptions):
    """Options of a run that writes ``report.html``."""

    open: Annotated[bool, Flag] = False
    """Open the report in the browser."""

    def show(self, folder: Path) -> None:
        """Open the report in a folder, if that was asked for."""
        if self.open:
            import webbrowser

            webbrowser.open((folder / "report.html").resolve().as_uri())


ANY_SERIES, ANY_COLUMNS, ANY_RUN, ANY_REPORT = SeriesOptions(), ColumnOptions(), RunOptions(), ReportOptions()
ANY_NETWORK, ANY_MODEL, ANY_AHEAD, ANY_FOLDER = NetworkOptions(), ModelOptions(), AheadOptions(), FolderOptions()
"""The defaults: nothing typed."""
