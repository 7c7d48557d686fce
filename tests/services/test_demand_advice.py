"""The present block and what to shed: enough, in time, the least comfort first."""

from dataclasses import replace
from datetime import timedelta

import httpx
import numpy as np
import pytest

from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.timeline import block_of
from energy_center.errors import NotFound
from energy_center.services.demand_advice import read_demand_advice
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.services.city_hall import APPLIED, NOW, SITE, every, point_of, write

SHED = {
    "chiller-1": {"shed_kw": 100, "shed_comfort": 6},
    "chiller-2": {"shed_kw": 100, "shed_comfort": 6},
    "pump-1": {"shed_kw": 15, "shed_comfort": 1},
    "sump-1-p1": {"shed_kw": 4},
}
HALL = replace(
    SITE,
    equipment=tuple(
        replace(e, attributes={**e.attributes, **SHED.get(e.equipment_id, {})}) for e in SITE.equipment
    ),
)


async def _take(database: Database, kw: float):
    """A steady load for the last half hour; one chiller takes 60 kW, the other is off."""
    site = await apply_site(database, HALL, "text", "test", APPLIED)
    times = every(NOW - timedelta(minutes=30), NOW + timedelta(seconds=1), 5)
    await write(database, point_of(site, "main", Role.ACTIVE_POWER).point_id, times, np.full(len(times), kw))
    for name, power in (("chiller-1", 60.0), ("chiller-2", 0.0), ("pump-1", 11.0)):
        await write(database, point_of(site, name, Role.ACTIVE_POWER).point_id, [NOW], [power])
    return await read_demand_advice(database, "hall", NOW)


async def test_a_block_under_its_contract_needs_nothing(database: Database):
    found = await _take(database, 450.0)  # contract: 500 kW
    assert (found.start, found.end) == (block_of(NOW).start, block_of(NOW).end)
    assert found.quantiles_kw[0.5] == pytest.approx(450, abs=1)
    assert found.quantiles_kw[0.05] < found.quantiles_kw[0.95]
    assert (found.needed_kw, found.act_before, found.is_enough) == (0.0, None, True)
    assert not any(load.is_advised for load in found.loads)


async def test_a_block_over_its_contract_is_told_what_to_shed_and_by_when(database: Database):
    found = await _take(database, 515.0)  # 7.5 min are left: 30 kW less and some to be sure
    assert found.over_probability > 0.99
    assert 30 < found.needed_kw < 40
    assert [(x.equipment_id, x.shed_kw, x.is_advised) for x in found.loads] == [
        ("pump-1", 11.0, False),  # not needed beside the chiller
        ("sump-1-p1", 4.0, False),  # its power is not measured: as stated
        ("chiller-1", 60.0, True),  # no more than it takes now
    ]
    assert found.is_enough
    assert NOW < found.act_before < found.end


async def test_too_much_is_said_to_be_too_much(database: Database):
    found = await _take(database, 700.0)
    assert (found.is_enough, found.act_before) == (False, None)
    assert all(load.is_advised for load in found.loads)


async def test_without_readings_it_says_so(database: Database):
    await apply_site(database, HALL, "text", "test", APPLIED)
    found = await read_demand_advice(database, "hall", NOW)
    assert found.not_known == ("the main meter's power was not read",)
    assert (found.over_probability, found.quantiles_kw) == (None, {})
    with pytest.raises(NotFound, match="no main meter"):
        await read_demand_advice(database, "annex", NOW)


async def test_the_api_answers_it(database: Database, logged_in):
    await apply_site(database, HALL, "text", "test", APPLIED)
    client: httpx.AsyncClient = await logged_in(UserRole.VIEWER)
    answer = await client.get("/api/v1/demand/hall")
    assert answer.status_code == 200, answer.text
    assert answer.json()["limit_kw"] == 500
    assert (await client.get("/api/v1/demand/nowhere")).status_code == 404
