"""When training stops and how wide intervals become, against the same judgement made by hand."""

import numpy as np
import polars as pl
import pytest
from tests.forecasting.conftest import SMALL

import throughtime as tt
from throughtime.forecasting.engine import forecast_quantiles
from throughtime.forecasting.heldout import COVERAGE, WINDOWS_OF_FEW, settle
from throughtime.forecasting.intervals import MEDIAN, QUANTILES

F = SMALL["horizon"]
LEVELS = np.array(QUANTILES)


def judged_by_hand(network, panel, plan):
    """The mean loss in units of each window's scale, and the ratios of errors to half an 80 % interval."""
    losses, ratios = [], []
    for window in range(1, WINDOWS_OF_FEW + 1):
        origins = np.maximum(panel.lengths - window * F, 0)
        quantiles = forecast_quantiles(network, panel, origins, plan)
        for i in (0, 1):  # the third series is too short
            past, cut = panel.series(i)[: origins[i]], origins[i]
            for step, y in enumerate(panel.series(i)[cut : cut + F]):
                error = y - quantiles[i, step]
                losses.append(
                    np.maximum(LEVELS * error, (LEVELS - 1) * error).mean() / past[-plan.design.length :].std()
                )
                lower, median, upper = quantiles[i, step][[QUANTILES.index(0.1), MEDIAN, QUANTILES.index(0.9)]]
                ratios.append((y - median) / (upper - median) if y > median else (median - y) / (median - lower))
    return np.mean(losses), np.sort(ratios)


@pytest.mark.parametrize("level", [0.0, 1e9])
def test_the_least_held_out_loss_decides(frame, level, monkeypatch):
    """Around a far level too, where float32 would not tell the movements apart."""
    monkeypatch.setattr("throughtime.forecasting.heldout.WIDEST", 10.0)
    panel = tt.Panel.from_frame(frame.with_columns(pl.col("y") - 13 + level))
    plan = tt.Forecaster(**SMALL).fit(panel).plan_
    plan = plan._replace(log=False, learning_rate=0.1)  # overshoots, so that the last step is not the best
    seen = []
    settled = settle(panel, panel.lengths, plan, report=seen.append, seed=0)
    assert [int(progress.state.step) for progress in seen] == list(range(1, SMALL["steps"] + 1))
    judged = [judged_by_hand(progress.state.model, panel, plan) for progress in seen]
    best = int(np.argmin([loss for loss, _ in judged]))
    assert settled.steps == best + 1 < SMALL["steps"]
    ratios = judged[best][1]
    share = COVERAGE * (len(ratios) + 1) / len(ratios)
    due = ratios[int(np.ceil(share * (len(ratios) - 1)))]
    assert 1 < due < 10
    assert settled.stretch == pytest.approx(due, rel=1e-3)
    assert settled == plan._replace(steps=settled.steps, stretch=settled.stretch)
