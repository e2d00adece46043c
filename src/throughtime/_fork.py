"""A fork of a process whose JAX has begun: its child has none of JAX's threads, and would wait for them for ever."""

import os
import sys

from throughtime._errors import InputError


class _Fork:
    """The one thing that a process must remember about its birth."""

    useless = False


def _in_child() -> None:
    bridge = sys.modules.get("jax._src.xla_bridge")
    _Fork.useless = _Fork.useless or (bridge is not None and bridge.backends_are_initialized())


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)


def require_threads() -> None:
    """Refuse to compute in the fork of a process that had computed: it would hang.

    Raises:
        InputError: with the ways that work.
    """
    if _Fork.useless:
        raise InputError(
            "this process is a fork of one that had computed with JAX, and JAX's threads are not copied by a fork: "
            "expected a process that was started anew, as multiprocessing.get_context('spawn') and joblib do, or "
            "threads; or fork before the first computation",
            code="forked",
            found=os.getpid(),
        )
