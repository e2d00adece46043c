"""The colors as a page's variables, matplotlib's settings for a while, and no color that comes from elsewhere."""

import re
import subprocess
import sys
from importlib import resources

import matplotlib as mpl
import pytest
from tests.report.pages import contrast

from throughtime.plots.theme import BLUE, DARK, DASHES, LIGHT, LINES, css_colors, house_style
from throughtime.report.page import template

TEMPLATES = resources.files("throughtime.report") / "templates"


def test_pages_have_the_colors_of_light_and_dark():
    light, dark = css_colors().splitlines()
    assert re.findall(r"--([\w-]+): (#\w{6});", light) == list(LIGHT.items())
    assert re.findall(r"--([\w-]+): (#\w{6});", dark) == list(DARK.items())
    assert light.startswith(":root { color-scheme: light dark; ")
    assert dark.startswith("@media (prefers-color-scheme: dark) { :root { --ink: ")


@pytest.mark.parametrize("file", sorted(file.name for file in TEMPLATES.iterdir()))
def test_a_template_has_no_color_of_its_own(file):
    text = re.sub(r"&#\d+;", "", (TEMPLATES / file).read_text(encoding="utf-8"))  # arrows of HTML
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", text)


def test_what_pages_share_asks_for_no_report():
    for name in ("chart_look.js", "chart_axes.js", "chart_reading.js", "chart.js"):
        assert "report" not in (TEMPLATES / name).read_text(encoding="utf-8")
    shared = template("base.css").render(colors=css_colors())
    assert "--model: #0072B2;" in shared
    assert set(re.findall(r"var\(--([\w-]+)\)", shared)) <= set(LIGHT)


@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#1e1e1e", "#181c1a"])  # Jupyter, VS Code, marimo
def test_lines_can_be_seen_in_light_and_dark_notebooks(ground):
    assert all(contrast(color, ground) >= 3 for color in LINES)
    assert len(set(LINES)) == len(set(DASHES)) == len(LINES)  # color never stands alone


def test_matplotlib_is_as_before():
    before = mpl.rcParams.copy()
    with house_style():
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == BLUE
        assert not mpl.rcParams["axes.spines.top"]
    assert mpl.rcParams == before


def test_colors_ask_for_no_matplotlib():
    command = "import throughtime.plots.theme, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.split()
    assert "throughtime.plots.theme" in loaded
    assert "matplotlib" not in loaded
