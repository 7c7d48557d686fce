"""Messages into the program's log, where an installation has nothing better."""

import logging

from energy_center.notify.message import Message

log = logging.getLogger(__name__)


class LogChannel:
    """One log line a message; the text itself stays in the outbox."""

    async def send(self, message: Message) -> None:
        """Log who is told of which alarm."""
        log.info(
            "people told",
            extra={
                "action": "notify",
                "recipient": message.recipient,
                "subject": message.subject,
                "alarm_id": message.alarm_id,
            },
        )
