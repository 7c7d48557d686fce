"""Reads and checks the simulator's own list of equipment: what exists, where, and how it is wired.

Physics reads its parameters from the same file on its own; here stands only what device servers need.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml


class CatalogueError(Exception):
    """The list of equipment has mistakes; `mistakes` are sentences."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


class Wire(StrEnum):
    """The protocols that devices speak."""

    MODBUS = "modbus-tcp"
    BACNET = "bacnet-ip"
    MQTT = "mqtt"


@dataclass(frozen=True, slots=True)
class Connection:
    """One socket that devices answer on. `device` is the BACnet device instance."""

    id: str
    wire: Wire
    port: int
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of equipment and its address: Modbus unit and base, BACnet base, or MQTT topic."""

    id: str
    kind: str
    connection: str
    model: str | None = None
    unit: int | None = None
    base: int = 0
    topic: str | None = None
    every_s: float = 30.0

    @property
    def map_name(self) -> str:
        """What its register, object or message map is called: the model where one is given, else the kind."""
        return self.model or self.kind


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything in the file, in its order."""

    site: str
    connections: tuple[Connection, ...]
    equipment: tuple[Line, ...]

    def on(self, connection_id: str) -> tuple[Line, ...]:
        """The equipment wired to a connection."""
        return tuple(line for line in self.equipment if line.connection == connection_id)

    def wired(self, wire: Wire) -> tuple[Connection, ...]:
        """The connections of a protocol."""
        return tuple(c for c in self.connections if c.wire is wire)


def load_catalogue(path: Path) -> Catalogue:
    """Read the file; raises CatalogueError with every mistake, or OSError."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        catalogue = Catalogue(
            site=str(content["site"]),
            connections=tuple(_connection(row) for row in content["connections"]),
            equipment=tuple(_line(row) for row in content["equipment"]),
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise CatalogueError([f"{path}: not a list of equipment: {cause!r}"]) from cause
    mistakes = [*_repeated(catalogue), *_unwired(catalogue), *_shared_addresses(catalogue)]
    if mistakes:
        raise CatalogueError([f"{path}: {m}" for m in mistakes])
    return catalogue


def _connection(row: Mapping[str, Any]) -> Connection:
    device = row.get("device")
    return Connection(
        str(row["id"]), Wire(row["protocol"]), int(row["port"]), None if device is None else int(device)
    )


def _line(row: Mapping[str, Any]) -> Line:
    unit = row.get("unit")
    return Line(
        id=str(row["id"]),
        kind=str(row["kind"]),
        connection=str(row["connection"]),
        model=row.get("model"),
        unit=None if unit is None else int(unit),
        base=int(row.get("base", 0)),
        topic=row.get("topic"),
        every_s=float(row.get("every_s", 30.0)),
    )


def _repeated(catalogue: Catalogue) -> list[str]:
    ids = Counter([line.id for line in catalogue.equipment])
    names = Counter([c.id for c in catalogue.connections])
    return [f"{name} is listed {n} times" for name, n in [*ids.items(), *names.items()] if n > 1]


def _unwired(catalogue: Catalogue) -> list[str]:
    by_id = {c.id: c for c in catalogue.connections}
    mistakes = []
    for line in catalogue.equipment:
        connection = by_id.get(line.connection)
        if connection is None:
            mistakes.append(f"{line.id}: no connection {line.connection}")
        elif connection.wire is Wire.MODBUS and not (line.unit and 1 <= line.unit <= 247):
            mistakes.append(f"{line.id}: unit must be 1..247, is {line.unit}")
        elif connection.wire is Wire.MQTT and not line.topic:
            mistakes.append(f"{line.id}: no topic")
    return mistakes


def _shared_addresses(catalogue: Catalogue) -> list[str]:
    wires = {c.id: c.wire for c in catalogue.connections}
    seen: dict[tuple[object, ...], str] = {}
    mistakes = []
    for line in catalogue.equipment:
        if line.kind == "controller":
            continue
        at = (line.connection, line.unit, line.base, line.topic)
        if at in seen and wires.get(line.connection) is not None:
            mistakes.append(f"{line.id} has the address of {seen[at]}")
        seen.setdefault(at, line.id)
    return mistakes
