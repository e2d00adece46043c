"""The peers: each forecasts the windows of one kind in a process of the peers' environment."""

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import processes

from throughtime.zero_shot import LEVELS
from zero_shot.windows import Windows

PEERS = Path(__file__).parents[1] / "peers"
TOLD = 2000  # characters of a failed process's output that are kept


class Peer(NamedTuple):
    """A peer: its title, its script in ``peers``, its name there, and the module that it needs.

    Attributes:
        longest: the longest season of which it makes a part of its own, or in reasonable time.
    """

    title: str
    script: str
    name: str
    module: str
    longest: float = np.inf


class Answer(NamedTuple):
    """The quantiles (N, F, Q) of all windows, NaN at levels that a model lacks, or why there are none.

    Attributes:
        worked: CPU seconds; for a peer those of its process, with imports and compilation.
    """

    quantiles: np.ndarray | None
    worked: float = 0.0
    failure: str = ""


MODELS = {
    "autoets": Peer("statsforecast AutoETS", "statsforecast_zero_shot.py", "AutoETS", "statsforecast", 24),
    "autotheta": Peer("statsforecast AutoTheta", "statsforecast_zero_shot.py", "AutoTheta", "statsforecast", 24),
    "flair": Peer("FLAIR (flaircast)", "flaircast_zero_shot.py", "FLAIR", "flaircast"),
    "fracast": Peer("Fracast-0 (fracast)", "fracast_zero_shot.py", "Fracast-0", "fracast"),
}


def installed(names: list[str], python: str) -> dict[str, Peer]:
    """Return the peers whose module ``python`` finds; say which it lacks."""
    found = {name: MODELS[name] for name in names if processes.has_modules(python, (MODELS[name].module,))}
    for name in set(names) - set(found):
        print(f"{MODELS[name].title} is missing from {python}: see benchmarks/requirements.txt")
    return found


def versions(python: str) -> dict[str, str]:
    """Return the versions of the peers that ``python`` finds."""
    modules = {peer.module for peer in MODELS.values()}
    found = sorted(module for module in modules if processes.has_modules(python, (module,)))
    code = "import json, sys, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    return processes.last_line([python, "-c", code, *found], {})[1] if found else {}


def run_if_seasonal(peer: Peer, windows: Windows, python: str) -> Answer:
    """Return the forecasts of a peer, or none if the season is too long for it."""
    if windows.told[0] > peer.longest:
        return Answer(None, failure=f"left out, as its season of {windows.told[0]} steps is longer than {peer.longest}")
    return run(peer, windows, python)


def run(peer: Peer, windows: Windows, python: str) -> Answer:
    """Return the forecasts of a peer."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_task(windows, folder)
        command = [python, str(PEERS / peer.script), str(folder), f"--model={peer.name}"]
        ended = processes.timed(command, {}, folder / "log")
        if ended.code:
            said = (folder / "log").read_text()[-TOLD:].strip()
            return Answer(None, ended.worked, f"exit code {ended.code}: {said.splitlines()[-1] if said else ''}")
        return Answer(np.load(folder / "quantiles.npy"), ended.worked)


def write_task(windows: Windows, folder: Path) -> None:
    """Write a peer's input, the histories without the truth; see ``peers/zero_shot_task.py``."""
    lengths = [len(history) for history in windows.histories]
    np.savez(folder / "histories.npz", values=np.concatenate(windows.histories), lengths=lengths)
    task = {"horizon": windows.horizon, "seasons": windows.told, "levels": LEVELS}
    (folder / "task.json").write_text(json.dumps(task))
