"""The manners of a command."""

import os
import subprocess
import sys
from pathlib import Path


def test_matplotlib_is_quiet_about_its_cache(tmp_path: Path) -> None:
    """In a process of its own: it looks for its folder once, when it is imported."""
    script = f"import sys\nsys.path[:] = {sys.path!r}\nfrom throughtime.cli.runtime import quiet_matplotlib\n"
    script += "%s\nimport matplotlib.font_manager"
    (tmp_path / "file").write_text("no folder")
    environment = os.environ | {"MPLCONFIGDIR": str(tmp_path / "file" / "below")}
    words = [
        subprocess.run([sys.executable, "-c", script % call], env=environment, capture_output=True, check=True)
        for call in ("", "quiet_matplotlib()")
    ]
    assert b"temporary" in words[0].stderr
    assert words[1].stderr == b""
