"""Training that goes on from a fitted forecaster: its weights, what it costs, and what the held-out ends decide."""

import copy
from collections import defaultdict
from datetime import date

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.forecasting.conftest import LENGTHS, SMALL, seasonal_values

import throughtime as tt
from throughtime._errors import InputError
from throughtime.forecasting import plan, warm_start
from throughtime.forecasting.held_out import hold_out
from throughtime.forecasting.optimizer import learning_rate
from throughtime.forecasting.start import seen_steps
from throughtime.forecasting.trials import Moment, Trial

F, STEPS = SMALL["horizon"], 30
SEARCHED = {name: value for name, value in SMALL.items() if name != "steps"} | {"members": 2}


def longer_frame(rows: int) -> pl.DataFrame:
    """The series of the frame with some more rows each, and a new one."""
    months = pl.date_range(date(2000, 1, 1), date(2009, 12, 1), "1mo", eager=True).alias("ds")
    lengths = {name: length + rows for name, length in LENGTHS.items()} | {"new": 44}
    parts = (
        pl.DataFrame({"unique_id": name, "ds": months[:length], "y": seasonal_values(length, seed)})
        for seed, (name, length) in enumerate(lengths.items())
    )
    return pl.concat(parts)


def weights_of(model: tt.Forecaster) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(model.networks_)]


@pytest.fixture(scope="module")
def start(frame):
    """Fitted with a held-out run, and what it did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "STEPS", (STEPS,) * 3)
        return counted(tt.Forecaster(**SEARCHED), frame)


def counted(model, frame, **arguments):
    """The model, fitted, and the steps of each stage."""
    steps = defaultdict(int)

    def count(stage, progress):
        steps[stage] = progress.step

    return model.fit(frame, callback=count, **arguments), steps


def test_training_goes_on_from_the_weights(model, frame):
    """By the third of three steps: Adam's first step is as long as the learning rate in each direction."""
    after = tt.Forecaster(**SMALL | {"steps": 1}).fit(frame, start=model)
    moved = max(np.abs(new - old).max() for new, old in zip(weights_of(after), weights_of(model), strict=True))
    rate = float(learning_rate(jnp.int32(2), jnp.int32(3), plan.LEARNING_RATE))
    assert 0.5 < moved / (0.9 * rate) < 1.01  # 0.9 is the first weight of the moving average
    assert after.calibration_.origin == "unjudged"
    assert model.calibration_.origin is None


def test_a_fit_from_a_start_takes_fewer_steps(start, monkeypatch, tmp_path):
    monkeypatch.setattr(plan, "STEPS", (STEPS,) * 3)
    first, before = start
    again, after = counted(tt.Forecaster(**SEARCHED), longer_frame(4), start=first)
    assert before["held out 1/4"] > 0
    assert set(after) - {"training 1/2", "training 2/2"} == {"held out 1/2", "held out 2/2"}
    assert 2 * sum(after.values()) < sum(before.values())
    found = again.calibration_
    assert found.origin in ("continued", "new")
    if found.origin == "continued":
        assert found.stretch == first.calibration_.stretch
        assert found.steps <= STEPS // 3
    assert again.fitted_.learned.tolist() == again.panel_.lengths.tolist()
    again.save(tmp_path)
    loaded = tt.load(tmp_path)
    assert loaded.calibration_ == found
    loaded.update(pl.DataFrame({"unique_id": ["b"], "ds": [date(2003, 9, 1)], "y": [12.0]}))
    np.testing.assert_array_equal(loaded.fitted_.learned, again.fitted_.learned)


def test_unseen_values_alone_decide(start, monkeypatch):
    """Made-up losses; the held-out values are those after what was learned, not after what came by an update."""
    first, heard, losses = start[0], [], []
    longer = longer_frame(4)
    later = longer.filter(pl.int_range(pl.len()).over("unique_id") >= 41, unique_id="b")
    updated = copy.copy(first).update(later.filter(pl.col("ds") > date(2003, 4, 1)))
    panel = tt.Panel.from_frame(longer)
    seen = seen_steps(panel, updated.fitted_).tolist()
    assert dict(zip(panel.ids.tolist(), seen, strict=True)) == LENGTHS | {"new": 0}
    held = hold_out(panel, panel.lengths, first.plan_, needed=8)
    rows, cutoffs = held.judged
    known = np.array([LENGTHS.get(str(panel.ids[row]), 0) for row in rows])
    unseen = np.where(cutoffs[:, None] + np.arange(F) < known[:, None], np.nan, held.truth)

    def made_up(held, prepared, plan, seed, start=None):
        np.testing.assert_array_equal(held.truth, unseen)
        heard.append((plan.steps, start))
        return Trial(
            plan, Moment(losses[start is not None], 2, np.nan_to_num(truth)[..., None] + np.linspace(-1, 1, 13))
        )

    truth, wanted = held.truth, plan.make_plan(first.config, panel.values, panel.lengths)._replace(steps=STEPS)
    monkeypatch.setattr(warm_start, "trial", made_up)
    monkeypatch.setattr(warm_start, "run_in_parallel", lambda runs, callbacks, devices: runs)
    for losses[:], origin in (((0.5, 0.5), "continued"), ((0.5, 0.6), "new")):
        selected, networks = warm_start.choose_networks(
            first.config, panel, panel.lengths, wanted, updated.fitted_, zero_shot=None, callback=lambda *_: None
        )
        assert heard == [(STEPS, None), (STEPS // 3, first.networks_[0])]
        heard.clear()
        assert (selected.calibration.origin, selected.calibration.steps) == (origin, 2)
        assert networks == (first.networks_ if origin == "continued" else ())
        assert selected.plan.design == first.plan_.design
    monkeypatch.undo()
    selected, networks = warm_start.choose_networks(
        first.config, first.panel_, first.panel_.lengths, wanted, first.fitted_, zero_shot=None, callback=heard.append
    )
    assert (selected.calibration.origin, selected.calibration.steps, heard) == ("unjudged", STEPS // 3, [])


def test_a_start_that_cannot_be_gone_on_from(model, frame):
    weeks = pl.DataFrame({"ds": pl.date_range(date(2024, 1, 1), date(2025, 1, 1), "1w", eager=True), "y": range(53)})
    other = tt.Forecaster(**SMALL | {"hidden": 5, "cell": "lstm"})
    for forecaster, data, start, code, found in (
        (other, frame, model, "other-start", ["cell", "hidden"]),
        (tt.Forecaster(**SMALL), frame, tt.Forecaster(**SMALL), "not-fitted", None),
        (tt.Forecaster(**SMALL), frame, "out/model", "not-a-forecaster", "out/model"),
        (tt.Forecaster(**SMALL), weeks.cast({"y": pl.Float64}), model, "other-frequency", "weekly"),
    ):
        with pytest.raises(InputError) as caught:
            forecaster.fit(data, start=start)
        assert caught.value.code == code
        assert caught.value.found == found or code == "other-frequency"
        assert not hasattr(forecaster, "fitted_")
    with pytest.raises(InputError) as caught:
        tt.Forecaster(**SMALL).fit(frame.with_columns(price=pl.col("y") * 2), past="price", start=model)
    assert (caught.value.code, caught.value.found) == ("other-covariates", ["price (past, numbers)"])


def test_where_nothing_is_trained_a_start_changes_nothing(frame):
    start = tt.Forecaster(F, preset="instant").fit(frame.filter(unique_id="a"))
    again = tt.Forecaster(F, preset="instant").fit(frame, start=start)
    assert_frame_equal(again.predict(level=80), tt.Forecaster(F, preset="instant").fit(frame).predict(level=80))
    assert again.calibration_.origin is None
