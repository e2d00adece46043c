"""Settings come back from their file as they were, and what cannot be settings is told."""

from pathlib import Path

import pytest

import throughtime as tt
from throughtime._errors import InputError
from throughtime.cli.settings_file import EXPECTED, read_settings
from throughtime.forecasting.tuning_result import settings_text


def test_there_and_back(tmp_path: Path) -> None:
    arguments = {"horizon": 7, "cell": "lstm", "hidden": None, "calendar": True, "steps": 30, "season": 12}
    file = tmp_path / "best.json"
    file.write_text(settings_text(arguments))
    read = read_settings(file, horizon=7)
    assert read == {name: value for name, value in arguments.items() if name != "horizon"}
    assert tt.Forecaster(7, **read).get_params().items() >= arguments.items()


def test_every_setting_is_an_argument() -> None:
    assert set(EXPECTED) <= set(tt.Forecaster(3).get_params())


@pytest.mark.parametrize(
    ("content", "code", "column", "expected"),
    [
        ("{", "not-json", None, None),
        ("[1]", "not-an-object", None, None),
        ('{"cel": "gru"}', "unknown-setting", None, list(EXPECTED)),
        ('{"hidden": "12"}', "bad-setting", "hidden", "a whole number or null"),
        ('{"hidden": true}', "bad-setting", "hidden", "a whole number or null"),
        ('{"cell": null}', "bad-setting", "cell", "a text"),
        ('{"calendar": 1}', "bad-setting", "calendar", "true or false"),
        ('{"horizon": 12}', "another-horizon", None, 12),
    ],
)
def test_what_is_no_settings_file(
    content: str, code: str, column: str | None, expected: object, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(InputError) as raised:
        read_settings(file, horizon=5)
    error = raised.value
    assert (error.code, error.file, error.column, error.expected) == (code, str(file), column, expected)
    assert str(file) in str(error)


def test_the_message_says_what_came_and_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"hidden": "12"}')
    with pytest.raises(InputError) as raised:
        read_settings(file, horizon=5)
    assert str(raised.value) == f"{file}: the setting 'hidden' is \"12\", expected a whole number or null"


def test_no_file(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\xd8")
    for name, code in (("nowhere.json", "unreadable"), ("binary.json", "not-json"), (".", "unreadable")):
        with pytest.raises(InputError) as raised:
            read_settings(tmp_path / name, horizon=5)
        assert raised.value.code == code
