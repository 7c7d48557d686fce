"""What a JSON message means: numbers by path, and whether its own time stamp can be trusted. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from collectors.driver import Sample
from energy_center.config.bindings import MqttSource, PointBinding
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame

TRUSTED_S = 300.0  # a message's own stamp counts when it is at most this far from its receipt
_MILLISECONDS_FROM = 1e11  # epoch numbers above this are milliseconds, not seconds of the year 5138


def source_of(binding: PointBinding) -> MqttSource:
    """The binding's topic and path; any other protocol is a bug of the caller."""
    if not isinstance(binding.source, MqttSource):
        raise TypeError(f"{binding.key} is not an MQTT point")
    return binding.source


def sample_of(
    payload: bytes,
    bindings: Sequence[PointBinding],
    received_at: float,
    oldest_trusted: float | None = None,
) -> Sample:
    """The values that a message of one topic holds; NaN where it holds none.

    Its own stamp is used when it lies within five minutes of `received_at` (UTC seconds), or since
    `oldest_trusted` for a message that the broker had kept; otherwise receipt counts and is marked
    CLOCK_SUSPECT. Raises BadFrame when the payload is not JSON or holds none of the values.
    """
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BadFrame("The message is not JSON", why=str(cause)) from cause
    values = np.array([_number(document, b) for b in bindings])
    if not np.isfinite(values).any():
        raise BadFrame("The message holds none of its points' values")
    time_path = source_of(bindings[0]).time_path
    own = None if time_path is None else _instant(_at(document, time_path))
    earliest = received_at - TRUSTED_S if oldest_trusted is None else oldest_trusted
    if own is not None and earliest <= own <= received_at + TRUSTED_S:
        return Sample(own, values, np.zeros(len(bindings), dtype=np.int16))
    flag = Quality.GOOD if time_path is None else Quality.CLOCK_SUSPECT
    return Sample(received_at, values, np.full(len(bindings), int(flag), dtype=np.int16))


def _at(document: object, path: Sequence[str]) -> object:
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _number(document: object, binding: PointBinding) -> float:
    found = _at(document, source_of(binding).path)
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            return float("nan")
    if not isinstance(found, int | float):
        return float("nan")
    number = _float(found)
    states = source_of(binding).states
    if states and np.isfinite(number):
        number = states.get(int(number), number)
    scaled = binding.scaling(number)
    return scaled if np.isfinite(scaled) else float("nan")


def _float(written: float) -> float:
    """JSON knows no largest integer, a double does: beyond it there is no number."""
    try:
        return float(written)
    except OverflowError:
        return float("nan")


def _instant(written: object) -> float | None:
    """UTC seconds of an ISO 8601 text with offset or an epoch number; None for anything else."""
    if isinstance(written, str):
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            return None
        # exact to the microsecond: datetime.timestamp() may round the last digit differently
        return (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1) if at.tzinfo else None
    if isinstance(written, int | float) and not isinstance(written, bool):
        seconds = _float(written)
        return seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds
    return None
