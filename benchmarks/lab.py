"""The cost of watching a network learn on the laboratory's page.

A run at full speed with the page open in a headless Chromium takes turns with the plain training loop with the same
settings. See ``benchmarks/README.md``.

    python benchmarks/lab.py [--rounds N] [--seconds S] [--results DIR]
"""

import argparse
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
from playwright.sync_api import sync_playwright

HIDDEN, WINDOW, MOST_STEPS = 100, 30, 1_000_000
CASES = {"Elman, relu, batch 1": ("elman", 1), "GRU, batch 8": ("gru", 8), "LSTM, batch 32": ("lstm", 32)}
PLAIN = """
import sys, time
from throughtime import configure
configure()
import jax.numpy as jnp
from throughtime.lab import Course, LabInput, Learner, make_experiment
from throughtime.training import run_steps
cell, batch, hidden, window, steps, seconds = sys.argv[1], *map(int, sys.argv[2:6]), float(sys.argv[6])
course, learner = Course(window=window, batch=batch, steps=steps), Learner(cell, "relu", hidden=hidden)
made = make_experiment(course, learner, LabInput())
run = run_steps(made.start, made.loss, made.optimizer, jnp.asarray(made.curve.learned), steps=steps, every=100)
next(run)
began, done = time.perf_counter(), 0
while time.perf_counter() - began < seconds:
    done += len(next(run).losses)
print(done / (time.perf_counter() - began))
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each case (default: 5)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default: 5)")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="the folder to write to"
    )
    args = parser.parse_args()
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    raw: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    for round_number in range(args.rounds):
        for name, (cell, batch) in CASES.items():
            plain = plain_speed(cell, batch, args.seconds)
            raw[name].append({"plain": plain, **watched(cell, batch, args.seconds)})
            print(f"round {round_number + 1}, {name}: {raw[name][-1]}", flush=True)
    text = page(raw, machine.describe(), today, load, args)
    print(text)
    file = args.results / f"lab-{today}-{machine.name()}"
    file.with_suffix(".md").write_text(text)
    file.with_suffix(".json").write_text(json.dumps(raw, indent=2) + "\n")


def plain_speed(cell: str, batch: int, seconds: float) -> float:
    """Return the training steps per second of the loop alone."""
    numbers = map(str, (batch, HIDDEN, WINDOW, MOST_STEPS, seconds))
    done = subprocess.run([sys.executable, "-c", PLAIN, cell, *numbers], capture_output=True, text=True, check=True)
    return float(done.stdout)


def watched(cell: str, batch: int, seconds: float) -> dict[str, float]:
    """Return training steps and pictures per second with the page open, and the time of the first paint."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "throughtime", "lab", "--no-browser", "--json", "--out", out]
        lab = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert lab.stdout is not None
            return look(json.loads(lab.stdout.readline())["address"], cell, batch, seconds)
        finally:
            lab.send_signal(signal.SIGINT)
            lab.wait(30)


def look(address: str, cell: str, batch: int, seconds: float) -> dict[str, float]:
    """Open the page, let it learn, and count."""
    network = f"cell={cell}&activation=relu&hidden={HIDDEN}"
    settings = f"{network}&curve=sine&window={WINDOW}&batch={batch}&steps={MOST_STEPS}&pace=0&paused=1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}?{settings}")
        page.wait_for_selector("[data-state=ready][data-step='0']", timeout=120_000)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        page.click("#go")
        step_now = "Number(document.body.dataset.step)"
        gradient = "charts.gradient.picture !== null"
        while page.evaluate(step_now) < 200 or not page.evaluate(gradient):  # all is compiled, and all charts are drawn
            page.wait_for_timeout(100)
        counts = f"[{step_now}, Number(document.body.dataset.drawn)]"
        (step, drawn), began = page.evaluate(counts), time.perf_counter()
        page.wait_for_timeout(1000 * seconds)
        (last_step, last_drawn), taken = page.evaluate(counts), time.perf_counter() - began
        browser.close()
    return {"watched": (last_step - step) / taken, "pictures": (last_drawn - drawn) / taken, "paint_ms": paint}


def page(raw: dict[str, list[dict[str, float]]], facts: dict[str, Any], today: str, load: float, args: Any) -> str:
    """Return the results as a page."""
    lines = [
        f"# The laboratory's page, {today}",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- load before: {load:.2f}",
        *(f"- {name}: {version(name)}" for name in ("throughtime", "jax", "starlette", "uvicorn")),
        f"- command: `python benchmarks/lab.py --rounds {args.rounds} --seconds {args.seconds:g}`",
        "",
        f"{HIDDEN} units, windows of {WINDOW} steps, 1280 x 800, all charts. Training steps per second at full "
        f"speed: median of {args.rounds} rounds of {args.seconds:g} s. Slower: median of the pairs.",
        "",
        "| | plain loop | with the page open | slower | pictures a second, least | first paint, most |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, rounds in raw.items():
        plain, seen = (statistics.median(one[key] for one in rounds) for key in ("plain", "watched"))
        slower = statistics.median(1 - one["watched"] / one["plain"] for one in rounds)
        pictures, paint = min(one["pictures"] for one in rounds), max(one["paint_ms"] for one in rounds)
        lines.append(f"| {name} | {plain:,.0f} | {seen:,.0f} | {slower:.0%} | {pictures:.1f} | {paint:.0f} ms |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
