"""What an address says becomes settings, or one message that says what is expected."""

import pytest

from throughtime._errors import InputError
from throughtime.lab.settings import CHOICES, LIMITS, Course, Learner, parse


def test_defaults_are_within_their_limits():
    values = Course()._asdict() | Learner()._asdict()
    for name, (low, high) in LIMITS.items():
        assert low <= values[name] <= high
    for name, known in CHOICES.items():
        assert values[name] in known
    assert set(LIMITS) | set(CHOICES) | {"series"} == set(values)


def test_texts_become_values_and_what_is_not_said_is_the_default():
    course = parse(Course, {"curve": "square", "window": "17", "seed": "3", "unknown": "x"})
    assert course == Course(curve="square", window=17, seed=3)
    learner = parse(Learner, {"cell": "lstm", "hidden": "5", "rate": "0.02", "clip": "1"})
    assert learner == Learner(cell="lstm", hidden=5, rate=0.02, clip=1.0)
    assert isinstance(learner.clip, float)


@pytest.mark.parametrize(
    ("kind", "name", "text", "words"),
    [
        (Course, "window", "1", "the window is 1: expected a whole number from 2 to 500"),
        (Course, "window", "", "the window is '': expected a whole number from 2 to 500"),
        (Course, "steps", "1e3", "the steps is '1e3': expected a whole number from 1 to 1,000,000"),
        (Course, "curve", "cosine", "the curve is 'cosine': expected one of sine, sines, square, noise, file"),
        (Learner, "rate", "nan", "the learning rate is nan: expected a number from 1e-06 to 10"),
        (Learner, "rate", "inf", "the learning rate is inf: expected a number"),
        (Learner, "hidden", "2.5", "the number of units is '2.5': expected a whole number from 1 to 512"),
        (Learner, "clip", "-1", "the largest gradient norm is -1: expected a number from 0 to 1,000"),
        (Learner, "init", "magic", "the initializer is 'magic': expected one of own, glorot"),
        (Learner, "cell", ["gru"], "the cell is ['gru']: expected one of elman"),
    ],
)
def test_what_makes_no_sense_is_told(kind, name, text, words):
    with pytest.raises(InputError, match="^" + words.replace("(", r"\(").replace("[", r"\[").replace("]", r"\]")):
        parse(kind, {name: text})
