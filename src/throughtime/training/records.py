"""The records of a training run as arrays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime.training.watch import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Records(NamedTuple):
    """The R records of a run; :class:`throughtime.training.Record` describes the numbers.

    Attributes:
        step: (R,) the number of steps done.
        loss: (R,) the mean loss since the record before.
        clip_share: (R,) the share of clipped steps since the record before.
        gradient_norm: (R,) the norm of the gradient on one batch.
        gradient_by_lag: (R, K + 1) the norm of dLoss/ds_(T-k); K is T or the watch's ``lags``, the smaller of both.
        update_ratio: (R,) for each array, by its name in the model.
        dead: (R,) shares of units, by gate.
        saturated: (R,) shares of units, by gate.
    """

    step: np.ndarray
    loss: np.ndarray
    clip_share: np.ndarray
    gradient_norm: np.ndarray
    gradient_by_lag: np.ndarray
    update_ratio: dict[str, np.ndarray]
    dead: dict[str, np.ndarray]
    saturated: dict[str, np.ndarray]

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        """Return these records as arrays.

        Raises:
            InputError: if there are no records.
        """
        if not records:
            raise InputError(
                "there are no records: expected at least one; train with a Watch() and keep each record",
                code="no-records",
                found=0,
                expected="at least 1",
            )
        by_lag = np.stack([record.gradient_by_lag for record in records])
        return cls(
            np.array([record.step for record in records]),
            np.array([record.loss for record in records]),
            np.array([record.clip_share for record in records]),
            np.array([record.gradient_norm for record in records]),
            by_lag[:, ~np.isnan(by_lag).all(axis=0)],  # without lags above T
            _columns([record.update_ratio for record in records]),
            _columns([record.dead for record in records]),
            _columns([record.saturated for record in records]),
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row per record; columns are ``gradient_lag_3``, ``update_ratio.model.b`` and the like."""
        columns = {name: getattr(self, name) for name in self._fields[:4]}
        columns |= {f"gradient_lag_{k}": norms for k, norms in enumerate(self.gradient_by_lag.T)}
        for name in self._fields[5:]:
            columns |= {f"{name}.{key}": values for key, values in getattr(self, name).items()}
        return pl.DataFrame(columns)

    def plot(self) -> "Figure":
        """Return a figure of loss, gradient, gradient by lag, updates, dead and saturated units."""
        from throughtime.plots import records_picture

        return records_picture(self)

    def _repr_html_(self) -> str:
        """Return the notebook's display: loss, gradient by lag, dead and saturated units, the last record."""
        from throughtime.plots import records_block

        return records_block(self).html()

    def __str__(self) -> str:
        """Return the last record as tables."""
        from throughtime.plots import records_block

        return records_block(self).text()

    def __repr__(self) -> str:
        """Return the last record in one line."""
        from throughtime.plots import records_line

        return records_line(self)


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """Return each name's numbers over all rows."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
