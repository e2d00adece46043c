"""``throughtime gradients``."""

from pathlib import Path
from typing import Annotated

import typer

from throughtime._errors import InputError
from throughtime.cli.answer import all_or_nothing, answering
from throughtime.cli.options import CELLS, IdColumn, Json, Quiet, Seed, TimeColumn, out_option
from throughtime.cli.outputs import output_folder


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
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    target: Annotated[str | None, typer.Option(help="The column of values.")] = None,
    seed: Seed = 0,
    out: Annotated[Path, out_option("gradients")] = Path("out/gradients"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """See what flows back through time: how fast gradients vanish in which cell, and why."""
    with answering(as_json, quiet, all_or_nothing(out)) as answer:
        from throughtime.cli import gradient_workflows as command
        from throughtime.data import read_panel

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
