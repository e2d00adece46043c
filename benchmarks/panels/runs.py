"""The run of one model on one set, in a separate process, measured from its start to its end."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import processes

from panels.scores import LEVELS, scores
from panels.sets import Set, fold_of

PEERS = Path(__file__).parents[1] / "peers"
TOLD = 2000  # characters of a failed process's output that are kept


class Model(NamedTuple):
    """A model: its title, its script in ``peers``, its name there, and its properties.

    Attributes:
        ours: True if it runs in this environment, not in the peers'.
        needs: modules of the peers' environment.
        random: True if the seed changes the result.
        folds: True if it learns from many series, so that one half can be forecast from the other.
    """

    title: str
    script: str
    name: str
    needs: tuple[str, ...] = ()
    ours: bool = False
    random: bool = True
    folds: bool = True


MODELS = {
    "throughtime": Model("throughtime", "throughtime_panel.py", "throughtime", ours=True),
    "instant": Model("throughtime, instant", "throughtime_panel.py", "instant", ours=True, random=False, folds=False),
    "best": Model("throughtime, best", "throughtime_panel.py", "best", ours=True),
    "fast": Model("throughtime, fast", "throughtime_panel.py", "fast", ours=True, random=False, folds=False),
    "lstm": Model("neuralforecast LSTM", "neuralforecast_panel.py", "LSTM", ("neuralforecast", "torch")),
    "gru": Model("neuralforecast GRU", "neuralforecast_panel.py", "GRU", ("neuralforecast", "torch")),
    "deepar": Model("neuralforecast DeepAR", "neuralforecast_panel.py", "DeepAR", ("neuralforecast", "torch")),
    "autoets": Model(
        "statsforecast AutoETS", "statsforecast_panel.py", "AutoETS", ("statsforecast",), random=False, folds=False
    ),
}


def run(given: Set, name: str, *, seed: int, peers_python: str, steps: int | None) -> dict[str, Any]:
    """Return the record of one entry: scores, seconds and memory, or the output of a failed process."""
    model = MODELS[name]
    record = {"set": given.name, "model": name, "seed": seed}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_task(given, folder)
        command = [sys.executable if model.ours else peers_python, str(PEERS / model.script), str(folder)]
        command += [f"--model={model.name}", f"--seed={seed}", *([] if steps is None else [f"--steps={steps}"])]
        cache = {"JAX_COMPILATION_CACHE_DIR": f"{folder}/cache"}  # empty: the time includes compilation
        ended = processes.timed(command, cache, folder / "log")
        record |= {"seconds": round(ended.seconds, 2), "cpu_seconds": round(ended.worked, 2)}
        record |= {"peak_mib": round(ended.peak / 2**20)}
        if ended.code:
            said = (folder / "log").read_text()[-TOLD:]
            return record | {"failure": f"exit code {ended.code}: {said.strip()}"}
        told = json.loads((folder / "told.json").read_text())
        try:
            found = scores(given, pl.read_parquet(folder / "forecasts.parquet"))
        except ValueError as error:
            return record | told | {"failure": str(error)}
    return record | told | {"scores": found}


def write_task(given: Set, folder: Path) -> None:
    """Write a model's input: the history without the truth, and the task; see ``peers/panel_task.py``."""
    ids = given.history["unique_id"].unique(maintain_order=True)
    parts = pl.DataFrame({"unique_id": ids, "fold": fold_of(ids, given.folds)})
    history = given.history.join(parts, on="unique_id", maintain_order="left")
    history.select("unique_id", "fold", "ds", "y").write_parquet(folder / "history.parquet")
    task = {
        "horizon": given.horizon,
        "season": given.season,
        "levels": list(LEVELS),
        "train": given.train,
        "validation": given.validation,
        "folds": given.folds,
    }
    (folder / "task.json").write_text(json.dumps(task))
