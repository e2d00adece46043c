"""The wheel, as a user without a checkout gets it: built, installed without extras in an empty environment, used."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
USE = """
import json, sys
from pathlib import Path
import numpy as np
import throughtime as tt

days = np.datetime64("2021-01-01") + np.arange(60)
values = 20 + 5 * np.sin(np.arange(60) * 2 * np.pi / 7)
Path("series.csv").write_text("ds,y\\n" + "".join(f"{day},{value}\\n" for day, value in zip(days, values)))
panel = tt.read_panel("series.csv")
instant = tt.pretrained().predict(panel, 3)
before_jax = "jax" in sys.modules
model = tt.Forecaster(3, season=7, preset="fast", steps=5, hidden=4).fit(panel)
forecasts = model.predict(level=[80])
model.save("model")
again = tt.load("model").predict(level=[80])
print(json.dumps({
    "columns": forecasts.columns,
    "same": forecasts.equals(again),
    "instant": instant["throughtime"].len(),
    "jax": before_jax,
    "finite": bool(np.isfinite(forecasts["throughtime"].to_numpy()).all()),
    "kernels": bool(tt.kernels.available()),
    "missing": [name for name in ("pandas", "plotly", "utilsforecast", "typer", "pytest") if name in sys.modules],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment with the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    constraints = ["--constraint", str(CHECKOUT / "constraints.txt")]
    without_compiler = os.environ | {"PATH": str(folder / "bin")}
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", str(wheel), *constraints], check=True, env=without_compiler
    )
    return python


@pytest.mark.wheel
def test_it_holds_the_library_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"throughtime"}
    assert "throughtime/report/templates/report.html" in names
    assert "throughtime/lab/page/index.html" in names
    assert "throughtime/py.typed" in names
    assert "throughtime/zero_shot/pretrained.safetensors" in names
    if any(map(shutil.which, ("c++", "g++", "clang++"))):
        assert [name for name in names if name.startswith("throughtime/kernels/_native")]


@pytest.mark.wheel
def test_it_forecasts_saves_and_loads_without_extras(python: Path, tmp_path: Path) -> None:
    done = subprocess.run([python, "-c", USE], cwd=tmp_path, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["columns"] == ["unique_id", "ds", "throughtime", "throughtime-lo-80", "throughtime-hi-80"]
    assert (answer["same"], answer["finite"], answer["missing"]) == (True, True, [])
    assert (answer["instant"], answer["jax"]) == (3, False)
    if any(map(shutil.which, ("c++", "g++", "clang++"))):
        assert answer["kernels"]


@pytest.mark.wheel
def test_its_command_answers(python: Path, tmp_path: Path) -> None:
    command = [python.parent / "throughtime", "demo", "--steps", "100", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 100
    assert (tmp_path / "out" / "demo" / "gallery.png").exists()
    laboratory = [python.parent / "throughtime", "lab", "--json"]
    missing = subprocess.run(laboratory, cwd=tmp_path, capture_output=True, text=True, env=clean_environment())
    assert missing.returncode == 2
    assert json.loads(missing.stdout)["code"] == "not-installed"


def clean_environment() -> dict[str, str]:
    """The environment without what the tests set for themselves."""
    own = ("XLA_FLAGS", "PYTHONPATH", "THROUGHTIME_NATIVE")
    return {name: value for name, value in os.environ.items() if name not in own}
