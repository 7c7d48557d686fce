"""What is simulated: the equipment of the simulator's site file and its rated values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Equipment:
    """One simulated thing; ``group`` names the wire it shares with others (a gateway), if any."""

    id: str
    kind: str
    building: str
    floor: str | None = None
    group: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The last number in the id, 0 without one."""
        digits = "".join(c if c.isdigit() else " " for c in self.id).split()
        return int(digits[-1]) if digits else 0


@dataclass(frozen=True)
class Model:
    """The site: equipment by id and the rated values of buildings, kinds and single ids."""

    equipment: Mapping[str, Equipment]
    rated_by_building: Mapping[str, Mapping[str, Any]]
    rated_by_kind: Mapping[str, Mapping[str, Any]]
    rated_by_id: Mapping[str, Mapping[str, Any]]

    def of(self, building: str, *kinds: str) -> list[Equipment]:
        """Return a building's equipment of the kinds, in the file's order."""
        return [e for e in self.equipment.values() if e.building == building and e.kind in kinds]

    def kind(self, *kinds: str) -> list[Equipment]:
        """Return all equipment of the kinds."""
        return [e for e in self.equipment.values() if e.kind in kinds]

    def rated(self, equipment: Equipment, name: str, default: float | None = None) -> float:
        """Return a rated value: the site file's own, else by id, else by kind and building, else by kind."""
        kind = self.rated_by_kind.get(equipment.kind, {})
        for source in (
            equipment.params,
            self.rated_by_id.get(equipment.id, {}),
            kind.get(equipment.building, {}),
            kind,
        ):
            if isinstance(source, Mapping) and name in source:
                return float(source[name])
        if default is None:
            raise KeyError(f"{equipment.id}: no rated value {name!r}")
        return default

    def building(self, building: str, name: str) -> float:
        """Return a rated value of a whole building."""
        return float(self.rated_by_building[building][name])

    @property
    def buildings(self) -> list[str]:
        """The buildings that have rated values and equipment."""
        return [b for b in self.rated_by_building if any(e.building == b for e in self.equipment.values())]


def _group_of(line: Mapping[str, Any]) -> str | None:
    wire = line.get("wire")
    if isinstance(wire, Mapping):
        name = wire.get("connection")
        return str(name) if name is not None else None
    name = line.get("connection")
    return str(name) if name is not None else None


def read_equipment(line: Mapping[str, Any]) -> Equipment:
    """Return the equipment of one line of the site file."""
    known = {"id", "kind", "building", "floor", "wire", "connection"}
    floor = line.get("floor")
    return Equipment(
        id=str(line["id"]),
        kind=str(line["kind"]).replace("_", "-"),
        building=str(line["building"]),
        floor=None if floor is None else str(floor),
        group=_group_of(line),
        params={k: v for k, v in line.items() if k not in known},
    )


def build_model(lines: list[Mapping[str, Any]], rated: Mapping[str, Any]) -> Model:
    """Return the model of equipment lines and the document of rated values."""
    equipment = [read_equipment(line) for line in lines]
    return Model(
        equipment={e.id: e for e in equipment},
        rated_by_building=rated["buildings"],
        rated_by_kind=rated["kinds"],
        rated_by_id=rated.get("equipment", {}),
    )


def load_model(path: Path) -> Model:
    """Read a site file and the rated values beside it (``<site>-plant.yaml``)."""
    site = yaml.safe_load(path.read_text(encoding="utf-8"))
    plant = path.with_name(f"{path.stem}-plant.yaml")
    return build_model(site["equipment"], yaml.safe_load(plant.read_text(encoding="utf-8")))
