"""Pictures and displays of a training run."""

import numpy as np
import pytest
from tests.plots.pages import Shown, curves, images, name, points, texts, words

from throughtime.plots.matrices import MAP_SIDE
from throughtime.plots.records import DECADES, ROWS, records_picture
from throughtime.plots.small import POINTS
from throughtime.training.records import Records

R, K = 5, 3
DRAW = np.random.default_rng(0)


def history_of(records=R, lags=K, gates="ifg"):
    shares = DRAW.random((len(gates), records)) / 2
    return Records(
        step=70 * np.arange(1, records + 1),
        loss=1 / np.arange(1.0, records + 1),
        clip_share=np.linspace(0.5, 0.25, records),
        gradient_norm=np.linspace(3, 2.5, records),
        gradient_by_lag=10.0 ** -np.arange(lags + 1) * np.ones((records, 1)),
        update_ratio={f"model.<w_{place}>": np.full(records, 1e-3 * (place + 1)) for place in range(2)},
        dead=dict(zip(gates, 0 * shares, strict=True)),
        saturated=dict(zip(gates, shares, strict=True)),
    )


def test_the_last_record_is_a_table():
    history = history_of()
    page = history._repr_html_()
    shown = Shown(page)
    assert shown.title == "Records of a training run, 5 to step 350"
    assert shown.table("last record") == {
        "last record": ["step 350"],
        "loss": ["0.2"],
        "gradient norm": ["2.5"],
        "steps clipped": ["25%"],
    }
    assert shown.table("gate")["f"] == [f"{history.saturated['f'][-1]:.0%}", "0%"]
    assert shown.table("weights") == {"weights": ["update / weights"], "<w_0>": ["0.001"], "<w_1>": ["0.002"]}
    assert "<w_0>" not in page


def test_the_gradient_by_lag_is_a_map_of_decades():
    figure = Shown(history_of()._repr_html_()).figure("gradient by lag")
    (image,) = images(figure)
    opacity = image[..., 3]
    assert opacity.shape == (K + 1, R)
    np.testing.assert_allclose(opacity[::-1, 0] / 255, 1 - np.arange(K + 1) / DECADES, atol=0.03)  # lag 0 at the bottom
    assert words(figure[0]) == "gradient by lag, 10⁻⁸ or less clear, 1 blue"
    assert {"70", "350", "0", "3"} <= set(texts(figure))


def test_loss_and_shares_are_curves():
    history = history_of()
    shown = Shown(history._repr_html_())
    assert len(curves(shown.figure("share of units"))) == 3
    assert len(points(curves(shown.figure("loss"))[0])) == R
    assert "from 1 to 0.2" in name(shown.figure("loss"))
    labels = texts(shown.figure("share of units"))
    assert {"i", "f", "g"} <= set(labels)
    assert "i dead" not in labels
    history.dead["g"][-1] = 0.25
    assert "g dead" in texts(Shown(history._repr_html_()).figure("share of units"))


def test_in_a_terminal_it_is_a_line_or_tables():
    history = history_of()
    assert repr(history) == "Records(number=5, step=350, loss=0.2, gradient_norm=2.5, lags=4, gates=(i, f, g))"
    assert str(history).startswith("Records of a training run, 5 to step 350\n  last record    step 350\n")
    assert len(repr(history_of(1000, 500))) < 120
    assert history.loss is history[1]  # a named tuple still


@pytest.mark.parametrize("changed", ["loss", "gradient_norm", "gradient_by_lag"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_any_numbers_can_be_shown(changed, value):
    history = history_of()
    getattr(history, changed)[:] = value
    assert Shown(history._repr_html_()).title.startswith("Records of a training run")


def test_a_long_run_stays_small():
    long = history_of(3000, 1000, gates="abcdefghij")
    long.update_ratio.update({f"w{place}": np.ones(3000) for place in range(20)})
    page = long._repr_html_()
    shown = Shown(page)
    assert len(page) < 200_000
    assert all(len(points(curve)) <= POINTS for curve in curves(shown.root))
    (image,) = images(shown.figure("gradient by lag"))
    assert image.shape == (MAP_SIDE, MAP_SIDE, 4)
    assert len(shown.table("weights")) == ROWS + 2
    assert shown.table("weights")["... and more"] == [str(22 - ROWS)]


def test_one_record_and_none():
    assert Shown(history_of(1)._repr_html_()).title == "Records of a training run, 1 to step 70"
    empty = history_of(0)
    assert Shown(empty._repr_html_()).title == "No records of a training run"
    assert repr(empty) == "Records(number=0)"


@pytest.fixture(scope="module")
def run():
    records, lags = 9, 4
    draw = np.random.default_rng(0)

    def positive(*shape):
        return np.exp(draw.normal(size=shape))

    return Records(
        step=100 * np.arange(1, records + 1),
        loss=positive(records),
        clip_share=draw.random(records),
        gradient_norm=positive(records),
        gradient_by_lag=positive(records, lags + 1),
        update_ratio={"model.cell.w_h": positive(records), "model.readout.bias": np.full(records, np.nan)},
        dead={gate: draw.random(records) for gate in "rzn"},
        saturated={gate: draw.random(records) for gate in "rzn"},
    )


@pytest.fixture(scope="module")
def panels(run, tmp_path_factory):
    """By title; the picture is drawn to a file, too."""
    figure = records_picture(run)
    figure.savefig(tmp_path_factory.mktemp("picture") / "history.png")
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def test_each_panel_has_its_lines(panels, run):
    np.testing.assert_array_equal(lines(panels["Loss"])["loss"], run.loss)
    np.testing.assert_array_equal(lines(panels["Gradient, and share of it clipped"])["norm"], run.gradient_norm)
    assert list(lines(panels["Update / weights"])) == ["cell.w_h"]  # what has no ratio has no curve
    np.testing.assert_array_equal(lines(panels["Update / weights"])["cell.w_h"], run.update_ratio["model.cell.w_h"])
    for title, shares in (("Dead units, by gate", run.dead), ("Saturated units, by gate", run.saturated)):
        assert list(lines(panels[title])) == ["r", "z", "n"]
        for gate, values in lines(panels[title]).items():
            np.testing.assert_array_equal(values, shares[gate])


def test_the_gradient_by_lag_is_drawn_for_the_first_and_the_last_record(panels, run):
    drawn = lines(panels["Gradient of the loss by lag"])
    assert list(drawn) == [f"step {step}" for step in (100, 300, 400, 600, 700, 900)]
    np.testing.assert_array_equal(drawn["step 100"], run.gradient_by_lag[0])
    np.testing.assert_array_equal(drawn["step 900"], run.gradient_by_lag[-1])


def test_the_share_that_was_clipped_is_filled(panels, run):
    (filled,) = panels[""].collections
    assert filled.get_paths()[0].vertices[:, 1].max() == pytest.approx(run.clip_share.max())
    assert panels[""].get_ylim() == (0, 1)


def test_a_picture_of_one_record(run):
    one = Records(*(values[:1] for values in run[:5]), *({k: v[:1] for k, v in d.items()} for d in run[5:]))
    assert len(records_picture(one).axes) == 7
