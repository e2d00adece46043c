"""Compile the kernels and the training step around them to WebAssembly, for the page docs/remember.

The compiler is Zig's, from the package ``ziglang``; the same sources give the same bytes. A section of the file holds a
digest of the sources, so that a test sees if they have changed since.

    python native/wasm/build.py
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULE = HERE.parents[1] / "docs" / "remember" / "network.wasm"
SECTION = b"sources"
INCLUDE = re.compile(r'^#include "(.+)"', re.MULTILINE)
COMPILED = (HERE / "interface.cc", HERE.parent / "kernels.cc")
# 4 lanes fill WebAssembly's vectors. -Os is as fast as -O3 here, and 60 % of its size.
FLAGS = (
    *("-target", "wasm32-wasi", "-mexec-model=reactor", "-msimd128", "-std=gnu++17", "-Os", "-s", "-rdynamic"),
    *("-fno-exceptions", "-fno-rtti", "-ffp-contract=fast", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"),
    *("-DTHROUGHTIME_ISA=portable", "-DTHROUGHTIME_LANES=4", "-DTHROUGHTIME_REGISTERS=16"),
)


def sources() -> list[Path]:
    """Return the files that are compiled, with those that they include."""
    found = list(COMPILED)
    for file in found:  # grows while it is read
        included = [(file.parent / name).resolve() for name in INCLUDE.findall(file.read_text())]
        found.extend(each for each in included if each not in found)
    return sorted(found)


def digest() -> bytes:
    """Return a digest of the flags and the sources."""
    content = [" ".join(FLAGS).encode(), *(file.read_bytes().replace(b"\r\n", b"\n") for file in sources())]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in content)).hexdigest().encode()


def section(name: bytes, content: bytes) -> bytes:
    """Return a custom section of a WebAssembly module; name and content are short."""
    body = bytes([len(name)]) + name + content
    assert len(body) < 128, "a longer section needs a longer number"
    return bytes([0, len(body)]) + body


def compile_module() -> bytes:
    """Return the module."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "network.wasm"
        command = [sys.executable, "-m", "ziglang", "c++", *FLAGS, "-o", made, *COMPILED]
        subprocess.run([str(part) for part in command], check=True)
        return made.read_bytes() + section(SECTION, digest())


if __name__ == "__main__":
    MODULE.write_bytes(compile_module())
    print(f"{MODULE}: {MODULE.stat().st_size:,} bytes")
