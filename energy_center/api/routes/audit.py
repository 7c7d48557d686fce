"""The audit log, for administrators."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from energy_center.api.deps import Administrator, Data
from energy_center.api.fields import Limit, Line
from energy_center.services.audit import check_audit, read_audit

router = APIRouter(prefix="/audit", tags=["administration"])


class AuditEntryOut(BaseModel):
    """One change."""

    model_config = ConfigDict(from_attributes=True)

    audit_id: int
    at: datetime
    actor: str = Field(examples=["lin"], description="A user's name, or `system:<program>`.")
    address: str = Field(examples=["10.0.3.20"])
    action: str = Field(examples=["user.role"])
    subject: str = Field(examples=["user/lin"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash_hex: str = Field(description="SHA-256 over the hash before it and this row.")


class ChainCheckOut(BaseModel):
    """What recomputing the chain of hashes found."""

    model_config = ConfigDict(from_attributes=True)

    entries: int
    broken_at: int | None = Field(
        description="The first entry that was changed or stands after a removed one."
    )
    head_hex: str = Field(
        description="Note it elsewhere: only it shows that the newest entries were cut off."
    )


@router.get("", summary="List changes, newest first", name="list_audit")
async def list_audit(
    _: Administrator,
    data: Data,
    limit: Limit = 100,
    before_id: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="Continue before this one.")
    ] = None,
    subject: Annotated[Line | None, Query(max_length=200, examples=["user/lin"])] = None,
) -> list[AuditEntryOut]:
    """Who changed what, when, from where, with the state before and after."""
    entries = await read_audit(data, limit=limit, before_id=before_id, subject=subject)
    return [AuditEntryOut.model_validate(entry) for entry in entries]


@router.get("/verification", summary="Prove that no entry was changed", name="verify_audit")
async def verify_audit(_: Administrator, data: Data) -> ChainCheckOut:
    """Recomputes every hash."""
    return ChainCheckOut.model_validate(await check_audit(data))
