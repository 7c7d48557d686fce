"""`energy-center suggestions --site BUILDING`: what could be saved, most money first, and together."""

import argparse
import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

from energy_center.cli import out
from energy_center.domain.suggestions import SuggestionState
from energy_center.i18n.text import LANGUAGES
from energy_center.services.current_site import current_site
from energy_center.services.suggest_savings import suggest_savings
from energy_center.services.suggestions import SuggestionList, SuggestionRow, list_suggestions
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.store.pool import Database

SUMMARY = "reckon what could be saved, from a year of history"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--site", metavar="BUILDING", help="one building; all of them when left out")
    parser.add_argument("--state", choices=[s.value for s in SuggestionState], help="all when left out")
    parser.add_argument("--stored", action="store_true", help="show what is stored, without a new reckoning")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the ranked list; 0 when anything is suggested, else 1."""
    found = asyncio.run(_find(args))
    if args.format == "json":
        out.as_json(asdict(found))
    else:
        _tell(found, args.language)
    return 0 if found.rows else 1


async def _find(args: argparse.Namespace) -> SuggestionList:
    states = (SuggestionState(args.state),) if args.state else tuple(SuggestionState)
    async with installed_database(Settings(), min_size=0, max_size=2) as db:
        if not args.stored:
            await _reckon(db, args.site)
        return await list_suggestions(db, states, args.site)


async def _reckon(db: Database, building_id: str | None) -> None:
    names = [building_id] if building_id else [b.space_id for b in (await current_site(db)).buildings]
    for name in names:
        await suggest_savings(db, name, datetime.now(UTC))


def _tell(found: SuggestionList, language: str) -> None:
    for row in found.rows:
        _tell_row(row, language)
    for name, run in found.runs:
        together = run.together
        energy, money = together.get("energy_kwh") or 0.0, together.get("money_ntd")
        out.line(
            f"{name.in_language(language)}: together {energy:,.0f} kWh, {_money(money)}, "
            f"{together.get('carbon_kg') or 0.0:,.0f} kg CO2 a year; the single figures add up to "
            f"{together.get('sum_kwh') or 0.0:,.0f} kWh, {_money(together.get('sum_ntd'))}"
        )
        for measure_id, reasons in run.not_known.items():
            out.line(f"  no answer: {measure_id}: {'; '.join(reasons)}")


def _tell_row(row: SuggestionRow, language: str) -> None:
    held = row.suggestion
    pays = "" if held.payback_years is None else f", pays back in {held.payback_years:.1f} years"
    name = row.measure.texts[language].name if row.measure else held.measure_id
    out.line(
        f"#{held.suggestion_id} {held.building_id} {held.state.value:9} {name} "
        f"({row.subject.in_language(language)}): {round(held.energy_kwh):,} kWh, {_money(held.money_ntd)}, "
        f"{round(held.carbon_kg):,} kg CO2 a year; {held.confidence} confidence, "
        f"{held.coverage:.0%} covered{pays}"
    )


def _money(amount: float | None) -> str:
    return "money not known" if amount is None else f"NT${amount:,.0f}"
