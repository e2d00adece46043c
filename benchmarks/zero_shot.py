"""Accuracy and cost of the pretrained network on series that it has never seen, beside statistical models and peers.

Each part writes a page of its own; see ``benchmarks/README.md``.

    python benchmarks/zero_shot.py [PART ...] [--data FOLDER] [--weights FILE ...] [--peers NAME ...]
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zero_shot.development import Forecast
from zero_shot.networks import forecast, parts
from zero_shot.peers import Answer
from zero_shot.scores import seasonal_naive

from throughtime.zero_shot import Weights, load_weights, shipped_weights
from zero_shot import alone, cost, development, pages, peers, series, windows

HERE = Path(__file__).parent


def main() -> None:
    """Measure the parts that were asked for."""
    args = arguments()
    if (busy := os.getloadavg()[0]) > 0.5:
        print(f"Load average {busy:.1f}: with other work on the machine, the clock's times are not reliable.")
    found = peers.versions(args.peers_python)
    for part in args.parts:
        title, measure = PARTS[part]
        print(f"Written to {pages.write(part, title, found, measure(args))}")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all by default")
    parser.add_argument(
        "--data", type=Path, default=HERE.parents[1] / "shared" / "data", help="the folder of the series"
    )
    parser.add_argument("--weights", nargs="+", type=Path, default=[], help="of other networks, one row each")
    parser.add_argument("--peers", nargs="*", choices=list(peers.MODELS), default=list(peers.MODELS), metavar="PEER")
    parser.add_argument("--rounds", type=int, default=7, help="of the pairs of processes")
    parser.add_argument("--peers-python", default=str(HERE.parent / ".venv-peers" / "bin" / "python"))
    args = parser.parse_args()
    args.parts = args.parts or list(PARTS)
    if wrong := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(wrong)}: choose from {', '.join(PARTS)}")
    if {"development", "alone"} & set(args.parts) and not (args.data / "development_series.csv.gz").exists():
        parser.error(f"{args.data} has no development series: give the folder that has them with --data")
    return args


def of_development(args: argparse.Namespace) -> list[str]:
    """Score all models on the development series."""
    kinds, rows = windows.development(args.data), {}
    own = {**networks(args), **ablations(args), "seasonal naive": naive}
    for title, model in {**own, **rivals(args, args.peers, peers.run_if_seasonal)}.items():
        rows[title] = row = development.measure(kinds, model)
        print(title, *development.mean(row, list(row.scores)), f"{row.worked:.1f} CPU s", *row.failures, flush=True)
    return development.page(rows, kinds)


def of_series(args: argparse.Namespace) -> list[str]:
    """Score the networks, seasonal naive and AutoETS on single series."""
    models = {**networks(args), "seasonal naive": naive, **rivals(args, ["autoets"], peers.run)}
    return series.page(windows.single(args.data), models)


def of_cost(args: argparse.Namespace) -> list[str]:
    """Measure the cost."""
    return cost.page(args.data, args.peers_python, args.rounds)


def of_alone(args: argparse.Namespace) -> list[str]:
    """Compare trainings on single series with none."""
    return alone.page(windows.development(args.data))


PARTS = {
    "development": ("Zero-shot forecasts of development series", of_development),
    "series": ("Zero-shot forecasts of single series", of_series),
    "cost": ("The cost of a zero-shot forecast", of_cost),
    "alone": ("Training on one series, and none", of_alone),
}


def networks(args: argparse.Namespace) -> dict[str, Forecast]:
    """Return the pretrained network that is shipped, or those of other weights."""
    named = {f"network of {file.stem}": load_weights(file)[0] for file in args.weights}
    return {title: partial(ours, weights) for title, weights in (named or {"pretrained": shipped_weights()[0]}).items()}


def ablations(args: argparse.Namespace) -> dict[str, Forecast]:
    """Return parts of the first network."""
    weights = load_weights(args.weights[0])[0] if args.weights else shipped_weights()[0]
    return {title: partial(ours, part) for title, part in parts(weights).items()}


def rivals(args: argparse.Namespace, names: list[str], run: Callable[..., Answer]) -> dict[str, Forecast]:
    """Return the peers that are installed."""
    found = peers.installed(names, args.peers_python)
    return {peer.title: partial(run, peer, python=args.peers_python) for peer in found.values()}


def ours(weights: Weights, given: windows.Windows) -> Answer:
    """Forecast by a network, and measure it."""
    began = time.process_time()
    return Answer(forecast(weights, given), time.process_time() - began)


def naive(given: windows.Windows) -> Answer:
    """Forecast by seasonal naive, and measure it."""
    began = time.process_time()
    return Answer(seasonal_naive(given), time.process_time() - began)


if __name__ == "__main__":
    main()
