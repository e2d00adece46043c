"""Every bad file gives one message that says where, what was found and what was expected."""

from contextlib import nullcontext
from pathlib import Path

import polars as pl
import pytest
from tests.bad_inputs import BAD_INPUTS, BadInput, without_rights

from throughtime._errors import InputError
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel


@pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.name)
def test_message(case: BadInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write(tmp_path / case.file)
    monkeypatch.chdir(tmp_path)  # a relative path: the folders above the test's are closed to other users
    with without_rights() if case.unprivileged else nullcontext(), pytest.raises(InputError) as raised:
        read_panel(case.file, **case.options)
    message = str(raised.value)
    assert message.startswith(case.file)
    assert "\n" not in message
    for word in case.words:
        assert word in message


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([1, 2, 3], ("builtins.list", "expected a dataframe")),
        (pl.DataFrame({"ds": [1, 2, 2], "y": [1, 2, 3]}), ("the frame", "2 (row 2)", "row 3")),
        (pl.DataFrame({"ds": [1, 2], "y": [True, False]}), ("column 'y'", "Boolean", "numbers")),
        (pl.DataFrame({"ds": [1.0, 2.5], "y": [1, 2]}), ("row 2", "column 'ds'", "2.5")),
        (pl.DataFrame({"ds": [True, False], "y": [1, 2]}), ("column 'ds'", "Boolean")),
        (pl.DataFrame({"ds": [], "y": []}), ("no rows",)),
    ],
)
def test_frames(frame: object, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as raised:
        Panel.from_frame(frame)
    for word in words:
        assert word in str(raised.value)
