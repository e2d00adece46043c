"""Names for objects: users and files name functions and classes, tables hold them."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from throughtime._errors import InputError

Entry = TypeVar("Entry", bound=Callable)


def resolve(what: str, table: Mapping[str, Entry], choice: str | Entry) -> Entry:
    """Return the entry of a name, or ``choice`` itself if it is a function or class already.

    Args:
        what: the kind of entry, for the message: "activation", "cell".
        table: the entries by name.
        choice: a name of the table, or any callable.

    Raises:
        InputError: for an unknown name; the message lists the known ones and suggests the closest.
    """
    if callable(choice):
        return choice
    if isinstance(choice, str) and choice in table:
        return table[choice]
    close = get_close_matches(str(choice), table, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(
        f"unknown {what} {choice!r}: expected one of {', '.join(table)}.{hint}",
        code="unknown-name",
        found=choice,
        expected=list(table),
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
