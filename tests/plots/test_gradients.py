"""Pictures and displays of a gradient flow."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs
from tests.plots.pages import Shown, bands, curves, images, texts, words

import throughtime as tt
from throughtime.gradients import CalendarStep, HorizonSensitivity

T, B = 9, 3
STEP = CalendarStep("1 day", None)


@pytest.fixture(scope="module")
def flow():
    cell = random_cell("lstm")
    return tt.gradient_flow(cell, random_inputs(B, T, cell.inputs))


def test_verdict_figures_and_pictures(flow):
    shown = Shown(flow._repr_html_())
    assert words(shown.root[1]) == flow.verdict
    rows = shown.table("")
    assert rows["half-life, steps"] == [f"{flow.half_life:.3g}" if flow.is_straight else "no even rate"]
    assert rows["reach (1 % left)"] == [f"{flow.reach} of {T} steps"]
    assert rows["left after 9 steps"] == [f"{flow.memory[-1]:.2g}"]
    gates = shown.table("gate")
    assert list(gates) == ["gate", "i", "f", "g", "o"]
    assert gates["f"] == [f"{np.mean(flow.gates['f']):.3g}", f"{np.mean(flow.slopes['f']):.3g}"]
    reach = shown.figure("what is left")
    assert {"bound", "via h", "via c", "state"} <= set(texts(reach))
    assert len(bands(reach)) == 1  # of several sequences
    assert len(curves(reach)) == 4
    assert {"smallest", "median", "largest"} <= set(texts(shown.figure("singular values")))


def test_what_a_forecast_moves_with_is_a_map(flow):
    influence = np.arange(15.0).reshape(3, 5)
    shown = Shown(replace(flow, sensitivity=HorizonSensitivity(influence, STEP))._repr_html_())
    figure = shown.figure("what the forecast moves with (blue: 14)")
    (image,) = images(figure)
    opacity = image[::-1, :, 3]
    np.testing.assert_allclose(opacity / 255, influence / 14, atol=0.03)
    assert {"1", "3"} <= set(texts(figure))
    wide = replace(flow, sensitivity=HorizonSensitivity(np.ones((700, 5000)), STEP))
    assert len(wide._repr_html_()) < 60_000


def test_words_are_escaped(flow):
    named = replace(flow, label="<script>")
    page = named._repr_html_()
    assert "<script>" not in page
    assert words(Shown(page).root[1]).startswith("<script>: ")


@pytest.mark.parametrize("xs", [jnp.zeros((1, 2)), jnp.full((5, 2), jnp.nan), 1e30 * jnp.ones((5, 2))])
def test_whatever_was_measured_can_be_shown(xs):
    dead = tt.Elman(2, 3, "relu", key=jax.random.key(0))
    for cell in (dead, tt.Elman(2, 1, "identity", key=jax.random.key(1))):
        flow = tt.gradient_flow(cell, xs)
        assert words(Shown(flow._repr_html_()).root[1]) == flow.verdict
