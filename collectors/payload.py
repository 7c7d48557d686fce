"""What a message means: numbers by path, column or word, and whether its own stamp can be trusted. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from collectors.driver import Qualities, Sample
from energy_center.config.bindings import MqttSource, PayloadForm, PointBinding, StatusTopic
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame

TRUSTED_S = 300.0  # a message's own stamp counts when it is at most this far from its receipt
_MILLISECONDS_FROM = 1e11  # epoch numbers above this are milliseconds, not seconds of the year 5138


def source_of(binding: PointBinding) -> MqttSource:
    """The binding's topic and path; any other protocol is a bug of the caller."""
    if not isinstance(binding.source, MqttSource):
        raise TypeError(f"{binding.key} is not an MQTT point")
    return binding.source


class TopicMapping:
    """Reads the messages of one topic, by a plan made once."""

    def __init__(self, bindings: Sequence[PointBinding]) -> None:
        """The first binding says in which form the topic is written."""
        first = source_of(bindings[0])
        self._read = _reader(first)
        self._time_path = first.time_path
        self._points = [(source_of(b).path, b) for b in bindings]
        self._plain_keys = _plain_keys(bindings)
        self._good = self._flags(Quality.GOOD)
        self._suspect = self._flags(Quality.CLOCK_SUSPECT)

    def _flags(self, quality: Quality) -> Qualities:
        flags = np.full(len(self._points), int(quality), dtype=np.int16)
        flags.setflags(write=False)  # one array serves all samples
        return flags

    def sample(self, payload: bytes, received_at: float, oldest_trusted: float | None = None) -> Sample:
        """See `sample_of`."""
        document = self._read(payload)
        if self._plain_keys is not None and type(document) is dict:
            found: Iterable[object] = map(document.get, self._plain_keys)
        else:
            found = (_at(document, path) for path, _ in self._points)
        numbers = [number_of(each, binding) for each, (_, binding) in zip(found, self._points, strict=True)]
        if not any(map(math.isfinite, numbers)):
            raise BadFrame("The message holds none of its points' values")
        values = np.array(numbers)
        if self._time_path is None:
            return Sample(received_at, values, self._good)
        own = _instant(_at(document, self._time_path))
        if own is not None and is_trusted(own, received_at, oldest_trusted):
            return Sample(own, values, self._good)
        return Sample(received_at, values, self._suspect)


def _plain_keys(bindings: Sequence[PointBinding]) -> list[str] | None:
    """The keys where each point is a member of the document itself."""
    paths = [source_of(b).path for b in bindings]
    return [path[0] for path in paths] if all(len(path) == 1 for path in paths) else None


def sample_of(
    payload: bytes,
    bindings: Sequence[PointBinding],
    received_at: float,
    oldest_trusted: float | None = None,
) -> Sample:
    """The values that a message of one topic holds; NaN where it holds none.

    Its own stamp is used when it lies within five minutes of `received_at` (UTC seconds), or since
    `oldest_trusted` for a message that the broker had kept; otherwise receipt counts and is marked
    CLOCK_SUSPECT. Raises BadFrame when the payload is not of its form or holds none of the values.
    """
    return TopicMapping(bindings).sample(payload, received_at, oldest_trusted)


def is_trusted(own: float, received_at: float, oldest_trusted: float | None) -> bool:
    """Whether a message's own stamp may be its time; all in UTC seconds."""
    earliest = received_at - TRUSTED_S if oldest_trusted is None else oldest_trusted
    return earliest <= own <= received_at + TRUSTED_S


def status_of(payload: bytes, status: StatusTopic) -> bool | None:
    """What a status message or last will says: there, not there, or nothing that we know."""
    try:
        text = _word(_at(_json(payload), status.path)) if status.path else _plain(payload)
    except BadFrame:
        return None
    return {status.online: True, status.offline: False}.get(text)


def number_of(found: object, binding: PointBinding) -> float:
    """A value of a message in the role's unit; NaN where it is none."""
    if states := source_of(binding).states:
        number = _state(found, states)
    elif type(found) is float:  # nearly always
        number = found
    elif isinstance(found, float | int | str):
        number = _float(found)
    else:
        return math.nan
    scaled = binding.scaling(number)
    return scaled if math.isfinite(scaled) else math.nan


def _state(found: object, states: Mapping[int | str, float]) -> float:
    word = _word(found)
    if word in states:
        return states[word]
    number = float(found) if isinstance(found, bool) else _float(word)
    return states.get(int(number), number) if math.isfinite(number) else number


def _word(found: object) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    return found.strip() if isinstance(found, str) else str(found)


def _float(written: float | str) -> float:
    """JSON knows no largest integer, a double does: beyond it there is no number."""
    try:
        return float(written)
    except (ValueError, OverflowError):
        return math.nan


def _json(payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BadFrame("The message is not JSON", why=str(cause)) from cause


def _plain(payload: bytes) -> str:
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as cause:
        raise BadFrame("The message is not text") from cause


def _reader(source: MqttSource) -> Callable[[bytes], object]:
    match source.form:
        case PayloadForm.JSON:
            return _json
        case PayloadForm.PLAIN:
            return _plain
        case PayloadForm.CSV:
            separator = source.separator
            # a column is counted from 1
            return lambda payload: ["", *(cell.strip() for cell in _plain(payload).split(separator))]
        case PayloadForm.SPARKPLUG_B:
            raise TypeError("Sparkplug B is not read topic by topic")


def _at(document: object, path: Sequence[str]) -> object:
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _instant(written: object) -> float | None:
    """UTC seconds of an ISO 8601 text with offset or an epoch number; None for anything else."""
    if isinstance(written, str):
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            number = _float(written)
            return _epoch(number) if math.isfinite(number) else None
        # exact to the microsecond: datetime.timestamp() may round the last digit differently
        return (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1) if at.tzinfo else None
    if isinstance(written, int | float) and not isinstance(written, bool):
        return _epoch(_float(written))
    return None


def _epoch(number: float) -> float:
    return number / 1000 if number > _MILLISECONDS_FROM else number
