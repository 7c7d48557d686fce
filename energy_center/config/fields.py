"""Field types that site files and profiles share: names in two languages, durations, ids."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from energy_center.config.bindings import StatusTopic
from energy_center.domain.site import Text

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Strict(BaseModel):
    """Unknown keys are mistakes; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class StatusEntry(Strict):
    """`status_topic: {topic: "{topic}/LWT", online: Online, offline: Offline}`; true and on are quoted."""

    topic: str = Field(min_length=1, pattern=r"^[^+#]+$")
    online: str
    offline: str
    path: str | None = None

    def resolved(self, topic: str) -> StatusTopic:
        """For the publisher with this topic."""
        path = tuple(self.path.split(".")) if self.path else ()
        return StatusTopic(self.topic.replace("{topic}", topic), self.online, self.offline, path)


def parse_duration(written: object) -> float:
    """Seconds of `20ms`, `5s`, `15min`, `1h` or `2d`; raises ValueError for anything else."""
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"{written!r} is not a duration; write 20ms, 5s, 15min, 1h or 2d")
    return float(match[1]) * _SECONDS[match[2]]


def _positive_duration(written: object) -> float:
    seconds = parse_duration(written)
    if seconds <= 0:
        raise ValueError(f"{written!r} must be longer than nothing")
    return seconds


def _to_text(written: object) -> Text:
    if isinstance(written, str) and written.strip():
        return Text(zh_tw=written, en=written)
    if isinstance(written, dict) and set(written) == {"zh-TW", "en"} and all(map(str, written.values())):
        return Text(zh_tw=str(written["zh-TW"]), en=str(written["en"]))
    raise ValueError(f"{written!r} is not a name; write a text, or {{zh-TW: …, en: …}}")


_DURATION_SCHEMA = {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|min|h|d)$"}
Seconds = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
Interval = Annotated[float, BeforeValidator(_positive_duration), WithJsonSchema(_DURATION_SCHEMA)]
Name = Annotated[
    Text,
    PlainValidator(_to_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"zh-TW": {"type": "string"}, "en": {"type": "string"}},
                    "required": ["zh-TW", "en"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError) as cause:
        raise ValueError(f"{zone!r} is not a time zone; write for example Asia/Taipei") from cause
    return zone


ZoneName = Annotated[str, AfterValidator(_known_zone)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
