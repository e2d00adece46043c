"""The timing of a run, with a clock of the test's own."""

import pytest

from throughtime.lab.schedule import PICTURE_SHARE, PORTION, SHORTEST_PAUSE, Schedule
from throughtime.lab.trainer import MOST_AT_ONCE


def test_a_first_portion_is_one_step_and_later_ones_take_a_known_time():
    schedule = Schedule()
    assert schedule.portion() == 1
    schedule.trained(1, 10.0, 10.0 + 1 / 700)
    assert schedule.speed == pytest.approx(700)
    assert schedule.portion() == round(700 * PORTION)
    assert schedule.training_due == 10.0 + 1 / 700


def test_a_portion_is_bounded():
    schedule = Schedule()
    schedule.trained(1000, 0.0, 1e-6)
    assert schedule.portion() == MOST_AT_ONCE


def test_a_pace_spaces_the_portions():
    schedule = Schedule()
    schedule.pace = 40.0
    assert schedule.portion() == round(40 * PORTION) == 4
    schedule.trained(4, 7.0, 7.01)
    first = schedule.training_due
    assert first == pytest.approx(7.01 - PORTION + 4 / 40)
    schedule.trained(4, first, first + 0.01)
    assert schedule.training_due == pytest.approx(first + 4 / 40)
    schedule.pace = 0.2
    assert schedule.portion() == 1


def test_a_picture_takes_its_share_of_the_time_at_most():
    schedule = Schedule()
    schedule.shown(5.0, 5.2)
    assert schedule.picture_due == pytest.approx(5.2 + 0.2 / PICTURE_SHARE)
    schedule.shown(9.0, 9.001)
    assert schedule.picture_due == pytest.approx(9 + SHORTEST_PAUSE)
