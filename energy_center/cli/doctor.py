"""`energy-center doctor`: look at this installation and say what to do about what is wrong."""

import argparse
import asyncio
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.serve import MIN_SECRET_BYTES
from energy_center.config.load_site import load_site
from energy_center.domain.supervision import Trouble
from energy_center.errors import EnergyCenterError
from energy_center.services.audit import check_audit
from energy_center.services.check_live import check_live
from energy_center.services.supervision import (
    CollectorHealth,
    Silence,
    judge_silence,
    list_collectors,
    list_devices,
)
from energy_center.services.users import enabled_demo_users, list_users
from energy_center.settings import Mode, Settings, default_state_dir
from energy_center.store.capabilities import capabilities
from energy_center.store.embedded import is_prepared
from energy_center.store.installation import installed_database
from energy_center.store.migrate import pending_migrations
from energy_center.store.partitions import default_rows
from energy_center.store.pool import Database
from energy_center.store.site import load_site as load_applied_site

SUMMARY = "check this installation and say what to do"
LOW_DISK_BYTES = 2 * 2**30
RECENT_S = 300
_TROUBLES = {
    Trouble.SILENT: ("silent", "start `energy-center collect` again, or look at its log"),
    Trouble.DROPPING: ("readings are lost", "bring the database back or make room on the collector's disk"),
    Trouble.BACKLOG: ("readings wait to be stored", "look at the database's load"),
    Trouble.SITE_REFUSED: ("its site file is wrong", "run `energy-center site check FILE` there"),
    Trouble.UNKNOWN_POINTS: ("readings of unknown points", "run `energy-center site apply FILE`"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do when it is not ok."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Output form."""
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """0 when everything looked at is well, else 1."""
    findings = asyncio.run(_examine(Settings()))
    if args.format == "json":
        out.as_json([asdict(f) for f in findings])
    else:
        for f in findings:
            out.line(
                f"{'ok  ' if f.ok else 'FAIL'}  {f.name}: {f.found}"
                + ("" if f.ok else f"\n      → {f.advice}")
            )
    return 0 if all(f.ok for f in findings) else 1


async def _examine(settings: Settings) -> list[Finding]:
    embedded = _embedded(settings)
    if embedded is not None:
        settings = settings.model_copy(update={"state_dir": embedded})
    findings = [_python(), _disk(settings.state_dir or default_state_dir()), _secret(settings, embedded)]
    if settings.site_file is not None:
        findings.append(_site_file(settings.site_file))
    if settings.database_url is None and embedded is None:
        advice = "set DATABASE_URL to the installation's PostgreSQL, or start a demo with `make demo`"
        return [*findings, Finding("database", ok=False, found="DATABASE_URL is not set", advice=advice)]
    return [*findings, *await _database(settings)]


def _embedded(settings: Settings) -> Path | None:
    """The folder whose own database this installation uses, if it has one; a look must not create any."""
    if settings.database_url is not None:
        return None
    given = settings.state_dir
    folders = (given,) if given is not None else (default_state_dir("demo"), default_state_dir())
    return next((f for f in folders if is_prepared(f)), None)


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _disk(state_dir: Path) -> Finding:
    there = next(p for p in (state_dir, *state_dir.parents) if p.exists())
    free = shutil.disk_usage(there).free
    needed = f"{LOW_DISK_BYTES / 2**30:.0f} GB"
    advice = f"free at least {needed} below {there}, or set ENERGY_CENTER_STATE_DIR elsewhere"
    return Finding("disk", free >= LOW_DISK_BYTES, f"{free / 2**30:.1f} GB free at {there}", advice)


def _secret(settings: Settings, embedded: Path | None) -> Finding:
    if settings.mode is Mode.DEMO or (embedded is not None and (embedded / "secret").exists()):
        return Finding("secret", ok=True, found="the demo's own")
    length = len(settings.secret.get_secret_value().encode()) if settings.secret else 0
    found = f"{length} bytes" if length else "not set"
    advice = f"set ENERGY_CENTER_SECRET to {MIN_SECRET_BYTES} random bytes or more; `serve` refuses to start"
    return Finding("secret", length >= MIN_SECRET_BYTES, found, advice)


def _site_file(path: Path) -> Finding:
    try:
        site = load_site(path).site
    except EnergyCenterError as problem:
        return Finding("site file", ok=False, found=str(problem), advice=f"correct {path}")
    return Finding(
        "site file", ok=True, found=f"{len(site.equipment)} equipment, {len(site.points())} points"
    )


async def _database(settings: Settings) -> list[Finding]:
    where = "in DATABASE_URL" if settings.database_url is not None else f"in {settings.state_dir}"
    findings: list[Finding] = []
    try:
        async with installed_database(settings, max_size=2) as database:
            findings.append(Finding("database", ok=True, found=f"answers ({where})"))
            findings += await _look_inside(database, settings)
    except EnergyCenterError as problem:
        advice = "start PostgreSQL or correct DATABASE_URL"
        findings.append(Finding("database", ok=False, found=str(problem), advice=advice))
    return findings


async def _look_inside(database: Database, settings: Settings) -> list[Finding]:
    findings = await _schema(database)
    if not all(f.ok for f in findings):
        return findings
    findings += [*await _server(database), *await _audit(database)]
    if settings.database_url is not None and settings.mode is Mode.PRODUCTION:
        findings += await _accounts(database)
    return [*findings, *await _life(database)]


async def _schema(database: Database) -> list[Finding]:
    pending = await pending_migrations(database)
    found = f"{len(pending)} migrations pending" if pending else "up to date"
    return [Finding("schema", not pending, found, "run `energy-center migrate`")]


async def _server(database: Database) -> list[Finding]:
    strays = await default_rows(database)
    advice = "readings lie outside of every week: `worker` moves them within the hour; is it running?"
    return [
        Finding("server", ok=True, found=str(await capabilities(database))),
        Finding("stray readings", strays == 0, str(strays), advice),
    ]


async def _audit(database: Database) -> list[Finding]:
    chain = await check_audit(database)
    advice = "someone changed the audit log: keep the database as it is and tell your security officer"
    return [Finding("audit log", chain.broken_at is None, f"{chain.entries} entries, chain checked", advice)]


async def _accounts(database: Database) -> list[Finding]:
    if demo := await enabled_demo_users(database):
        advice = "disable each with `energy-center user disable NAME`; `serve` refuses to start"
        return [Finding("accounts", ok=False, found=f"demo accounts: {', '.join(demo)}", advice=advice)]
    held = len(await list_users(database))
    advice = "add one with `energy-center user add NAME --role admin`"
    return [Finding("accounts", held > 0, f"{held}", advice)]


async def _life(database: Database) -> list[Finding]:
    site = await load_applied_site(database)
    if site is None:
        advice = "run `energy-center site apply FILE`"
        return [Finding("site", ok=False, found="no site has been applied", advice=advice)]
    now = datetime.now(UTC)
    live = await check_live(database, site, datetime.fromtimestamp(now.timestamp() - RECENT_S, UTC), now)
    collectors = await list_collectors(database, now)
    silence = judge_silence(await list_devices(database, now), live.silent_devices, site, collectors, now)
    return [
        Finding(
            "collection", live.readings > 0, f"{live.readings} readings in 5 min", "is `collect` running?"
        ),
        *(_collector(c, now) for c in collectors),
        _devices(silence, live.devices),
    ]


def _collector(collector: CollectorHealth, now: datetime) -> Finding:
    told = f"told of itself {(now - collector.at).total_seconds():.0f} s ago"
    found = ", ".join([*(_TROUBLES[t][0] for t in collector.troubles), told])
    advice = "; ".join(_TROUBLES[t][1] for t in collector.troubles)
    return Finding(f"collector {collector.host}", not collector.troubles, found, advice)


def _devices(silence: Silence, devices: int) -> Finding:
    found = f"{devices - len(silence.silent) - len(silence.waiting)} of {devices} answer"
    if silence.waiting:
        found += f", {len(silence.waiting)} have not been due since the start"
    advice = f"silent: {', '.join(silence.silent[:10])}; try `energy-center probe`"
    return Finding("devices", not silence.silent, found, advice)
