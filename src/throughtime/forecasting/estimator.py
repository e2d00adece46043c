"""The contract of scikit-learn's estimators: parameters by name, for its ``clone`` and its searches."""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel
from throughtime.forecasting.config import ForecasterConfig
from throughtime.forecasting.fitted import Fitted, Networks
from throughtime.forecasting.plan import Calibration, Plan

Me = TypeVar("Me", bound="Estimator")


class Estimator:
    """Constructor arguments that can be read and changed by name, each an attribute, and the displays of an object."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name, for scikit-learn's ``clone`` and searches."""
        del deep  # no parameter is an estimator
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self: Me, **params: Any) -> Me:
        """Change constructor arguments; the next ``fit`` uses them.

        Raises:
            InputError: for another name, and for a value that cannot be used; nothing is changed then.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise InputError(
                    f"unknown parameter {name!r} of Forecaster: expected one of {', '.join(known)}",
                    code="unknown-parameter",
                    found=name,
                    expected=tuple(known),
                )
        require_usable({**known, **params})
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return the tags by which scikit-learn's searches know an estimator; the target is a column of the frame."""
        from sklearn.utils import InputTags, Tags, TargetTags

        target = TargetTags(required=False, one_d_labels=False)
        return Tags(estimator_type=None, target_tags=target, input_tags=InputTags(string=True, allow_nan=True))

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __str__(self) -> str:
        """Return the decisions; before ``fit`` the call that makes it."""
        from throughtime.plots import forecaster_block

        return forecaster_block(cast(Any, self)).text() if hasattr(self, "fitted_") else repr(self)

    def _repr_html_(self) -> str:
        """Return the display of a notebook: decisions, training, and the ends of the first series."""
        from throughtime.plots import forecaster_block

        return forecaster_block(cast(Any, self)).html()


class FittedEstimator(Estimator):
    """An estimator whose attributes after fitting are those of one record."""

    fitted_: Fitted

    @property
    def config(self) -> ForecasterConfig:
        """The constructor's arguments, checked.

        Raises:
            InputError: for an argument that cannot be used.
        """
        return ForecasterConfig(**self.get_params())

    @property
    def panel_(self) -> Panel:
        """The series of the last :meth:`fit`."""
        return self.fitted_.panel

    @property
    def plan_(self) -> Plan:
        """The decisions made from the data: window, patch, seasons, logarithm, units, steps."""
        return self.fitted_.plan

    @property
    def calibration_(self) -> Calibration:
        """The findings of the held-out runs: when training stops, how far intervals are widened, and the loss."""
        return self.fitted_.calibration

    @property
    def networks_(self) -> "Networks":
        """The trained networks, whose quantiles are averaged; none if nothing was trained."""
        return self.fitted_.networks

    @property
    def losses_(self) -> np.ndarray:
        """(M, steps) the loss of each network's training batches; NaN for steps that were not done."""
        return self.fitted_.losses

    @property
    def notes_(self) -> list[str]:
        """Sentences about the data and the decisions."""
        return self.fitted_.notes


def require_usable(params: Mapping[str, Any]) -> None:
    """Refuse arguments of a forecaster that cannot be used.

    Raises:
        InputError: as :class:`~throughtime.forecasting.config.ForecasterConfig` does.
    """
    ForecasterConfig(**{field.name: params[field.name] for field in fields(ForecasterConfig)})
