"""The entry point of ``throughtime``: it listens for Ctrl-C before anything heavy is imported."""

import sys

from throughtime.cli.interrupts import Interrupts


def main() -> None:
    """Run the command line and leave with its exit code."""
    interrupts = Interrupts(as_json="--json" in sys.argv)
    interrupts.listen()
    from throughtime.cli.app import main as run

    run(interrupts)


if __name__ == "__main__":
    main()
