"""`energy-center replay`: simulated days through the live run; it must give the backtest's list."""

import argparse
import asyncio
import os
import tempfile
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.detection import SIMULATOR_SITE, SITE_FILE
from energy_center.cli.detection_plan import draw
from energy_center.cli.detection_run import Scenario, bindings, simulate
from energy_center.config.load_site import load_site
from energy_center.domain.site import Site
from energy_center.rules.find_rules import rules
from energy_center.services.replay_rules import Past, ReplayReport, replay_rules
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.site import apply_site

SUMMARY = "prove that the live run and the backtest give the same alarms"
START = datetime(2026, 7, 6, tzinfo=UTC)
STEP_S = 300
_WEATHER = "weather"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--of-each", type=int, default=1, help="injected faults of each kind")
    parser.add_argument("--building", help="only this building of the demo, and the weather")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """0 when both lists are the same, 1 when they differ."""
    report = asyncio.run(_with_database(args.days, args.seed, args.of_each, args.building))
    if args.format == "json":
        out.as_json({**asdict(report), "is_identical": report.is_identical})
    else:
        _tell(report)
    return 0 if report.is_identical else 1


async def _with_database(days: float, seed: int, of_each: int, building: str | None) -> ReplayReport:
    with tempfile.TemporaryDirectory(prefix="energy-center-replay-") as folder:
        if os.geteuid() == 0:  # the database runs as another account and must reach its own folder
            Path(folder).chmod(0o711)
        async with EmbeddedPostgres(Path(folder)) as dsn:
            db = await Database.open(dsn, min_size=0, max_size=4)
            try:
                await migrate(db)
                return await replay_demo(db, days, seed, of_each, building)
            finally:
                await db.close()


async def replay_demo(
    db: Database, days: float, seed: int, of_each: int, building: str | None = None
) -> ReplayReport:
    """The demo site with injected faults, into an empty database."""
    demo = _sampled(load_site(SITE_FILE).site, building)
    site = await apply_site(db, demo, "replay", "replay", START)
    bound = [binding for group in bindings(site, STEP_S) for binding in group]
    start, end = START + timedelta(days=1), START + timedelta(days=1 + days)
    names = frozenset(name for entry in rules().values() for name in entry.rule.fault)
    injected = draw(seed, (start, end), (of_each, 0), names).injections
    scenario = Scenario(SIMULATOR_SITE, seed, START, end, STEP_S)
    found = await asyncio.to_thread(simulate, site, bound, scenario, injected)
    return await replay_rules(db, site, Past(found.samples, found.devices), start, end, seed)


def _sampled(site: Site, building: str | None) -> Site:
    """The site read as often as the simulated history has readings; of one building, if it is named."""
    return replace(
        site,
        equipment=tuple(
            replace(e, points=tuple(replace(p, interval_s=float(STEP_S)) for p in e.points))
            for e in site.equipment
            if building is None or site.building_of(e.space_id) == building or e.equipment_id == _WEATHER
        ),
    )


def _tell(report: ReplayReport) -> None:
    out.line(
        f"{report.days:g} days, {report.readings:,} readings ({report.late:,} of them late by up to 6 h, "
        f"{report.twice:,} told twice), {report.runs:,} runs"
    )
    out.line(f"live {report.live} alarms, backtest {report.backtest}")
    out.line(
        f"suppressed by design: live {report.hidden_live}, backtest {report.hidden_backtest}, "
        f"other parent {report.parents_differ}"
    )
    out.line(
        f"late readings: {report.found_late} alarms found or moved, {report.corrected} corrections, "
        f"{report.withdrawn} withdrawn"
    )
    out.line(f"live run: {report.cpu_s:.1f} s of processor, {1000 * report.cpu_s / report.runs:.0f} ms a run")
    for name, seen in (("live", report.only_live), ("backtest", report.only_backtest)):
        for s in seen:
            end = f"{s.returned_at:%F %R}" if s.returned_at else "still on"
            out.line(f"only {name}: {s.key[0]}@{s.key[1]} {s.onset_at:%F %R} {s.raised_at:%F %R} {end}")
    out.line("identical" if report.is_identical else "DIFFERENT")
