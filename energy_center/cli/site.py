"""`energy-center site check|plan|apply|schema`: from a file that a person wrote to the database."""

import argparse
import asyncio
import getpass
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from energy_center.cli import out
from energy_center.config.bindings import Plant
from energy_center.config.load_site import load_site
from energy_center.config.plan import Change, plan_changes
from energy_center.config.site_model import SiteFile
from energy_center.domain.site import Site
from energy_center.domain.supervision import Trouble
from energy_center.errors import ConfigError, Conflict
from energy_center.rules.check_overrides import override_mistakes
from energy_center.services.commands import left_behind
from energy_center.services.supervision import CollectorHealth, list_collectors
from energy_center.settings import Settings
from energy_center.store import site as stored
from energy_center.store.installation import installed_database
from energy_center.store.pool import Database

SUMMARY = "check, plan or apply a site description"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Four things to do with a site file."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, help_text in (
        ("check", "find every mistake in a site file and its profiles"),
        ("plan", "show what applying it would change"),
        ("apply", "make the database describe it; what vanished is retired, never deleted"),
    ):
        action = actions.add_parser(name, help=help_text)
        action.add_argument("file", type=Path)
        action.add_argument("--profiles", type=Path, help="folder of device profiles")
        action.add_argument("--format", choices=("text", "json"), default="text")
    actions.add_parser("schema", help="print the JSON Schema that editors complete site files with")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 the file has mistakes."""
    if args.action == "schema":
        out.as_json(SiteFile.model_json_schema(by_alias=True))
        return 0
    try:
        plant = _load(args.file, args.profiles)
    except ConfigError as problem:
        _show_mistakes(problem, args.format)
        return 1
    if args.action == "check":
        _show_check(plant, args.format, _bus_loads(args.file, args.profiles))
        return 0
    changes, collectors = asyncio.run(_plan_or_apply(plant, args))
    _show_changes(changes, args, collectors)
    return 0


def _load(file: Path, profiles: Path | None) -> Plant:
    plant = load_site(file, profiles)
    if mistakes := override_mistakes(plant.site):
        raise ConfigError([f"{file}: {mistake}" for mistake in mistakes])
    return plant


def _show_mistakes(problem: ConfigError, form: str) -> None:
    if form == "json":
        out.as_json({"ok": False, "mistakes": problem.mistakes})
        return
    for mistake in problem.mistakes:
        out.line(mistake)
    out.line(f"{len(problem.mistakes)} mistake(s)")


def _bus_loads(file: Path, profiles: Path | None) -> list[dict[str, Any]]:
    """How busy each Modbus line will be: the collectors plan it, in a process of their own."""
    words = [sys.executable, "-m", "collectors.bus_load", "--site", str(file)]
    words += ["--profiles", str(profiles)] if profiles else []
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    loads: list[dict[str, Any]] = json.loads(told.stdout)
    return loads


def _show_loads(loads: list[dict[str, Any]]) -> None:
    if not loads:
        return
    out.table(
        ("line", "requests", "busy"),
        [(x["connection"], x["requests"], f"{x['utilisation']:.1%}") for x in loads],
    )
    for load in loads:
        if load["nearly_full"]:
            out.line(f"{load['connection']}: little room is left on this line")
        for late in load["late"]:
            out.line(f"{load['connection']}: cannot be met: {late}")


def _show_check(plant: Plant, form: str, loads: list[dict[str, Any]]) -> None:
    facts: dict[str, object] = {
        "site": plant.site.site_id,
        "spaces": len(plant.site.spaces),
        "equipment": len(plant.site.equipment),
        "points": len(plant.bindings),
        "devices": len({b.device_id for b in plant.bindings}),
        "connections": len(plant.connections),
        "readings_per_s": round(sum(1 / b.interval_s for b in plant.bindings), 1),
    }
    if form == "json":
        out.as_json({"ok": True, **facts, "lines": loads})
    else:
        out.fields(facts)
        _show_loads(loads)


async def _plan_or_apply(
    plant: Plant, args: argparse.Namespace
) -> tuple[list[Change], tuple[CollectorHealth, ...]]:
    async with installed_database(Settings(), min_size=0, max_size=1) as db:
        held: Site | None = await stored.load_site(db)
        if args.action == "apply":
            await _refuse_to_strand(db, plant.site, args.file)
            text = args.file.read_text(encoding="utf-8")
            await stored.apply_site(db, plant.site, text, getpass.getuser(), datetime.now(UTC))
        return plan_changes(held, plant.site), await list_collectors(db, datetime.now(UTC))


async def _refuse_to_strand(db: Database, site: Site, file: Path) -> None:
    """A value that we have written must be handed back before its point goes."""
    stranded = await left_behind(db, site)
    if stranded:
        named = ", ".join(f"{'/'.join(c.key)} (command {c.command_id})" for c in stranded)
        raise Conflict(
            f"{file} leaves no way to hand back what is written at {named}: "
            "cancel the command, or wait until it ends, and apply again"
        )


def _show_changes(
    changes: list[Change], args: argparse.Namespace, collectors: Sequence[CollectorHealth]
) -> None:
    at_work = [c.host for c in collectors if Trouble.SILENT not in c.troubles and not c.stopped]
    if args.format == "json":
        told = {"applied": args.action == "apply", "changes": changes_as_rows(changes)}
        out.as_json({**told, "collectors": at_work})
        return
    if args.action == "plan":
        out.table(
            ("action", "kind", "name", "detail"), [(c.action, c.kind, c.name, c.detail) for c in changes]
        )
    counts = Counter((c.action, c.kind) for c in changes)
    said = ", ".join(f"{action} {n} {kind}" for (action, kind), n in counts.items()) or "nothing to change"
    out.line(f"{'applied' if args.action == 'apply' else 'plan'}: {said}")
    if args.action == "apply":
        out.line(_what_follows(at_work))


def _what_follows(at_work: Sequence[str]) -> str:
    if not at_work:
        return "no collector is at work: the next one that starts takes it"
    hosts = ", ".join(sorted(at_work))
    return f"told to the collector on {hosts}: it reads its site again, unchanged connections go on"


def changes_as_rows(changes: list[Change]) -> list[dict[str, str]]:
    """Changes as plain mappings."""
    return [{"action": c.action, "kind": c.kind, "name": c.name, "detail": c.detail} for c in changes]
