"""A rule over stored history, by the same functions as live; nothing is written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.domain.readings import PointId
from energy_center.errors import Invalid, NotFound
from energy_center.rules.backtest import Finding, replay
from energy_center.rules.bind import Binding, bind
from energy_center.rules.find_rules import find_rule
from energy_center.rules.window import Samples
from energy_center.services.rule_samples import QUARTER_S, samples_of
from energy_center.services.run_rules import device_samples
from energy_center.store.pool import Database
from energy_center.store.rule_state import device_changes
from energy_center.store.rule_tuning import load_tuned_site
from energy_center.store.series import Grain, read_series

LONGEST_RAW = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """What the rule found at one equipment, and the share of time in which it could not tell."""

    equipment_id: str
    findings: tuple[Finding, ...]
    unknown_share: float


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What an operator would have seen."""

    rule_id: str
    since: datetime
    until: datetime
    grain: Grain
    parameters: Mapping[str, float]
    places: tuple[PlaceReport, ...]

    @property
    def alarms_per_day(self) -> float:
        """Over all equipment."""
        days = (self.until - self.since) / timedelta(days=1)
        return round(sum(len(p.findings) for p in self.places) / days, 3)

    @property
    def energy_kwh(self) -> float:
        """Energy at stake in findings that have ended."""
        wasted = (f.waste.energy_kwh for p in self.places for f in p.findings if f.waste)
        return round(sum(energy or 0.0 for energy in wasted), 1)


async def backtest_rule(
    db: Database,
    rule_id: str,
    since: datetime,
    until: datetime,
    *,
    overrides: Mapping[str, float],
    grain: Grain | None = None,
    equipment_id: str | None = None,
    watch: Callable[[float], Awaitable[None]] | None = None,
) -> BacktestReport:
    """Run one rule over (since, until] with parameters overridden, at one equipment where named.

    `watch` is told the share that is done after each equipment, and may raise to end it.

    Raises NotFound when there is no such rule, site or equipment for it, Invalid for an unknown parameter or
    an empty period.
    """
    entry, site = find_rule(rule_id), await load_tuned_site(db)
    if site is None:
        raise NotFound("No site has been applied yet")
    if until <= since:
        raise Invalid("The period ends before it starts", since=since, until=until)
    known = {p.name for p in entry.rule.parameters} | {"hold", "keep", "step"}
    if unknown := set(overrides) - known:
        raise Invalid(
            f"{rule_id} has no parameter {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
        )
    key = rule_id if equipment_id is None else f"{rule_id}@{equipment_id}"
    given = {**site.rule_parameters.get(key, {}), **overrides}
    tuned = replace(site, rule_parameters={**site.rule_parameters, key: given})
    found = bind({rule_id: entry}, tuned)
    bound = [b for b in found if equipment_id in (None, b.equipment.equipment_id)]
    if not bound:
        raise NotFound(f"{rule_id} applies to no equipment of this site")
    chosen = grain or (Grain.RAW if until - since <= LONGEST_RAW else Grain.QUARTER)
    zone = ZoneInfo(site.time_zone)
    places = []
    for n, binding in enumerate(bound, 1):
        places.append(await _replay(db, binding, since, until, chosen, zone))
        if watch is not None:
            await watch(n / len(bound))
    return BacktestReport(rule_id, since, until, chosen, given, tuple(places))


async def _replay(
    db: Database, binding: Binding, since: datetime, until: datetime, grain: Grain, zone: ZoneInfo
) -> PlaceReport:
    grain = Grain.QUARTER if binding.rule.reads_quarters else grain
    if grain is Grain.QUARTER:
        timing = replace(binding.timing, step_s=max(QUARTER_S, binding.timing.step_s))
        binding = replace(binding, timing=timing)
    points = {p.point_id: p for p in binding.all_points}
    start = since - timedelta(seconds=binding.rule.lookback_s + 2 * QUARTER_S)
    samples: dict[PointId, Samples] = {}
    if points:
        series = await read_series(db, list(points), start, until, grain)
        samples = {point_id: samples_of(found, points[point_id], grain) for point_id, found in series.items()}
    devices: dict[str, Samples] = {}
    if binding.devices:
        devices = device_samples(await device_changes(db, start))
    result = await asyncio.to_thread(replay, binding, samples, devices, since, until, zone)
    return PlaceReport(binding.equipment.equipment_id, result.findings, result.unknown_share)
