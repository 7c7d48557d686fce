"""Kinds of text that requests carry; control characters, which the database cannot keep, are refused."""

import unicodedata
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

_LAYOUT = frozenset("\n\r\t")


def _without_control(text: str) -> str:
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise ValueError("must not contain control characters")
    return text


def _with_layout_only(text: str) -> str:
    _without_control(text.translate(dict.fromkeys(map(ord, _LAYOUT))))
    return text


# one line, such as a name or an id; several lines, such as a comment
Line = Annotated[str, AfterValidator(_without_control)]
Words = Annotated[str, AfterValidator(_with_layout_only)]

EquipmentId = Annotated[Line, Path(max_length=100, description="As in the site file.", examples=["ltb-main"])]
# bigint and int4 keys: a larger number is a wrong request, not a database error
AlarmId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The alarm's number.", examples=[17])]
WorkOrderId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The order's number.", examples=[4])]
MeasureId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The measure's number.", examples=[2])]
CommandId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The command's number.", examples=[9])]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Skip so many.")]
