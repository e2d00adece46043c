"""Names for objects: users and files name functions and classes, tables hold them."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from throughtime._errors import InputError

Entry = TypeVar("Entry", bound=Callable)


def resolve(what: str, table: Mapping[str, Entry], choice: str | Entry) -> Entry:
    """Return the entry of a name, or ``choice`` itself if it is a function or class already.

    Args:
        what: the kind of entry, for the message: "activation", "cell".
        table: the entries by name.
        choice: a name of the table, in letters of any case, or any callable.

    Raises:
        InputError: for an unknown name; the message lists the known ones and suggests the closest.
    """
    return choice if callable(choice) else table[known_name(what, table, choice)]


def known_name(what: str, table: Iterable[str], choice: Any) -> str:
    """Return a name as the table has it: "LSTM" and " Lstm" are "lstm", "Student-t" is "student_t".

    Raises:
        InputError: for an unknown name; the message lists the known ones and suggests the closest.
    """
    table = list(table)
    if isinstance(choice, str):
        if choice in table:
            return choice
        folded = re.sub(r"[-\s]+", "_", choice.strip().lower())
        if folded in table:
            return folded
    close = get_close_matches(str(choice).lower(), table, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(
        f"unknown {what} {choice!r}: expected one of {', '.join(table)}.{hint}",
        code="unknown-name",
        found=choice,
        expected=table,
    )


def name_of(what: str, table: Mapping[str, Entry], entry: Entry) -> str:
    """Return the name of an entry, for a configuration on disk.

    Raises:
        InputError: if the table does not hold it, because a file must load without running foreign code.
    """
    for name, known in table.items():
        if known is entry:
            return name
    raise InputError(
        f"the {what} {entry!r} has no name in throughtime and cannot be saved: expected one of "
        f"{', '.join(table)}. Add it to the table under a name, before saving and before loading.",
        code="no-name",
        found=entry,
        expected=list(table),
    )
