"""A small checkpoint to save, look at and break."""

from pathlib import Path

import numpy as np

from throughtime.training import checkpoint

HEADER = "checkpoint.json"


def tree(scale: float) -> dict[str, np.ndarray]:
    return {"w": scale * np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.int32(7)}


def save(folder: Path, scale: float = 1.0) -> None:
    checkpoint.save(folder, "test", {"scale": scale, "names": ["a", "b"]}, {"tree": tree(scale)})


def assert_holds(folder: Path, scale: float) -> None:
    """The whole checkpoint of this scale."""
    saved = checkpoint.load(folder)
    assert saved.kind == "test"
    assert saved.config == {"scale": scale, "names": ["a", "b"]}
    assert saved.arrays.keys() == {"tree.w", "tree.n"}
    np.testing.assert_array_equal(saved.arrays["tree.w"], tree(scale)["w"])


def listing(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def arrays_of(folder: Path) -> Path:
    (file,) = folder.glob("*.safetensors")
    return file
