"""The parts of a panel that a table takes which continues it, or stands beside it: time axis, and form of columns."""

from typing import NamedTuple

from throughtime.data.columns import ColumnNames
from throughtime.data.covariates import Column, Covariates
from throughtime.data.frequency import Frequency
from throughtime.data.integer_times import DATED, PLAIN


class Former(NamedTuple):
    """The parts of a panel that decide how another table of its kind is read.

    Attributes:
        frequency: the time axis.
        form: how its time stamps were read; None if their type said so.
        covariates: its covariates, if there are any.
        names: the columns that it was read from, as far as they are known.
    """

    frequency: Frequency
    form: str | None
    covariates: Covariates | None
    names: ColumnNames = ColumnNames()

    @property
    def notation(self) -> str:
        """The notation that time stamps have if their column does not tell."""
        return self.form or (PLAIN if self.frequency.unit == "integer" else DATED)

    @property
    def columns(self) -> dict[str, Column]:
        """The covariates by name."""
        return {} if self.covariates is None else {column.name: column for column in self.covariates.columns}
