"""A rule that cannot tell for over a fifth of a week becomes a finding that names what was missing."""

from datetime import UTC, datetime, timedelta

from energy_center.domain.alarms import AlarmState
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.rules.blindness import DAY_US
from energy_center.rules.window import to_micros
from energy_center.services import alarms
from energy_center.services.watch_blindness import watch_blindness
from energy_center.store.pool import Database
from energy_center.store.rule_state import RuleState, write_rule_states
from energy_center.store.site import apply_site

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
WORDS = Text("市政大樓", "City hall")
HOUR_S = 3_600.0


async def _remember(database: Database, unknown_h: float) -> None:
    """Forty judged hours, some of them unknown for want of the fault contact."""
    day = str(to_micros(NOW) // DAY_US)
    tally = [40 * HOUR_S, unknown_h * HOUR_S, {"fault": unknown_h * HOUR_S}]
    state = RuleState("equipment-fault", "lift", NOW, "unknown", NOW, {"blind": {day: tally}})
    async with database.transaction() as conn:
        await write_rule_states(conn, [state])


async def test_a_blind_rule_is_a_finding_until_it_can_tell_again(database: Database) -> None:
    spaces = (Space("city", None, SpaceKind.SITE, WORDS), Space("ltb", "city", SpaceKind.BUILDING, WORDS))
    point = Point("lift", "fault", Role.FAULT, 5.0)
    lift = Equipment("lift", "Elevator", Text("電梯", "Lift"), "ltb", "io", "lift", points=(point,))
    await apply_site(database, Site("city", WORDS, "Asia/Taipei", spaces, (lift,)), "t", "t", NOW)
    await _remember(database, 8)  # exactly a fifth
    assert await watch_blindness(database, NOW, ()) == 0
    await _remember(database, 9)
    assert await watch_blindness(database, NOW, ()) == 1
    assert await watch_blindness(database, NOW + timedelta(hours=1), ()) == 0
    (row,) = await alarms.list_alarms(database)
    assert (row.rule_id, row.equipment_id) == ("dq-rule-blind", "lift")
    detail = await alarms.get_alarm(database, row.alarm_id)
    assert detail.evidence["notes"] == ["equipment-fault: fault"]
    assert detail.evidence["values"] == {"equipment-fault unknown_pct": 22.5}
    assert detail.texts["en"].name == "A rule lacks data and cannot tell"
    await _remember(database, 1)
    await watch_blindness(database, NOW + timedelta(hours=2), ())
    (row,) = await alarms.list_alarms(database)
    assert row.state is AlarmState.RETURNED_UNACKNOWLEDGED
