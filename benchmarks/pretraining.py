"""Short pretrainings of the shipped size: the spread over seeds, and a network that is given no simple forecasts.

The runs are kept in a folder, and go on from there if they were interrupted; see ``benchmarks/README.md``.

    python benchmarks/pretraining.py FOLDER [--steps N] [--seeds N ...] [--data FOLDER]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from zero_shot.networks import forecast
from zero_shot.peers import Answer
from zero_shot.scores import INTERVALS
from zero_shot.windows import Windows

from throughtime.pretraining import (
    Batch,
    MixtureNetwork,
    SyntheticBatches,
    averaged_weights,
    optimizer,
    pinball_loss,
)
from throughtime.training import Checkpoints, train
from throughtime.zero_shot import BASES, WINDOW_NUMBERS, Inputs, Weights
from throughtime.zero_shot import forecast as forward
from zero_shot import development, pages, windows

HERE = Path(__file__).parent
JUDGED = 2 * (len(BASES) + 2)  # the last numbers of a window: the errors of simple forecasts on held-out steps
SECONDS = 60.0  # from checkpoint to checkpoint
NOTE = """\
All runs have the same number of steps, over which the learning rate rises and falls; the shipped network has 40,000.
Without simple forecasts, a network gets zeros instead of them and of their errors on held-out steps, and its quantiles
lie around the mean of the last season."""


@dataclass(frozen=True)
class WithoutBases:
    """Batches whose simple forecasts are zero.

    Attributes:
        batches: those with simple forecasts.
    """

    batches: SyntheticBatches

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches from the first step on."""
        return self.starting_at(0)

    def starting_at(self, step: int) -> Iterator[Batch]:
        """Yield the batches of ``step``, ``step + 1``, ..."""
        for batch in self.batches.starting_at(step):
            yield {name: (without_bases(inputs), future) for name, (inputs, future) in batch.items()}


def without_bases(inputs: Inputs) -> Inputs:
    """Return inputs with zeros for the simple forecasts and for their errors on held-out steps."""
    _, kinds, horizon = inputs.bases.shape
    future, window = inputs.future.copy(), inputs.window.copy()
    future[:, :, : kinds * horizon // future.shape[1]] = 0
    window[:, WINDOW_NUMBERS - JUDGED :] = 0
    return inputs._replace(future=future, window=window, bases=np.zeros_like(inputs.bases))


def forward_without_bases(weights: Weights, name: str, inputs: Inputs) -> np.ndarray:
    """Return the quantiles (B, F, Q) of a network that is given no simple forecasts."""
    return forward(weights, name, without_bases(inputs))


def forecast_without_bases(weights: Weights, given: Windows) -> np.ndarray:
    """Return the quantiles (N, F, Q) of all windows by a network that is given no simple forecasts."""
    with mock.patch("throughtime.zero_shot.windows.forecast", forward_without_bases):
        return forecast(weights, given)


class Variant(NamedTuple):
    """A way to train and to forecast.

    Attributes:
        batches: the batches of a seed.
        forecast: the quantiles of all windows.
    """

    batches: Callable[[int], SyntheticBatches | WithoutBases]
    forecast: Callable[[Weights, Windows], np.ndarray]


VARIANTS = {
    "whole": Variant(SyntheticBatches, forecast),
    "without simple forecasts": Variant(lambda seed: WithoutBases(SyntheticBatches(seed)), forecast_without_bases),
}


def main() -> None:
    """Train, score each network, and write a page."""
    args = arguments()
    kinds, rows, losses = windows.development(args.data), {}, {}
    for title, variant in VARIANTS.items():
        for seed in args.seeds:
            name = f"{title}, seed {seed}"
            weights, losses[name] = trained(variant, seed, args.steps, args.folder / name.replace(" ", "_"))
            rows[name] = development.measure(kinds, partial(answer, variant, weights))
            print(name, *development.mean(rows[name], list(rows[name].scores)), f"loss {losses[name]:.3f}", flush=True)
    names = [kind.name for kind in kinds]
    page = [*(f"{args.steps:,} steps each.", "", NOTE, "", development.NOTE, ""), *scores(rows, losses, names)]
    print(f"Written to {pages.write('pretraining', 'Short pretrainings', {}, page)}")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the runs")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="N")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    return parser.parse_args()


def trained(variant: Variant, seed: int, steps: int, folder: Path) -> tuple[Weights, float]:
    """Return the weights, and the mean loss of the last 1,000 steps."""
    history = train(
        MixtureNetwork(key=seed),
        pinball_loss,
        variant.batches(seed),
        optimizer=optimizer(steps),
        steps=steps,
        key=seed,
        callbacks=[Checkpoints(folder, SECONDS)],
    )
    return averaged_weights(history.state), float(history.losses[-1000:].mean())


def answer(variant: Variant, weights: Weights, given: Windows) -> Answer:
    """Forecast, and measure it."""
    began = time.process_time()
    return Answer(variant.forecast(weights, given), time.process_time() - began)


def scores(rows: dict[str, development.Row], losses: dict[str, float], names: list[str]) -> list[str]:
    """Return a table of the scores, and one of the coverage over the whole horizon."""
    cells = [
        [title, f"{losses[title]:.3f}", pair(development.mean(row, names)), *(pair(row.scores[name]) for name in names)]
        for title, row in rows.items()
    ]
    covers = [
        [title, *(f"{100 * np.mean([score.coverage[place] for score in row.scores.values()]):.1f}" for place in (0, 1))]
        for title, row in rows.items()
    ]
    return [
        *pages.table(["", "training loss", "all kinds", *names], cells),
        *("", "The shares that the intervals cover, in per cent: means over kinds and horizon.", ""),
        *pages.table(["", *(f"{level} %" for level in INTERVALS)], covers),
    ]


def pair(score: tuple[float, ...]) -> str:
    """Return MASE and scaled quantile loss in words."""
    return f"{score[0]:.3f} / {score[1]:.3f}"


if __name__ == "__main__":
    main()
