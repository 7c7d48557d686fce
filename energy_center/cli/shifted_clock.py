"""Runs a module with a wall clock that a fault run can set wrong: `python -m … FILE MODULE ARGUMENT …`.

FILE holds one little-endian double, the seconds to add to `time.time()`; it is looked at on every call.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

_OFFSET = struct.Struct("<d")


def write_offset(path: Path, seconds: float) -> None:
    """Set the clock of the process that was started with this file."""
    if not path.exists():
        path.write_bytes(_OFFSET.pack(seconds))
        return
    with path.open("r+b") as file:
        file.write(_OFFSET.pack(seconds))


def main(argv: list[str]) -> None:
    """Shift the clock, then become the module."""
    with Path(argv[0]).open("rb") as file:
        offset = mmap.mmap(file.fileno(), _OFFSET.size, prot=mmap.PROT_READ)
    true_time = time.time
    time.time = lambda: true_time() + _OFFSET.unpack_from(offset)[0]
    sys.argv = argv[1:]
    runpy.run_module(argv[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
