"""``throughtime demo``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from throughtime.cli.answer import answering
from throughtime.cli.options import Cell, Json, Quiet, Seed, out_option
from throughtime.cli.outputs import is_filled, output_folder


def demo(
    steps: Annotated[int, typer.Option(help="Training steps.", min=1, max=10_000_000)] = 2000,
    cell: Cell = "elman",
    seed: Seed = 0,
    out: Annotated[Path, out_option("demo")] = Path("out/demo"),
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

    with answering(as_json, quiet, kept) as answer:
        from throughtime.cli import sine_wave as notebook
        from throughtime.cli.outputs import staged
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.kernels import available

        folder = output_folder(out)
        answer.console.print(f"An RNN learns sin(t): cell {cell}, {notebook.HIDDEN} units, {steps} steps, seed {seed}.")
        if not (kernels := available()):
            answer.console.print(f"Without native kernels, which only takes longer: {kernels.why}.")
        with TrainingBar(answer.console, loss="MSE") as bar:

            def report(learned: Any) -> None:
                step, mse = learned.mse[-1]
                answer.console.print(f"step {step:>6}   MSE {mse:.6f}")
                bar.show("training", step, steps, loss=mse, speed=step / learned.seconds if learned.seconds else 0.0)

            learned = notebook.learn(
                steps=steps, cell=cell, seed=seed, folder=folder / "model", resume=resume, report=report
            )
        with staged(folder, former=notebook.PICTURES) as stage:
            metrics = notebook.write_results(stage, learned, seed, pictures=pictures)
        answer.console.print(
            f"Trained in {metrics['train_seconds']:.2f} s ({metrics['us_per_step']:.0f} us a step). Mean squared error "
            f"on the training instance: {metrics['test_mse']:.2e}.\n"
            f"Going on alone, each prediction fed back, it stays within {notebook.NEAR} of the curve for "
            f"{metrics['continuation_follows']} of {metrics['continuation_points']} points.\n"
            f"Written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}"
        )
        answer.result = metrics | {"out": str(folder)}
