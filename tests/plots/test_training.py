"""What a notebook and a terminal show of a training run."""

import numpy as np
import pytest
from tests.plots.pages import Shown, pixels, svg, words

from throughtime.plots.training import DECADES, MOST, ROWS
from throughtime.training.history import History

R, K = 5, 3
DRAW = np.random.default_rng(0)


def history_of(records=R, lags=K, gates="ifg"):
    shares = DRAW.random((len(gates), records)) / 2
    return History(
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
    assert shown.title == "Training history, 5 records to step 350"
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
    (image,) = svg(figure, "image")
    opacity = pixels(image.get("href"))[..., 3]
    assert opacity.shape == (K + 1, R)
    np.testing.assert_allclose(opacity[::-1, 0] / 255, 1 - np.arange(K + 1) / DECADES, atol=0.03)  # lag 0 at the bottom
    assert words(figure[0]) == "gradient by lag, 10⁻⁸ or less clear, 1 blue"
    texts = [words(text) for text in svg(figure, "text")]
    assert {"70", "350", "0", "3"} <= set(texts)


def test_loss_and_shares_are_curves():
    history = history_of()
    shown = Shown(history._repr_html_())
    assert len(svg(shown.figure("share of units"), "path")) >= 3
    assert "from 1 to 0.2" in svg(shown.figure("loss"), "svg")[0].get("aria-label")
    texts = [words(text) for text in svg(shown.figure("share of units"), "text")]
    assert {"i", "f", "g"} <= set(texts)
    assert "i dead" not in texts
    history.dead["g"][-1] = 0.25
    texts = [words(text) for text in svg(Shown(history._repr_html_()).figure("share of units"), "text")]
    assert "g dead" in texts


def test_in_a_terminal_it_is_a_line_or_tables():
    history = history_of()
    assert repr(history) == "History(records=5, step=350, loss=0.2, gradient_norm=2.5, lags=4, gates=(i, f, g))"
    assert str(history).startswith("Training history, 5 records to step 350\n  last record    step 350\n")
    assert len(repr(history_of(1000, 500))) < 120
    assert history.loss is history[1]  # a named tuple still


@pytest.mark.parametrize("changed", ["loss", "gradient_norm", "gradient_by_lag"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_any_numbers_can_be_shown(changed, value):
    history = history_of()
    getattr(history, changed)[:] = value
    assert Shown(history._repr_html_()).title.startswith("Training history")


def test_a_long_run_stays_small():
    long = history_of(3000, 1000, gates="abcdefghij")
    long.update_ratio.update({f"w{place}": np.ones(3000) for place in range(20)})
    page = long._repr_html_()
    assert len(page) < 150_000
    shown = Shown(page)
    (image,) = svg(shown.figure("gradient by lag"), "image")
    assert max(pixels(image.get("href")).shape) <= MOST
    assert len(shown.table("weights")) == ROWS + 2
    assert shown.table("weights")["... and more"] == [str(22 - ROWS)]


def test_one_record_and_none():
    assert Shown(history_of(1)._repr_html_()).title == "Training history, 1 record to step 70"
    empty = history_of(0)
    assert Shown(empty._repr_html_()).title == "Training history without records"
    assert repr(empty) == "History(records=0)"
