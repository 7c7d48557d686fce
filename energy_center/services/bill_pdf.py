"""A bill on paper: the same figures as on the page and in the API, set as PDF."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.domain.timeline import midnight
from energy_center.i18n.text import text
from energy_center.reports.typeset import typeset
from energy_center.services import bill_words
from energy_center.services.bill_questions import read_bills
from energy_center.services.bill_view import BillView, LineView
from energy_center.services.current_site import current_site
from energy_center.store.pool import Database

_SHOWN_SPANS = 24
_COLUMNS = (  # name, is a number, share of the width that is left over
    ("line", False, 3),
    ("quantity", True, 0),
    ("price", True, 0),
    ("amount", True, 0),
    ("coverage", True, 0),
    ("clause", False, 2),
)


async def bill_pdf(db: Database, building_id: str, month: str, language: str, now: datetime) -> bytes:
    """The PDF of a month's bill. Raises NotFound and Invalid as the bill does."""
    site = await current_site(db)
    (found,) = await read_bills(db, building_id, month, 1, now)
    subject = (found.building.in_language(language), found.meter_id)
    zone = ZoneInfo(site.time_zone)
    return await asyncio.to_thread(
        set_bill, found.bill, subject, language, zone, power_factor_from=found.power_factor_from
    )


def set_bill(
    bill: BillView,
    subject: tuple[str, str],
    language: str,
    zone: ZoneInfo,
    *,
    power_factor_from: str | None = None,
) -> bytes:
    """The PDF; `subject` is what is billed, and its meter or file. It bears the moment after the period."""
    dated = midnight(bill.last + timedelta(days=1), zone)
    return typeset("bill", document(bill, subject, language, zone, power_factor_from), dated)


def document(
    bill: BillView, subject: tuple[str, str], language: str, zone: ZoneInfo, power_factor_from: str | None
) -> dict[str, object]:
    """What the template is filled with."""
    name, meter = subject
    within = bill_words.money(bill.vat_within, bill.currency)
    remarks = [bill_words.note(note.kind, note.facts, language) for note in bill.notes]
    return {
        "language": language,
        "title": text("bill.paper.title", language),
        "subtitle": f"{name}  {bill.first} – {bill.last}",
        "footer": text("bill.paper.footer", language, meter=meter),
        "total": {
            "label": text("bill.total", language),
            "figure": bill_words.money(bill.total, bill.currency),
            "tag": _tag(bill, language),
            "under": f"{text('bill.vat_within', language)} {within}",
        },
        "facts": _facts(bill, meter, language, power_factor_from),
        "remarks": remarks,
        "lines": {
            "title": text("bill.paper.lines", language),
            "columns": [
                {"name": text(f"bill.columns.{column}", language), "number": is_number, "share": share}
                for column, is_number, share in _COLUMNS
            ],
            "rows": [_row(line, language) for line in bill.lines],
            "foot": [
                text("bill.total", language),
                "",
                "",
                bill_words.money(bill.total, bill.currency),
                f"{bill.coverage:.1%}",
                "",
            ],
        },
        "missing": {"title": text("bill.missing", language), "spans": _missing(bill, language, zone)},
        "sources": {"title": text("bill.paper.sources", language), "titles": list(bill.sources)},
        "signatures": [
            text(f"bill.paper.{role}", language) for role in ("made_by", "checked_by", "approved_by")
        ],
    }


def _tag(bill: BillView, language: str) -> str | None:
    if bill.total is None:
        return text("bill.no_data", language)
    return text("bill.provisional", language) if bill.is_provisional else None


def _facts(bill: BillView, meter: str, language: str, power_factor_from: str | None) -> list[list[str]]:
    factor = bill_words.power_factor(bill, power_factor_from, language)
    return [
        [text("bill.columns.plan", language), bill.tariff.in_language(language)],
        [text("bill.period", language), f"{bill.first} – {bill.last}"],
        [text("bill.energy_total", language), bill_words.energy(bill)],
        [bill_words.demand_name(bill, language), bill_words.demand(bill)],
        [text("bill.columns.contract", language), bill_words.contracts(bill)],
        [text("bill.power_factor", language), factor],
        [text("bill.coverage", language), f"{bill.coverage:.1%}"],
        [text("bill.paper.meter", language), meter],
    ]


def _row(line: LineView, language: str) -> list[str]:
    season = bill_words.season(line, language)
    name = bill_words.line_name(line, language)
    return [
        f"{name} ({season})" if season else name,
        bill_words.quantity(line),
        bill_words.price(line, language),
        f"{line.amount:,.2f}",
        bill_words.MISSING if line.coverage is None else f"{line.coverage:.1%}",
        line.clause,
    ]


def _missing(bill: BillView, language: str, zone: ZoneInfo) -> list[str]:
    """The spans without a whole measurement, also where they are too few to make the bill provisional."""
    spans = [
        " – ".join(f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in span)
        for span in bill.missing[:_SHOWN_SPANS]
    ]
    more = len(bill.missing) - len(spans)
    return [*spans, text("bill.more_spans", language, count=more)] if more else spans
