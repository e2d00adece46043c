"""Names that users type become objects here, once, at the edge."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from throughtime._errors import InputError

Entry = TypeVar("Entry", bound=Callable)


def resolve(what: str, table: Mapping[str, Entry], choice: str | Entry) -> Entry:
    """The entry that ``choice`` names, or ``choice`` itself where it is a function already.

    Args:
        what: the kind of thing, for the message: "activation", "cell".
        table: the known names.
        choice: a name of the table, or any callable.

    Raises:
        InputError: for an unknown name; the message lists the known ones.
    """
    if callable(choice):
        return choice
    if isinstance(choice, str) and choice in table:
        return table[choice]
    close = get_close_matches(str(choice), table, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(f"unknown {what} {choice!r}: expected one of {', '.join(table)}.{hint}")


def name_of(what: str, table: Mapping[str, Entry], entry: Entry) -> str:
    """The name under which ``table`` holds ``entry``: what a configuration on disk can say.

    Raises:
        InputError: where the table does not hold it, because a file must load without running foreign code.
    """
    for name, known in table.items():
        if known is entry:
            return name
    raise InputError(
        f"the {what} {entry!r} has no name in throughtime and cannot be saved: expected one of "
        f"{', '.join(table)}. Add it to the table under a name, before saving and before loading."
    )
