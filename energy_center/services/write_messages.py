"""What messages to people say, in the person's language and the site's time."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from energy_center.i18n.text import text
from energy_center.rules.find_texts import find_texts
from energy_center.store.digest import DigestFigures
from energy_center.store.notices import AlarmWords

_LISTED = 12


def alarm_message(alarm: AlarmWords, language: str, level: int, zone: ZoneInfo) -> tuple[str, str]:
    """Subject and text about one alarm."""
    known = find_texts(alarm.rule_id)
    title, place = known.name.in_language(language), alarm.equipment_name.in_language(language)
    lines = [
        title,
        text("notice.equipment", language, place=place, id=alarm.equipment_id),
        text("notice.since", language, at=_at(alarm.onset_at, zone)),
    ]
    words = known.texts.get(language)
    if words is not None:
        lines += [f"- {check}" for check in words.what_to_check[:3]]
        lines += [words.safety] if words.safety else []
    if level > 1:
        lines.append(text("notice.escalated", language, level=level))
    return _subject(alarm, title, place, language), "\n".join(lines)


def returned_message(alarm: AlarmWords, language: str, zone: ZoneInfo) -> tuple[str, str]:
    """Subject and text when an alarm has gone."""
    title = find_texts(alarm.rule_id).name.in_language(language)
    place = alarm.equipment_name.in_language(language)
    at = _at(alarm.returned_at, zone) if alarm.returned_at else ""
    return text("notice.returned_subject", language, title=title, place=place), text(
        "notice.returned", language, title=title, place=place, at=at
    )


def group_message(alarms: Sequence[AlarmWords], language: str) -> tuple[str, str]:
    """Subject and text about many alarms at once, the most urgent first."""
    urgent = sorted(alarms, key=lambda a: (a.priority.rank, a.alarm_id))
    lines = [
        _subject(
            a,
            find_texts(a.rule_id).name.in_language(language),
            a.equipment_name.in_language(language),
            language,
        )
        for a in urgent[:_LISTED]
    ]
    if len(urgent) > _LISTED:
        lines.append(text("notice.more", language, n=len(urgent) - _LISTED))
    return text("notice.group_subject", language, n=len(urgent)), "\n".join(lines)


def digest_message(
    found: DigestFigures, alarms: Sequence[AlarmWords], language: str, zone: ZoneInfo
) -> tuple[str, str]:
    """Subject and text of the summary for managers; what cannot be said is left out, never 0."""
    t = text
    lines = [
        t("digest.period", language, start=_at(found.since, zone), end=_at(found.until, zone)),
        t(
            "digest.open",
            language,
            n=found.open,
            critical=found.open_critical,
            high=found.open_high,
            unseen=found.unacknowledged,
        ),
        t("digest.changes", language, new=found.new, closed=found.closed),
        t("digest.orders", language, open=found.orders_open, late=found.orders_late),
    ]
    if found.per_day_kwh is not None:
        lines.append(t("digest.energy", language, kwh=f"{found.per_day_kwh:,.0f}", n=found.with_energy))
    if found.per_day_ntd is not None:
        lines.append(t("digest.money", language, money=f"{found.per_day_ntd:,.0f}"))
    if alarms:
        lines += ["", t("digest.top", language)]
        lines += [
            f"{n}. {find_texts(a.rule_id).name.in_language(language)} · "
            f"{a.equipment_name.in_language(language)}"
            for n, a in enumerate(alarms, 1)
        ]
    on = found.until.astimezone(zone).strftime("%Y-%m-%d")
    return t("digest.subject", language, on=on, open=found.open), "\n".join(lines)


def _subject(alarm: AlarmWords, title: str, place: str, language: str) -> str:
    return f"[{text(f'priority.{alarm.priority.value}', language)}] {title} · {place}"


def _at(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
