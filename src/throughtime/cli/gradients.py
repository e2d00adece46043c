"""``throughtime gradients``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from throughtime._errors import InputError
from throughtime.cli.options import ANY_RUN, CELLS, COLUMNS, Process, RunOptions, Seed, default
from throughtime.cli.runtime import running

if TYPE_CHECKING:
    from throughtime.data import Panel


@Parameter(name="*", group=Group("Cells", sort_key=0))
@dataclass(frozen=True)
class CellOptions:
    """The cells that are compared, each with random weights."""

    cell: Annotated[
        tuple[str, ...],
        Parameter(help=f"A recurrent cell; repeat it for more: {CELLS}."),
        default("elman, gru and lstm"),
    ] = ("elman", "gru", "lstm")
    activation: Annotated[tuple[str, ...], default("tanh and relu")] = ("tanh", "relu")
    """An Elman cell's activation; repeat it for more."""
    init: Annotated[tuple[str, ...], default("the cell's own")] = ()
    """The initial weights: glorot, orthogonal, identity, forget, chrono ...; repeat it for more."""
    length: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 100
    """Time steps."""
    hidden: Annotated[int, Parameter(validator=Number(gte=1, lte=4096))] = 32
    """Units."""


@Parameter(name="*", group=COLUMNS)
@dataclass(frozen=True)
class InputOptions:
    """The series that the cells read."""

    data: Annotated[Path | None, default("noise")] = None
    """CSV or Parquet: series to read."""
    id: str | None = None
    """The column that names the series."""
    time: str | None = None
    """The column of time stamps."""
    target: str | None = None
    """The column of values."""

    def panel(self) -> "Panel | None":
        """Return the file's panel; None for noise."""
        from throughtime.data import read_panel

        if self.data is None:
            return None
        return read_panel(self.data, id=self.id, time=self.time, target=self.target)


ANY_CELLS, ANY_INPUT = CellOptions(), InputOptions()


def gradients(
    *,
    cells: CellOptions = ANY_CELLS,
    compare: str | None = None,
    model: Path | None = None,
    series: InputOptions = ANY_INPUT,
    seed: Seed = 0,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """See what flows back through time: how fast gradients vanish in which cell, and why.

    Args:
        compare: 'remedies': all that helps, in one picture.
        model: A trained model's folder, in the place of cells.
    """
    with running("gradients", options, interrupts) as runtime:
        if compare not in (None, "remedies"):
            raise InputError(
                f"--compare is {compare!r}: expected 'remedies'",
                code="unknown-name",
                found=compare,
                expected="remedies",
            )
        from throughtime.cli.gradient_workflows import Choice, measure_cells, measure_model, measure_remedies

        panel, out = series.panel(), runtime.out
        out.open()
        choice = Choice(cells.cell, cells.activation, cells.init, cells.length, cells.hidden, seed)
        if model is not None:
            runtime.result = measure_model(out, model, choice, panel)
        elif compare is not None:
            runtime.result = measure_remedies(out, choice, panel)
        else:
            runtime.result = measure_cells(out, choice, panel)
        runtime.say(runtime.result["verdict"])
        runtime.say(f"Written to {runtime.out.path}: gradients.csv, gradients.png, verdict.txt")
        runtime.result |= {"out": str(runtime.out.path)}
