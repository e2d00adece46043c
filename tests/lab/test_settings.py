"""Settings from the texts of an address, and the errors of texts that are no settings."""

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


def test_texts_become_values_and_missing_ones_the_default():
    course = parse(Course, {"curve": "square", "window": "17", "seed": "3", "unknown": "x"})
    assert course == Course(curve="square", window=17, seed=3)
    learner = parse(Learner, {"cell": "lstm", "hidden": "5", "rate": "0.02", "clip": "1"})
    assert learner == Learner(cell="lstm", hidden=5, rate=0.02, clip=1.0)
    assert isinstance(learner.clip, float)


@pytest.mark.parametrize(
    ("kind", "name", "text", "code", "expected"),
    [
        (Course, "window", "1", "beyond-limits", "a whole number from 2 to 500"),
        (Course, "window", "", "not-a-number", "a whole number from 2 to 500"),
        (Course, "steps", "1e3", "not-a-number", "a whole number from 1 to 1,000,000"),
        (Course, "curve", "cosine", "unknown-choice", CHOICES["curve"]),
        (Learner, "rate", "nan", "beyond-limits", "a number from 1e-06 to 10"),
        (Learner, "rate", "inf", "beyond-limits", "a number from 1e-06 to 10"),
        (Learner, "hidden", "2.5", "not-a-number", "a whole number from 1 to 512"),
        (Learner, "clip", "-1", "beyond-limits", "a number from 0 to 1,000"),
        (Learner, "init", "magic", "unknown-choice", CHOICES["init"]),
        (Learner, "cell", ["gru"], "unknown-choice", CHOICES["cell"]),
    ],
)
def test_a_text_that_is_no_setting_is_refused(kind, name, text, code, expected):
    with pytest.raises(InputError) as caught:
        parse(kind, {name: text})
    error = caught.value
    assert (error.code, error.column, error.found, error.expected) == (code, name, text, expected)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rate", "20", "the learning rate is 20: expected a number from 1e-06 to 10"),
        ("hidden", "2.5", "the hidden size is '2.5': expected a whole number from 1 to 512"),
        ("activation", "soft", f"the activation is 'soft': expected one of {', '.join(CHOICES['activation'])}"),
    ],
)
def test_the_messages(name, text, message):
    with pytest.raises(InputError) as caught:
        parse(Learner, {name: text})
    assert str(caught.value) == message
