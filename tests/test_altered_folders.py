"""Saved folders with something wrong: one clear error, or the same forecasts; never a crash, nothing from elsewhere.

Accidents change files as they are: checksums must notice. Forgeries have checksums that fit, and content that no
version writes: the error, if there is one, still is an InputError, and what loads can forecast.
"""

import hashlib
import json
import os
import random
import shutil
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import throughtime as tt
from throughtime._folder import ARRAYS_FILE, HEADER, _digest
from throughtime._tensors import from_bytes, to_bytes

SAVED = Path(__file__).parent / "saved_before" / "0.1.0"
SPARSE = 2**42  # bytes; more than any memory
DEEP = "[" * 100_000
WRONG = [
    *(None, True, False, 0, -1, 1, 2, 3.5, 10**6, 2**31, 2**63, 10**30, -(10**30), 1e308, float("nan"), float("inf")),
    *("", "x", "x" * 10_000, "../../etc/passwd", "os:system", "gru", "quantiles", "month", "2024-01-01", "\ud800"),
    *([], [[]], {}, {"x": 1}, [1, "a", None], [[1, 2], [3]], json.loads("[" * 300 + "]" * 300)),
]


@pytest.fixture(scope="module")
def model() -> tt.Forecaster:
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 24), "1d", eager=True)
    parts = [{"unique_id": name, "ds": days[:n], "y": np.sin(np.arange(n)) + n} for name, n in (("a", 24), ("b", 15))]
    return tt.Forecaster(3, preset="fast").fit(pl.concat(map(pl.DataFrame, parts)))


@pytest.fixture(scope="module")
def saved(model: tt.Forecaster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


# Accidents


def flip(file: Path, draw: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(draw.choice((1, 1, 3, 50))):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def truncate(file: Path, draw: random.Random) -> None:
    os.truncate(file, draw.choice((0, 1, draw.randrange(file.stat().st_size))))


def lengthen(file: Path, draw: random.Random) -> None:
    os.truncate(file, draw.choice((file.stat().st_size + 1, SPARSE)))


def repeat(file: Path, draw: random.Random) -> None:
    content = file.read_bytes()
    begin, size = draw.randrange(len(content)), draw.choice((1, 8, 4096))
    file.write_bytes(content[: begin + size] + content[begin:])


def delete(file: Path, draw: random.Random) -> None:
    del draw
    file.unlink()


def exchange(file: Path, draw: random.Random) -> None:
    """Put another file in its place: the other one of the folder, or one of another folder."""
    others = [other for folder in (file.parent, SAVED / "training", SAVED / "forecaster") for other in folder.iterdir()]
    content = draw.choice([other for other in others if other != file]).read_bytes()
    file.write_bytes(content)


def link(file: Path, draw: random.Random) -> None:
    """Leave a link to the file outside of the folder, to an endless one or to itself; a pipe, or a folder."""
    outside = file.parent.parent / "outside"
    outside.write_bytes(file.read_bytes())
    file.unlink()
    kind = draw.choice(("outside", "endless", "itself", "nothing", "pipe", "folder"))
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        places = {"outside": outside, "endless": Path("/dev/zero"), "itself": file, "nothing": outside / "nothing"}
        file.symlink_to(places[kind])


def replace_text(file: Path, draw: random.Random) -> None:
    text = draw.choice(
        (DEEP, "{" + '"a":{' * 50_000, "9" * 100_000, "null", "[]", "{}", "\x00" * 9, '{"format": "throughtime"}')
    )
    file.write_text(text)


ACCIDENTS = [flip, flip, flip, truncate, lengthen, repeat, delete, exchange, link, replace_text]


def by_accident(folder: Path, draw: random.Random) -> str:
    accident = draw.choice(ACCIDENTS)
    accident(draw.choice(sorted(folder.iterdir())), draw)
    return accident.__name__


# Forgeries


def places_in(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of each value inside of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in items for place in places_in(item, (*path, name)))]


def change_value(header: dict, arrays: dict, draw: random.Random) -> None:
    """Replace, remove or repeat a value of the header."""
    del arrays
    path = draw.choice([path for path in places_in(header) if path and path != ("format",)])
    inside = header
    for name in path[:-1]:
        inside = inside[name]
    what = draw.random()
    if what < 0.8:
        inside[path[-1]] = draw.choice(WRONG)
    elif what < 0.9 or isinstance(inside, dict):
        del inside[path[-1]]
    else:
        inside.append(inside[path[-1]])


def change_array(header: dict, arrays: dict, draw: random.Random) -> None:
    """Remove, rename, cut, stretch or fill an array, or change its type."""
    del header
    names = sorted(arrays)
    history = [name for name in names if name.startswith(("history", "covariates"))]
    name = draw.choice(history if history and draw.random() < 0.7 else names)
    array = arrays.pop(name)
    flat = array.ravel().copy()
    kind = draw.randrange(7)
    if kind == 1:
        arrays[name + "x"] = array
    elif kind == 2:
        arrays[name] = flat[: len(flat) // 2]
    elif kind == 3:
        arrays[name] = np.concatenate([flat, flat])
    elif kind == 4:
        arrays[name] = array.astype(draw.choice((np.int8, np.float32, np.float64, np.int64, np.uint64, bool, complex)))
    elif kind == 5 and len(flat):
        raw = flat.view(np.uint8)
        for _ in range(3):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        arrays[name] = flat.reshape(array.shape)
    elif kind == 6 and len(flat):
        flat[draw.randrange(len(flat))] = draw.choice((0, 1, 127)) if flat.dtype.kind != "f" else np.nan
        arrays[name] = flat.reshape(array.shape)


def by_forgery(folder: Path, draw: random.Random) -> str:
    """Change the content, and write checksums that fit."""
    header = json.loads((folder / HEADER).read_text())
    (file,) = (file for file in folder.iterdir() if ARRAYS_FILE.fullmatch(file.name))
    arrays = from_bytes(file.read_bytes(), {})
    change = draw.choice((change_value, change_value, change_array))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if change is change_array:
            change(header, arrays, draw)
            content = to_bytes(arrays)[0] if draw.random() < 0.95 else file.read_bytes()[:-8] + b"forged.."
            digest = hashlib.sha256(content).hexdigest()
            file.unlink()
            (folder / f"arrays-{digest[:16]}.safetensors").write_bytes(content)
            described = {"file": f"arrays-{digest[:16]}.safetensors", "bytes": len(content), "sha256": digest}
            header["arrays"] = described
        else:
            change(header, arrays, draw)
    header.pop("sha256", None)
    text = json.dumps(header | {"sha256": _digest(header)})
    (folder / HEADER).write_text(text)
    return change.__name__


# Tests


def altered(
    saved: Path, tmp_path: Path, alter: Callable[[Path, random.Random], str], seed: int, load: Callable[[Path], Any]
) -> tuple[str, Any]:
    """Alter a copy of a folder, load it, and return what came: the error's code, or what was loaded."""
    folder = tmp_path / "model"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
    what = alter(folder, random.Random(seed))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that are out of all bounds
            return what, load(folder)
    except tt.InputError as error:
        return what, error


def alter_many(model: tt.Forecaster, saved: Path, tmp_path: Path, seeds: range) -> None:
    expected = pl.DataFrame(model.predict(level=[80, 95])).with_columns(pl.col("ds").cast(pl.Date))

    def forecast(folder: Path) -> pl.DataFrame:
        return tt.Forecaster.load(folder).predict(level=[80, 95])

    outcomes: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        what, result = altered(saved, tmp_path, by_accident if seed % 2 else by_forgery, seed, forecast)
        if seed % 2 and isinstance(result, pl.DataFrame):
            assert_frame_equal(result.with_columns(pl.col("ds").cast(pl.Date)), expected, check_exact=True)
        if what == "link":
            assert isinstance(result, tt.InputError)
        outcomes[what, result.code if isinstance(result, tt.InputError) else "forecast"] += 1
    print(outcomes)


def test_altered_folders_of_a_forecaster(model, saved, tmp_path):
    alter_many(model, saved, tmp_path, range(160))


@pytest.mark.slow
def test_ten_thousand_altered_folders(model, saved, tmp_path):
    alter_many(model, saved, tmp_path, range(1000, 11_000))


@pytest.mark.parametrize("kind", ["forecaster", "training"])
def test_altered_folders_of_networks(kind, tmp_path):
    """Of a former version, with covariates; they are loaded only: forecasts of other shapes would compile."""
    for seed in range(16):
        what, result = altered(SAVED / kind, tmp_path, by_accident if seed % 2 else by_forgery, seed, tt.load)
        assert isinstance(result, tt.InputError | tt.Forecaster | tt.RecurrentNetwork), what
