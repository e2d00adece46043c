"""A training run as it went, in arrays: what a watch saw, report by report."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime.training.watch import Record


class History(NamedTuple):
    """R records of one run, as :class:`throughtime.training.Record` describes them.

    Attributes:
        step: (R,) how many steps were done.
        loss: (R,) mean since the record before.
        clip_share: (R,) of the steps since the record before.
        gradient_norm: (R,) on one batch.
        gradient_by_lag: (R, K + 1) norm of dLoss/ds_(T-k); K is T, or what the watch follows where that is less.
        update_ratio: (R,) each, by the array's place in the model.
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
    def of(cls, records: Sequence[Record]) -> "History":
        """The history that these records make.

        Raises:
            InputError: where there is none.
        """
        if not records:
            raise InputError("expected at least one record, got none: train with watch=Watch() and keep each record")
        by_lag = np.stack([record.gradient_by_lag for record in records])
        return cls(
            np.array([record.step for record in records]),
            np.array([record.loss for record in records]),
            np.array([record.clip_share for record in records]),
            np.array([record.gradient_norm for record in records]),
            by_lag[:, ~np.isnan(by_lag).all(axis=0)],  # no sequence is longer
            _columns([record.update_ratio for record in records]),
            _columns([record.dead for record in records]),
            _columns([record.saturated for record in records]),
        )

    def to_frame(self) -> pl.DataFrame:
        """One row a record; columns such as ``gradient_lag_3``, ``update_ratio.model.cell.w_h`` and ``dead.a``."""
        columns = {name: getattr(self, name) for name in self._fields[:4]}
        columns |= {f"gradient_lag_{k}": norms for k, norms in enumerate(self.gradient_by_lag.T)}
        for name in self._fields[5:]:
            columns |= {f"{name}.{key}": values for key, values in getattr(self, name).items()}
        return pl.DataFrame(columns)

    def _repr_html_(self) -> str:
        """For a notebook: loss, gradient by lag, shares of dead and saturated units, the last record."""
        from throughtime.plots import history_block

        return history_block(self).html()

    def __str__(self) -> str:
        """The last record, as tables."""
        from throughtime.plots import history_block

        return history_block(self).text()

    def __repr__(self) -> str:
        """The last record, on a line."""
        from throughtime.plots import history_line

        return history_line(self)


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
