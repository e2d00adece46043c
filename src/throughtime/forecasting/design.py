"""The sizes of a forecaster's network."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from throughtime.data import CovariateSizes

if TYPE_CHECKING:  # they load JAX
    from throughtime.cells import Cell
    from throughtime.forecasting.heads import Head


class Design(NamedTuple):
    """The sizes of a forecast network.

    Attributes:
        cell: the cell's name; the class of a cell of the user's.
        hidden: H, the units of the cells and of the head.
        horizon: F, steps ahead.
        length: L, the number of past values that the network reads: a whole number of patches.
        patch: P, the number of values that make one time step of the cell.
        seasons: the periods, in steps, of the seasonal naive forecasts among the bases.
        quantiles: Q levels, ascending; the middle one is 0.5.
        blocks: the number of stacked recurrent blocks.
        head: the name, or the class, of the head, which gives the network's raw numbers their meaning.
        covariates: the sizes of the covariates' tables; None without any.
        history: the number of past values that the bases may use beyond the window; 0 for the window alone.
    """

    cell: "str | Callable[..., Cell]"
    hidden: int
    horizon: int
    length: int
    patch: int
    seasons: tuple[int, ...]
    quantiles: tuple[float, ...]
    blocks: int = 2
    head: "str | type[Head]" = "quantiles"
    covariates: CovariateSizes | None = None
    history: int = 0

    @property
    def measured(self) -> int:
        """The number of last values that make a window's units: the longest season may exceed the window."""
        return max(self.length, 2 * self.seasons[0], *self.seasons)

    @property
    def reach(self) -> int:
        """R, the number of past values that a forecast depends on."""
        return max(self.measured, self.history)

    @property
    def span(self) -> int:
        """The number of last values that make the level: one season, or the last value if there is none."""
        return min(self.seasons[0], self.length)
