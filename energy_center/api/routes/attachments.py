"""Files that prove something: photos, reports, certificates."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field
from starlette.responses import Response

from energy_center.api.deps import Data, Doer, DutyKeeper, Now, Viewer
from energy_center.api.fields import Line
from energy_center.services.attachments import LARGEST, add_attachment, get_attachment

router = APIRouter(prefix="/attachments", tags=["duties"])

_MOST_BODY = LARGEST * 4 // 3 + 10_000  # base64, and the fields around it
_FILE: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


class NewAttachment(BaseModel):
    """A file; its content in base64, at most 10 MiB of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "report.pdf", "media_type": "application/pdf", "content": "JVBERi0xLjcKJSVFT0YK"}
            ]
        }
    )

    name: Line = Field(min_length=1, max_length=200)
    media_type: Literal["application/pdf", "image/jpeg", "image/png"]
    content: Base64Bytes


class AttachmentAnswer(BaseModel):
    """A file without its bytes; `size` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    attachment_id: int
    name: str
    media_type: str
    size: int
    sha256_hex: str
    added_by: str
    added_at: datetime


@router.post("", status_code=201, summary="Add a file", name="add_attachment", max_body_size=_MOST_BODY)
async def add(_: DutyKeeper, wanted: NewAttachment, data: Data, doer: Doer, now: Now) -> AttachmentAnswer:
    """A record then names it by its number. 422 where the bytes are not what `media_type` says."""
    added = await add_attachment(data, wanted.name, wanted.media_type, wanted.content, doer, now)
    return AttachmentAnswer.model_validate(added)


@router.get(
    "/{attachment_id}",
    summary="A file",
    name="read_attachment",
    response_class=Response,
    responses=_FILE,
)
async def read(
    _: Viewer,
    attachment_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.", examples=[3])],
    data: Data,
) -> Response:
    """Always sent as a download: a browser shows nothing that somebody else put there."""
    found, content = await get_attachment(data, attachment_id)
    extension = found.media_type.rpartition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="attachment-{attachment_id}.{extension}"',
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return Response(content, media_type=found.media_type, headers=headers)
