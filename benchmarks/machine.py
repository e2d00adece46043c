"""The hardware that a benchmark ran on, in words that identify nobody's machine."""

import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path


def describe() -> dict[str, str]:
    """Return CPU, cores and system, for the head of a results file."""
    return {
        "processor": processor(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def name() -> str:
    """Return the machine for a file name, such as ``amd-epyc-with-avx-512-family-25-model-17-2core``."""
    words = re.sub(r"\((R|TM|tm)\)|@.*|\bCPU\b|\bProcessor\b|\b\d+-Core\b", " ", processor())
    return "-".join([*re.findall(r"[a-z0-9]+", words.lower()), f"{cores()}core"])


def command() -> str:
    """Return the command as typed, without folders of this machine."""
    words = (word if "/" not in word else "..." for word in sys.argv[1:])
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Return the CPU's name, its widest vectors, and its model, which tells generations apart, as far as known."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text()
        found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        wide = " with AVX-512" if re.search(r"^flags\s*:.*\bavx512f\b", text, re.MULTILINE) else ""
        model = re.search(r"^cpu family\s*:\s*(\d+)\s*\nmodel\s*:\s*(\d+)$", text, re.MULTILINE)
        generation = f", family {model[1]} model {model[2]}" if model else ""
        return found.group(1).strip() + wide + generation if found else platform.machine()
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        return asked.stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()
