"""Names for objects: users and files name functions and classes, tables hold them."""

import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar, cast

from throughtime._errors import InputError

Entry = TypeVar("Entry", bound=Callable)


class LazyTable(MutableMapping[str, Entry]):
    """A table whose entries are loaded when they are read: to know their names loads none of them."""

    def __init__(self, paths: Mapping[str, str]):
        """Take the path "package.module:Class" of each entry by its name."""
        self._entries: dict[str, str | Entry] = dict(paths)

    def __getitem__(self, name: str) -> Entry:
        """Load an entry."""
        entry = self._entries[name]
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            entry = self._entries[name] = cast(Entry, getattr(import_module(module), attribute))
        return entry

    def __setitem__(self, name: str, entry: Entry) -> None:
        """Add an entry of a user."""
        self._entries[name] = entry

    def __delitem__(self, name: str) -> None:
        """Remove an entry."""
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        """Return if there is an entry of this name, without loading it."""
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)


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


def known_name(what: str, table: Collection[str], choice: Any) -> str:
    """Return a name as the table has it: "LSTM" and " Lstm" are "lstm", "Student-t" is "student_t".

    Raises:
        InputError: for an unknown name; the message lists the known ones and suggests the closest.
    """
    if isinstance(choice, str):
        if choice in table:
            return str(choice)  # NumPy's text as Python's
        folded = re.sub(r"[-\s]+", "_", choice.strip().lower())
        if folded in table:
            return folded
    table = list(table)
    close = get_close_matches(str(choice).lower(), table, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(
        f"unknown {what} {choice!r}: expected one of {', '.join(table)}.{hint}",
        code="unknown-name",
        found=choice,
        expected=table,
    )


def class_or_name(what: str, table: Mapping[str, Entry], choice: str | Entry) -> str | Entry:
    """Return the name of an entry, from a name in letters of any case or from the entry; another callable stays.

    A name loads no entry of a :class:`LazyTable`.

    Raises:
        InputError: for an unknown name.
    """
    if not callable(choice):
        return known_name(what, table, choice)
    return next((name for name, known in table.items() if known is choice), choice)


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


def shown_name(choice: Any) -> str:
    """Return a name as it is, and the name of a class or function."""
    return choice if isinstance(choice, str) else str(getattr(choice, "__name__", choice))


def import_path(what: str, entry: Any) -> str:
    """Return the path "package.module:Class" of a class that is no table's, for a configuration on disk.

    Raises:
        InputError: for one that its module does not hold under its name, as a class inside a function.
    """
    path = f"{getattr(entry, '__module__', '')}:{getattr(entry, '__qualname__', '')}"
    if not isinstance(entry, type) or _find(path) is not entry:
        raise InputError(
            f"the {what} {entry!r} cannot be saved, as no file can name it: define it as a class at the top of a "
            "module, and import it from there",
            code="no-import-path",
            found=entry,
        )
    return path


def imported_class(what: str, path: str, base: type) -> Any:
    """Return the class of a path from :func:`import_path`, if this program has imported its module.

    Nothing is imported: a file must load without running foreign code.

    Raises:
        InputError: if the module is not imported, or holds no class of this name and base.
    """
    entry = _find(path)
    if isinstance(entry, type) and issubclass(entry, base):
        return entry
    module, _, name = path.partition(":")
    raise InputError(
        f"the {what} is {name} of the module {module}, and this program has not imported it: import {module} before "
        "loading",
        code="not-imported",
        found=path,
    )


def _find(path: str) -> Any:
    """Return the object of a path in an imported module; None if there is none."""
    module, _, name = path.partition(":")
    entry = sys.modules.get(module)
    for part in name.split("."):
        entry = getattr(entry, part, None)
    return entry
