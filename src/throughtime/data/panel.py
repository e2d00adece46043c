"""Many series of different lengths on one kind of time axis, as flat arrays."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.arrange import arrange
from throughtime.data.columns import COVARIATES, ColumnNames
from throughtime.data.covariates import Covariates, pieces
from throughtime.data.findings import explain
from throughtime.data.former import Former
from throughtime.data.frames import from_native
from throughtime.data.frequency import Frequency
from throughtime.data.source import Source

UNKNOWN = ColumnNames()


@dataclass(frozen=True, eq=False)
class Panel:
    """N series, P values in all, each a regular grid of time steps with NaN where no value is known.

    Attributes:
        ids: the names of the series, (N,).
        values: the values of all series, one series after the other, float64, (P,).
        offsets: the position in ``values`` at which each series begins and the last one ends, (N + 1,).
        starts: the ordinal of the first step of each series, (N,); the next step is ``frequency.multiple`` later.
        frequency: the time axis.
        notes: sentences for the user: the findings about the data, and the repairs.
        covariates: the covariates, on a grid that may be longer; cutting the panel leaves them as they are.
        form: how the time stamps were read, for tables that continue them; None if their type said so.
        names: the columns of series, times and values that it was read from, as far as they are known.
    """

    ids: NDArray
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...] = ()
    covariates: Covariates | None = None
    form: str | None = None
    names: ColumnNames = UNKNOWN

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
        """Read a long dataframe: one row for each series and time, in any order.

        Args:
            frame: a dataframe of pandas, polars, pyarrow or another library that narwhals knows; of a lazy one only the
                needed columns are read.
            id: this and the others name columns, see :class:`~throughtime.data.ColumnNames`.
            time: the time stamps.
            target: the values to forecast.
            static: covariates that are constant for each series.
            past: covariates that are known up to the present.
            future: covariates that are known for the horizon too.

        Raises:
            InputError: if the frame cannot be used; it names the row and the column.
        """
        names = ColumnNames(id, time, target, static, past, future)
        return cls.from_table(from_native(frame), Source("the frame"), names)

    @classmethod
    def from_table(
        cls,
        table: nw.DataFrame | nw.LazyFrame,
        source: Source,
        names: ColumnNames,
        former: Former | None = None,
        *,
        is_part: bool = False,
    ) -> "Panel":
        """Read a long table; see :meth:`from_frame`.

        Args:
            table: one row for each series and time.
            source: names the table in messages.
            names: the columns that the user names.
            former: of the panel whose frequency, and whose kinds of covariates, the table must have.
            is_part: True for a part of a table, which may have no value, and so no series.
        """
        arranged = arrange(table, source, names, former, is_part=is_part)
        ids, values, offsets, starts, frequency, findings, covariates, form = arranged
        notes, columns = tuple(explain(findings)), findings.columns
        names = ColumnNames(columns.id, columns.time, columns.targets)
        return cls(ids, values, offsets, starts, frequency, notes, covariates, form, names)

    @property
    def former(self) -> Former:
        """The parts that decide how another table of this kind is read."""
        form = self.form if self.covariates is None else self.form or self.covariates.form
        return Former(self.frequency, form, self.covariates, self.names)

    @property
    def read_ahead(self) -> Covariates | None:
        """The covariates if some of them are read beyond the ends of the series."""
        covariates = self.covariates
        return covariates if covariates is not None and covariates.future else None

    def __len__(self) -> int:
        """Return the number of series, N."""
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The time steps of each series, those with missing values too, (N,)."""
        return self.offsets[1:] - self.offsets[:-1]  # np.diff takes three times as long

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of each value's time step in its series, from 0, (P,)."""
        return np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths)

    def series(self, i: int) -> NDArray[np.float64]:
        """Return the values of series ``i``, a view."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def times(self, i: int) -> NDArray:
        """Return the time stamps of series ``i``; in UTC if the frequency has a zone."""
        return self.frequency.times(self.starts[i] + self.frequency.multiple * np.arange(self.lengths[i]))

    def future(self, horizon: int) -> tuple[NDArray, NDArray]:
        """Return the ids and time stamps of the ``horizon`` steps that follow each series, (N * horizon,) each."""
        ends = self.starts + self.frequency.multiple * self.lengths
        steps = ends[:, None] + self.frequency.multiple * np.arange(horizon)
        return np.repeat(self.ids, horizon), self.frequency.times(steps.ravel())

    def after(self, rows: NDArray[np.int64], cutoffs: NDArray[np.int64], horizon: int) -> NDArray[np.float64]:
        """Return the F values that follow the first ``cutoffs`` (R,) steps of the series ``rows`` (R,), (R, F)."""
        return self.values[(self.offsets[rows] + cutoffs)[:, None] + np.arange(horizon)]

    def of_series(self, rows: NDArray[np.int64]) -> "Panel":
        """Return the panel of the series ``rows`` (R,) and their covariates; each may come several times."""
        places, offsets = pieces(self.offsets, rows)
        covariates = None if self.covariates is None else self.covariates.of_series(rows)
        starts, values = self.starts[rows], self.values[places]
        return replace(self, ids=self.ids[rows], values=values, offsets=offsets, starts=starts, covariates=covariates)

    def between(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> "Panel":
        """Return the panel with the steps from ``starts`` (N,) to before ``ends`` (N,) of each series."""
        steps = self.steps
        kept = (steps >= np.repeat(starts, self.lengths)) & (steps < np.repeat(ends, self.lengths))
        return replace(
            self,
            values=self.values[kept],
            offsets=np.append(0, np.cumsum(ends - starts)),
            starts=self.starts + self.frequency.multiple * starts,
        )

    def cut(self, steps: int) -> "Panel":
        """Return the panel as it was ``steps`` steps before the end of each series; ``future(steps)`` are those steps.

        A series that is not longer than that keeps no values.

        Raises:
            InputError: for a negative number of steps.
        """
        if steps < 0:
            raise InputError(
                f"cannot cut {steps} steps off a panel, expected 0 or more",
                code="negative-steps",
                found=steps,
                expected="0 or more",
            )
        known = self.between(np.zeros_like(self.lengths), np.maximum(self.lengths - steps, 0))
        before = np.minimum(self.lengths - steps, 0)  # a short series would have begun later than it now ends
        return replace(known, starts=self.starts + self.frequency.multiple * before)


PLAIN_FIELDS = 6  # of a frequency, before those of special calendars
DIGITS = 16  # of a fingerprint: 64 bits keep a million panels apart


def fingerprint(panel: Panel) -> str:
    """Return 16 hexadecimal digits of everything that a forecast depends on: names, time axes, values, covariates."""
    digest = hashlib.sha256()
    for part in _parts(panel):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:DIGITS]


def _parts(panel: Panel) -> Iterator[bytes]:
    frequency = astuple(panel.frequency)
    # Panels without a special calendar keep the fingerprint that they had before there were any.
    frequency = frequency if any(frequency[PLAIN_FIELDS:]) else frequency[:PLAIN_FIELDS]
    yield repr((panel.ids.tolist(), frequency)).encode()
    yield from (array.tobytes() for array in (panel.values, panel.offsets, panel.starts))
    if (covariates := panel.covariates) is not None:
        yield from (array.tobytes() for array in (covariates.starts, covariates.offsets, covariates.has_row))
        for role in COVARIATES:
            for column in getattr(covariates, role):
                yield repr((role, column.name, column.categories)).encode()
                yield column.values.tobytes()
