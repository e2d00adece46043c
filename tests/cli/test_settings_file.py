"""Settings come back from their file as they were, and what cannot be settings is told."""

from pathlib import Path

import pytest

import throughtime as tt
from throughtime._errors import InputError
from throughtime.cli.settings_file import EXPECTED, read_settings
from throughtime.forecasting.tuning import settings_text


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
    ("content", "words"),
    [
        ("{", ("no JSON", "best.json")),
        ("[1]", ("no JSON object",)),
        ('{"cel": "gru"}', ("unknown setting 'cel'", "cell")),
        ('{"hidden": "12"}', ("'hidden'", '"12"', "a whole number or null")),
        ('{"hidden": true}', ("'hidden'", "true", "a whole number or null")),
        ('{"cell": null}', ("'cell'", "null", "a text")),
        ('{"calendar": 1}', ("'calendar'", "1", "true or false")),
        ('{"horizon": 12}', ("horizon of 12", "not of 5")),
    ],
)
def test_what_is_no_settings_file(content: str, words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(InputError) as raised:
        read_settings(file, horizon=5)
    for word in ("mine.json", *words):
        assert word in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\xd8")
    for name, word in (("nowhere.json", "cannot be read"), ("binary.json", "no JSON"), (".", "cannot be read")):
        with pytest.raises(InputError, match=word):
            read_settings(tmp_path / name, horizon=5)
