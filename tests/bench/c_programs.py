"""The benchmark's C programs: a Modbus server on the other core, a blocking libmodbus loop to compare with.

Compiled when they are needed (Debian: gcc, libmodbus-dev); where that fails, rows say so.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parent / "c"


def compiled(name: str, folder: Path, *libraries: str) -> Path | None:
    """The program, or None where it cannot be compiled."""
    program = folder / name
    command = ["gcc", "-O2", "-o", program, SOURCES / f"{name}.c", *libraries]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return program if done.returncode == 0 else None


@contextmanager
def server(program: Path, delay_ms: int = 0) -> Iterator[int]:
    """The server's port; it ends with the context, and with us."""
    running = subprocess.Popen([program, str(delay_ms)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield int(running.stdout.readline())
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def libmodbus_rate(program: Path, port: int, devices: int, rounds: int, registers: int) -> float:
    """Requests a second of the blocking loop."""
    words = [program, *map(str, (port, devices, rounds, registers))]
    told = subprocess.run(words, capture_output=True, check=True, text=True, timeout=60)
    return float(told.stdout.split()[0])
