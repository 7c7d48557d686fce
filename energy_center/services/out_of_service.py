"""Equipment that people take out of service, with a reason and an end (ANSI/ISA-18.2-2016, 11.8).

Its alarms are recorded, neither listed nor told, and come into the list when it is back. All is audited.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.alarms import Suppression
from energy_center.domain.people import Actor
from energy_center.domain.site import Text
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services.hide_alarms import hide
from energy_center.store import alarm_stretches as kept
from energy_center.store import alarms, audit
from energy_center.store import out_of_service as store
from energy_center.store.out_of_service import OutOfService, equipment_names
from energy_center.store.pool import Database

# What lasts longer is a change of the site, not of a day.
LONGEST_OUT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class OutRow:
    """An equipment that is out of service, as a list shows it."""

    equipment_id: str
    equipment_name: Text
    reason: str
    taken_by: str
    since: datetime
    until: datetime


async def list_out(db: Database) -> list[OutRow]:
    """What is out of service now, newest first."""
    async with db.connection() as conn:
        found = await store.current_out(conn)
        names = await equipment_names(conn, [o.equipment_id for o in found])
    return [_row(o, names) for o in found]


async def take_out(
    db: Database, equipment_id: str, until: datetime, reason: str, actor: Actor, now: datetime
) -> OutRow:
    """Take it out until an instant; its open alarms leave the list.

    Raises NotFound for an unknown equipment, Conflict when it is out already, Invalid for an end that is
    past or over 90 days ahead, or without a reason.
    """
    if not now < until <= now + LONGEST_OUT:
        raise Invalid("Out of service must end within the next 90 days", until=until.isoformat())
    if not reason.strip():
        raise Invalid("Out of service needs a reason")
    async with db.transaction() as conn:
        names = await equipment_names(conn, [equipment_id])
        if equipment_id not in names:
            raise NotFound("There is no such equipment", equipment_id=equipment_id)
        out = await store.insert_out(conn, equipment_id, reason.strip(), actor.name, now, until)
        if out is None:
            raise Conflict("The equipment is out of service already", equipment_id=equipment_id)
        for alarm in await kept.listed_at(conn, equipment_id):
            await hide(conn, alarm, Suppression.OUT_OF_SERVICE, f"out-of-service/{out.out_id}", now)
        after = {"reason": out.reason, "until": out.until}
        await audit.append(
            conn, actor, "equipment.out_of_service", f"equipment/{equipment_id}", None, after, now
        )
    return _row(out, names)


async def put_back(db: Database, equipment_id: str, actor: Actor, now: datetime) -> OutRow:
    """Back into service before its time; the next run of the rules shows and tells what still stands.

    Raises NotFound when it is not out of service.
    """
    async with db.transaction() as conn:
        found = await store.current_out(conn, equipment_id)
        if not found:
            raise NotFound("The equipment is not out of service", equipment_id=equipment_id)
        names = await equipment_names(conn, [equipment_id])
        await store.end_out(conn, found[0].out_id, now, actor.name)
        before = {"reason": found[0].reason, "until": found[0].until}
        await audit.append(
            conn, actor, "equipment.in_service", f"equipment/{equipment_id}", before, None, now
        )
        await alarms.notify_alarms(conn, 0)
    return _row(found[0], names)


def _row(out: OutOfService, names: dict[str, Text]) -> OutRow:
    name = names.get(out.equipment_id, Text(out.equipment_id, out.equipment_id))
    return OutRow(out.equipment_id, name, out.reason, out.taken_by, out.since, out.until)
