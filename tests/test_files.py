"""What a command writes appears all at once or not at all."""

import re
from pathlib import Path

import pytest

from throughtime._errors import InputError
from throughtime._files import output_folder, staged


def files(folder: Path) -> dict[str, str]:
    """All files below, hidden ones too, with what they hold."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def write(stage: Path) -> None:
    (stage / "metrics.json").write_text("new metrics")
    (stage / "gallery").mkdir()
    (stage / "gallery" / "step_0100.png").write_text("new picture")


def fail_while_writing(folder: Path, error: BaseException) -> None:
    with staged(folder) as stage:
        write(stage)
        raise error


NEW = {"metrics.json": "new metrics", "gallery/step_0100.png": "new picture"}


def test_files_appear_at_the_end(tmp_path):
    with staged(tmp_path) as stage:
        write(stage)
        assert not (tmp_path / "metrics.json").exists()
    assert files(tmp_path) == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gallery", "metrics.json"]


def test_earlier_files_are_replaced_and_others_kept(tmp_path):
    (tmp_path / "metrics.json").write_text("old metrics, and longer")
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "step_0900.png").write_text("kept")
    (tmp_path / "notes.txt").write_text("mine")
    with staged(tmp_path) as stage:
        write(stage)
    assert files(tmp_path) == NEW | {"gallery/step_0900.png": "kept", "notes.txt": "mine"}


def test_what_an_earlier_run_left_goes(tmp_path):
    """By exact names, where the new run has no file of this name; a folder that is empty then goes too."""
    for name in ("model/a-1.bin", "model/a-2.bin", "model/a-1.bin.mine", "old/b-1.bin", "b-1.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    former = {"model": re.compile(r"a-\d\.bin"), "old": re.compile(r"b-\d\.bin"), "none": re.compile(".*")}
    with staged(tmp_path, former=former) as stage:
        (stage / "model").mkdir()
        (stage / "model" / "a-2.bin").write_text("new")
        assert len(files(tmp_path)) == 6
    assert files(tmp_path) == {"model/a-2.bin": "new", "model/a-1.bin.mine": "old", "b-1.bin": "old"}
    assert not (tmp_path / "old").exists()


@pytest.mark.parametrize("error", [ValueError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_after_an_exception(tmp_path, error):
    (tmp_path / "metrics.json").write_text("old")
    with pytest.raises(type(error)):
        fail_while_writing(tmp_path, error)
    assert files(tmp_path) == {"metrics.json": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("taken", ["metrics.json", "gallery"])
def test_what_is_in_the_way_stops_everything(tmp_path, taken):
    place = tmp_path / taken
    if taken == "gallery":
        place.write_text("a file")
    else:
        place.mkdir()
    before = files(tmp_path)
    with (
        pytest.raises(InputError, match=rf"{taken} is in the way of a (file|folder) of this name"),
        staged(tmp_path) as s,
    ):
        write(s)
    assert files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == [taken]


def test_an_output_folder_is_made(tmp_path):
    made = output_folder(tmp_path / "out" / "demo")
    assert made == tmp_path / "out" / "demo"
    assert made.is_dir()
    assert list(made.iterdir()) == []
    assert output_folder(str(made)) == made


def test_a_file_is_no_output_folder(tmp_path):
    file = tmp_path / "out"
    file.write_text("mine")
    with pytest.raises(InputError, match="out is a file: expected a folder to write to; choose another"):
        output_folder(file)
    with pytest.raises(InputError, match=r"out/demo cannot be written \(Not a directory\): choose another"):
        output_folder(file / "demo")
    assert file.read_text() == "mine"


def test_a_name_that_cannot_be_is_no_output_folder(tmp_path):
    with pytest.raises(InputError, match=r"cannot be written \(File name too long\): choose another"):
        output_folder(tmp_path / ("x" * 300))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    def full(*_args: object, **_options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"cannot be written \(Read-only file system\): choose another"):
        output_folder(tmp_path)
