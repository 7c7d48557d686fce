"""Series of any points through the API: forms that agree, gaps, zones, resolutions, and bounded memory."""

import csv
import io
import itertools
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import nanoarrow
import numpy as np
import pytest
from nanoarrow.ipc import InputStream

from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Site
from energy_center.services.stream_series import BLOCK_ROWS
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, note_sampling, to_us, write_backlog
from energy_center.store.rollups import roll_up
from tests.services.city_hall import applied, every, point_of, write

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 27, 16, tzinfo=UTC)  # 28 March in Taipei; Berlin's clocks go forward on the 29th
PATH = "/api/v1/series"


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database)


async def store(
    db: Database, site: Site, equipment: str, role: Role, at: list[datetime], values: list[float]
):
    point_id = point_of(site, equipment, role).point_id
    batch = ReadingBatch(
        np.full(len(at), point_id, np.int32),
        np.array([to_us(t) for t in at]),
        np.array(values, float),
        np.zeros(len(at), np.int16),
    )
    await write_backlog(db, batch, START)
    while await roll_up(db, site.time_zone, START + 100 * DAY):
        pass
    return point_id


async def read(client: httpx.AsyncClient, **params: object) -> dict[str, object]:
    answer = await client.get(PATH, params={"start": START.isoformat(), **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_json_csv_and_arrow_say_the_same(logged_in: LogIn, database: Database, site: Site):
    at = [START + n * timedelta(minutes=5) for n in range(40) if not 10 <= n < 20]
    power = await store(database, site, "main", Role.ACTIVE_POWER, at, [float(n) for n in range(len(at))])
    energy = await store(database, site, "main", Role.ENERGY_IMPORT, at, [100.0 + n for n in range(len(at))])
    client = await logged_in(UserRole.VIEWER)
    span = {"start": START.isoformat(), "end": (START + 4 * HOUR).isoformat(), "equipment_id": "main"}
    document = await read(client, **span)
    assert document["time_zone"] == "Asia/Taipei"
    assert {s["point_id"] for s in document["series"]} == {power, energy}
    rows = {(s["point_id"], row[0]): row[1:] for s in document["series"] for row in s["rows"]}
    assert any(row[0] is None for row in rows.values()), "a gap stays a gap"

    answer = await client.get(PATH, params={**span, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert {
        (int(line["point_id"]), line["at"]): [
            float(line[c]) if line[c] else None for c in document["columns"][1:]
        ]
        for line in table
    } == rows

    answer = await client.get(PATH, params={**span, "format": "arrow"})
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    stream = nanoarrow.ArrayStream(InputStream.from_readable(io.BytesIO(answer.content)))
    points = json.loads(dict(stream.schema.metadata.items())[b"points"])
    assert [p["point_id"] for p in points] == [s["point_id"] for s in document["series"]]
    told = [row for array in stream for row in array.to_pylist()]
    assert {
        (row["point_id"], row["at"].isoformat()): [row[c] for c in document["columns"][1:]] for row in told
    } == rows


async def test_a_long_raw_series_comes_in_blocks_and_whole(logged_in: LogIn, database: Database, site: Site):
    n = 2 * BLOCK_ROWS + 7
    at = [START + k * timedelta(seconds=5) for k in range(n)]
    del at[BLOCK_ROWS : BLOCK_ROWS + 5]  # a gap at the seam
    power = await store(database, site, "main", Role.ACTIVE_POWER, at, [float(k) for k in range(len(at))])
    client = await logged_in(UserRole.VIEWER)
    document = await read(client, end=(START + DAY).isoformat(), point_id=power, resolution="raw")
    (series,) = document["series"]
    values = [row[1] for row in series["rows"]]
    assert values.index(None) == BLOCK_ROWS
    assert [v for v in values if v is not None] == [float(k) for k in range(len(at))]
    assert values.count(None) == 1


@pytest.mark.parametrize(
    ("days", "max_points", "expected"),
    [(0.01, 1200, "raw"), (10, 1200, "15min"), (30, 1200, "hour"), (365, 1200, "day"), (30, 5000, "15min")],
)
async def test_the_finest_resolution_that_fits_is_chosen(
    logged_in: LogIn, site: Site, days: float, max_points: int, expected: str
):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    client = await logged_in(UserRole.VIEWER)
    end = (START + days * DAY).isoformat()
    document = await read(client, end=end, point_id=power, max_points=max_points)
    assert [(s["resolution"], s["rows"]) for s in document["series"]] == [(expected, [])]


@pytest.mark.parametrize("zone", ["Asia/Taipei", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
@pytest.mark.parametrize("resolution", ["hour", "day"])
async def test_days_and_hours_are_those_of_the_zone_asked_for(
    logged_in: LogIn, database: Database, site: Site, zone: str, resolution: str
):
    """A register that rises by 1 kWh each quarter: consumption counts the quarters of each bucket."""
    tz = ZoneInfo(zone)
    first = datetime(2026, 3, 27, tzinfo=tz)
    at = [first.astimezone(UTC) - HOUR / 4 + n * HOUR / 4 for n in range(5 * 96)]
    async with database.connection() as connection:
        meter = point_of(site, "main", Role.ENERGY_IMPORT).point_id
        await note_sampling(connection, [meter], at[0] - DAY, 900.0)
    await store(database, site, "main", Role.ENERGY_IMPORT, at, [float(n) for n in range(len(at))])
    client = await logged_in(UserRole.VIEWER)
    document = await read(
        client,
        start=(first + HOUR / 3).isoformat(),  # the bucket that holds it is given whole
        end=datetime(2026, 3, 31, tzinfo=tz).isoformat(),
        equipment_id="main",
        role="energy_import",
        time_zone=zone,
        resolution=resolution,
    )
    (series,) = document["series"]
    used = {datetime.fromisoformat(row[0]): row[4] for row in series["rows"]}
    assert all(row[5] == 1.0 for row in series["rows"])
    starts = sorted(used)
    assert starts[0] == first
    assert all(start.astimezone(tz).minute == 0 for start in starts)
    if resolution == "hour":
        assert set(used.values()) == {4.0}
        return
    # each day has four quarters an hour; Berlin's 29 March has 23 hours
    days = [datetime(2026, 3, d, tzinfo=tz) for d in range(27, 32)]
    expected = {a: 4 * (b.astimezone(UTC) - a.astimezone(UTC)) / HOUR for a, b in itertools.pairwise(days)}
    assert used == expected
    assert (92.0 in used.values()) == (zone == "Europe/Berlin")


async def test_every_point_of_a_role_is_found(logged_in: LogIn, site: Site):
    client = await logged_in(UserRole.VIEWER)
    document = await read(client, end=(START + HOUR).isoformat(), role=["active_power", "energy_import"])
    asked = {p.point_id for p in site.points() if p.role in (Role.ACTIVE_POWER, Role.ENERGY_IMPORT)}
    assert {s["point_id"] for s in document["series"]} == asked


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [
        ({}, 422, "Name points"),
        ({"point_id": 2_147_483_647}, 404, "2147483647"),
        ({"equipment_id": "nothing"}, 404, "nothing"),
        ({"equipment_id": "main", "role": "fuel_level"}, 404, "No point"),
        ({"role": "active_power", "time_zone": "Mars/Olympus"}, 422, "Mars/Olympus"),
        ({"role": "active_power", "time_zone": "../etc/passwd"}, 422, "time zone"),
        ({"role": "active_power", "end": "2020-01-01T00:00:00Z"}, 422, "before `end`"),
        ({"role": "active_power", "resolution": "week"}, 422, "resolution"),
    ],
)
async def test_a_wrong_request_is_told_before_anything_is_sent(
    logged_in: LogIn, site: Site, params: dict[str, object], status: int, words: str
):
    client = await logged_in(UserRole.VIEWER)
    answer = await client.get(PATH, params={"start": START.isoformat(), **params})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.text


async def test_a_series_written_live_is_seen(logged_in: LogIn, database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    await write(database, PointId(power), every(START, START + HOUR / 60, 5), [3.0] * 12)
    client = await logged_in(UserRole.VIEWER)
    document = await read(client, end=(START + HOUR).isoformat(), point_id=power)
    assert [row[1] for row in document["series"][0]["rows"]] == [3.0] * 12
