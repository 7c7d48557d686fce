"""Applying a site: idempotent, numbers kept, vanished things retired."""

from datetime import timedelta

from energy_center.domain.quantities import Role
from energy_center.domain.site import UNAPPLIED
from energy_center.store.pool import Database
from energy_center.store.site import apply_site, load_site
from tests.store.builders import NOW, apply, equipment, site

METER = equipment("ltb-main", [Role.ACTIVE_POWER, Role.ENERGY_IMPORT])
OTHER = equipment("ltb-tr1", [Role.LOAD_RATIO])


async def fetch(db: Database, sql: str) -> list[tuple[object, ...]]:
    async with db.connection() as connection:
        return [tuple(row) for row in await connection.fetch(sql)]


async def test_no_site_before_the_first(database: Database) -> None:
    assert await load_site(database) is None


async def test_a_site_comes_back_as_applied_with_numbers(database: Database) -> None:
    applied = await apply(database, METER, OTHER)
    assert await load_site(database) == applied
    assert [p.key for p in applied.points()] == [p.key for p in site(METER, OTHER).points()]
    assert UNAPPLIED not in {p.point_id for p in applied.points()}
    assert applied.spaces == site().spaces
    assert applied.rule_parameters == site().rule_parameters
    assert applied.equipment[0].attributes == METER.attributes


async def test_applying_twice_changes_nothing(database: Database) -> None:
    first = await apply(database, METER, OTHER)
    assert await apply(database, METER, OTHER, now=NOW) == first
    assert await fetch(database, "SELECT count(*) FROM site_revision") == [(1,)]
    assert await fetch(database, "SELECT count(*) FROM sampling") == [(3,)]


async def test_a_vanished_equipment_is_retired_and_keeps_its_numbers_when_it_returns(
    database: Database,
) -> None:
    first = await apply(database, METER, OTHER)
    without = await apply(database, METER, now=NOW)
    assert [e.equipment_id for e in without.equipment] == ["ltb-main"]
    assert await fetch(database, "SELECT retired_at FROM point WHERE equipment_id = 'ltb-tr1'") == [(NOW,)]
    assert await apply(database, METER, OTHER, now=NOW + timedelta(hours=1)) == first


async def test_a_new_interval_counts_from_its_day(database: Database) -> None:
    await apply(database, OTHER)
    await apply_site(database, site(equipment("ltb-tr1", [Role.LOAD_RATIO], 5.0)), "faster", "test", NOW)
    rows = await fetch(database, "SELECT from_ts, interval_s FROM sampling ORDER BY from_ts")
    assert rows == [(NOW - timedelta(days=1000), 60.0), (NOW, 5.0)]
    assert await fetch(database, "SELECT count(*) FROM site_revision") == [(2,)]


async def test_a_changed_text_is_audited_once(database: Database) -> None:
    await apply_site(database, site(METER), "first", "alice", NOW)
    await apply_site(database, site(METER), "second", "bob", NOW)
    await apply_site(database, site(METER), "second", "carol", NOW)
    rows = await fetch(
        database,
        "SELECT actor, action, subject, before IS NULL, before ->> 'sha256' = lag(after ->> 'sha256') "
        "OVER (ORDER BY audit_id) FROM audit_log ORDER BY audit_id",
    )
    subject = f"site/{site().site_id}"
    assert rows == [
        ("alice", "apply_site", subject, True, None),
        ("bob", "apply_site", subject, False, True),
    ]
