"""The one forecaster of all partitions, in a folder that every worker reads."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from throughtime._errors import InputError
from throughtime._temporary import temporary_folder
from throughtime.forecasting import Forecaster
from throughtime.service import model_digest

MODEL = "model"  # the folder of the forecaster, in that of the results


class SavedModel(NamedTuple):
    """A saved forecaster.

    Attributes:
        folder: its absolute path.
        digest: of its content.
    """

    folder: str
    digest: str


@lru_cache(maxsize=1)
def load_model(saved: SavedModel) -> Forecaster:
    """Return a saved forecaster, from memory if this process had it for the partition before."""
    return Forecaster.load(saved.folder)


def save_model(model: Forecaster | str | Path, out: Path) -> SavedModel:
    """Return a forecaster as it is saved: in its own folder, or in a folder of the results.

    Args:
        model: a fitted forecaster, or the folder of a saved one, which stays where it is.
        out: the folder of the results.

    Raises:
        InputError: before its fit, for a folder without one, and if ``out`` has another one.
    """
    if not isinstance(model, Forecaster):
        Forecaster.load(model)  # refuses anything else
        return _saved(Path(model))
    folder = out / MODEL
    if not folder.exists():
        model.save(folder)
        return _saved(folder)
    with temporary_folder(out) as same:
        model.save(same)
        if model_digest(same) != model_digest(folder):
            raise InputError(
                f"{folder} is another forecaster: choose another folder with --out, or remove {out}",
                code="other-model",
                file=folder,
            )
    return _saved(folder)


def _saved(folder: Path) -> SavedModel:
    return SavedModel(str(folder.resolve()), model_digest(folder))
