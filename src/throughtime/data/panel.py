"""Many series of different lengths on one kind of time axis, as flat arrays."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.arrange import arrange
from throughtime.data.columns import ColumnNames
from throughtime.data.covariates import Covariates
from throughtime.data.frames import from_native
from throughtime.data.frequency import Frequency
from throughtime.data.source import Source


@dataclass(frozen=True, eq=False)
class Panel:
    """N series, each a regular grid of time steps with NaN where no value is known.

    Attributes:
        ids: the names of the series, (N,).
        values: the values of all series, one series after the other, float64.
        offsets: where each series begins in ``values`` and the last one ends, (N + 1,).
        starts: the ordinal of the first step of each series, (N,); the next step is ``frequency.multiple`` later.
        frequency: the time axis.
        notes: sentences for the user: what was found, and what was done about it.
        covariates: what is known beside the values; on a grid of its own, which cutting the panel leaves as it is.
    """

    ids: NDArray
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...] = ()
    covariates: Covariates | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        id: str | None = None,
        time: str | None = None,
        target: str | Sequence[str] | None = None,
        static: str | Sequence[str] = (),
        past: str | Sequence[str] = (),
        future: str | Sequence[str] = (),
    ) -> "Panel":
        """The panel of a long dataframe: one row for each series and time, in any order.

        Args:
            frame: a dataframe of pandas, polars, pyarrow or another library that narwhals knows; of a lazy one only the
                needed columns are read.
            id: the column that names the series; "unique_id" by default, and without it the frame is one series.
            time: the column of time stamps; by default "ds", else the only one that holds dates.
            target: the column of values; by default "y", else the only other column of numbers. Several columns make
                as many series: "west/sold" and "west/left", or "sold" and "left" where there is no id.
            static: covariates that are constant for each series.
            past: covariates that are known up to the present.
            future: covariates that are known for the horizon too: in rows after a series' last value.

        Raises:
            InputError: where the frame cannot be used; the message names the row and the column.
        """
        named = ColumnNames(id, time, target, static, past, future)
        return cls(*arrange(from_native(frame), Source("the frame"), named))

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The time steps of each series, missing values included, (N,)."""
        return np.diff(self.offsets)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of each value's time step in its series, from 0, (P,)."""
        return np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths)

    def series(self, i: int) -> NDArray[np.float64]:
        """The values of series ``i``, a view."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def times(self, i: int) -> NDArray:
        """The time stamps of series ``i``; in UTC where the frequency has a zone."""
        return self.frequency.times(self.starts[i] + self.frequency.multiple * np.arange(self.lengths[i]))

    def future(self, horizon: int) -> tuple[NDArray, NDArray]:
        """The ids and time stamps of the ``horizon`` steps that follow each series, (N * horizon,) each."""
        ends = self.starts + self.frequency.multiple * self.lengths
        steps = ends[:, None] + self.frequency.multiple * np.arange(horizon)
        return np.repeat(self.ids, horizon), self.frequency.times(steps.ravel())

    def after(self, rows: NDArray[np.int64], cutoffs: NDArray[np.int64], horizon: int) -> NDArray[np.float64]:
        """The F values that follow the first ``cutoffs`` (R,) steps of the series ``rows`` (R,), (R, F)."""
        return self.values[(self.offsets[rows] + cutoffs)[:, None] + np.arange(horizon)]

    def between(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> "Panel":
        """The panel with the steps from ``starts`` (N,) to before ``ends`` (N,) of each series."""
        steps = self.steps
        kept = (steps >= np.repeat(starts, self.lengths)) & (steps < np.repeat(ends, self.lengths))
        return replace(
            self,
            values=self.values[kept],
            offsets=np.append(0, np.cumsum(ends - starts)),
            starts=self.starts + self.frequency.multiple * starts,
        )

    def cut(self, steps: int) -> "Panel":
        """The panel as it was ``steps`` steps before the end of each series: ``future(steps)`` is what was cut off.

        A series that is not longer than that is left with no values.

        Raises:
            InputError: for a negative number of steps.
        """
        if steps < 0:
            raise InputError(f"cannot cut {steps} steps off a panel, expected 0 or more")
        known = self.between(np.zeros_like(self.lengths), np.maximum(self.lengths - steps, 0))
        before = np.minimum(self.lengths - steps, 0)  # a short series would have begun later than it now ends
        return replace(known, starts=self.starts + self.frequency.multiple * before)


DIGITS = 16


def fingerprint(panel: Panel) -> str:
    """Sixteen hexadecimal digits of all that a forecast may hang on: names, time axes, values, covariates."""
    digest = hashlib.sha256()
    for part in _parts(panel):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:DIGITS]


def _parts(panel: Panel) -> Iterator[bytes]:
    yield repr((panel.ids.tolist(), astuple(panel.frequency))).encode()
    yield from (array.tobytes() for array in (panel.values, panel.offsets, panel.starts))
    if (given := panel.covariates) is not None:
        yield from (array.tobytes() for array in (given.starts, given.offsets, given.has_row))
        for role in ("static", "past", "future"):
            for column in getattr(given, role):
                yield repr((role, column.name, column.categories)).encode()
                yield column.values.tobytes()
