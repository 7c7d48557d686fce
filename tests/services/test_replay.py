"""A simulated day through the live run, late, doubled and out of order: the backtest's alarms come out."""

import pytest

from energy_center.cli.replay import replay_demo
from energy_center.store.pool import Database


@pytest.mark.parametrize("seed", [3])
async def test_a_day_live_and_the_backtest_give_the_same_alarms(database: Database, seed: int) -> None:
    report = await replay_demo(database, days=1, seed=seed, of_each=1, building="ym")
    assert report.only_live == ()
    assert report.only_backtest == ()
    assert report.parents_differ == 0
    assert report.live > 10
    assert report.late > 100
    assert report.twice > 100
