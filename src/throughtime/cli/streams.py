"""A stream from standard input to standard output, with checkpoints: what ``stream`` does.

An answer is printed before a checkpoint has its row, and no interrupt comes between a row's answers and its progress,
unless the reader of the answers has stalled. So after a kill at any moment, the rows since the last checkpoint are
answered again, with the same numbers.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughtime._errors import InputError
from throughtime.cli.interrupts import deferred
from throughtime.cli.runtime import Runtime
from throughtime.data import ColumnNames
from throughtime.forecasting import Fitted, as_levels, require_trained_horizon
from throughtime.service import (
    Progress,
    StreamSettings,
    Taken,
    follow,
    load_progress,
    model_digest,
    new_rows,
    read_lines,
    save_progress,
)

WHOLE = 512
"""The bytes that any pipe takes whole or not at all. A signal breaks off longer writes, and with ``PYTHONUNBUFFERED``,
as in many containers, Python does not write the rest."""


class KeptProgress:
    """The progress of a stream, of which a folder has a checkpoint.

    Attributes:
        now: the state after the last row that is answered.
        resumed: the number of the last row that an earlier run had; None if there was none.
    """

    def __init__(self, folder: Path, model: Path, fitted: Fitted, first: int, names: ColumnNames):
        """Read the checkpoint, or begin without one.

        Args:
            folder: of the checkpoint.
            model: the folder of the model.
            fitted: the model.
            first: the number of the input's first row.
            names: the columns that the user names.

        Raises:
            InputError: for a folder that holds something else, and for other columns than those of the checkpoint.
        """
        self._folder, self._digest = folder, model_digest(model)
        found = load_progress(folder, fitted, self._digest, names)
        self.resumed = None if found is None else found.rows
        self.now = found or Progress(fitted, first=first, rows=first - 1)
        self._saved = self.now.rows

    def save(self) -> None:
        """Write a checkpoint, unless it is there."""
        if self.now.rows > self._saved:
            save_progress(self._folder, self.now, self._digest)
            self._saved = self.now.rows

    def words(self) -> str:
        """Return the sentence for a person who interrupts."""
        if self._saved < self.now.first:
            return "Nothing was written."
        return f"The state after row {self._saved} is in {self._folder}: the same command goes on from there."


def stream_settings(
    fitted: Fitted, horizon: int | None, levels: Sequence[float], flag: float | None, after: int
) -> StreamSettings:
    """Return the settings of a stream, checked.

    Raises:
        InputError: for a number that cannot be used.
    """
    if flag is not None and not 0 < flag < 1:
        meant = f". Did you mean {flag / 100:g}?" if 1 < flag < 100 else ""
        raise InputError(
            f"--flag {flag:g}: expected a share of the values between 0 and 1, such as 0.999{meant}",
            code="impossible-share",
            column="flag",
            found=flag,
            expected=(0, 1),
        )
    return StreamSettings(require_trained_horizon(fitted, horizon), tuple(as_levels(levels)), flag, after)


def run_stream(
    kept: KeptProgress, settings: StreamSettings, first: int, every: int, runtime: Runtime, *, as_json: bool
) -> dict[str, Any]:
    """Answer the rows of standard input until it ends, and return the summary.

    Args:
        kept: the progress so far.
        settings: the content of the answers.
        first: the number of the input's first row.
        every: rows from one checkpoint to the next.
        runtime: the running command.
        as_json: report skipped rows as JSON.

    Raises:
        InputError: for an input that does not go on from the progress.
    """
    _require_answers(kept, settings.after)
    runtime.interrupts.kept = kept.words
    with runtime.interrupts.cleaning(kept.save):
        rows = new_rows(kept.now, read_lines(sys.stdin.buffer.readline, first), first)
        for taken in follow(kept.now, rows, settings):
            with deferred(late=runtime.interrupts.leave):
                _answer(taken, as_json=as_json)
                kept.now = taken.progress
                if kept.now.rows % every == 0:
                    kept.save()
    return {
        "rows": kept.now.rows,
        "skipped": kept.now.skipped,
        "resumed": kept.resumed,
        "series": len(kept.now.fitted.panel),
    }


def _require_answers(kept: KeptProgress, after: int) -> None:
    """Refuse to leave out answers: those of rows that the checkpoint has are not given again."""
    if 0 < after < (kept.resumed or 0):
        raise InputError(
            f"--after {after}: the checkpoint is of row {kept.resumed}, and rows {after + 1} to {kept.resumed} are not "
            "answered again. Give the whole input with another --out to have their answers",
            code="answers-missing",
            column="after",
            found=after,
            expected=kept.resumed,
        )


def _answer(taken: Taken, *, as_json: bool) -> None:
    """Print the answers of a row, and report a row that was skipped."""
    if taken.answers:
        text = "".join(f"{json.dumps(answer, allow_nan=False)}\n" for answer in taken.answers)
        for begin in range(0, len(text), WHOLE):
            sys.stdout.write(text[begin : begin + WHOLE])
        sys.stdout.flush()
    if taken.error is not None:
        message, number = str(taken.error), taken.progress.rows
        fields = {"row": number, "error": message, **taken.error.fields()}
        place = "" if taken.error.line is not None else f" row {number}"  # unless the message names it
        report = json.dumps(fields) if as_json else f"throughtime: skipped{place}: {message}"
        print(report, file=sys.stderr, flush=True)
