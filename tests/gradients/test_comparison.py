"""The cases that are compared, and the inputs that they are compared on."""

from pathlib import Path

import jax
import numpy as np
import pytest

import throughtime as tt
from throughtime.gradients.comparison import cases, panel_windows
from throughtime.gradients.remedies import chapters, clipping, compare_remedies

NILE = Path(__file__).parents[2] / "examples" / "nile.csv"


def test_windows_of_a_panel_are_its_own():
    panel = tt.read_panel(NILE)
    windows = panel_windows(panel, 7, seed=3)
    assert windows.shape == (64, 7, 1)
    scaled = (panel.values - panel.values.mean()) / panel.values.std()
    every = np.lib.stride_tricks.sliding_window_view(scaled, 7)
    assert all(np.isclose(every, window[:, 0], atol=1e-5).all(axis=1).any() for window in windows)
    assert len({window.tobytes() for window in windows}) > 30


def test_windows_longer_than_every_series_are_refused():
    with pytest.raises(tt.InputError) as caught:
        panel_windows(tt.read_panel(NILE), 101, seed=0)
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("series-too-short", 100, 101)


def test_an_initializer_goes_to_the_cells_that_take_it():
    built = cases(["elman", "gru", "mingru"], ["tanh"], ["orthogonal", "chrono"], length=9)
    assert [case[:3] for case in built] == [
        ("elman", "tanh", "orthogonal"),
        ("gru", "", "orthogonal"),
        ("gru", "", "chrono"),
        ("mingru", "", ""),
    ]
    assert [case.label for case in built[::3]] == ["elman tanh, orthogonal", "mingru"]


def test_an_initializer_that_no_cell_takes_is_refused():
    with pytest.raises(tt.InputError) as caught:
        cases(["mingru", "lru"], [], ["orthogonal"], length=9)
    assert (caught.value.code, caught.value.found) == ("initializer-not-taken", "orthogonal")
    assert caught.value.expected == ["mingru", "lru"]


def test_the_story_has_every_remedy():
    labels = {label for chapter in chapters(8) for label in chapter.cases}
    assert {"sigmoid", "relu", "leaky_relu", "elu", "relu, identity", "tanh, orthogonal"} <= labels
    assert {"layer normalization", "batch normalization", "zoneout, 0.5", "GRU", "LSTM, chrono", "LRU"} <= labels


def test_clipping_by_value_turns_and_by_norm_does_not():
    xs = jax.random.normal(jax.random.key(0), (3, 40, 2))
    raw, value, norm = clipping(xs, hidden=5, key=jax.random.key(1)).values()
    assert raw.norm > 1e3
    assert raw.cosine == pytest.approx(1)
    assert value.largest == 1
    assert value.cosine < 0.99
    assert norm.norm == pytest.approx(1, rel=1e-5)
    assert norm.cosine == pytest.approx(1)


@pytest.mark.slow
def test_chapters_share_the_flows_of_equal_cases():
    remedies = compare_remedies(jax.random.normal(jax.random.key(0), (9, 6, 1)), hidden=4, key=jax.random.key(1))
    assert len(remedies.cases) == len(remedies.flows) < sum(len(chapter.cases) for chapter in remedies.chapters)
    first, second = (remedies.flows_of(chapter) for chapter in remedies.chapters[:2])
    assert first[1] is second[0]  # tanh with Glorot's weights
    assert second[1].recurrent_norm == pytest.approx(1, rel=1e-5)  # orthogonal
