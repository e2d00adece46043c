"""``throughtime gradients``: what it writes, and what it answers to input that cannot be used."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli import command

import throughtime as tt
from throughtime.gradients import panel_windows

SMALL = ["--length", "6", "--hidden", "4"]
NILE = Path(__file__).parents[2] / "examples" / "nile.csv"


def run(*arguments):
    finished = command.run("gradients", *map(str, arguments))
    return finished.exit_code, finished.stdout + ("" if "--json" in arguments else finished.stderr)


def test_cells_side_by_side(tmp_path):
    code, output = run(*SMALL, "--cell", "elman", "--cell", "lru", "--activation", "tanh", "--activation", "relu",
                       "--init", "identity", "--out", tmp_path, "--json")  # fmt: skip
    assert code == 0
    table = pl.read_csv(tmp_path / "gradients.csv")
    assert table.columns == ["cell", "activation", "init", "lag", "norm", "bound", "memory"]
    rows = table.select("cell", "activation", "init").unique(maintain_order=True).rows()
    assert rows == [("elman", "tanh", "identity"), ("elman", "relu", "identity"), ("lru", "", "")]
    assert table["lag"].to_list() == 3 * list(range(7))
    assert (table["norm"] <= table["bound"] * (1 + 1e-6)).all()
    answer = json.loads(output)
    assert [row["cell"] for row in answer["measured"]] == ["elman", "elman", "lru"]
    words = (tmp_path / "verdict.txt").read_text()
    assert words.startswith("Longest memory: ")
    assert words.strip() == answer["verdict"]
    assert (tmp_path / "gradients.png").read_bytes().startswith(b"\x89PNG")


def test_a_trained_network_on_a_file(tmp_path):
    """The demo's network, on windows of the Nile: the one cell's own picture, from the same seed the same numbers."""
    assert command.run("demo", "--steps", "2", "--no-pictures", "--out", str(tmp_path / "demo")).exit_code == 0
    model = tmp_path / "demo" / "model"
    outputs = [tmp_path / "first", tmp_path / "second"]
    for out in outputs:
        code, output = run("--model", model, "--data", NILE, "--length", "5", "--out", out, "--quiet")
        assert (code, output) == (0, "")
    first, second = (pl.read_csv(out / "gradients.csv") for out in outputs)
    assert first.equals(second)
    assert first["init"].unique().to_list() == ["trained"]
    panel = tt.read_panel(NILE)
    flow = tt.gradient_flow(tt.load(model), panel_windows(panel, 5, seed=0))
    np.testing.assert_allclose(first["norm"], flow.norms)


@pytest.mark.slow
def test_the_remedies_in_one_picture(tmp_path):
    code, output = run(*SMALL, "--compare", "remedies", "--out", tmp_path)
    assert code == 0, output
    cells = set(pl.read_csv(tmp_path / "gradients.csv")["cell"])
    assert cells == {"elman", "gru", "lstm", "mingru", "minlstm", "lru", "slstm", "lem", "antisymmetric"}
    assert (tmp_path / "gradients.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cell", "gru2"], "unknown cell 'gru2'"),
        (["--activation", "tahn"], "unknown activation 'tahn': expected one of .* Did you mean 'tanh'"),
        (["--init", "ortogonal"], "unknown initializer 'ortogonal'"),
        (["--cell", "mingru", "--init", "orthogonal"], "none of the cells mingru takes the initializer 'orthogonal'"),
        (["--compare", "everything"], "--compare is 'everything': expected 'remedies'"),
        (["--model", "nowhere"], "nowhere holds no checkpoint"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--data", str(NILE), "--length", "101"], "no series has 101 steps, the longest has 100"),
        (["--cell", "elman", "--init", "forget"], "none of the cells elman takes the initializer 'forget'"),
    ],
)
def test_what_cannot_be_used(arguments, message, tmp_path):
    length = [] if "--length" in arguments else ["--length", "6"]
    code, output = run(*length, "--hidden", "4", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert re.search(message, output.replace("\n", " ")), output
    assert "Traceback" not in output
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
