"""Arguments of a Forecaster in a JSON file: what tuning found, for forecasts and backtests."""

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
}


def read_settings(path: str | Path, *, horizon: int) -> dict[str, Any]:
    """The arguments in the file but the horizon, which must be the one given, where the file has one.

    Raises:
        InputError: for a file that cannot be read or is no JSON, a name that is no argument, a value of another kind,
            and another horizon.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): expected the best.json of tuning") from None
    except ValueError as error:  # of JSON, and of bytes that are no text
        raise InputError(f"{path} is no JSON ({error}): expected the best.json of tuning") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object: expected the best.json of tuning, arguments of a Forecaster")
    for name, value in content.items():
        if name not in EXPECTED:
            raise InputError(f"{path}: unknown setting {name!r}, expected some of {', '.join(EXPECTED)}")
        if not _fits(value, EXPECTED[name]):
            raise InputError(f"{path}: the setting {name!r} is {json.dumps(value)}, expected {EXPECTED[name]}")
    tuned_for = content.pop("horizon", None) or horizon
    if tuned_for != horizon:
        raise InputError(
            f"{path} was tuned for a horizon of {tuned_for} steps, not of {horizon}: expected the same; tune again for "
            f"this one"
        )
    return content


def _fits(value: Any, expected: str) -> bool:
    if expected == WHOLE:
        return value is None or (isinstance(value, int) and not isinstance(value, bool))
    return isinstance(value, str if expected == TEXT else bool)
