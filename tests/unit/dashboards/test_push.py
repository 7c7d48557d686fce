"""What a tab is told: only news, never an older reading after a newer one, and again for two seconds."""

from datetime import UTC, datetime, timedelta

from dashboards.components.cell import Cell, refreshed
from dashboards.live.push import Outbox
from energy_center.domain.readings import PointId, Quality
from energy_center.services.figures import FigureState
from energy_center.services.live_feed import LiveUpdate, LiveValue

AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
POWER = Cell("ltb/power", "310.0", "kW", at=AT, point="ltb-main/active_power", point_id=7, ucum="kW")


def reading(amount: float, at: datetime = AT, quality: Quality = Quality.GOOD) -> LiveValue:
    return LiveValue(point_id=PointId(7), at=at, reading=amount, quality=quality, received_at=at)


def cells(outbox: Outbox) -> dict[str, dict[str, object]]:
    message = outbox.message()["cells"]
    assert isinstance(message, dict)
    return message


def test_a_reading_refreshes_its_cell() -> None:
    newer = refreshed(POWER, reading(1234.5, AT + timedelta(seconds=5)), "en")
    assert (newer.shown, newer.at, newer.state) == ("1,234", AT + timedelta(seconds=5), FigureState.GOOD)


def test_a_flagged_reading_is_suspect_and_says_why() -> None:
    newer = refreshed(POWER, reading(9.0, quality=Quality.SENSOR_FAULT), "en")
    assert (newer.state, newer.note) == (FigureState.SUSPECT, "Sensor fault")


def test_the_first_message_of_a_page_holds_all_its_cells() -> None:
    outbox = Outbox()
    outbox.start({POWER.key: POWER})
    assert cells(outbox)["ltb/power"]["t"] == "310.0"


def test_a_cell_that_says_the_same_is_not_news() -> None:
    outbox = Outbox()
    outbox.start({POWER.key: POWER})
    outbox.message()
    outbox.put({POWER.key: POWER})
    assert not outbox.news.is_set()


def test_an_older_reading_never_replaces_a_newer_one() -> None:
    outbox = Outbox()
    outbox.start({POWER.key: refreshed(POWER, reading(320.0, AT + timedelta(seconds=5)), "en")})
    outbox.put({POWER.key: POWER})
    assert cells(outbox)["ltb/power"]["t"] == "320.0"


def test_a_change_is_repeated_for_a_while() -> None:
    outbox = Outbox()
    outbox.start({POWER.key: POWER})
    outbox.message()
    assert "ltb/power" in cells(outbox)


def test_another_page_forgets_the_cells_of_the_one_before() -> None:
    outbox = Outbox()
    outbox.start({POWER.key: POWER})
    outbox.start({})
    assert cells(outbox) == {}


def test_each_change_of_alarms_counts_once() -> None:
    outbox = Outbox()
    update = LiveUpdate(sent_at=AT, is_snapshot=False, values=(), alarms_changed=True)
    outbox.hint(update)
    outbox.hint(update)
    hints = outbox.message()["hints"]
    assert hints == {"alarms": 2, "orders": 0, "progress": 0}
