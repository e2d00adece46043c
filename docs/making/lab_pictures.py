"""The pictures of the laboratory: docs/pictures/lab.png, and lab.webp, which moves.

    python docs/making/lab_pictures.py

needs Chromium, Playwright (``pip install -e '.[browser]'``) and Pillow, which matplotlib brings.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parents[1] / "pictures"
SIZE = {"width": 1280, "height": 800}
SMALL = (880, 550)  # of the picture that moves
RUN = "curve=sines&noise=0.1&compare=1&cell=elman&cell2=lstm&paused=1"
STEPS = [
    0,
    5,
    10,
    20,
    30,
    40,
    50,
    60,
    80,
    100,
    120,
    140,
    160,
    200,
    240,
    280,
    320,
    360,
    400,
    450,
    500,
    600,
    700,
    800,
    1000,
]
EACH, LAST = 220, 2500  # milliseconds that a frame is shown, and the last one
QUALITY = 42


@contextmanager
def laboratory() -> Iterator[str]:
    """Run a laboratory with an address and a token of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "throughtime",
            "lab",
            "--no-browser",
            "--json",
            "--quiet",
            "--port",
            "0",
            "--out",
            folder,
        ]
        environment = {**os.environ, "XDG_STATE_HOME": folder}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def frames(page: Any) -> Iterator[bytes]:
    """Yield a screenshot at each of the steps."""
    page.wait_for_selector("[data-state=ready][data-step='0']")
    page.wait_for_function("() => charts.gradient.picture !== null")
    page.click("#go")
    for step in STEPS:
        page.wait_for_function("step => Number(document.body.dataset.step) >= step", arg=step)
        yield page.screenshot()


def main() -> None:
    """Take the screenshots, and write both pictures."""
    with laboratory() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.set_default_timeout(120_000)
        page.goto(f"{address}?{RUN}&pace=50")
        shots = list(frames(page))
        browser.close()
    (PICTURES / "lab.png").write_bytes(shots[-1])
    first, *rest = [
        Image.open(io.BytesIO(shot)).convert("RGB").resize(SMALL, Image.Resampling.LANCZOS) for shot in shots
    ]
    times = [EACH] * len(rest) + [LAST]
    moving = PICTURES / "lab.webp"
    first.save(moving, save_all=True, append_images=rest, duration=times, loop=0, quality=QUALITY, method=6)
    print(f"{moving}: {moving.stat().st_size / 1000:.0f} kB, {len(shots)} frames")


if __name__ == "__main__":
    main()
