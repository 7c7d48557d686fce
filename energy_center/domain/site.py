"""The site as everyone sees it once it is loaded: spaces, equipment and points, with names in both languages.

How a point is read on the wire is not here (that is `config.bindings`), nor what it last read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from energy_center.domain.commands import WriteLimits
from energy_center.domain.quantities import QUANTITIES, Kind, Role
from energy_center.domain.readings import PointId

UNAPPLIED = PointId(0)


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both languages."""

    zh_tw: str
    en: str

    def in_language(self, language: str) -> str:
        """The words for `zh-TW` or `en`."""
        return self.en if language == "en" else self.zh_tw


class SpaceKind(StrEnum):
    """Levels of the space tree."""

    SITE = "site"
    BUILDING = "building"
    FLOOR = "floor"
    ZONE = "zone"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Space:
    """A node of the space tree; `attributes` hold area_m2, headcount, contract_kw, tariff and the like."""

    space_id: str
    parent_id: str | None
    kind: SpaceKind
    name: Text
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured quantity of one equipment; the database gives `point_id` when the site is applied.

    `writable` is None unless the site file allows writes to it. `rollover_at` is where a counter's register
    begins again at 0, in the role's unit, None where that is not known.
    """

    equipment_id: str
    name: str
    role: Role
    interval_s: float
    point_id: PointId = UNAPPLIED
    writable: WriteLimits | None = None
    rollover_at: float | None = None

    @property
    def unit(self) -> str:
        """UCUM code of the stored values."""
        return QUANTITIES[self.role].unit

    @property
    def kind(self) -> Kind:
        """Gauge, counter or state."""
        return QUANTITIES[self.role].kind

    @property
    def key(self) -> tuple[str, str]:
        """What people and other programs call this point by."""
        return (self.equipment_id, self.name)


@dataclass(frozen=True, slots=True)
class Equipment:
    """A thing with a Brick class, a place and points.

    `device_id` names the device it is read through: the id of the first equipment at that address.
    `fed_by` is the equipment that feeds it, `meters` the space or equipment that a meter measures.
    """

    equipment_id: str
    brick_class: str
    name: Text
    space_id: str
    connection_id: str | None = None
    device_id: str | None = None
    profile: str | None = None
    fed_by: str | None = None
    meters: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    points: tuple[Point, ...] = ()

    def point(self, role: Role) -> Point | None:
        """The equipment's point of this role, or None where it has none."""
        return next((p for p in self.points if p.role is role), None)


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a site file describes, resolved."""

    site_id: str
    name: Text
    time_zone: str
    spaces: tuple[Space, ...]
    equipment: tuple[Equipment, ...]
    # rule id -> parameter -> number; an entry `rule id@equipment id` overrides it for one equipment
    rule_parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def buildings(self) -> tuple[Space, ...]:
        """The buildings, in file order."""
        return tuple(s for s in self.spaces if s.kind is SpaceKind.BUILDING)

    @property
    def holidays_of_country(self) -> str:
        """The country whose holidays the first building keeps; Taiwan where none says."""
        kept = (b.attributes["holidays"] for b in self.buildings if "holidays" in b.attributes)
        return str(next(kept, "TW"))

    def points(self) -> tuple[Point, ...]:
        """Every point, in file order."""
        return tuple(p for e in self.equipment for p in e.points)

    def building_of(self, space_id: str) -> str | None:
        """The building that a space lies in, or None for the site itself."""
        by_id = {s.space_id: s for s in self.spaces}
        at: Space | None = by_id.get(space_id)
        while at is not None and at.kind is not SpaceKind.BUILDING:
            at = by_id.get(at.parent_id) if at.parent_id else None
        return at.space_id if at else None
