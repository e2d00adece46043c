"""Sentences about decisions say what differs, and nothing that rounds to no difference."""

import math

import pytest

from throughtime.forecasting.decisions import Decisions, explain

DECIDED = Decisions(
    seasons=(12,),
    asked_season=None,
    usual_season=12,
    frequency="monthly",
    series=3,
    longest=70,
    horizon=5,
    calendar=(),
    steps=40,
    most_steps=40,
    widened={80: 1.0, 95: 1.0},
    windows=90,
    least_windows=10,
    short=(),
    networks=1,
    zero_shot=None,
    tuning=0,
    observations=200,
    trains_from=0,
)


def widened_note(widened: dict[int, float]) -> list[str]:
    return [note for note in explain(DECIDED._replace(widened=widened)) if note.startswith("Intervals")]


@pytest.mark.parametrize(
    ("widened", "said"),
    [
        ({80: 1.0, 95: 1.0}, []),
        ({80: 1.0, 95: 1.004}, []),
        ({80: 1.0, 95: 1.2}, ["95 % 1.20"]),
        ({80: 1.1, 95: 1.003}, ["80 % 1.10"]),
        ({80: 1.1, 95: 1.34}, ["80 % 1.10", "95 % 1.34"]),
    ],
)
def test_factors_that_are_one_as_printed_are_not_said(widened: dict[int, float], said: list[str]) -> None:
    notes = widened_note(widened)
    assert len(notes) == bool(said)
    for note in notes:
        assert [part for part in ("80 % 1.10", "95 % 1.20", "95 % 1.34", "1.00") if part in note] == said


@pytest.mark.parametrize(
    ("observations", "trains_from", "told"),
    [(200, 1000, True), (200, math.inf, False), (1200, 1000, False)],
)
def test_why_no_network_was_trained_is_said_if_more_values_would_change_it(observations, trains_from, told):
    made = DECIDED._replace(networks=0, steps=0, zero_shot=1.0, observations=observations, trains_from=trains_from)
    assert any("1,000" in note for note in explain(made)) == told


@pytest.mark.parametrize("networks", [0, 1])
@pytest.mark.parametrize("tuning", [0, 200])
def test_fine_tuning_is_said(networks, tuning):
    """Beside trained networks, and without any."""
    made = DECIDED._replace(networks=networks, zero_shot=1.0 - networks / 2, tuning=tuning)
    assert any("fine-tuned" in note for note in explain(made)) == bool(tuning)
