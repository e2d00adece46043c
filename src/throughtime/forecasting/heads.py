"""Heads: what the raw numbers of a network say about the future, as quantiles or as a distribution.

``raw`` holds ``outputs`` numbers for each step ahead. A network may add its own point forecast, in window units, to the
outputs that ``shift`` marks. Values go in and come out in the units of the window's level and scale, so that counts
stay whole; heads other than that for counts measure in window units, ``(value - level) / scale``.

The loss is compiled. Quantiles and samples are made on the host, in float64, from what the network gave.

Any finite numbers give a finite loss with finite gradients. The price: what is raw counts up to ``LARGEST`` either way,
and so does a target in window units; beyond, the loss grows no more.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.scipy.stats as jstats
import numpy as np
from scipy import special, stats

from throughtime._errors import InputError
from throughtime._registry import resolve
from throughtime._types import Array, Float, Key
from throughtime.data import LevelScale, scale_values
from throughtime.forecasting.intervals import QUANTILES
from throughtime.training import pinball

LARGEST = 1e6  # squares and their gradients stay far below float32's 3e38
LEAST_SCALE = 1e-3  # of the window's: what repeats itself would otherwise be worth any density
LEAST_FREEDOM, MOST_FREEDOM = 2.01, 1000.0  # below 2 there is no variance; at 1000 it is a normal distribution
MOST_COUNT = 1e9
LEAST_MEAN = 1e-6
# float32 loses the gradient of what is closer to a Poisson distribution: a variance of at least 1.01 means, and a
# standard deviation of at least 1 % of the mean.
LEAST_EXCESS, LEAST_DISPERSION = 0.01, 1e-4
LEAST_COUNT_SCALE = 0.01  # a window of 10,000 counts of which one differs by one


class Head(ABC):
    """What a head is: without weights, equal where its fields are, fit for a key of compiled programs.

    Attributes:
        counts: whether it describes counts, which must come as they are: no logarithm, no center taken off. Then
            windows without movement have something to say, too; elsewhere the caller masks them out.
    """

    counts: ClassVar[bool] = False

    @property
    @abstractmethod
    def shift(self) -> tuple[int, ...]:
        """(O,) which outputs a point forecast is added to: 1 or 0 for each."""

    @property
    def outputs(self) -> int:
        """O, the raw numbers for each step ahead."""
        return len(self.shift)

    def require(self, values: np.ndarray) -> None:
        """Refuse observed values that the head cannot describe.

        Raises:
            InputError: where it is for counts, naming one value that is none.
        """
        if not self.counts:
            return
        wrong = values[~((values >= 0) & (values <= MOST_COUNT) & (values == np.floor(values)))]
        if len(wrong):
            raise InputError(
                f"this head describes counts and cannot hold {wrong[0]:.10g}: expected whole numbers from 0 to "
                f"{MOST_COUNT:.0f}. Take another head, such as 'student_t' or 'quantiles'"
            )

    @abstractmethod
    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        """What training makes small, for each step: a mean pinball loss, or a negative log-likelihood in nats."""

    @abstractmethod
    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        """(B, F, Q) at the Q levels, which ascend, of raw (B, F, O)."""

    @abstractmethod
    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        """(N, B, F) values drawn for each step by itself, of raw (B, F, O); the same key draws the same.

        Steps are independent: a head knows each step's distribution, not how steps go together. So sums over steps are
        drawn too narrow where errors persist. Draws of one step may be reordered to follow the ranks of observed errors
        (Clark et al. 2004, the Schaake shuffle): that leaves every step's distribution as it is.
        """


@dataclass(frozen=True)
class QuantileHead(Head):
    """Quantiles, free of any distribution: the mean pinball loss (Koenker & Bassett 1978, eq. 1.2).

    Quantiles that cross are sorted. Between and beyond the levels, they are linear in the normal score, which is exact
    for a normal distribution.

    Attributes:
        levels: Q of them, ascending, at least two.

    Raises:
        InputError: for other levels.
    """

    levels: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        edges = (0.0, *self.levels, 1.0)
        if len(self.levels) < 2 or any(low >= high for low, high in pairwise(edges)):
            raise InputError(f"quantiles at {self.levels}: expected at least two levels between 0 and 1, ascending")

    @property
    def shift(self) -> tuple[int, ...]:
        return (1,) * len(self.levels)

    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        return pinball(_bounded(raw), _bounded(scale_values(target, units)), jnp.asarray(self.levels, raw.dtype)).mean(
            -1
        )

    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        scores = np.broadcast_to(special.ndtri(np.asarray(levels)), (*raw.shape[:-1], len(levels)))
        return _placed(self._at(raw, scores), units)

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        scores = _generator(key).standard_normal((*raw.shape[:-1], n))
        return np.moveaxis(_placed(self._at(raw, scores), units), -1, 0)

    def _at(self, raw: Array | np.ndarray, scores: np.ndarray) -> np.ndarray:
        """(B, F, N) at normal scores (B, F, N), of the quantiles (B, F, Q)."""
        ordered = np.sort(np.asarray(raw, np.float64), axis=-1)
        known = special.ndtri(np.asarray(self.levels))
        upper = np.clip(np.searchsorted(known, scores), 1, len(known) - 1)
        share = (scores - known[upper - 1]) / (known[upper] - known[upper - 1])
        low, high = (np.take_along_axis(ordered, place, axis=-1) for place in (upper - 1, upper))
        return (1 - share) * low + share * high  # exactly the quantile at its own level


@dataclass(frozen=True)
class NormalHead(Head):
    """``y ~ Normal(m, s)`` in window units (Salinas et al. 2020, arXiv 1704.04110, section 3.1).

    ``s = softplus(raw)``, and a little more.
    """

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0)

    def parameters(self, raw: Float[Array, "B F O"]) -> tuple[Float[Array, "B F"], Float[Array, "B F"]]:
        """Mean and standard deviation, in window units."""
        return _bounded(raw[..., 0]), _scale(raw[..., 1])

    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        mean, deviation = self.parameters(raw)
        return -jstats.norm.logpdf(_bounded(scale_values(target, units)), mean, deviation)

    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        mean, deviation = _columns(*self.parameters(jnp.asarray(raw)))
        return _placed(mean + deviation * special.ndtri(np.asarray(levels)), units)

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        mean, deviation = _columns(*self.parameters(jnp.asarray(raw)))
        draws = _generator(key).standard_normal((*mean.shape[:-1], n))
        return np.moveaxis(_placed(mean + deviation * draws, units), -1, 0)


@dataclass(frozen=True)
class StudentTHead(Head):
    """``(y - m) / s ~ t(df)`` in window units: heavier tails than the normal, so that outliers pull less.

    ``s = softplus(raw)`` and ``df = 2 + softplus(raw)``, so that there is a variance.
    """

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0, 0)

    def parameters(
        self, raw: Float[Array, "B F O"]
    ) -> tuple[Float[Array, "B F"], Float[Array, "B F"], Float[Array, "B F"]]:
        """Location and scale, in window units, and degrees of freedom."""
        freedom = jnp.minimum(LEAST_FREEDOM + jax.nn.softplus(_bounded(raw[..., 2])), MOST_FREEDOM)
        return _bounded(raw[..., 0]), _scale(raw[..., 1]), freedom

    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        location, scale, freedom = self.parameters(raw)
        return -jstats.t.logpdf(_bounded(scale_values(target, units)), freedom, location, scale)

    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        location, scale, freedom = _columns(*self.parameters(jnp.asarray(raw)))
        return _placed(location + scale * special.stdtrit(freedom, np.asarray(levels)), units)

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        location, scale, freedom = _columns(*self.parameters(jnp.asarray(raw)))
        draws = _generator(key).standard_t(freedom, (*location.shape[:-1], n))
        return np.moveaxis(_placed(location + scale * draws, units), -1, 0)


@dataclass(frozen=True)
class NegativeBinomialHead(Head):
    """Counts of mean m and variance ``m + a m^2`` (Salinas et al. 2020, arXiv 1704.04110, section 3.1).

    ``m = scale softplus(level / scale + raw)``, which is ``level + scale raw`` where that is well above zero, and ``a =
    softplus(raw)``, a little more where the variance would come too close to the mean. In a window without movement the
    scale counts as 1. Targets below zero count as zero: :meth:`require` refuses them. Quantiles and samples are whole.
    """

    counts: ClassVar[bool] = True

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0)

    def parameters(
        self, raw: Float[Array, "B F O"], units: LevelScale
    ) -> tuple[Float[Array, "B F"], Float[Array, "B F"]]:
        """Mean, in counts, and dispersion."""
        level = jnp.clip(units.level, 0, MOST_COUNT)[:, None]
        scale = jnp.where(units.scale > 0, jnp.clip(units.scale, LEAST_COUNT_SCALE, MOST_COUNT), 1)[:, None]
        mean = scale * jax.nn.softplus(level / scale + _bounded(raw[..., 0]))
        mean = jnp.clip(mean, LEAST_MEAN, MOST_COUNT)
        least = LEAST_DISPERSION + LEAST_EXCESS / mean
        return mean, least + jax.nn.softplus(_bounded(raw[..., 1]))

    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        mean, dispersion = self.parameters(raw, units)
        count = jnp.clip(target, 0, MOST_COUNT)
        return -jstats.nbinom.logpmf(count, 1 / dispersion, 1 / (1 + dispersion * mean))

    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        mean, dispersion = _columns(*self.parameters(jnp.asarray(raw), _on_device(units)))
        return stats.nbinom.ppf(np.asarray(levels), 1 / dispersion, 1 / (1 + dispersion * mean))

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        mean, dispersion = _columns(*self.parameters(jnp.asarray(raw), _on_device(units)))
        shape = (*mean.shape[:-1], n)
        draws = _generator(key).negative_binomial(1 / dispersion, 1 / (1 + dispersion * mean), shape)
        return np.moveaxis(draws.astype(np.float64), -1, 0)


HEADS: dict[str, type[Head]] = {
    "quantiles": QuantileHead,
    "normal": NormalHead,
    "student_t": StudentTHead,
    "negative_binomial": NegativeBinomialHead,
}


def head_type(choice: str | type[Head]) -> type[Head]:
    """The head of a name, such as "student_t".

    Raises:
        InputError: for an unknown name; the message lists the known ones.
    """
    return resolve("head", HEADS, choice)


def _bounded(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.clip(values, -LARGEST, LARGEST)


def _scale(raw: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return LEAST_SCALE + jax.nn.softplus(_bounded(raw))


def _on_device(units: LevelScale) -> LevelScale:
    return LevelScale(jnp.asarray(units.level), jnp.asarray(units.scale))


def _columns(*parameters: Array | np.ndarray) -> tuple[np.ndarray, ...]:
    """(B, F, 1) each, to go with (B, F, Q)."""
    return tuple(np.asarray(parameter, np.float64)[..., None] for parameter in parameters)


def _placed(scaled: np.ndarray, units: LevelScale) -> np.ndarray:
    """(B, F, Q) from window units: ``level + scale * value``, in float64."""
    level, scale = _columns(units.level, units.scale)
    return level[..., None] + scale[..., None] * scaled


def _generator(key: Key) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
