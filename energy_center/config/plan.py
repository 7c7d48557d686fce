"""What applying a site would change, compared with the site that the database holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from energy_center.domain.site import Equipment, Point, Site


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan: `add`, `change` or `retire` of a space, equipment or point."""

    action: str
    kind: str
    name: str
    detail: str = ""


def plan_changes(held: Site | None, wanted: Site) -> list[Change]:
    """Every difference, in the order of the file; what vanished is retired, never deleted."""
    spaces = _compared("space", _spaces(held), _spaces(wanted))
    equipment = _compared("equipment", _equipment(held), _equipment(wanted))
    points = _compared("point", _points(held), _points(wanted))
    return [*spaces, *equipment, *points]


def _compared(kind: str, held: Mapping[str, object], wanted: Mapping[str, object]) -> list[Change]:
    changes = [
        Change("add" if name not in held else "change", kind, name, _detail(held.get(name), facts))
        for name, facts in wanted.items()
        if held.get(name) != facts
    ]
    return [*changes, *(Change("retire", kind, name) for name in held if name not in wanted)]


def _detail(before: object, after: object) -> str:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    return ", ".join(f"{k}: {before.get(k)} → {after[k]}" for k in after if before.get(k) != after[k])


def _spaces(site: Site | None) -> dict[str, object]:
    return {
        s.space_id: {
            "parent": s.parent_id,
            "kind": str(s.kind),
            "name": s.name,
            "attributes": dict(s.attributes),
        }
        for s in (site.spaces if site else ())
    }


def _equipment(site: Site | None) -> dict[str, object]:
    return {e.equipment_id: _equipment_facts(e) for e in (site.equipment if site else ())}


def _equipment_facts(equipment: Equipment) -> dict[str, object]:
    return {
        "class": equipment.brick_class,
        "name": equipment.name,
        "space": equipment.space_id,
        "connection": equipment.connection_id,
        "profile": equipment.profile,
        "fed_by": equipment.fed_by,
        "meters": equipment.meters,
    }


def _points(site: Site | None) -> dict[str, object]:
    return {"/".join(p.key): _point_facts(p) for p in (site.points() if site else ())}


def _point_facts(point: Point) -> dict[str, object]:
    return {
        "role": str(point.role),
        "interval_s": point.interval_s,
        "writable": point.writable,
        "rollover_at": point.rollover_at,
    }
