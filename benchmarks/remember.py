"""The speed of the network in WebAssembly, in a Web Worker of a headless Chromium.

An LSTM of 32 units learns the order of two letters in 60 steps, batch 8, alone; then the page itself, with two networks
and all pictures. See ``benchmarks/README.md``.

    python benchmarks/remember.py [--rounds N] [--seconds S] [--results DIR]
"""

import argparse
import datetime
import json
import os
import shutil
import statistics
import sys
import threading
from pathlib import Path
from typing import Any

import machine
from playwright.sync_api import sync_playwright

MAKING = Path(__file__).parents[1] / "docs" / "making"
ALONE = """
async ([address, seconds]) => {
  const source = `
    import { loadEngine } from "${address}engine.js";
    import { Learner } from "${address}learner.js";
    import { taskOf } from "${address}tasks.js";
    const bytes = await (await fetch("${address}network.wasm")).arrayBuffer();
    const task = taskOf({ task: "order", gap: 59 }), settings = { seed: 1, rate: 0.003, batch: 8, units: 32 };
    const lane = { cell: "lstm", gain: 1, forget: 1, clip: 1, examples: 0 };
    const learner = new Learner(await loadEngine(bytes), task, settings, lane);
    for (let step = 0; step < 200; step += 1) learner.train();
    const start = performance.now(), end = start + 1000 * ${seconds};
    let steps = 0;
    for (; performance.now() < end; steps += 1) learner.train();
    postMessage(1000 * steps / (performance.now() - start));`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
  return await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}
"""
SHOWN = "[charts.loss.picture?.lines[0].x.at(-1) ?? 0, charts.loss.picture?.lines[0].x.length ?? 0, performance.now()]"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (default: 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement (default: 2)")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="the folder to write to"
    )
    args = parser.parse_args()
    load, today = os.getloadavg()[0], datetime.date.today().isoformat()
    sys.path.insert(0, str(MAKING))
    import remember

    site = Path(__file__).parents[1] / "site" / "remember"
    remember.put(site)
    with remember.server(site) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        address = f"http://127.0.0.1:{server.server_port}/"
        raw = [measured(browser, address, args.seconds) for _ in range(args.rounds)]
        chromium = browser.version
        server.shutdown()
    text = page(raw, chromium, today, load)
    print(text)
    file = args.results / f"remember-{today}-{machine.name()}"
    file.with_suffix(".md").write_text(text)
    file.with_suffix(".json").write_text(json.dumps(raw, indent=2) + "\n")


def measured(browser: Any, address: str, seconds: float) -> dict[str, float]:
    """Return the training steps per second of an LSTM alone, and of the page's two networks, with its pictures."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}page.css")  # the same address, and nothing that runs
    alone = tab.evaluate(ALONE, [address, seconds])
    tab.goto(f"{address}index.html#vanishing")
    while tab.evaluate(SHOWN)[0] < 300:  # the run is slow at first, to be watched
        tab.wait_for_timeout(50)
    step, shown, now = tab.evaluate(SHOWN)
    tab.wait_for_timeout(1000 * seconds)
    last, last_shown, later = tab.evaluate(SHOWN)
    tab.close()
    took = (later - now) / 1000
    return {"alone": alone, "both": (last - step) / took, "pictures": (last_shown - shown) / took}


def page(raw: list[dict[str, float]], chromium: str, today: str, load: float) -> str:
    """Return the results as a page."""
    median = {name: statistics.median(one[name] for one in raw) for name in raw[0]}
    lines = [
        f"# The network in the browser, {today}",
        "",
        *(f"- {name}: {value}" for name, value in machine.describe().items()),
        f"- load before: {load:.2f}",
        f"- Chromium: {chromium}",
        f"- command: `{machine.command()}`",
        "",
        f"Order of two letters, 60 time steps, 32 units, batch 8; median of {len(raw)} rounds.",
        "",
        "| | training steps per second | pictures per second |",
        "|---|---:|---:|",
        f"| an LSTM alone, in a Web Worker | {median['alone']:,.0f} | |",
        f"| the page: a plain RNN and an LSTM | {median['both']:,.0f} | {median['pictures']:.0f} |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
