"""The site as applied: spaces, equipment, points. What vanishes from the file is retired, never deleted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Final

from energy_center.domain.commands import WriteLimits
from energy_center.domain.people import Actor
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.store import audit
from energy_center.store.pool import Connection, Database, Record

_LOCK = 0x0EC_51_7E_02
APPLIED: Final = "site"  # the channel on which an applied site that differs from the last one is told

# Fastest believable rise of a register per hour in its role's unit: the range of the matching rate in
# domain/quantities.py; run hours may gain a little by a device's clock, counts one a second.
MAX_RATE_PER_H: Final[Mapping[Role, float]] = MappingProxyType(
    {
        Role.ENERGY_IMPORT: 10_000.0,
        Role.ENERGY_EXPORT: 10_000.0,
        Role.REACTIVE_ENERGY_IMPORT: 10_000.0,
        Role.WATER_VOLUME: 500.0,
        Role.GAS_VOLUME: 5_000.0,
        Role.TANK_INLET_VOLUME: 500.0,
        Role.TANK_OUTLET_VOLUME: 500.0,
        Role.IRRIGATION_VOLUME: 500.0,
        Role.MAINS_VOLUME: 500.0,
        Role.RAIN_DEPTH: 400.0,
        Role.RUN_HOURS: 1.2,
        Role.START_COUNT: 3_600.0,
        Role.TRIP_COUNT: 3_600.0,
        Role.THERMAL_ENERGY: 50_000.0,  # five times the electrical one: a coefficient of performance
        Role.DATA_RECEIVED: 4.5e13,  # 100 Gbit/s
        Role.DATA_SENT: 4.5e13,
        Role.TRANSMISSION_ERRORS: 3.6e9,
    }
)


async def apply_site(db: Database, site: Site, text: str, actor: str, now: datetime) -> Site:
    """Make the database describe this site and give it back with point numbers; a second time is no change.

    `text` is the site file as written: when it differs from the last one, a revision is kept and audited.
    """
    async with db.transaction() as connection:
        return await apply_site_in(connection, site, text, actor, now)


async def apply_site_in(connection: Connection, site: Site, text: str, actor: str, now: datetime) -> Site:
    """`apply_site` inside the caller's transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    before, after = await _keep_revision(connection, text, actor, now)
    await connection.execute(
        "INSERT INTO site (site_id, name, time_zone, rule_parameters) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (one) DO UPDATE SET site_id = excluded.site_id, name = excluded.name, "
        "time_zone = excluded.time_zone, rule_parameters = excluded.rule_parameters",
        site.site_id,
        _names(site.name),
        site.time_zone,
        {rule: dict(numbers) for rule, numbers in site.rule_parameters.items()},
    )
    await _apply_spaces(connection, site.spaces, now)
    await _apply_equipment(connection, site.equipment, now)
    await _apply_points(connection, site.points(), now)
    applied = await load_site_in(connection)
    if applied is None:
        raise AssertionError("the site was written in this transaction")
    if before != after:
        who, subject = Actor(actor, "local"), f"site/{site.site_id}"
        await connection.execute("SELECT pg_notify($1, $2)", APPLIED, after)
        was = {"sha256": before} if before else None
        await audit.append(connection, who, "apply_site", subject, was, {"sha256": after}, now)
    return applied


async def load_site(db: Database) -> Site | None:
    """The site as last applied, without what is retired; None before the first time."""
    async with (
        db.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await load_site_in(connection)


async def load_site_in(connection: Connection) -> Site | None:
    """`load_site` inside the caller's transaction."""
    head = await connection.fetchrow("SELECT site_id, name, time_zone, rule_parameters FROM site")
    if head is None:
        return None
    spaces = await connection.fetch(
        "SELECT space_id, parent_id, kind, name, attributes FROM space WHERE retired_at IS NULL "
        "ORDER BY position, space_id"
    )
    equipment = await connection.fetch(
        "SELECT equipment_id, class, name, space_id, connection_id, device_id, profile, fed_by, meters, "
        "attributes FROM equipment WHERE retired_at IS NULL ORDER BY position, equipment_id"
    )
    points = await connection.fetch(
        "SELECT point_id, equipment_id, name, role, interval_s, writable, rollover_at FROM point "
        "WHERE retired_at IS NULL ORDER BY position, point_id"
    )
    of_equipment: dict[str, list[Point]] = {}
    for row in points:
        of_equipment.setdefault(row["equipment_id"], []).append(point_from(row))
    return Site(
        site_id=head["site_id"],
        name=_text(head["name"]),
        time_zone=head["time_zone"],
        spaces=tuple(_space(row) for row in spaces),
        equipment=tuple(_equipment(row, of_equipment.get(row["equipment_id"], [])) for row in equipment),
        rule_parameters=head["rule_parameters"],
    )


async def _keep_revision(
    connection: Connection, text: str, actor: str, now: datetime
) -> tuple[str | None, str]:
    """SHA-256 of the last revision's text, None before the first, and of this one."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    last = await connection.fetchval("SELECT sha256 FROM site_revision ORDER BY revision DESC LIMIT 1")
    if last != digest:
        await connection.execute(
            "INSERT INTO site_revision (sha256, text, applied_at, applied_by) VALUES ($1, $2, $3, $4)",
            digest,
            text,
            now,
            actor,
        )
    return last, digest


async def _apply_spaces(connection: Connection, spaces: Sequence[Space], now: datetime) -> None:
    rows = [
        (s.space_id, n, s.parent_id, s.kind.value, _names(s.name), dict(s.attributes))
        for n, s in enumerate(spaces)
    ]
    # parents are set in a second step, so that the order of the file does not matter
    await connection.executemany(
        "INSERT INTO space (space_id, position, kind, name, attributes) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (space_id) DO UPDATE SET position = excluded.position, kind = excluded.kind, "
        "name = excluded.name, attributes = excluded.attributes, retired_at = NULL",
        [(space, n, kind, name, attributes) for space, n, _, kind, name, attributes in rows],
    )
    await connection.execute(
        "UPDATE space SET parent_id = p.parent_id "
        "FROM unnest($1::text[], $2::text[]) AS p (space_id, parent_id) "
        "WHERE space.space_id = p.space_id AND space.parent_id IS DISTINCT FROM p.parent_id",
        [row[0] for row in rows],
        [row[2] for row in rows],
    )
    await connection.execute(
        "UPDATE space SET retired_at = $2 WHERE retired_at IS NULL AND space_id <> ALL($1::text[])",
        [row[0] for row in rows],
        now,
    )


async def _apply_equipment(connection: Connection, equipment: Sequence[Equipment], now: datetime) -> None:
    await connection.executemany(
        "INSERT INTO equipment (equipment_id, position, class, name, space_id, connection_id, device_id, "
        "profile, fed_by, meters, attributes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT (equipment_id) DO UPDATE SET position = excluded.position, class = excluded.class, "
        "name = excluded.name, space_id = excluded.space_id, connection_id = excluded.connection_id, "
        "device_id = excluded.device_id, profile = excluded.profile, fed_by = excluded.fed_by, "
        "meters = excluded.meters, attributes = excluded.attributes, retired_at = NULL",
        [
            (
                e.equipment_id,
                n,
                e.brick_class,
                _names(e.name),
                e.space_id,
                e.connection_id,
                e.device_id,
                e.profile,
                e.fed_by,
                e.meters,
                dict(e.attributes),
            )
            for n, e in enumerate(equipment)
        ],
    )
    await connection.execute(
        "UPDATE equipment SET retired_at = $2 WHERE retired_at IS NULL AND equipment_id <> ALL($1::text[])",
        [e.equipment_id for e in equipment],
        now,
    )


async def _apply_points(connection: Connection, points: Sequence[Point], now: datetime) -> None:
    keys = [p.equipment_id for p in points], [p.name for p in points]
    await connection.execute(
        "INSERT INTO point (equipment_id, name, position, role, unit, kind, interval_s, max_rate_per_h, "
        "writable, rollover_at) SELECT equipment_id, name, position, role, unit, kind, interval_s, max_rate, "
        "writable::jsonb, rollover FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], "
        "$6::text[], $7::float4[], $8::float8[], $9::text[], $10::float8[]) "
        "AS p (equipment_id, name, position, role, unit, kind, interval_s, max_rate, writable, rollover) "
        "ORDER BY position "
        "ON CONFLICT (equipment_id, name) DO UPDATE SET position = excluded.position, role = excluded.role, "
        "unit = excluded.unit, kind = excluded.kind, interval_s = excluded.interval_s, "
        "max_rate_per_h = excluded.max_rate_per_h, writable = excluded.writable, "
        "rollover_at = excluded.rollover_at, retired_at = NULL",
        *keys,
        list(range(len(points))),
        [p.role.value for p in points],
        [p.unit for p in points],
        [p.kind.value for p in points],
        [p.interval_s for p in points],
        [MAX_RATE_PER_H.get(p.role) if p.kind is Kind.COUNTER else None for p in points],
        [None if p.writable is None else json.dumps(asdict(p.writable)) for p in points],
        [p.rollover_at for p in points],
    )
    await connection.execute(
        "UPDATE point SET retired_at = $3 WHERE retired_at IS NULL AND NOT EXISTS "
        "(SELECT FROM unnest($1::text[], $2::text[]) AS k (equipment_id, name) "
        "WHERE k.equipment_id = point.equipment_id AND k.name = point.name)",
        *keys,
        now,
    )
    # an interval counts from now on; what was read before is judged by the interval of then
    await connection.execute(
        "INSERT INTO sampling (point_id, from_ts, interval_s) "
        "SELECT p.point_id, $1, p.interval_s FROM point AS p LEFT JOIN LATERAL (SELECT interval_s "
        "FROM sampling AS s WHERE s.point_id = p.point_id AND s.from_ts <= $1 "
        "ORDER BY from_ts DESC LIMIT 1) AS s ON true "
        "WHERE p.retired_at IS NULL AND s.interval_s IS DISTINCT FROM p.interval_s ON CONFLICT DO NOTHING",
        now,
    )


def _names(text: Text) -> dict[str, str]:
    return {"zh-TW": text.zh_tw, "en": text.en}


def _text(names: Mapping[str, str]) -> Text:
    return Text(zh_tw=names["zh-TW"], en=names["en"])


def _space(row: Record) -> Space:
    return Space(
        row["space_id"], row["parent_id"], SpaceKind(row["kind"]), _text(row["name"]), row["attributes"]
    )


def point_from(row: Record) -> Point:
    """A point from a row of the table of the same name."""
    return Point(
        equipment_id=row["equipment_id"],
        name=row["name"],
        role=Role(row["role"]),
        interval_s=row["interval_s"],
        point_id=PointId(row["point_id"]),
        writable=None if row["writable"] is None else WriteLimits(**row["writable"]),
        rollover_at=row["rollover_at"],
    )


def _equipment(row: Record, points: Sequence[Point]) -> Equipment:
    return Equipment(
        equipment_id=row["equipment_id"],
        brick_class=row["class"],
        name=_text(row["name"]),
        space_id=row["space_id"],
        connection_id=row["connection_id"],
        device_id=row["device_id"],
        profile=row["profile"],
        fed_by=row["fed_by"],
        meters=row["meters"],
        attributes=row["attributes"],
        points=tuple(points),
    )
