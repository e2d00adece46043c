"""Names become objects and objects names."""

import inspect
from collections import deque

import pytest

from throughtime._errors import InputError
from throughtime._registry import LazyTable, class_or_name, known_name, name_of, resolve

TABLE = {"sine": abs, "cosine": round}


def test_a_name_stands_for_its_entry():
    assert resolve("curve", TABLE, "cosine") is round


@pytest.mark.parametrize("choice", ["COSINE", "Cosine", " cosine ", "cosinE"])
def test_letters_of_any_case_are_the_same_name(choice):
    assert resolve("curve", TABLE, choice) is round


@pytest.mark.parametrize("choice", ["Leaky_ReLU", "leaky-relu", "Leaky ReLU"])
def test_hyphens_and_spaces_are_underscores(choice):
    assert known_name("activation", ["relu", "leaky_relu"], choice) == "leaky_relu"


def test_a_name_of_the_table_is_taken_as_it_is():
    assert known_name("curve", ["Sine", "sine"], "Sine") == "Sine"


def test_a_function_stands_for_itself_even_if_the_table_lacks_it():
    assert resolve("curve", TABLE, max) is max


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("sin", "unknown curve 'sin': expected one of sine, cosine. Did you mean 'sine'?"),
        ("Cosines", "unknown curve 'Cosines': expected one of sine, cosine. Did you mean 'cosine'?"),
        ("", "unknown curve '': expected one of sine, cosine."),
        ("tangent", "unknown curve 'tangent': expected one of sine, cosine."),
    ],
)
def test_an_unknown_name_lists_the_known_ones_and_the_closest(choice, message):
    with pytest.raises(InputError) as error:
        resolve("curve", TABLE, choice)
    assert error.value.fields() == {"code": "unknown-name", "found": choice, "expected": ["sine", "cosine"]}
    assert str(error.value) == message


@pytest.mark.parametrize("choice", [None, 3, ["sine"]])
def test_neither_a_name_nor_a_function(choice):
    plain = inspect.unwrap(resolve)  # the type checker of the tests would refuse it first
    with pytest.raises(InputError) as error:
        plain("curve", TABLE, choice)
    assert (error.value.code, error.value.found) == ("unknown-name", choice)


@pytest.mark.parametrize("name", TABLE)
def test_name_of_is_the_inverse(name):
    assert name_of("curve", TABLE, resolve("curve", TABLE, name)) == name


def test_an_entry_without_a_name_cannot_be_saved():
    with pytest.raises(InputError, match=r"the curve <built-in function max> has no name .* one of sine, cos") as error:
        name_of("curve", TABLE, max)
    assert (error.value.code, error.value.found, error.value.expected) == ("no-name", max, ["sine", "cosine"])


def test_a_lazy_table_loads_what_is_read():
    """Its names load nothing: that of a module that is not there neither."""
    table = LazyTable({"queue": "collections:deque", "none": "no_such_module:Thing"})
    assert (list(table), len(table)) == (["queue", "none"], 2)
    assert known_name("thing", table, " None") == "none"
    assert resolve("thing", table, "Queue") is deque
    assert class_or_name("thing", table, " Queue") == "queue"
    assert class_or_name("thing", table, deque) == "queue"
    with pytest.raises(ModuleNotFoundError):
        table["none"]
    with pytest.raises(KeyError):
        table["other"]
