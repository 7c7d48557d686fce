"""Messages by mail, LINE, Telegram, webhook and the like: whatever Apprise has an address form for."""

import asyncio

from pydantic import SecretStr

from energy_center.errors import NotDelivered
from energy_center.notify.message import Message

SEND_LIMIT_S = 20.0


class AppriseChannel:
    """Sends through one Apprise address, which may hold a password and is never logged."""

    def __init__(self, address: SecretStr) -> None:
        """Use an address such as `mailto://…`."""
        self._address = address

    async def send(self, message: Message) -> None:
        """Send, and say so when the service did not take it."""
        import apprise

        service = apprise.Apprise()
        if not service.add(self._address.get_secret_value()):
            raise NotDelivered("The notification address is not one that Apprise knows")
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                taken = await service.async_notify(body=message.body, title=message.subject)
        except TimeoutError as cause:
            raise NotDelivered(f"No answer within {SEND_LIMIT_S:.0f} s") from cause
        if not taken:
            raise NotDelivered("The service did not take the message")
