"""Programs: how many a fit compiles, and that padding, which makes them few, changes no number."""

from datetime import date

import jax
import numpy as np
import polars as pl
import pytest

import throughtime as tt
from throughtime.data import draw_windows, padded_series
from throughtime.data.windows import LEAST_SERIES, LEAST_STEPS, MOST_SPARE, padded_size
from throughtime.forecasting import optimizer
from throughtime.forecasting.plan import rounded_up
from throughtime.training import adamw_cosine

COMPILED = "/jax/core/compile/backend_compile_duration"


@pytest.fixture
def compiled():
    """The list of programs that are compiled from now on."""
    found: list[str] = []

    def hear(event: str, duration: float, **more: str) -> None:
        del duration
        if event == COMPILED:
            found.append(str(more.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(hear)
    yield found
    jax.monitoring.unregister_event_duration_listener(hear)


def days(length: int, series: int = 1) -> pl.DataFrame:
    ds = pl.date_range(date(2020, 1, 1), date(2024, 12, 31), "1d", eager=True)[:length]
    draw = np.random.default_rng(length)
    week = 3 * np.sin(2 * np.pi * np.arange(length) / 7)
    return pl.concat(
        pl.DataFrame({"unique_id": f"s{k}", "ds": ds, "y": 9 + k + week + draw.normal(size=length)})
        for k in range(series)
    )


SMALL = {"horizon": 5, "hidden": 4}


def test_a_fit_of_another_length_compiles_nothing(compiled):
    """Nor do other numbers of series and steps, held-out runs, plain values instead of logarithms, and samples."""
    first = tt.Forecaster(**SMALL, steps=3).fit(days(150))
    first.predict(level=[80])
    first.sample(2)
    assert {"begin", "advance", "_forecast"} <= {name.removeprefix("jit(").rstrip(")") for name in compiled}
    compiled.clear()
    for frame, steps in [(days(149), 3), (days(90), 2), (days(61), 7), (days(70, series=9), 4)]:
        other = tt.Forecaster(**SMALL, steps=steps, seed=steps).fit(frame)
        other.predict(level=[80])
        other.sample(3)
    selected = tt.Forecaster(**SMALL, preset="fast", members=2).fit(days(80).with_columns(pl.col("y") - 12))
    assert not selected.plan_.log
    selected.predict()
    assert compiled == []


def test_padding_changes_no_draw(monkeypatch):
    """The same windows, to the last bit, with more room for values and for series."""
    draw, lengths = np.random.default_rng(3), np.array([17, 30, 9])
    values, offsets, use = draw.normal(size=56), np.array([0, 17, 47]), np.array([True, False, True])

    def windows():
        series = padded_series(values, values > -1, offsets, lengths, use)
        drawn = draw_windows(jax.random.key(4), series, batch=40, lookback=8, horizon=5, min_history=3)
        return len(series.values), len(series.weights), drawn

    steps, series, padded = windows()
    monkeypatch.setattr("throughtime.data.windows.LEAST_STEPS", 56)
    monkeypatch.setattr("throughtime.data.windows.LEAST_SERIES", 3)
    exact_steps, exact_series, exact = windows()
    assert (steps, series, exact_steps, exact_series) == (LEAST_STEPS, LEAST_SERIES, 56, 3)
    jax.tree.map(np.testing.assert_array_equal, padded, exact)


def test_sizes_are_few_and_never_too_small():
    rows = range(1, 3 * MOST_SPARE, 101)
    sizes = [padded_size(size, 64) for size in rows]
    assert all(0 <= padded - size <= MOST_SPARE for size, padded in zip(rows, sizes, strict=True))
    assert sorted(set(sizes)) == [64 * 4**k for k in range(7)] + [2 * MOST_SPARE, 3 * MOST_SPARE]
    assert [rounded_up(size) for size in range(1, 14)] == [1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 12, 12, 16]


@pytest.mark.parametrize("steps", [1, 3, 45])
def test_the_joined_optimizer_is_adamw_with_a_cosine(steps):
    """Of arrays with different shapes and types, for any number of steps."""
    draw = np.random.default_rng(steps)
    model = {"a": jax.numpy.asarray(draw.normal(size=(3, 2)), "float32"), "b": jax.numpy.asarray([1 - 2j], "complex64")}
    plain, own = adamw_cosine(0.3, steps), optimizer.optimizer_of(0.3, 0.9)
    state, own_state = plain.init(model), optimizer.with_total(own.init(model), np.asarray(steps))
    for _ in range(steps + 1):
        gradient = jax.tree.map(lambda leaf: leaf * draw.normal(), model)
        expected, state = plain.update(gradient, state, model)
        updates, own_state = own.update(gradient, own_state, model)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), updates, expected)
        model = jax.tree.map(lambda leaf, update: leaf + update, model, updates)
    average = optimizer.parted(own_state.average, model)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), average) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), model
    )
