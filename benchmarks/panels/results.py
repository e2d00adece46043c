"""The file of results: one entry for each set, model and seed, so that any of them can be measured again."""

import datetime
import json
from pathlib import Path
from typing import Any

import machine

from panels.pages import page
from panels.runs import MODELS
from panels.scores import naive2_scores
from panels.sets import SETS, Set

Record = dict[str, Any]


def write(file: Path, given: Set, record: Record, command: str) -> None:
    """Replace an earlier entry, in the numbers and on the page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(file.read_text()) if file.exists() else {"commands": [], "naive2": {}, "cells": []}
    cells = [cell for cell in earlier["cells"] if key(cell) != key(record)] + [record]
    cells.sort(key=lambda cell: (list(SETS).index(cell["set"]), list(MODELS).index(cell["model"]), cell["seed"]))
    facts = {
        "date": datetime.date.today().isoformat(),
        "commands": list(dict.fromkeys([*earlier["commands"], command])),
        "machine": machine.describe(),
        "naive2": earlier["naive2"] | ({given.name: naive2_scores(given)} if given.kind == "m4" else {}),
    }
    file.write_text(json.dumps(facts | {"cells": cells}, indent=1) + "\n")
    file.with_suffix(".md").write_text(page(facts, cells))


def key(cell: Record) -> tuple[str, str, int]:
    """Return the key of an entry: set, model and seed."""
    return cell["set"], cell["model"], cell["seed"]
