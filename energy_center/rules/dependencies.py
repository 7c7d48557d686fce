"""Suppression by design (ANSI/ISA-18.2-2016, 12.4.2): which alarm makes which others of no use, how long.

The same functions serve the live run and the backtest. A suppressed alarm is still computed and recorded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.alarms import Priority
from energy_center.domain.site import Equipment, Point, Site
from energy_center.rules.backtest import Finding
from energy_center.rules.bind import CHILLED_WATER_SYSTEM, Binding
from energy_center.rules.rule import Path, Where

Key = tuple[str, str]  # rule id, equipment id

# Rules about harm to people or the building: only a blind data path excuses them.
SAFETY_SUBJECTS = frozenset({"safety", "drainage", "generator"})
SAFETY_CLASSES = frozenset({"Elevator"})
_WHOLE_CONNECTION = frozenset({Where.DEVICES, Where.CONNECTION})

# How long after its parent's return a child stays suppressed, in s: the time that equipment needs to settle
# after a change of state (air handlers: ASHRAE Guideline 36-2021, 5.16.14; others: engineering practice).
AFTER_MAINS_S = 3_600.0
USUAL_DELAY_S = 300.0
MODE_DELAY_S = {
    "Air_Handler_Unit": 1_800.0,
    "Dedicated_Outdoor_Air_System_Unit": 1_800.0,
    "Fan_Coil_Unit": 900.0,
    "Variable_Air_Volume_Box": 900.0,
    "Terminal_Unit": 900.0,
    "Centrifugal_Chiller": 1_200.0,
}


@dataclass(frozen=True, slots=True)
class Parent:
    """An alarm that may suppress another, and for how long after its return it still does."""

    key: Key
    path: Path
    delay: timedelta


@dataclass(frozen=True, slots=True)
class Stood:
    """A stretch in which an alarm stood; `returned_at` is None while it does. `name` is shown to people."""

    key: Key
    raised_at: datetime
    returned_at: datetime | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Hidden:
    """By which alarm another was suppressed when it was raised, and when it came into the list after all."""

    by: Stood
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Of every binding: its possible parents, how deep it lies below them, and the priority it inherits."""

    parents: Mapping[Key, tuple[Parent, ...]]
    depth: Mapping[Key, int]
    inherited: Mapping[Key, Priority]

    @property
    def hiding_rules(self) -> list[str]:
        """Rules whose alarms suppress any other here."""
        return sorted({parent.key[0] for parents in self.parents.values() for parent in parents})

    def priority(self, binding: Binding) -> Priority:
        """The rule's own; for a silent data path the highest of the safety rules that it blinds."""
        return self.inherited.get(_key(binding), binding.rule.priority)

    def hidden(
        self,
        key: Key,
        raised_at: datetime,
        returned_at: datetime | None,
        stood: Mapping[Key, Sequence[Stood]],
    ) -> Hidden | None:
        """What suppressed an alarm at its raising; None where nothing did.

        An alarm that stood before its parent stays in the list. One that was suppressed comes into it when
        the parent has returned, the delay is over and no other parent stands.
        """
        over = [(s, p.delay) for p in self.parents.get(key, ()) for s in stood.get(p.key, ())]
        first = _hider(raised_at, over)
        if first is None:
            return None
        at: datetime = raised_at
        hider: tuple[Stood, timedelta] | None = first
        while hider is not None:
            parent, delay = hider
            if parent.returned_at is None:
                return Hidden(first[0], None)
            at = parent.returned_at + delay
            hider = _hider(at, over)
        gone = returned_at is not None and returned_at <= at
        return Hidden(first[0], None if gone else at)


def is_safety(binding: Binding) -> bool:
    """Whether a missed alarm means harm: such a one is suppressed by the data path only."""
    rule = binding.rule
    return (
        rule.subject in SAFETY_SUBJECTS
        or rule.priority is Priority.CRITICAL
        or binding.equipment.brick_class in SAFETY_CLASSES
    )


def depend(bindings: Sequence[Binding], site: Site) -> Dependencies:
    """Work out who lies behind whom."""
    places = _Places(site)
    hiding = [b for b in bindings if b.rule.hides]
    parents = {_key(b): tuple(_parents(b, hiding, places)) for b in bindings}
    known = {key: found for key, found in parents.items() if found}
    depth: dict[Key, int] = {}
    for key in known:
        _depth_of(key, known, depth)
    return Dependencies(known, depth, _inherited(bindings, known))


def suppress(findings: Iterable[Finding], dependencies: Dependencies) -> list[tuple[Finding, Hidden | None]]:
    """A backtest's findings, each with what suppressed it."""
    found = list(findings)
    stood: dict[Key, list[Stood]] = defaultdict(list)
    for f in found:
        key = (f.rule_id, f.equipment_id)
        stood[key].append(Stood(key, f.raised_at, f.returned_at, f"{f.rule_id}@{f.equipment_id}"))
    return [
        (f, dependencies.hidden((f.rule_id, f.equipment_id), f.raised_at, f.returned_at, stood))
        for f in found
    ]


def _key(binding: Binding) -> Key:
    return (binding.rule.rule_id, binding.equipment.equipment_id)


def _hider(at: datetime, over: Sequence[tuple[Stood, timedelta]]) -> tuple[Stood, timedelta] | None:
    """The parent that hides at an instant: the one that was raised first."""
    hiding = [
        (s, delay)
        for s, delay in over
        if s.raised_at <= at and (s.returned_at is None or at < s.returned_at + delay)
    ]
    return min(hiding, key=lambda pair: (pair[0].raised_at, pair[0].key)) if hiding else None


class _Places:
    """Where things lie: devices of connections, what feeds what, buildings."""

    def __init__(self, site: Site) -> None:
        self.by_id = {e.equipment_id: e for e in site.equipment}
        self.devices_of: dict[str, set[str]] = defaultdict(set)
        for e in site.equipment:
            if e.connection_id and e.device_id:
                self.devices_of[e.connection_id].add(e.device_id)
        of_space = {s.space_id: site.building_of(s.space_id) for s in site.spaces}
        self.building_of = {e.equipment_id: of_space.get(e.space_id) for e in site.equipment}
        self.above = {e.equipment_id: self._ancestors(e) for e in site.equipment}

    def _ancestors(self, equipment: Equipment) -> tuple[str, ...]:
        found: list[str] = []
        at = equipment.fed_by
        while at is not None and at not in found and at != equipment.equipment_id:
            found.append(at)
            at = self.by_id[at].fed_by if at in self.by_id else None
        return tuple(found)

    def covered(self, binding: Binding) -> frozenset[str]:
        """The devices that a data-path rule speaks of."""
        if any(i.where in _WHOLE_CONNECTION for i in binding.rule.inputs):
            return frozenset(self.devices_of[binding.equipment.connection_id or ""])
        return frozenset({binding.equipment.device_id or binding.equipment.equipment_id})

    def read_through(self, binding: Binding) -> frozenset[str]:
        """The devices without which the binding cannot tell."""
        needed = {p.equipment_id for name, points in _needed(binding) for p in points}
        things = [self.by_id[e] for e in needed if e in self.by_id] or [binding.equipment]
        return frozenset(e.device_id for e in things if e.device_id)


def _needed(binding: Binding) -> Iterable[tuple[str, tuple[Point, ...]]]:
    return ((i.name, binding.points.get(i.name, ())) for i in binding.rule.inputs if not i.optional)


def _parents(child: Binding, hiding: Sequence[Binding], places: _Places) -> Iterable[Parent]:
    safety = is_safety(child)
    for parent in hiding:
        if parent is child:
            continue
        for path in sorted(parent.rule.hides):
            if (path is Path.DATA or not safety) and _lies_behind(child, parent, path, places):
                yield Parent(_key(parent), path, _delay(child, path))
                break


def _lies_behind(child: Binding, parent: Binding, path: Path, places: _Places) -> bool:
    at, child_at = parent.equipment.equipment_id, child.equipment.equipment_id
    match path:
        case Path.DATA:
            covered = places.covered(parent)
            if Path.DATA in child.rule.hides:
                return places.covered(child) < covered
            return bool(places.read_through(child) & covered)
        case Path.POWER:
            return at in places.above.get(child_at, ())
        case Path.THERMAL:
            return child.rule.needs_cold and _gives_cold(at, child_at, places)
        case Path.SENSOR:
            if child.rule.hides & {Path.SENSOR, Path.DATA}:
                return False
            faulty = {p.key for points in _own_points(parent) for p in points}
            return any(p.key in faulty for p in child.all_points)


def _own_points(binding: Binding) -> Iterable[tuple[Point, ...]]:
    return (binding.points.get(i.name, ()) for i in binding.rule.inputs if i.where is Where.OWN)


def _gives_cold(parent: str, child: str, places: _Places) -> bool:
    """By `fed_by`, or as a part of the building's chilled-water system that feeds the child."""
    above = places.above.get(child, ())
    if parent in above:
        return True
    systems = [a for a in above if a in places.by_id and places.by_id[a].brick_class == CHILLED_WATER_SYSTEM]
    return any(
        places.building_of.get(s) == places.building_of.get(parent) and s not in places.above.get(parent, ())
        for s in systems
    )


def _delay(child: Binding, path: Path) -> timedelta:
    if path is Path.POWER:
        return timedelta(seconds=AFTER_MAINS_S)
    return timedelta(seconds=MODE_DELAY_S.get(child.equipment.brick_class, USUAL_DELAY_S))


def _depth_of(key: Key, parents: Mapping[Key, tuple[Parent, ...]], depth: dict[Key, int]) -> int:
    if key not in depth:
        depth[key] = 0  # also ends a circle, should a site file ever describe one
        above = [_depth_of(p.key, parents, depth) for p in parents.get(key, ())]
        depth[key] = 1 + max(above, default=-1)
    return depth[key]


def _inherited(bindings: Sequence[Binding], parents: Mapping[Key, tuple[Parent, ...]]) -> dict[Key, Priority]:
    own = {_key(b): b.rule.priority for b in bindings}
    found: dict[Key, Priority] = {}
    for binding in bindings:
        if not is_safety(binding):
            continue
        for parent in parents.get(_key(binding), ()):
            if parent.path is Path.DATA:
                so_far = found.get(parent.key, own[parent.key])
                found[parent.key] = min(so_far, binding.rule.priority, key=lambda p: p.rank)
    return found
