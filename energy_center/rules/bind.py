"""Which rules apply to which equipment, and with which points and parameters."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site
from energy_center.rules.engine import Timing
from energy_center.rules.rule import CatalogueEntry, Input, Of, Parameter, Rule, Where

SHORTEST_STEP_S = 5.0
FEWEST_BEHIND = 3
_OF_DEVICES = frozenset({Where.DEVICE, Where.DEVICES, Where.SIBLINGS})
CHILLED_WATER_SYSTEM = "Chilled_Water_System"


@dataclass(frozen=True, slots=True)
class Binding:
    """A rule at one equipment; `devices` are inputs that tell whether a device answers."""

    entry: CatalogueEntry
    equipment: Equipment
    building_id: str | None
    points: Mapping[str, tuple[Point, ...]]
    devices: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, float]
    timing: Timing

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.entry.rule

    @property
    def all_points(self) -> tuple[Point, ...]:
        """Every point that the rule reads here."""
        return tuple(p for points in self.points.values() for p in points)


@dataclass(frozen=True, slots=True)
class _Index:
    """The site by the ways in which rules look things up."""

    site: Site
    by_device: dict[str, list[Equipment]] = field(default_factory=lambda: defaultdict(list))
    devices_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    parts_of: dict[str, list[Equipment]] = field(default_factory=lambda: defaultdict(list))
    building_of: dict[str, str | None] = field(default_factory=dict)
    by_role: dict[Role, list[Equipment]] = field(default_factory=lambda: defaultdict(list))


def bind(entries: Mapping[str, CatalogueEntry], site: Site) -> list[Binding]:
    """Every rule at every equipment where it applies, rule by rule in file order."""
    index = _index(site)
    tried = (_bind_one(entry, equipment, index) for entry in entries.values() for equipment in site.equipment)
    return [binding for binding in tried if binding is not None]


def _index(site: Site) -> _Index:
    index = _Index(site)
    for space in site.spaces:
        index.building_of[space.space_id] = site.building_of(space.space_id)
    for equipment in site.equipment:
        if equipment.device_id and equipment.connection_id:
            index.by_device[equipment.device_id].append(equipment)
            if equipment.device_id not in index.devices_of[equipment.connection_id]:
                index.devices_of[equipment.connection_id].append(equipment.device_id)
        whole = equipment.attributes.get("part_of", equipment.fed_by)
        if isinstance(whole, str):
            index.parts_of[whole].append(equipment)
        for point in equipment.points:
            index.by_role[point.role].append(equipment)
    return index


def _bind_one(entry: CatalogueEntry, equipment: Equipment, index: _Index) -> Binding | None:
    rule = entry.rule
    if rule.classes and equipment.brick_class not in rule.classes:
        return None
    points: dict[str, tuple[Point, ...]] = {}
    devices: dict[str, tuple[str, ...]] = {}
    for wanted in rule.inputs:
        if wanted.where in _OF_DEVICES:
            devices[wanted.name] = _devices(wanted, equipment, index)
            missing = not devices[wanted.name]
        else:
            points[wanted.name] = _points(wanted, equipment, index)
            missing = not points[wanted.name]
        if missing and not wanted.optional:
            return None
    overrides = _overrides(rule, equipment, index.site)
    parameters = {p.name: _value(p, equipment, index.site, overrides) for p in rule.parameters}
    known = {name: value for name, value in parameters.items() if value is not None}
    if len(known) < len(parameters):
        return None
    return Binding(
        entry=entry,
        equipment=equipment,
        building_id=index.building_of.get(equipment.space_id),
        points=points,
        devices=devices,
        parameters=known,
        timing=_timing(rule, overrides),
    )


def _points(wanted: Input, equipment: Equipment, index: _Index) -> tuple[Point, ...]:
    if wanted.role is None:
        return ()
    found = [p for e in _candidates(wanted, equipment, index) for p in e.points if p.role is wanted.role]
    return tuple(found if wanted.many else found[:1])


def _candidates(wanted: Input, equipment: Equipment, index: _Index) -> list[Equipment]:
    match wanted.where:
        case Where.PARTS:
            parts = index.parts_of.get(equipment.equipment_id)
            if parts:
                return parts
            same = index.by_device.get(equipment.device_id or "", [])
            return [e for e in same if e.equipment_id != equipment.equipment_id]
        case Where.COLD_USERS:
            home = index.building_of.get(equipment.space_id)
            systems = [e for e in index.site.equipment if e.brick_class == CHILLED_WATER_SYSTEM]
            near = [e for e in systems if index.building_of.get(e.space_id) == home]
            return [user for system in near for user in index.parts_of.get(system.equipment_id, [])]
        case Where.CONNECTION:
            return _behind_connection(wanted, equipment, index)
        case Where.SITE if wanted.role is not None:
            having, home = index.by_role[wanted.role], index.building_of.get(equipment.space_id)
            near = [e for e in having if index.building_of.get(e.space_id) == home]
            return near or having
        case _:
            return [equipment]


def _behind_connection(wanted: Input, equipment: Equipment, index: _Index) -> list[Equipment]:
    devices = index.devices_of.get(equipment.connection_id or "", [])
    if not devices or devices[0] != equipment.equipment_id:
        return []
    behind = [e for device in devices for e in index.by_device[device]]
    having = [e for e in behind if any(p.role is wanted.role for p in e.points)]
    return having if len(having) >= FEWEST_BEHIND else []


def _devices(wanted: Input, equipment: Equipment, index: _Index) -> tuple[str, ...]:
    own = equipment.device_id
    if own is None or own != equipment.equipment_id:
        return ()
    behind = index.devices_of.get(equipment.connection_id or "", [])
    match wanted.where:
        case Where.DEVICES:
            return tuple(behind) if len(behind) > 1 and behind[0] == own else ()
        case Where.SIBLINGS:
            return tuple(d for d in behind if d != own)
        case _:
            return (own,)


def _overrides(rule: Rule, equipment: Equipment, site: Site) -> dict[str, float]:
    of_site = site.rule_parameters.get(rule.rule_id, {})
    of_equipment = site.rule_parameters.get(f"{rule.rule_id}@{equipment.equipment_id}", {})
    return {**of_site, **of_equipment}


def _value(
    parameter: Parameter, equipment: Equipment, site: Site, overrides: Mapping[str, float]
) -> float | None:
    if parameter.name in overrides:
        return float(overrides[parameter.name])
    if parameter.attribute is not None:
        given = _attributes(parameter, equipment, site).get(parameter.attribute)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
    return parameter.default


def _attributes(parameter: Parameter, equipment: Equipment, site: Site) -> Mapping[str, object]:
    match parameter.of:
        case Of.EQUIPMENT:
            return equipment.attributes
        case Of.METERED_SPACE:
            # a sub-meter may name the building too; the utility's contract is at the meter that nothing feeds
            if equipment.fed_by is not None:
                return {}
            spaces = (s for s in site.spaces if s.space_id == equipment.meters)
            return next((s.attributes for s in spaces), {})


def _timing(rule: Rule, overrides: Mapping[str, float]) -> Timing:
    """A hold or keep shorter than the rule's step makes the step shorter, unless `step` is given."""
    hold_s, keep_s = overrides.get("hold", rule.hold_s), overrides.get("keep", rule.keep_s)
    shortest = min([rule.step_s, *(overrides[name] for name in ("hold", "keep") if name in overrides)])
    return Timing(hold_s, keep_s, overrides.get("step", max(SHORTEST_STEP_S, shortest)))
