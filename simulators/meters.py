"""`python -m simulators meters`: many equal meters behind many gateways, without a building around them.

For long runs and loads: the registers are those of a three-phase meter (Eastron SDM630), the values rise by
one a second. Addresses, control and counts are those of a live simulation.
"""

import argparse
import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simulators.catalogue import Catalogue, Connection, Line, Wire
from simulators.run_live import LiveOptions, run_live

MODEL = "sdm630"


@dataclass(frozen=True, slots=True)
class _NoFault:
    """What a world of meters says when it is asked for a fault."""

    name: str

    def as_json(self) -> Mapping[str, object]:
        """Name and nothing else."""
        return {"name": self.name}


class Steady:
    """A world in which every reading is the number of seconds since the start."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0

    def step(self, now: datetime) -> None:
        """Advance."""
        self._seconds = (now - self._start).total_seconds()

    def value(self, equipment_id: str, signal: str) -> float:  # noqa: ARG002  the interface of Values
        """The same for all."""
        return self._seconds

    def is_silent(self, equipment_id: str) -> bool:  # noqa: ARG002  the interface of Values
        """Nothing breaks here."""
        return False

    def values(self) -> Mapping[tuple[str, str], float]:
        """No signal can be pinned."""
        return {}

    def start_fault(
        self,
        name: str,
        equipment_id: str | None = None,  # noqa: ARG002  the interface of SteerableWorld
        until: datetime | None = None,  # noqa: ARG002
    ) -> _NoFault:
        """There are none."""
        raise ValueError(f"meters have no fault {name!r}")

    def stop_fault(self, name: str, equipment_id: str | None = None) -> None:
        """There are none."""

    def faults(self) -> Sequence[_NoFault]:
        """There are none."""
        return ()

    def override(self, equipment_id: str, signal: str, value: float | None) -> None:
        """Nothing can be pinned."""


def catalogue_of(gateways: int, meters: int) -> Catalogue:
    """So many gateways `g001`, each with units 1, 2, …: meters `g001-1`, `g001-2` and so on."""
    names = [f"g{n:03d}" for n in range(1, gateways + 1)]
    return Catalogue(
        "meters",
        tuple(Connection(name, Wire.MODBUS, 0) for name in names),
        tuple(
            Line(f"{name}-{unit}", "meter", name, MODEL, unit)
            for name in names
            for unit in range(1, meters + 1)
        ),
    )


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or the parent's end."""
    parser = argparse.ArgumentParser(prog="python -m simulators meters", description=__doc__)
    parser.add_argument("--gateways", type=int, default=200)
    parser.add_argument("--meters", type=int, default=4, help="behind each gateway")
    parser.add_argument("--endpoints", type=Path, required=True, help="write the ports to this JSON file")
    options = parser.parse_args(argv)
    asyncio.run(_serve(catalogue_of(options.gateways, options.meters), options.endpoints))
    return 0


async def _serve(catalogue: Catalogue, endpoints: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    start = datetime.now(UTC)
    await run_live(Steady(start), catalogue, start, LiveOptions(endpoints=endpoints), stop)
