"""The measure of the demo's past: the fourth floor's lights burnt at night until somebody put a timer in.

Its effect is the simulator's fault, so the true saving is known. The day is kept in the state folder, since
registers go on from what they counted then.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from energy_center.domain.measures import Days, MeasureState
from energy_center.domain.people import Actor
from energy_center.services.measures import (
    Step,
    WantedMeasure,
    create_measure,
    list_measures,
    move_measure,
)
from energy_center.store.pool import Database

METER = "ltb-fl04-meter"
_ZONE = ZoneInfo("Asia/Taipei")
_DAYS_AGO = 75
_BASELINE_DAYS = 315  # the simulated past begins 13 months ago
_ACTOR = Actor("system:demo", "")
_SIZE = 0.5  # of the lights: about a fifth of the floor


@dataclass(frozen=True, slots=True)
class DemoMeasure:
    """`done_on` is the local day of the work: the fault lasts until its end."""

    done_on: date

    @property
    def fault(self) -> str:
        """As the simulator takes it, for the past and for the running world alike."""
        until = datetime.combine(self.done_on + timedelta(days=1), datetime.min.time(), _ZONE)
        return f"lights_after_hours*{_SIZE}@{METER}:2020-01-01T00:00:00+08:00..{until.isoformat()}"


def remembered_measure(state_dir: Path, now: datetime) -> DemoMeasure | None:
    """The measure of this state folder; None in one that older demos began without it."""
    file = state_dir / "measure"
    if file.exists():
        return DemoMeasure(date.fromisoformat(file.read_text(encoding="utf-8").strip()))
    if (state_dir / "secret").exists():
        return None
    done_on = now.astimezone(_ZONE).date() - timedelta(days=_DAYS_AGO)
    file.write_text(f"{done_on}\n", encoding="utf-8")
    return DemoMeasure(done_on)


async def enter_measure(db: Database, measure: DemoMeasure, now: datetime) -> None:
    """Record it as done, once."""
    if await list_measures(db, limit=1):
        return
    wanted = WantedMeasure(
        name="4 樓照明下班後自動關燈 Lights of floor 4 off at night",
        meter=METER,
        description="夜間照明由計時器關閉 A timer turns the lights off after hours",
        equipment_id=METER,
        cost_ntd=90_000.0,
        expected_kwh_per_year=35_000.0,
    )
    made = await create_measure(db, wanted, _ACTOR, now)
    done = Days(measure.done_on, measure.done_on)
    day = timedelta(days=1)
    baseline = Days(measure.done_on - _BASELINE_DAYS * day, measure.done_on - day)
    step = Step(MeasureState.DONE, made.version, done, baseline)
    await move_measure(db, made.measure_id, step, _ACTOR, now, now.astimezone(_ZONE).date())
