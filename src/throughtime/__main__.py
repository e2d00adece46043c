"""The entry point of ``throughtime``: it listens for Ctrl-C before anything heavy is imported."""

import sys

from throughtime.cli import interrupts


def main() -> None:
    """Run the command line and leave with its exit code."""
    interrupts.listen(as_json="--json" in sys.argv)
    from throughtime.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
