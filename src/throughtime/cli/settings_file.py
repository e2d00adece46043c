"""Arguments of a Forecaster in a JSON file, as tuning writes them."""

import json
from pathlib import Path
from typing import Any

from throughtime._errors import InputError

WHOLE, TEXT, TRUTH = "a whole number or null", "a text", "true or false"
EXPECTED = {
    "horizon": WHOLE,
    "season": WHOLE,
    "cell": TEXT,
    "hidden": WHOLE,
    "steps": WHOLE,
    "members": WHOLE,
    "lookback": WHOLE,
    "head": TEXT,
    "preset": TEXT,
    "calendar": TRUTH,
    "devices": WHOLE,
}


def read_settings(path: str | Path, *, horizon: int) -> dict[str, Any]:
    """Return the arguments in the file without the horizon, which must be the one given if the file has one.

    Raises:
        InputError: for a file that cannot be read or is not JSON, an unknown argument, a value of another kind, and
            another horizon.
    """
    content = _read_json(Path(path))
    for name, value in content.items():
        if name not in EXPECTED:
            known = ", ".join(EXPECTED)
            message = f"{path}: unknown setting {name!r}, expected some of {known}"
            raise InputError(message, code="unknown-setting", file=path, found=name, expected=list(EXPECTED))
        if not _fits(value, EXPECTED[name]):
            message = f"{path}: the setting {name!r} is {json.dumps(value)}, expected {EXPECTED[name]}"
            raise InputError(message, code="bad-setting", file=path, column=name, found=value, expected=EXPECTED[name])
    tuned_for = content.pop("horizon", None) or horizon
    if tuned_for != horizon:
        raise InputError(
            f"{path} was tuned for a horizon of {tuned_for} steps, not of {horizon}: expected the same; tune again for "
            f"this one",
            code="another-horizon",
            file=path,
            found=horizon,
            expected=tuned_for,
        )
    return content


def _read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): expected the best.json of tuning"
        raise InputError(message, code="unreadable", file=path) from None
    except ValueError as error:  # of JSON, and of bytes that are not text
        message = f"{path} is not JSON ({error}): expected the best.json of tuning"
        raise InputError(message, code="not-json", file=path) from None
    if not isinstance(content, dict):
        message = f"{path} holds no JSON object: expected the best.json of tuning, arguments of a Forecaster"
        raise InputError(message, code="not-an-object", file=path)
    return content


def _fits(value: Any, expected: str) -> bool:
    if expected == WHOLE:
        return value is None or (isinstance(value, int) and not isinstance(value, bool))
    return isinstance(value, str if expected == TEXT else bool)
