"""The picture of a run shows the numbers of its history."""

import numpy as np
import pytest

from throughtime.plots.history import history_picture
from throughtime.training.history import History

R, K = 9, 4


@pytest.fixture(scope="module")
def history():
    draw = np.random.default_rng(0)

    def positive(*shape):
        return np.exp(draw.normal(size=shape))

    ratios = {"model.cell.w_h": positive(R), "model.readout.bias": np.full(R, np.nan)}
    shares = [{gate: draw.random(R) for gate in "rzn"} for _ in range(2)]
    return History(
        100 * np.arange(1, R + 1), positive(R), draw.random(R), positive(R), positive(R, K + 1), ratios, *shares
    )


@pytest.fixture(scope="module")
def panels(history, tmp_path_factory):
    """By title; the picture is drawn to a file, too."""
    figure = history_picture(history)
    figure.savefig(tmp_path_factory.mktemp("picture") / "history.png")
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def curves(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def test_each_panel_has_its_curves(panels, history):
    np.testing.assert_array_equal(curves(panels["Loss"])["loss"], history.loss)
    np.testing.assert_array_equal(curves(panels["Gradient, and share of it clipped"])["norm"], history.gradient_norm)
    assert list(curves(panels["Update / weights"])) == ["cell.w_h"]  # what has no ratio has no curve
    np.testing.assert_array_equal(
        curves(panels["Update / weights"])["cell.w_h"], history.update_ratio["model.cell.w_h"]
    )
    for title, shares in (("Dead units, by gate", history.dead), ("Saturated units, by gate", history.saturated)):
        assert list(curves(panels[title])) == ["r", "z", "n"]
        for gate, values in curves(panels[title]).items():
            np.testing.assert_array_equal(values, shares[gate])


def test_the_gradient_by_lag_is_drawn_for_the_first_and_the_last_record(panels, history):
    drawn = curves(panels["Gradient of the loss by the state k steps back"])
    assert list(drawn) == [f"step {step}" for step in (100, 300, 400, 600, 700, 900)]
    np.testing.assert_array_equal(drawn["step 100"], history.gradient_by_lag[0])
    np.testing.assert_array_equal(drawn["step 900"], history.gradient_by_lag[-1])


def test_the_share_that_was_clipped_is_filled(panels, history):
    (filled,) = panels[""].collections
    assert filled.get_paths()[0].vertices[:, 1].max() == pytest.approx(history.clip_share.max())
    assert panels[""].get_ylim() == (0, 1)


def test_one_record_is_enough(history):
    one = History(*(values[:1] for values in history[:5]), *({k: v[:1] for k, v in d.items()} for d in history[5:]))
    assert len(history_picture(one).axes) == 7
