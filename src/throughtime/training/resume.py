"""Checkpoints of a run, by time; the same call continues from them, bit for bit."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from throughtime._arguments import plain, real_number
from throughtime._errors import InputError
from throughtime._types import Real
from throughtime.training import checkpoint
from throughtime.training.callbacks import Memory
from throughtime.training.history import Ended
from throughtime.training.step import TrainState
from throughtime.training.watch import Record

KIND = "run"


class Checkpoints:
    """Checkpoints of a run in a folder, among the callbacks of :func:`throughtime.train`.

    The same call of ``train`` continues from the folder, and gives the same bits as a run that was never interrupted:
    weights, losses, validation and records. A run that is complete returns its history at once; with more ``steps`` it
    goes on. The last checkpoint is written when the run ends, also by Ctrl-C or an error.

    A checkpoint needs a moment at which every callback has just been called: with ``every=100`` for all, each 100
    steps. Batches of an iterator that were used before are taken from it once more, and skipped; batches with a method
    ``starting_at(step)`` begin where the run goes on.

    Attributes:
        folder: where the checkpoint is; it is made if it does not exist.
        seconds: the time from checkpoint to checkpoint.
    """

    folder: Path
    seconds: float

    def __init__(self, folder: str | Path, seconds: Real = 10.0):
        """Name the folder; nothing is read or written yet."""
        self.folder, self.seconds = Path(folder), real_number("seconds", seconds)


class Snapshot(NamedTuple):
    """A run at one moment.

    Attributes:
        state: the state of the training.
        losses: of all steps so far.
        records: of a watch.
        seconds: that the steps took.
        compile_seconds: that compiling took.
        ended: why the run ended, "steps" if it has not.
        memories: of the callbacks, in their order.
    """

    state: TrainState
    losses: np.ndarray
    records: list[Record]
    seconds: float
    compile_seconds: float
    ended: Ended
    memories: Sequence[Memory]


class Keeper:
    """The checkpoints of one run."""

    def __init__(self, settings: Checkpoints, description: dict[str, str], steps: int):
        """Keep a run of ``steps`` steps with this description."""
        self._settings, self._description, self._steps = settings, description, steps
        self._written_at = time.monotonic()
        self._unwritten: Snapshot | None = None

    def read(self, first: TrainState) -> Snapshot | None:
        """Return the run in the folder; None if there is none.

        Args:
            first: the state before the first step, which has the structure of the saved ones.

        Raises:
            InputError: if the folder holds another run, or one of more steps.
        """
        folder = self._settings.folder
        if not (folder / checkpoint.HEADER).exists():
            return None
        saved = checkpoint.load(folder)
        self._require_same(saved)
        values = saved.config
        models = [
            checkpoint.restore(saved.arrays, lambda: first.model, f"model{place}") if has_model else None
            for place, (_, has_model) in enumerate(values["memories"])
        ]
        return Snapshot(
            checkpoint.restore(saved.arrays, lambda: first, "training"),
            saved.arrays["run.losses"],
            [_record(record) for record in values["records"]],
            values["seconds"],
            values["compile_seconds"],
            values["ended"],
            [Memory(memory, model) for (memory, _), model in zip(values["memories"], models, strict=True)],
        )

    def _require_same(self, saved: checkpoint.Checkpoint) -> None:
        """Refuse another run."""
        folder, found = self._settings.folder, saved.config.get("description", {})
        others = [name for name, digest in self._description.items() if found.get(name) != digest]
        if saved.kind != KIND or others:
            raise InputError(
                f"{folder} holds another run, with another {', another '.join(others) or 'kind'}: expected the run of "
                "the same call; choose another folder, or delete this one",
                code="another-run",
                file=folder,
                found=others or saved.kind,
            )
        if (steps := len(saved.arrays["run.losses"])) > self._steps:
            raise InputError(
                f"{folder} holds a run of {steps} steps: expected at most {self._steps}, the steps of this call",
                code="more-steps",
                file=folder,
                found=steps,
                expected=f"at most {self._steps}",
            )

    def keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, and write it if the last one was written long enough ago."""
        self._unwritten = snapshot
        if time.monotonic() - self._written_at >= self._settings.seconds:
            self._write(snapshot)

    def close(self) -> None:
        """Write the last snapshot."""
        if self._unwritten is not None:
            self._write(self._unwritten)

    def _write(self, snapshot: Snapshot) -> None:
        models = {f"model{place}": memory.model for place, memory in enumerate(snapshot.memories)}
        config = {
            "description": self._description,
            "records": [plain(record._asdict()) for record in snapshot.records],
            "seconds": snapshot.seconds,
            "compile_seconds": snapshot.compile_seconds,
            "ended": snapshot.ended,
            "memories": [(memory.values, memory.model is not None) for memory in snapshot.memories],
        }
        trees = {"training": snapshot.state, "run": {"losses": snapshot.losses}} | models
        checkpoint.save(self._settings.folder, KIND, config, trees)
        self._written_at, self._unwritten = time.monotonic(), None


def _record(saved: dict[str, Any]) -> Record:
    return Record(**(saved | {"gradient_by_lag": np.array(saved["gradient_by_lag"], np.float32)}))
