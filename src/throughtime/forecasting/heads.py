"""Heads: from the raw outputs of a network to quantiles or to a distribution.

``raw`` (B, F, O) holds O numbers for each of F steps ahead of B windows. A network may add its point forecast, in
window units, to the outputs that ``shift`` marks. Targets and results are in the units of the data, so that counts stay
whole. All heads but that of counts work in window units, ``(value - level) / scale``.

The loss is compiled. Quantiles and samples are made on the host, in float64.

Finite inputs give finite losses and gradients. For that, raw outputs and targets in window units are limited to
``LARGEST`` in size: beyond it, the loss does not grow.
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
from scipy import special

from throughtime._errors import InputError
from throughtime._types import Array, Float, Key
from throughtime.data import LevelScale, scale_values
from throughtime.forecasting.intervals import QUANTILES
from throughtime.training import pinball

LARGEST = 1e6  # squares and their gradients stay far below float32's 3e38
LEAST_SCALE = 1e-3  # of the window's: without it, the density at a value that repeats has no limit
LEAST_FREEDOM, MOST_FREEDOM = 2.01, 1000.0  # below 2 there is no variance; at 1000 it is a normal distribution
MOST_COUNT = 1e9  # far above counts in practice, and float32 holds its square
LEAST_MEAN = 1e-6  # a mean of 0 has no logarithm
# Closer to a Poisson distribution, float32 loses the gradient: the variance is at least 1.01 means, and the standard
# deviation at least 1 % of the mean.
LEAST_EXCESS, LEAST_DISPERSION = 0.01, 1e-4
LEAST_COUNT_SCALE = 0.01  # that of 10,000 equal counts and one that differs by one


class Head(ABC):
    """The output distribution of a network. It has no weights; its fields make it equal and hashable.

    Attributes:
        counts: True if it describes counts, which it needs unchanged, without a logarithm or another center. It then
            has a loss for windows without movement, too; of other heads the caller masks it.
    """

    counts: ClassVar[bool] = False

    @property
    @abstractmethod
    def shift(self) -> tuple[int, ...]:
        """1 for each of the O outputs that a point forecast is added to, 0 for the others."""

    @property
    def outputs(self) -> int:
        """O, the number of raw outputs for each step ahead."""
        return len(self.shift)

    def require(self, values: np.ndarray) -> None:
        """Refuse observed values that the head cannot describe.

        Raises:
            InputError: with a value that is not a count, if the head is for counts.
        """
        if not self.counts:
            return
        wrong = values[~((values >= 0) & (values <= MOST_COUNT) & (values == np.floor(values)))]
        if len(wrong):
            raise InputError(
                f"this head describes counts and cannot hold {wrong[0]:.10g}: expected whole numbers from 0 to "
                f"{MOST_COUNT:.0f}. Take another head, such as 'student_t' or 'quantiles'",
                code="not-a-count",
                found=float(wrong[0]),
                expected=(0, MOST_COUNT),
            )

    @abstractmethod
    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        """Return the training loss of each step: a mean pinball loss, or a negative log-likelihood in nats."""

    @abstractmethod
    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        """Return the quantiles (B, F, Q) at Q ascending levels, of raw (B, F, O)."""

    @abstractmethod
    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        """Return n samples (n, B, F) of raw (B, F, O), each step drawn independently; the same key draws the same.

        A head knows the distribution of each step, not the dependence between steps: the distribution of a sum over
        steps is too narrow if errors persist. To add dependence, reorder the samples of each step by the ranks of
        observed errors (Clark et al. 2004, the Schaake shuffle): every step's distribution stays the same.
        """


@dataclass(frozen=True)
class QuantileHead(Head):
    """Quantiles without an assumed distribution, learned by the mean pinball loss (Koenker & Bassett 1978, eq. 1.2).

    Quantiles that cross are sorted. Between and beyond the levels, they are linear in the normal score, which is exact
    for a normal distribution.

    Attributes:
        levels: Q ascending levels, at least two.

    Raises:
        InputError: for other levels.
    """

    levels: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        edges = (0.0, *self.levels, 1.0)
        if len(self.levels) < 2 or any(low >= high for low, high in pairwise(edges)):
            raise InputError(
                f"quantiles at {self.levels}: expected at least two levels between 0 and 1, ascending",
                code="impossible-quantiles",
                found=self.levels,
            )

    @property
    def shift(self) -> tuple[int, ...]:
        return (1,) * len(self.levels)

    def loss(self, raw: Float[Array, "B F O"], target: Float[Array, "B F"], units: LevelScale) -> Float[Array, "B F"]:
        return pinball(_bounded(raw), _bounded(scale_values(target, units)), jnp.asarray(self.levels, raw.dtype)).mean(
            -1
        )

    def quantiles(self, raw: Array | np.ndarray, levels: Sequence[float], units: LevelScale) -> np.ndarray:
        ordered = _ordered(raw)
        if tuple(levels) == self.levels:
            return _placed(ordered, units)
        upper, share = self._between(special.ndtri(np.asarray(levels)))
        return _placed((1 - share) * ordered[..., upper - 1] + share * ordered[..., upper], units)

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        ordered = _ordered(raw)
        upper, share = self._between(_generator(key).standard_normal((*raw.shape[:-1], n)))
        low, high = (np.take_along_axis(ordered, place, axis=-1) for place in (upper - 1, upper))
        return np.moveaxis(_placed((1 - share) * low + share * high, units), -1, 0)

    def _between(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the quantile above each normal score, and the share of the way to it from the one below."""
        known = special.ndtri(np.asarray(self.levels))
        upper = np.clip(np.searchsorted(known, scores), 1, len(known) - 1)
        return upper, (scores - known[upper - 1]) / (known[upper] - known[upper - 1])


@dataclass(frozen=True)
class NormalHead(Head):
    """``y ~ Normal(m, s)`` in window units (Salinas et al. 2020, arXiv 1704.04110, section 3.1).

    ``s = LEAST_SCALE + softplus(raw)``.
    """

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0)

    def parameters(self, raw: Float[Array, "B F O"]) -> tuple[Float[Array, "B F"], Float[Array, "B F"]]:
        """Return mean and standard deviation, in window units."""
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
    """``(y - m) / s ~ t(df)`` in window units: with heavier tails than the normal, outliers have less influence.

    ``s = LEAST_SCALE + softplus(raw)`` and ``df = LEAST_FREEDOM + softplus(raw)``: above 2 the variance is finite.
    """

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0, 0)

    def parameters(
        self, raw: Float[Array, "B F O"]
    ) -> tuple[Float[Array, "B F"], Float[Array, "B F"], Float[Array, "B F"]]:
        """Return location and scale, in window units, and degrees of freedom."""
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

    ``m = scale softplus(level / scale + raw)``, which is close to ``level + scale raw`` if that is well above zero, and
    ``a = LEAST_DISPERSION + LEAST_EXCESS / m + softplus(raw)``. A window without movement has a scale of 1. The loss
    takes targets below zero as zero; :meth:`require` refuses them. Quantiles and samples are whole numbers.
    """

    counts: ClassVar[bool] = True

    @property
    def shift(self) -> tuple[int, ...]:
        return (1, 0)

    def parameters(
        self, raw: Float[Array, "B F O"], units: LevelScale
    ) -> tuple[Float[Array, "B F"], Float[Array, "B F"]]:
        """Return mean, in counts, and dispersion."""
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
        from scipy import stats  # half a second, which no other head needs

        mean, dispersion = _columns(*self.parameters(jnp.asarray(raw), _on_device(units)))
        return stats.nbinom.ppf(np.asarray(levels), 1 / dispersion, 1 / (1 + dispersion * mean))

    def sample(self, raw: Array | np.ndarray, units: LevelScale, key: Key, n: int) -> np.ndarray:
        mean, dispersion = _columns(*self.parameters(jnp.asarray(raw), _on_device(units)))
        shape = (*mean.shape[:-1], n)
        draws = _generator(key).negative_binomial(1 / dispersion, 1 / (1 + dispersion * mean), shape)
        return np.moveaxis(draws.astype(np.float64), -1, 0)


def _bounded(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.clip(values, -LARGEST, LARGEST)


def _scale(raw: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return LEAST_SCALE + jax.nn.softplus(_bounded(raw))


def _ordered(raw: Array | np.ndarray) -> np.ndarray:
    """Return quantiles (B, F, Q) in ascending order, in float64."""
    return np.sort(np.asarray(raw, np.float64), axis=-1)


def _on_device(units: LevelScale) -> LevelScale:
    return LevelScale(jnp.asarray(units.level), jnp.asarray(units.scale))


def _columns(*parameters: Array | np.ndarray) -> tuple[np.ndarray, ...]:
    """Return parameters (B, F) as (B, F, 1), in float64, to combine with (B, F, Q)."""
    return tuple(np.asarray(parameter, np.float64)[..., None] for parameter in parameters)


def _placed(scaled: np.ndarray, units: LevelScale) -> np.ndarray:
    """Return values (B, F, Q) in window units as ``level + scale * value``, in float64."""
    level, scale = _columns(units.level, units.scale)
    return level[..., None] + scale[..., None] * scaled


def _generator(key: Key) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
