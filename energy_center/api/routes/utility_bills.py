"""The utility's own bills, entered by people or read from a file, beside ours."""

import base64
import binascii
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from energy_center.api.deps import Data, Doer, Now, ReadingCorrector, Viewer
from energy_center.api.fields import Line
from energy_center.api.routes.bills import Building, NamedMonth
from energy_center.domain.utility_bills import BillOrigin
from energy_center.errors import Invalid
from energy_center.services import keep_utility_bill
from energy_center.services.check_utility_bill import Checked
from energy_center.services.utility_bill import read_number

router = APIRouter(prefix="/bills/utility", tags=["bills"])

_MONTH = r"^(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])$"
_MOST_CONTENT = 1_900_000
EntryId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The entry's number.", examples=[3])]


class NewUtilityBill(BaseModel):
    """What the utility's bill of a month shows; a figure that is empty is not given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "building": "ltb",
                    "month": "2026-07",
                    "figures": {"energy.peak": "90,000", "amount.basic": "268320.0", "total": "2464404"},
                }
            ]
        },
    )

    building: Line = Field(max_length=100)
    month: str = Field(pattern=_MONTH)
    figures: dict[Annotated[str, Field(max_length=60)], Annotated[Line, Field(max_length=40)]] = Field(
        max_length=keep_utility_bill.MOST_FIGURES,
        description="`energy.<band>`, `demand.<band>`, `power_factor`, `amount.<kind of line>` or `total`.",
    )

    def numbers(self) -> dict[str, Decimal]:
        """The figures given. Raises Invalid for one that is no number."""
        found = {name: read_number(words) for name, words in self.figures.items() if words.strip()}
        wrong = [name for name, amount in found.items() if amount is None]
        if wrong:
            raise Invalid(f"Not a number: {', '.join(wrong)}")
        return {name: amount for name, amount in found.items() if amount is not None}


class UtilityBillFile(BaseModel):
    """A CSV or PDF of the utility."""

    model_config = ConfigDict(extra="forbid")

    building: Line = Field(max_length=100)
    month: str = Field(pattern=_MONTH)
    file_name: Line = Field(max_length=200, examples=["bill.pdf"])
    content: str = Field(max_length=_MOST_CONTENT, description="The file in base64.")


class UtilityBillEntry(BaseModel):
    """One entry; `undone_at` is null while it holds or a later one took its place."""

    model_config = ConfigDict(from_attributes=True)

    utility_bill_id: int
    building_id: str
    month: date
    figures: dict[str, Decimal]
    origin: BillOrigin
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None


class UtilityBillMonth(BaseModel):
    """A month's entries, newest first; `checked` is the one that holds beside our bill."""

    model_config = ConfigDict(from_attributes=True)

    held: UtilityBillEntry | None
    entries: list[UtilityBillEntry]
    checked: Checked | None


class ImportedUtilityBill(BaseModel):
    """What was kept of a file; the rest is for the form. `other_period`: the bill prints other days."""

    model_config = ConfigDict(from_attributes=True)

    utility_bill_id: int
    entry: UtilityBillEntry
    not_found: list[str]
    ambiguous: list[str]
    first: date | None
    last: date | None
    other_period: bool


@router.get("", summary="The utility's bill of a month", name="read_utility_bill")
async def read_utility_bill(
    _: Viewer, data: Data, now: Now, building: Building, month: NamedMonth
) -> UtilityBillMonth:
    """What was entered, and each difference from our bill with its likely cause."""
    found = await keep_utility_bill.read_month(data, building, month, now)
    return UtilityBillMonth.model_validate(found)


@router.post("", status_code=201, summary="Enter a bill of the utility", name="enter_utility_bill")
async def enter_utility_bill(
    corrector: ReadingCorrector, wanted: NewUtilityBill, data: Data, doer: Doer, now: Now
) -> UtilityBillEntry:
    """Takes the place of what was entered before; that stays, and holds again after an undo."""
    made = await keep_utility_bill.keep_bill(
        data, wanted.building, wanted.month, wanted.numbers(), corrector, doer, now
    )
    return UtilityBillEntry.model_validate(made)


@router.post("/import", status_code=201, summary="Import a bill of the utility", name="import_utility_bill")
async def import_utility_bill(
    corrector: ReadingCorrector, wanted: UtilityBillFile, data: Data, doer: Doer, now: Now
) -> ImportedUtilityBill:
    """Reads a CSV of figures or the words of a PDF and keeps what it finds; says what it did not find.

    422 for a picture, an encrypted file, or one without any figure.
    """
    try:
        content = base64.b64decode(wanted.content, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise Invalid("content is no base64") from cause
    found = await keep_utility_bill.import_bill(
        data, wanted.building, wanted.month, wanted.file_name, content, corrector, doer, now
    )
    return ImportedUtilityBill.model_validate(found)


@router.post("/{utility_bill_id}/undo", summary="Undo an entered bill", name="undo_utility_bill")
async def undo_utility_bill(
    corrector: ReadingCorrector, utility_bill_id: EntryId, data: Data, doer: Doer, now: Now
) -> UtilityBillEntry:
    """The entry before it holds again; 409 unless it is the one that holds."""
    undone = await keep_utility_bill.undo_bill(data, utility_bill_id, corrector, doer, now)
    return UtilityBillEntry.model_validate(undone)
