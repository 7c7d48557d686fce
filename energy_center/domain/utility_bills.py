"""The utility's bill of a month as a person entered it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class BillOrigin(StrEnum):
    """Where its figures were taken from."""

    FORM = "form"
    CSV = "csv"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class EnteredBill:
    """One entry; `figures` by the names of `tariffs.check_bill`, `undone_at` None while it holds."""

    utility_bill_id: int
    building_id: str
    month: date
    figures: Mapping[str, Decimal]
    origin: BillOrigin
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None
