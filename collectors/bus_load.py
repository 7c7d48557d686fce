"""How busy each line and BACnet device of a site will be, and what cannot be met. Pure but for its command.

`python -m collectors.bus_load --site FILE` prints it as JSON; `energy-center site check` shows it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.driver import ScanBlock
from collectors.line_timing import busy_s
from collectors.plan_objects import ObjectBlock, answer_s, most_objects, plan_objects
from collectors.plan_reads import RegisterBlock, plan_reads
from energy_center.config.bindings import BacnetIp, Connection, ModbusRtu, ModbusTcp, Plant
from energy_center.config.load_site import load_site
from energy_center.errors import ConfigError

NEARLY_FULL = 0.8  # above it one silent device or a burst of commands makes others late


@dataclass(frozen=True, slots=True)
class BusLoad:
    """One line: how many requests read it, the share of its time that they take, and who will be late.

    `late` names device, interval in seconds and points for each request that has no room.
    """

    connection: str
    requests: int
    utilisation: float
    late: tuple[str, ...]

    @property
    def is_nearly_full(self) -> bool:
        """Whether everything is met, but with little room."""
        return not self.late and self.utilisation > NEARLY_FULL


def load_of(connection: str, target: ModbusTcp | ModbusRtu, blocks: Sequence[RegisterBlock]) -> BusLoad:
    """The load of a Modbus line."""
    ordered = sorted(blocks, key=lambda b: (b.interval_s, b.unit_id, b.address))
    return _load(connection, [(block, busy_s(target, block)) for block in ordered])


def bacnet_loads(plant: Plant) -> list[BusLoad]:
    """BACnet devices that answer for themselves, and MS/TP lines that their stations share."""
    lines: dict[str, list[Connection]] = {}
    for connection in plant.connections:
        target = connection.target
        if isinstance(target, BacnetIp):
            shared = f"{target.host}:{target.port} network {target.network}"
            name = connection.connection_id if target.baud_rate is None else shared
            lines.setdefault(name, []).append(connection)
    return [_bacnet_load(name, connections, plant) for name, connections in lines.items()]


def _bacnet_load(name: str, connections: Sequence[Connection], plant: Plant) -> BusLoad:
    timed: list[tuple[ObjectBlock, float]] = []
    stations = len(connections) + 1  # with the router
    for connection in connections:
        target = connection.target
        if isinstance(target, BacnetIp):
            bindings = [b for b in plant.bindings if b.connection_id == connection.connection_id]
            blocks = plan_objects(bindings, most_objects(target))
            timed += [(block, answer_s(target, block, stations)) for block in blocks]
    return _load(name, sorted(timed, key=lambda pair: pair[0].interval_s))


def _load(name: str, timed: Sequence[tuple[ScanBlock, float]]) -> BusLoad:
    """Short intervals come first and are met first; what comes on top of the whole time is late."""
    utilisation, late = 0.0, []
    for block, taken_s in timed:
        utilisation += taken_s / block.interval_s
        if utilisation > 1:
            late.append(_told(block))
    return BusLoad(name, len(timed), utilisation, tuple(late))


def _told(block: ScanBlock) -> str:
    names = ", ".join("/".join(b.key) for b in block.bindings[:3])
    more = f" and {len(block.bindings) - 3} more" if len(block.bindings) > 3 else ""  # noqa: PLR2004
    return f"{block.device_id} every {block.interval_s:g} s: {names}{more}"


def loads_of(plant: Plant) -> list[BusLoad]:
    """All Modbus lines of a site in the order of its file, then its BACnet devices and lines."""
    loads = []
    for connection in plant.connections:
        target = connection.target
        if not isinstance(target, ModbusTcp | ModbusRtu):
            continue
        devices = [d for d in plant.devices if d.connection_id == connection.connection_id]
        bindings = [b for b in plant.bindings if b.connection_id == connection.connection_id]
        loads.append(load_of(connection.connection_id, target, plan_reads(devices, bindings)))
    return [*loads, *bacnet_loads(plant)]


def main(argv: list[str] | None = None) -> int:
    """Print a JSON list of lines; 1 when the file has mistakes."""
    parser = argparse.ArgumentParser(prog="python -m collectors.bus_load", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--profiles", type=Path)
    args = parser.parse_args(argv)
    try:
        loads = loads_of(load_site(args.site, args.profiles))
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    rows = [{**asdict(load), "nearly_full": load.is_nearly_full} for load in loads]
    sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
