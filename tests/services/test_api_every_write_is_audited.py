"""A walk over all routes that change something: each success leaves a row in the audit log."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from energy_center.api.app import create_api
from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.services.audit import check_audit, read_audit
from energy_center.services.current_site import current_site
from energy_center.settings import Settings
from energy_center.store.pool import Database
from energy_center.store.suggestions import insert_suggestion
from tests.services.city_hall import point_of, write
from tests.services.suggested import a_suggestion

PASSWORD = "plum rain in May"
NEW = "typhoon over Taichung"
LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
ALARM = "/api/v1/alarms/{alarm_id}"
SUGGESTION = "/api/v1/suggestions/{suggestion_id}"
OUT = "/api/v1/alarms/out-of-service"
OUT_BODY = {"equipment_id": "ahu", "until": LATER, "comment": "Coil is replaced."}
COMMAND = {"equipment_id": "ahu", "point": "schedule", "wanted": 1, "expires_at": LATER}
READ_AT = datetime(2026, 3, 2, tzinfo=UTC)
CORRECTION = {
    "equipment_id": "meter",
    "point": "energy_import",
    "start": READ_AT.isoformat(),
    "end": (READ_AT + timedelta(minutes=1)).isoformat(),
    "to": "add",
    "number": 1.0,
    "reason": "test",
}
EXCHANGE = {
    "equipment_id": "meter",
    "at": (READ_AT + timedelta(hours=1)).isoformat(),
    "old_last": 700.0,
    "new_first": 0.0,
    "reason": "test",
}
UTILITY_BILL = {"building": "hall", "month": "2026-03", "figures": {"total": "1,000"}}
BILL_FILE = {
    "building": "hall",
    "month": "2026-03",
    "file_name": "bill.csv",
    "content": b64encode(b"total,1000").decode(),
}
MEASURE = {"name": "Lights off at night", "meter": "meter"}
DONE = {"to": "done", "version": 1, "done_from": "2026-06-01", "done_to": "2026-06-02"}
ADJUSTMENT = {"first_on": "2026-07-01", "last_on": "2026-07-31", "kwh_per_day": 40, "reason": "Server room"}
CONTACT: dict[str, object] = {"address": "json://127.0.0.1:9/"}
ADD_CONTACT = ("POST", "/api/v1/contacts", CONTACT)
ADD_TEAM: tuple[str, str, dict[str, object]] = (
    "POST",
    "/api/v1/on-call/teams",
    {"name": "Duty", "members": ["operator"]},
)
SHIFT: dict[str, object] = {
    "team_id": 1,
    "user": "operator",
    "starts": "2026-11-24T08:00",
    "ends": "2026-11-24T20:00",
    "repeats": "FREQ=DAILY",
}
COVER: dict[str, object] = {
    "team_id": 1,
    "user": "manager",
    "start_at": datetime.now(UTC).isoformat(),
    "end_at": LATER,
}
ON_CALL = "/api/v1/on-call"
DUTY = {"duty_id": "aed-check", "subject_id": "AED 1", "starts_on": "2026-01-01"}
DUTY_DONE = {
    "due_on": "2026-06-30",
    "done_on": "2026-06-12",
    "papers": [{"kind": "record", "reference": "AED-7"}],
}
RULE = "/api/v1/rules/power-factor-low"
ADOPTION: dict[str, object] = {"parameters": {"hold": 900}, "reason": "Too many at night"}
LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]

# operation -> who does it, requests sent first so that it can succeed, its body
WRITES: dict[
    tuple[str, str], tuple[UserRole, list[tuple[str, str, dict[str, object]]], dict[str, object]]
] = {
    ("POST", "/api/v1/session"): (UserRole.VIEWER, [], {"name": "viewer", "password": PASSWORD}),
    ("PATCH", "/api/v1/session"): (UserRole.VIEWER, [], {"language": "zh-TW"}),
    ("DELETE", "/api/v1/session"): (UserRole.VIEWER, [], {}),
    ("PUT", "/api/v1/session/password"): (UserRole.VIEWER, [], {"old": PASSWORD, "new": NEW}),
    ("POST", f"{ALARM}/acknowledge"): (UserRole.OPERATOR, [], {}),
    ("POST", f"{ALARM}/shelve"): (UserRole.OPERATOR, [], {"until": LATER, "comment": "Pump is out."}),
    ("POST", f"{ALARM}/unshelve"): (
        UserRole.OPERATOR,
        [("POST", f"{ALARM}/shelve", {"until": LATER, "comment": "Pump is out."})],
        {},
    ),
    ("POST", OUT): (UserRole.OPERATOR, [], OUT_BODY),
    ("POST", OUT + "/{equipment_id}/end"): (UserRole.OPERATOR, [("POST", OUT, OUT_BODY)], {}),
    ("POST", "/api/v1/work-orders"): (UserRole.OPERATOR, [], {"title": "Filter", "priority": "low"}),
    ("POST", "/api/v1/work-orders/{work_order_id}/moves"): (
        UserRole.TECHNICIAN,
        [("POST", "/api/v1/work-orders", {"title": "Filter", "priority": "low"})],
        {"to": "in_progress"},
    ),
    ("POST", f"{SUGGESTION}/accept"): (UserRole.MANAGER, [], {}),
    ("POST", f"{SUGGESTION}/decline"): (UserRole.MANAGER, [], {"reason": "Replaced next year."}),
    ("POST", f"{SUGGESTION}/reopen"): (
        UserRole.MANAGER,
        [("POST", f"{SUGGESTION}/decline", {"reason": "Not now."})],
        {},
    ),
    ("POST", "/api/v1/commands"): (UserRole.MANAGER, [], COMMAND),
    ("POST", "/api/v1/commands/{command_id}/cancel"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/commands", COMMAND)],
        {},
    ),
    ("POST", "/api/v1/meter-events/corrections"): (UserRole.MANAGER, [], CORRECTION),
    ("POST", "/api/v1/meter-events/exchanges"): (UserRole.MANAGER, [], EXCHANGE),
    ("POST", "/api/v1/meter-events/{meter_event_id}/undo"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/meter-events/corrections", CORRECTION)],
        {},
    ),
    ("POST", "/api/v1/bills/utility"): (UserRole.MANAGER, [], UTILITY_BILL),
    ("POST", "/api/v1/bills/utility/import"): (UserRole.MANAGER, [], BILL_FILE),
    ("POST", "/api/v1/bills/utility/{utility_bill_id}/undo"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/bills/utility", UTILITY_BILL)],
        {},
    ),
    ("POST", "/api/v1/measures"): (UserRole.MANAGER, [], MEASURE),
    ("POST", "/api/v1/measures/{measure_id}/moves"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/measures", MEASURE)],
        DONE,
    ),
    ("POST", "/api/v1/measures/{measure_id}/adjustments"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/measures", MEASURE), ("POST", "/api/v1/measures/1/moves", DONE)],
        ADJUSTMENT,
    ),
    ("POST", "/api/v1/measures/{measure_id}/adjustments/{adjustment_id}/withdraw"): (
        UserRole.MANAGER,
        [
            ("POST", "/api/v1/measures", MEASURE),
            ("POST", "/api/v1/measures/1/moves", DONE),
            ("POST", "/api/v1/measures/1/adjustments", ADJUSTMENT),
        ],
        {},
    ),
    ("POST", "/api/v1/measures/{measure_id}/verify"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/measures", MEASURE), ("POST", "/api/v1/measures/1/moves", DONE)],
        {},
    ),
    ("POST", "/api/v1/rules/{rule_id}/comparisons"): (UserRole.MANAGER, [], {"days": 1}),
    ("POST", "/api/v1/comparisons/{comparison_id}/cancel"): (
        UserRole.MANAGER,
        [("POST", f"{RULE}/comparisons", {"days": 1})],
        {},
    ),
    ("POST", "/api/v1/rules/{rule_id}/adoptions"): (UserRole.MANAGER, [], ADOPTION),
    ("POST", "/api/v1/adoptions/{adoption_id}/undo"): (
        UserRole.MANAGER,
        [("POST", f"{RULE}/adoptions", ADOPTION)],
        {},
    ),
    ("PUT", f"{ALARM}/verdict"): (UserRole.OPERATOR, [], {"was_right": False}),
    ("POST", "/api/v1/contacts"): (UserRole.OPERATOR, [], CONTACT),
    ("PUT", "/api/v1/contacts/{contact_id}"): (UserRole.OPERATOR, [ADD_CONTACT], {"label": "Phone"}),
    ("DELETE", "/api/v1/contacts/{contact_id}"): (UserRole.OPERATOR, [ADD_CONTACT], {}),
    ("POST", "/api/v1/contacts/{contact_id}/test"): (UserRole.OPERATOR, [ADD_CONTACT], {}),
    ("POST", f"{ON_CALL}/teams"): (UserRole.MANAGER, [], {"name": "Duty"}),
    ("PUT", f"{ON_CALL}/teams/{{team_id}}/members"): (
        UserRole.MANAGER,
        [ADD_TEAM],
        {"members": ["manager"]},
    ),
    ("DELETE", f"{ON_CALL}/teams/{{team_id}}"): (UserRole.MANAGER, [ADD_TEAM], {}),
    ("POST", f"{ON_CALL}/shifts"): (UserRole.MANAGER, [ADD_TEAM], SHIFT),
    ("DELETE", f"{ON_CALL}/shifts/{{shift_id}}"): (
        UserRole.MANAGER,
        [ADD_TEAM, ("POST", f"{ON_CALL}/shifts", SHIFT)],
        {},
    ),
    ("POST", f"{ON_CALL}/covers"): (UserRole.MANAGER, [ADD_TEAM], COVER),
    ("DELETE", f"{ON_CALL}/covers/{{cover_id}}"): (
        UserRole.MANAGER,
        [ADD_TEAM, ("POST", f"{ON_CALL}/covers", COVER)],
        {},
    ),
    ("PUT", f"{ON_CALL}/escalation/{{priority}}"): (
        UserRole.MANAGER,
        [ADD_TEAM],
        {"levels": [{"after_min": 0, "target": "on_call", "team_id": 1}]},
    ),
    ("POST", "/api/v1/attachments"): (
        UserRole.TECHNICIAN,
        [],
        {"name": "a.pdf", "media_type": "application/pdf", "content": "JVBERi0xLjcKJSVFT0YK"},
    ),
    ("POST", "/api/v1/duties"): (UserRole.MANAGER, [], DUTY),
    ("PATCH", "/api/v1/duties/{adoption_id}"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/duties", DUTY)],
        {"version": 1, "is_retired": True},
    ),
    ("POST", "/api/v1/duties/{adoption_id}/records"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/duties", DUTY)],
        DUTY_DONE,
    ),
    ("POST", "/api/v1/duties/records/{deed_id}/undo"): (
        UserRole.MANAGER,
        [("POST", "/api/v1/duties", DUTY), ("POST", "/api/v1/duties/1/records", DUTY_DONE)],
        {},
    ),
    ("POST", "/api/v1/users"): (
        UserRole.ADMIN,
        [],
        {"name": "lin", "display_name": "Lin", "role": "viewer", "password": NEW},
    ),
    ("PATCH", "/api/v1/users/{name}"): (UserRole.ADMIN, [], {"disabled": True}),
    ("PUT", "/api/v1/users/{name}/password"): (UserRole.ADMIN, [], {"password": NEW}),
}


def test_table_holds_every_route_that_changes_something():
    paths = create_api(Settings()).openapi()["paths"]
    described = {
        (method.upper(), path) for path, found in paths.items() for method in found if method != "get"
    }
    assert described == set(WRITES)


@pytest.fixture
async def register_read(database: Database, writable_point: None) -> None:
    """One reading of the meter's register."""
    site = await current_site(database)
    await write(database, point_of(site, "meter", Role.ENERGY_IMPORT).point_id, [READ_AT], [500.0])


@pytest.fixture
async def suggestion_id(database: Database) -> int:
    """A proposed suggestion."""
    async with database.transaction() as conn:
        return await insert_suggestion(conn, a_suggestion(evidence={}))


@pytest.mark.parametrize("operation", WRITES, ids=" ".join)
async def test_write_leaves_a_row(
    operation: tuple[str, str],
    logged_in: LogIn,
    alarm_id: int,
    database: Database,
    register_read: None,
    suggestion_id: int,
):
    role, before, body = WRITES[operation]
    client = await logged_in(role)
    # every other number is the first of its kind
    known = {
        "alarm_id": alarm_id,
        "suggestion_id": suggestion_id,
        "equipment_id": "ahu",
        "name": "operator",
        "priority": "high",
        "rule_id": "power-factor-low",
    }

    async def send(method: str, path: str, wanted: dict[str, object]) -> None:
        filled = path.format_map(defaultdict(lambda: 1, known))
        answer = await client.request(method, filled, json=wanted)
        assert answer.is_success, answer.text

    for request in before:
        await send(*request)
    rows = (await check_audit(database)).entries
    await send(*operation, body)
    checked = await check_audit(database)
    assert (checked.entries, checked.broken_at) == (rows + 1, None)
    (entry,) = await read_audit(database, limit=1)
    assert entry.actor == role.value
    assert entry.address == "198.51.100.7"
    assert PASSWORD not in str(entry)
    assert NEW not in str(entry)
