"""A person's own contacts: where and when they want to be told."""

from datetime import datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from energy_center.api.deps import AlarmOperator, Data, Doer, Installation, Now
from energy_center.api.fields import Line
from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Digest
from energy_center.services import contacts
from energy_center.services.contacts import ContactRow, Tried, Wishes

router = APIRouter(prefix="/contacts", tags=["notification"])

ContactId = Annotated[int, Path(ge=1, le=2**31 - 1, description="The contact's number.", examples=[3])]
# forms send an empty text for what is left out
TimeOfDay = Annotated[time | None, BeforeValidator(lambda given: None if given == "" else given)]


class ContactWishes(BaseModel):
    """What goes there and when; quiet hours are times of day at the site, critical alarms pass."""

    label: Line = Field(default="", max_length=60, examples=["My phone"])
    least_priority: Priority = Priority.LOW
    quiet_from: TimeOfDay = Field(default=None, examples=["22:00"])
    quiet_to: TimeOfDay = Field(default=None, examples=["07:00"])
    digest: Digest = Field(default=Digest.NONE, description="The summary for managers.")
    digest_hour: int = Field(default=8, ge=0, le=23)

    def wishes(self) -> Wishes:
        """As the service takes them."""
        plain = [None if t is None else t.replace(tzinfo=None) for t in (self.quiet_from, self.quiet_to)]
        return Wishes(self.label, self.least_priority, plain[0], plain[1], self.digest, self.digest_hour)


class NewContact(ContactWishes):
    """An address with what goes there."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"address": "tgram://bot-token/chat", "label": "My phone"}]}
    )

    address: SecretStr = Field(
        min_length=3,
        max_length=1000,
        description="A mail address, or any address of Apprise. Never shown again.",
    )


class ContactOut(BaseModel):
    """A contact; its address is shown as far as it holds no secret."""

    contact_id: int
    label: str
    shown: str = Field(examples=["tgram://…"])
    least_priority: Priority
    quiet_from: time | None
    quiet_to: time | None
    digest: Digest
    digest_hour: int
    tried: Tried | None


class TestOutcome(BaseModel):
    """How a test message went; `waiting` when no worker has taken it yet."""

    outcome: Literal["sent", "failed", "waiting"]
    sent_at: datetime | None
    problem: str | None


def _shown(row: ContactRow) -> ContactOut:
    c = row.contact
    return ContactOut(
        contact_id=c.contact_id,
        label=c.label,
        shown=c.shown,
        least_priority=c.least_priority,
        quiet_from=c.quiet_from,
        quiet_to=c.quiet_to,
        digest=c.digest,
        digest_hour=c.digest_hour,
        tried=row.tried,
    )


@router.get("", summary="One's own contacts", name="list_contacts")
async def list_contacts(user: AlarmOperator, data: Data) -> list[ContactOut]:
    """With how the last test message went."""
    return [_shown(row) for row in await contacts.list_contacts(data, user)]


@router.post("", status_code=201, summary="Add a contact", name="add_contact")
async def add_contact(
    user: AlarmOperator, new: NewContact, data: Data, installation: Installation, doer: Doer, now: Now
) -> ContactOut:
    """The address is encrypted and never given back; 422 for one that nobody can be told by."""
    return _shown(await contacts.add_contact(data, user, new.address, new.wishes(), installation, doer, now))


@router.put("/{contact_id}", summary="Change what goes to a contact", name="change_contact")
async def change_contact(
    user: AlarmOperator, contact_id: ContactId, wished: ContactWishes, data: Data, doer: Doer, now: Now
) -> ContactOut:
    """Everything but the address; a new address is a new contact."""
    return _shown(await contacts.change_contact(data, user, contact_id, wished.wishes(), doer, now))


@router.delete("/{contact_id}", status_code=204, summary="Remove a contact", name="remove_contact")
async def remove_contact(
    user: AlarmOperator, contact_id: ContactId, data: Data, doer: Doer, now: Now
) -> Response:
    """Its address is forgotten; who was told what stays in the log."""
    await contacts.remove_contact(data, user, contact_id, doer, now)
    return Response(status_code=204)


@router.post("/{contact_id}/test", summary="Send a test message", name="test_contact")
async def test_contact(
    user: AlarmOperator, contact_id: ContactId, data: Data, doer: Doer, now: Now
) -> TestOutcome:
    """The way alarms go, by the worker; waits up to 5 s for how it went. Once in 10 s (429)."""
    tried = await contacts.try_contact(data, user, contact_id, doer, now)
    outcome = "sent" if tried.sent_at else "failed" if tried.problem else "waiting"
    return TestOutcome(outcome=outcome, sent_at=tried.sent_at, problem=tried.problem)
