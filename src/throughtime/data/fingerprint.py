"""One short text that two panels share only if they hold the same series."""

import hashlib
from collections.abc import Iterator
from dataclasses import astuple

from throughtime.data.panel import Panel

DIGITS = 16


def fingerprint(panel: Panel) -> str:
    """Sixteen hexadecimal digits of all that a forecast may hang on: names, time axes, values, covariates."""
    digest = hashlib.sha256()
    for part in _parts(panel):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:DIGITS]


def _parts(panel: Panel) -> Iterator[bytes]:
    yield repr((panel.ids.tolist(), astuple(panel.frequency))).encode()
    yield from (array.tobytes() for array in (panel.values, panel.offsets, panel.starts))
    if (given := panel.covariates) is not None:
        yield from (array.tobytes() for array in (given.starts, given.offsets, given.came))
        for role in ("static", "past", "future"):
            for column in getattr(given, role):
                yield repr((role, column.name, column.categories)).encode()
                yield column.values.tobytes()
