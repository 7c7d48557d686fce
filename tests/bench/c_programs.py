"""The benchmark's C programs: a Modbus server on the other core, a blocking libmodbus loop to compare with.

Compiled when they are needed (Debian: gcc, libmodbus-dev); where that fails, rows say so.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
# where .ci/install-libmodbus has unpacked the library; without it, the system's
LIBMODBUS = Path(os.environ.get("ENERGY_CENTER_LIBMODBUS", "/usr"))
MISSING_LIBMODBUS = "no libmodbus or C compiler here: apt install libmodbus-dev gcc"
OUR_CORE, SERVER_CORE = 0, 1


def compiled(name: str, folder: Path, *libraries: str) -> Path | None:
    """The program, or None where it cannot be compiled."""
    program = folder / name
    command = ["gcc", "-O2", "-o", program, SOURCES / f"{name}.c", *libraries]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return program if done.returncode == 0 else None


def libmodbus_loop(folder: Path) -> Path | None:
    """The blocking libmodbus client."""
    folders = sorted(LIBMODBUS.glob("lib/*-linux-gnu")) or [LIBMODBUS / "lib"]
    linked = [f for at in folders for f in (f"-L{at}", f"-Wl,-rpath,{at}")]
    return compiled("client", folder, f"-I{LIBMODBUS}/include/modbus", *linked, "-lmodbus")


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """This process, with what it starts meanwhile, on one core; no promise where there is no such core."""
    before = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def server(program: Path, delay_ms: int = 0) -> Iterator[int]:
    """The server's port, on its own core; it ends with the context, and with us."""
    with on_core(SERVER_CORE):
        running = subprocess.Popen([program, str(delay_ms)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield int(running.stdout.readline())
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def libmodbus_rate(
    program: Path, port: int, devices: int, rounds: int, registers: int
) -> tuple[float, float]:
    """Requests a second of the blocking loop, and its CPU microseconds a request."""
    words = [program, *map(str, (port, devices, rounds, registers))]
    told = subprocess.run(words, capture_output=True, check=True, text=True, timeout=60)
    rate, cpu_us, _ = told.stdout.split()
    return float(rate), float(cpu_us)
