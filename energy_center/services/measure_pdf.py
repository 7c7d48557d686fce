"""The report of a verified measure: the same words and figures as the page, set as PDF."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from energy_center.domain.measures import MeasureVerification
from energy_center.domain.timeline import midnight
from energy_center.errors import Conflict
from energy_center.i18n.text import text
from energy_center.reports.typeset import typeset
from energy_center.services.current_site import current_site
from energy_center.services.measure_words import (
    adjustment_words,
    measure_facts,
    method_facts,
    span,
    worth_facts,
)
from energy_center.services.measures import MeasureDetail, get_measure
from energy_center.services.verification_words import reason_sentences, verdict_sentence, verdict_word
from energy_center.store.pool import Database

_WIDTH, _HEIGHT, _LEFT, _FOOT = 680.0, 220.0, 70.0, 24.0


async def measure_pdf(db: Database, measure_id: int, language: str) -> bytes:
    """The PDF. Raises NotFound, Conflict where nothing has been verified yet."""
    site = await current_site(db)
    detail = await get_measure(db, measure_id)
    found = detail.verification
    if found is None:
        raise Conflict("There is no report before the measure has been verified")
    zone = ZoneInfo(site.time_zone)
    dated = midnight(found.reporting.last + timedelta(days=1), zone)
    return await asyncio.to_thread(typeset, "measure", document(detail, found, language, zone), dated)


def document(
    detail: MeasureDetail, found: MeasureVerification, language: str, zone: ZoneInfo
) -> dict[str, object]:
    """What the template is filled with."""
    findings, measure = found.findings, detail.measure
    worth = worth_facts(measure, findings, language)
    at = found.made_at.astimezone(zone).isoformat(" ", "minutes")
    return {
        "language": language,
        "title": measure.name,
        "subtitle": f"{text('measure.reporting', language)} {span(found.reporting)}",
        "footer": f"{text('measure.data', language)} {found.data_hash}",
        "total": {
            "label": text("measure.answer", language),
            "figure": verdict_word(found.verdict, language),
            "tag": None,
            "under": worth[0][1] if worth else None,
        },
        "facts": [list(pair) for pair in (*worth, *measure_facts(measure, language))],
        "remarks": [verdict_sentence(findings, language), *reason_sentences(findings, language)],
        "chart": {
            "title": text("measure.cumulative", language),
            "svg": _svg(findings.get("course", ())),
            "alt": text("measure.chart_alt", language),
        },
        "method": {
            "title": text("measure.notes", language),
            "facts": [list(pair) for pair in method_facts(found, at, language)],
            "text": text("measure.notes_text", language),
        },
        "adjustments": _adjustments(detail, language),
        "signatures": [
            text(f"bill.paper.{role}", language) for role in ("made_by", "checked_by", "approved_by")
        ],
    }


def _adjustments(detail: MeasureDetail, language: str) -> dict[str, object]:
    names = ("measure.adjustments", "measure.reason", "measure.by")
    return {
        "title": text("measure.adjustments", language),
        "columns": [{"name": text(name, language), "number": False, "share": 1} for name in names],
        "rows": [
            [adjustment_words(each, language), each.reason, each.made_by]
            for each in detail.adjustments
            if each.withdrawn_at is None
        ],
    }


def _svg(course: object) -> str:
    """The avoided energy added up with its band; empty without days."""
    if not isinstance(course, Sequence) or not course:
        return ""
    low = min(0.0, *(each["low_kwh"] for each in course))
    high = max(0.0, *(each["high_kwh"] for each in course))
    scale = (_HEIGHT - 2 * _FOOT) / ((high - low) or 1.0)
    step = (_WIDTH - _LEFT - 12) / max(len(course) - 1, 1)

    def line(name: str, rows: Sequence[Mapping[str, Any]], *, back: bool = False) -> str:
        points = [
            f"{_LEFT + i * step:.1f},{_FOOT + (high - row[name]) * scale:.1f}" for i, row in enumerate(rows)
        ]
        return " ".join(reversed(points) if back else points)

    zero = _FOOT + high * scale
    labels = "".join(
        f'<text x="{_LEFT - 6}" y="{zero - kwh * scale + 4:.1f}" text-anchor="end">{kwh:,.0f}</text>'
        for kwh in dict.fromkeys((low, 0.0, high))
    )
    band = f"{line('high_kwh', course)} {line('low_kwh', course, back=True)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" '
        'font-family="Noto Sans TC" font-size="11" fill="#5a6673">'
        f'<polygon points="{band}" fill="#4c7a9f" fill-opacity="0.18"/>'
        f'<line x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#5a6673"/>'
        f'<polyline points="{line("avoided_kwh", course)}" fill="none" stroke="#4c7a9f" stroke-width="2"/>'
        f'{labels}<text x="6" y="14">kWh</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{course[0]["on"]}</text>'
        f'<text x="{_WIDTH - 12}" y="{_HEIGHT - 6}" text-anchor="end">{course[-1]["on"]}</text></svg>'
    )
