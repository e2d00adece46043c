"""Heads: densities and quantiles as SciPy has them, samples and fits to match, no loss without end."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from throughtime._errors import InputError
from throughtime.data.scaling import LevelScale
from throughtime.forecasting.head_catalog import HEADS, head_type
from throughtime.forecasting.heads import NegativeBinomialHead, NormalHead, QuantileHead, StudentTHead
from throughtime.forecasting.intervals import QUANTILES, interval_columns

B, F, N = 3, 5, 4000
LEVELS = (0.03, 0.2, 0.5, 0.6, 0.99)
UNITS = LevelScale(np.array([3.0, 40.0, 0.5]), np.array([1.5, 7.0, 0.25]))  # of counts, too
LEVEL, SCALE = (column[:, None] for column in UNITS)
OWN = QuantileHead((0.1, 0.35, 0.5, 0.95))
each_head = pytest.mark.parametrize("head", [make() for make in HEADS.values()], ids=HEADS)


def raw_of(head, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1.2, (B, F, head.outputs))


def softplus(x):
    return np.log1p(np.exp(x))


def normal(raw):
    return stats.norm(LEVEL + SCALE * raw[..., 0], SCALE * (1e-3 + softplus(raw[..., 1])))


def student_t(raw):
    scale = SCALE * (1e-3 + softplus(raw[..., 1]))
    return stats.t(2.01 + softplus(raw[..., 2]), LEVEL + SCALE * raw[..., 0], scale)


def negative_binomial(raw):
    mean = SCALE * softplus(LEVEL / SCALE + raw[..., 0])
    dispersion = softplus(raw[..., 1]) + 1e-4 + 0.01 / mean
    variance = mean + dispersion * mean**2
    return stats.nbinom(mean**2 / (variance - mean), mean / variance)


DISTRIBUTIONS = {NormalHead(): normal, StudentTHead(): student_t, NegativeBinomialHead(): negative_binomial}
each_distribution = pytest.mark.parametrize(
    ("head", "distribution"), DISTRIBUTIONS.items(), ids=lambda entry: type(entry).__name__
)


@partial(jax.jit, static_argnums=0)
def compiled(head, raw, target, units):
    """Losses, and the gradient of their sum."""

    def total(raw):
        values = head.loss(raw, target, units)
        return values.sum(), values

    gradient, values = jax.grad(total, has_aux=True)(raw)
    return values, gradient


def losses(head, raw, target, units=UNITS):
    return compiled(head, *map(jnp.asarray, (raw, target)), LevelScale(*map(jnp.asarray, units)))


@each_distribution
def test_the_loss_is_scipys_likelihood(head, distribution, x64):
    """In window units, the density is the scale times that in the data's own; counts have none but their own."""
    raw = raw_of(head)
    known = distribution(raw)
    target = known.rvs(random_state=np.random.default_rng(1)).astype(float)
    expected = known.logpmf(target) if head.counts else known.logpdf(target) + np.log(SCALE)
    np.testing.assert_allclose(losses(head, raw, target)[0], -expected, rtol=1e-9)


@each_distribution
def test_quantiles_are_scipys(head, distribution, x64):
    raw = raw_of(head)
    expected = np.stack([distribution(raw).ppf(level) for level in LEVELS], axis=-1)
    np.testing.assert_allclose(head.quantiles(raw, LEVELS, UNITS), expected, rtol=1e-9)


def test_counts_are_whole_and_not_negative():
    head = NegativeBinomialHead()
    raw = raw_of(head) - 2
    for values in (head.quantiles(raw, LEVELS, UNITS), head.sample(raw, UNITS, jax.random.key(0), 7)):
        assert (values == np.floor(values)).all()
        assert values.min() == 0


def test_the_pinball_loss_in_window_units(x64):
    raw = raw_of(OWN)
    target = LEVEL + SCALE * np.random.default_rng(1).normal(0.0, 1.0, (B, F))
    error = ((target - LEVEL) / SCALE)[..., None] - raw
    levels = np.array(OWN.levels)
    expected = np.where(error > 0, levels * error, (levels - 1) * error).mean(-1)
    np.testing.assert_allclose(losses(OWN, raw, target)[0], expected, rtol=1e-12)


def test_quantiles_at_the_heads_own_levels_are_its_outputs_in_order():
    raw = raw_of(OWN)
    expected = LEVEL[..., None] + SCALE[..., None] * np.sort(raw, axis=-1)
    np.testing.assert_array_equal(OWN.quantiles(raw, OWN.levels, UNITS), expected)
    assert (np.diff(raw, axis=-1) < 0).any()


def test_other_levels_of_the_quantile_head_are_those_of_intervals():
    raw = np.sort(raw_of(QuantileHead()), axis=-1)
    result = QuantileHead().quantiles(raw, (0.01, 0.26, 0.74, 0.99), LevelScale(np.zeros(B), np.ones(B)))
    expected = interval_columns(raw.reshape(B * F, -1), [98, 48])
    names = ("lo-98", "lo-48", "hi-48", "hi-98")
    for name, column in zip(names, np.moveaxis(result, -1, 0), strict=True):
        np.testing.assert_allclose(column.ravel(), expected[f"throughtime-{name}"], rtol=1e-10, atol=1e-10)


@each_head
def test_samples_lie_below_each_quantile_as_often_as_it_says(head):
    """Within five standard errors of a share: sqrt(p (1 - p) / n) <= 0.5 / sqrt(n)."""
    raw = raw_of(head)
    samples = head.sample(raw, UNITS, jax.random.key(3), N)
    assert samples.shape == (N, B, F)
    for level, quantile in zip(LEVELS, np.moveaxis(head.quantiles(raw, LEVELS, UNITS), -1, 0), strict=True):
        slack = 2.5 / np.sqrt(N)
        assert ((samples <= quantile).mean(axis=0) > level - slack).all()
        assert ((samples < quantile).mean(axis=0) < level + slack).all()


@each_head
def test_a_key_draws_the_same_and_another_key_another_sample(head):
    raw = raw_of(head)
    first, again, other = (head.sample(raw, UNITS, jax.random.key(seed), 20) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@each_head
def test_steps_are_drawn_independently(head):
    """Correlations of 4,000 draws stay within five standard errors of zero."""
    raw = np.broadcast_to(np.arange(head.outputs) * 0.1, (1, F, head.outputs))
    samples = head.sample(raw, LevelScale(np.array([9.0]), np.array([3.0])), jax.random.key(1), N)
    ranks = np.argsort(np.argsort(samples[:, 0], axis=0), axis=0)
    assert np.abs(np.corrcoef(ranks.T) - np.eye(F)).max() < 5 / np.sqrt(N)


@each_head
def test_any_finite_numbers_give_finite_losses_and_gradients(head):
    """Raw outputs, targets, levels and scales in all combinations, as large and as small as float32 can hold."""
    sizes = [0.0, 1e-30, 3.0, 1e4, 3e38]
    either = [*sizes, *(-size for size in sizes)]
    first, others, target, level, scale = (
        jnp.asarray(column.ravel(), jnp.float32) for column in np.meshgrid(either, either, either, either, sizes)
    )
    raw = jnp.stack([first, *[others] * (head.outputs - 1)], axis=-1)[:, None]
    values, gradient = compiled(head, raw, target[:, None], LevelScale(level, scale))
    assert jnp.isfinite(values).all()
    assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize("mean", [0.01, 30.0, 1e4, 1e6])
def test_single_precision_keeps_the_gradient_close_to_a_poisson_distribution(mean):
    """Gamma functions of large numbers cancel there: less than 0.03 nats a unit of raw output is lost."""
    head, raw = NegativeBinomialHead(), np.zeros((B, F, 2))
    raw[..., 1] = np.array([-5, -9, -20])[:, None]
    units = LevelScale(np.full(B, mean), np.full(B, np.sqrt(mean) / 10))
    target = stats.poisson(mean).rvs((B, F), random_state=np.random.default_rng(2)).astype(float)
    single = LevelScale(*map(np.float32, units))
    result = losses(head, raw.astype(np.float32), target.astype(np.float32), single)[1]
    with jax.enable_x64(True):
        expected = losses(head, raw, target, units)[1]
    np.testing.assert_allclose(result, expected, atol=0.03)


def test_an_outlier_pulls_the_normal_head_but_hardly_the_student_t(x64):
    def pull(head):
        return float(jnp.abs(losses(head, np.zeros((B, F, head.outputs)), np.full((B, F), 1e5))[1][..., 0]).max())

    assert pull(StudentTHead()) < 0.01 < 100 < pull(NormalHead())


@each_head
def test_a_point_forecast_moves_the_location_alone(head):
    """Added where ``shift`` says, it moves quantiles by as many scales; the counts here are far from zero."""
    raw = raw_of(head) * np.array(0.1)
    units = LevelScale(np.array([4e6, 3e6, 2e6]), np.array([1e4, 2e4, 3e4]))
    plain = head.quantiles(raw, LEVELS, units)
    moved = head.quantiles(raw + 2.0 * np.array(head.shift), LEVELS, units)
    expected = np.broadcast_to(2.0 * units.scale[:, None, None], plain.shape)
    if head.counts:  # whose deviation is in proportion to the mean
        expected = plain * (2 * units.scale / units.level)[:, None, None]
    np.testing.assert_allclose(moved - plain, expected, rtol=0.02)


def test_a_window_of_zeros_only_can_still_learn_that_counts_come(x64):
    zeros = LevelScale(np.zeros(B), np.zeros(B))
    head = NegativeBinomialHead()
    low, high = (head.quantiles(np.full((B, F, 2), [x, -1.0]), (0.5,), zeros) for x in (-5.0, 6.0))
    assert (low == 0).all()
    assert (high == 5).all()
    assert (losses(head, np.zeros((B, F, 2)), np.full((B, F), 4.0), zeros)[1][..., 0] < -1).all()


@cache
def fitted(head):
    """One raw number for each output, by Adam, from draws of the distribution below."""
    target = jnp.asarray(DRAWN[head].rvs((1, DRAWS), random_state=np.random.default_rng(0)), jnp.float32)
    units = LevelScale(*(column.astype(jnp.float32) for column in ONE))

    def loss(raw):
        return head.loss(jnp.broadcast_to(raw, (*target.shape, head.outputs)), target, units).mean()

    optimizer = optax.adam(0.1)

    def step(carry, _):
        raw, state = carry
        updates, state = optimizer.update(jax.grad(loss)(raw), state)
        return (optax.apply_updates(raw, updates), state), None

    raw = jnp.zeros((1, 1, head.outputs))
    return jax.lax.scan(step, (raw, optimizer.init(raw)), None, length=150)[0][0]


DRAWS = 2000
ONE = LevelScale(np.array([5.0]), np.array([2.0]))
DRAWN = {
    NormalHead(): stats.norm(8.0, 3.2),
    StudentTHead(): stats.t(3.5, 1.5, 2.6),
    NegativeBinomialHead(): stats.nbinom(2.5, 0.3),
    QuantileHead(LEVELS[1:4]): stats.gumbel_r(4.0, 3.0),
}


@pytest.mark.parametrize(("head", "distribution"), DRAWN.items(), ids=lambda entry: type(entry).__name__)
def test_gradient_descent_finds_the_distribution_that_drew_the_data(head, distribution):
    """Of 2,000 draws; deciles are right within four standard errors of the probability below them, 0.5 / sqrt(n)."""
    levels = LEVELS[1:4] if isinstance(head, QuantileHead) else (0.1, 0.3, 0.5, 0.7, 0.9)
    result = head.quantiles(fitted(head), levels, ONE)[0, 0]
    slack = 2 / np.sqrt(DRAWS)
    for level, quantile in zip(levels, result, strict=True):
        below = distribution.cdf(quantile - 1) if head.counts else distribution.cdf(quantile)
        assert below < level + slack
        assert distribution.cdf(quantile) > level - slack


def test_parameters_are_recovered():
    """A likelihood's own standard errors are about 1 / sqrt(n) of scales, and 6 / sqrt(n) of degrees of freedom."""
    location, scale, freedom = (float(x[0, 0]) for x in StudentTHead().parameters(fitted(StudentTHead())))
    assert (5 + 2 * location, 2 * scale) == (pytest.approx(1.5, abs=0.2), pytest.approx(2.6, rel=0.1))
    assert freedom == pytest.approx(3.5, abs=0.8)


@pytest.mark.parametrize("bad", [-1.0, 2.5, 3e9, np.inf])
def test_values_that_are_not_counts_are_refused(bad):
    with pytest.raises(InputError, match=r"this head describes counts and cannot hold .*: expected whole") as raised:
        NegativeBinomialHead().require(np.array([0.0, 7.0, bad]))
    assert (raised.value.code, raised.value.found, raised.value.expected) == ("not-a-count", bad, (0, 1e9))


@each_head
def test_heads_take_what_they_can_describe(head):
    head.require(np.array([0.0, 3.0, 1e9]))
    if not head.counts:
        head.require(np.array([-2.5]))


@pytest.mark.parametrize("levels", [(), (0.5,), (0.5, 0.1), (0.2, 0.2), (0.0, 0.5), (0.5, 1.0)])
def test_impossible_levels_are_refused(levels):
    with pytest.raises(InputError, match="expected at least two levels between 0 and 1, ascending") as raised:
        QuantileHead(levels)
    assert (raised.value.code, raised.value.found) == ("impossible-quantiles", levels)


def test_heads_by_name():
    assert head_type("student_t")() == StudentTHead()
    assert hash(head_type("quantiles")()) == hash(QuantileHead(QUANTILES))
    assert QuantileHead() != OWN
    with pytest.raises(InputError, match=r"unknown head 'student': expected one of .* Did you mean 'student_t'"):
        head_type("student")
