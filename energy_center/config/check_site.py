"""What refers to what in a site file: ids, spaces, connections, profiles, feeds. Notes every mistake."""

from collections.abc import Collection, Iterable, Sequence

from energy_center.config.bindings import PayloadForm, Protocol
from energy_center.config.documents import Document
from energy_center.config.load_profile import Profiles
from energy_center.config.profile_model import BacnetPoint, MqttProfile, Profile
from energy_center.config.site_model import ConnectionEntry, EquipmentEntry, SiteFile, SpaceEntry
from energy_center.domain.quantities import QUANTITIES

_ROUNDED = 1.001  # areas are rounded to whole m²
LAST_UNIT = 247  # MODBUS over Serial Line V1.02, 2.2


def check_site(document: Document, file: SiteFile, profiles: Profiles) -> None:
    """Note all mistakes that only show when the file is seen as a whole."""
    _check_unique(document, "spaces", [s.id for s in file.spaces])
    _check_unique(document, "connections", [c.id for c in file.connections])
    _check_unique(document, "equipment", [e.id for e in file.equipment])
    _check_spaces(document, file)
    _check_hosts(document, file.connections)
    for i, entry in enumerate(file.equipment):
        _check_equipment(document, file, i, entry)
        _check_wire(document, file, profiles, i, entry)
    _check_feeds(document, file)
    _check_rules(document, file)


def protocol_of(connection: ConnectionEntry) -> Protocol:
    """Which family of profiles a connection's equipment uses."""
    if connection.modbus_tcp is not None or connection.modbus_rtu is not None:
        return Protocol.MODBUS
    others = {
        Protocol.BACNET: connection.bacnet_ip,
        Protocol.SNMP: connection.snmp,
        Protocol.HEARTBEAT: connection.heartbeat,
    }
    return next((protocol for protocol, entry in others.items() if entry is not None), Protocol.MQTT)


def suggest(wanted: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` or the known names where they are few."""
    import difflib

    near = difflib.get_close_matches(wanted, known, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    few = 12
    return f"; known are {', '.join(sorted(known))}" if 0 < len(known) <= few else ""


def _check_unique(document: Document, part: str, ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name in first:
            line = document.line((part, first[name]))
            document.mistake((part, i), f"{part} '{name}': the id is taken on line {line}; ids must differ")
        first.setdefault(name, i)


def _check_spaces(document: Document, file: SiteFile) -> None:
    parents = {s.id: s.parent for s in file.spaces}
    known = {*parents, file.site.id}
    for i, space in enumerate(file.spaces):
        if space.parent is not None and space.parent not in known:
            document.mistake(
                ("spaces", i, "parent"),
                f"spaces '{space.id}': parent '{space.parent}' is not a space{suggest(space.parent, known)}",
            )
        _check_departments(document, file, i, space)
        if _is_own_ancestor(space.id, parents):
            document.mistake(
                ("spaces", i, "parent"), f"spaces '{space.id}': lies in itself; parents must form a tree"
            )


def _check_departments(document: Document, file: SiteFile, i: int, space: SpaceEntry) -> None:
    """They fit into their space, and `meters: ID` can only mean one thing."""
    say = f"spaces '{space.id}':"
    names = [d.id for d in space.departments]
    area = sum(d.area_m2 for d in space.departments)
    if space.departments and (space.area_m2 is None or area > space.area_m2 * _ROUNDED):
        has = "no area_m2" if space.area_m2 is None else f"{space.area_m2:g} m²"
        document.mistake(
            ("spaces", i, "departments"), f"{say} its departments have {area:g} m², the space has {has}"
        )
    taken = {s.id for s in file.spaces} | {e.id for e in file.equipment}
    for n, name in enumerate(names):
        if name in taken or name in names[:n]:
            document.mistake(
                ("spaces", i, "departments", n),
                f"{say} department '{name}': the id is taken by a space, an equipment or a department here",
            )


def _is_own_ancestor(name: str, parents: dict[str, str | None]) -> bool:
    at = parents.get(name)
    for _ in parents:
        if at is None or at == name:
            break
        at = parents.get(at)
    return at == name


def _check_hosts(document: Document, connections: Iterable[ConnectionEntry]) -> None:
    seen: dict[tuple[object, ...], tuple[int, str]] = {}
    for i, connection in enumerate(connections):
        if connection.modbus_rtu is not None:
            where, device = connection.modbus_rtu.port, None
        else:
            target = connection.modbus_tcp or connection.bacnet_ip or connection.mqtt or connection.snmp
            if target is None:  # heartbeats may watch one host in several ways
                continue
            where, device = f"{target.host}:{target.port}", getattr(target, "device", None)
        address = (protocol_of(connection), where, device)
        if address in seen:
            line, other = seen[address]
            document.mistake(
                ("connections", i),
                f"connections '{connection.id}': {where} is "
                f"connection '{other}' (line {line}) already; list both devices under one",
            )
        seen.setdefault(address, (document.line(("connections", i)), connection.id))


def _check_equipment(document: Document, file: SiteFile, i: int, entry: EquipmentEntry) -> None:
    spaces = {file.site.id, *(s.id for s in file.spaces)}
    departments = {d.id for s in file.spaces for d in s.departments}
    equipment = {e.id for e in file.equipment}
    for key, value, known, noun in (
        ("space", entry.space, spaces, "a space"),
        ("fed_by", entry.fed_by, equipment, "an equipment"),
        ("meters", entry.meters, equipment | spaces | departments, "a space, a department or an equipment"),
        ("connection", entry.connection, {c.id for c in file.connections}, "a connection"),
    ):
        if value is not None and value not in known:
            document.mistake(
                ("equipment", i, key),
                f"equipment '{entry.id}': {key} '{value}' is not {noun}{suggest(value, known)}",
            )


def _check_wire(
    document: Document, file: SiteFile, profiles: Profiles, i: int, entry: EquipmentEntry
) -> None:
    say = f"equipment '{entry.id}':"
    connection = next((c for c in file.connections if c.id == entry.connection), None)
    if connection is None:
        if entry.profile is not None and entry.connection is None:
            document.mistake(
                ("equipment", i, "profile"), f"{say} has a profile but key 'connection' is missing"
            )
        if entry.brick_class is None and entry.connection is None:
            document.mistake(("equipment", i), f"{say} key 'class' is missing")
        return
    protocol = protocol_of(connection)
    _check_address_keys(document, i, entry, connection)
    profile = profiles.get(protocol, entry.profile) if entry.profile else None
    if entry.profile and not profiles.exists(protocol, entry.profile):
        hint = suggest(entry.profile, profiles.names(protocol))
        document.mistake(
            ("equipment", i, "profile"), f"{say} profile '{entry.profile}' is not in {protocol}/{hint}"
        )
    elif entry.brick_class is None and not (profile and profile.brick_class):
        document.mistake(("equipment", i), f"{say} key 'class' is missing, and its profile names none")
    if profile is not None:
        _check_intervals(document, i, entry, profile)
        _check_sparkplug(document, i, entry, profile)
        _check_writable(document, i, entry, profile)


def _check_address_keys(
    document: Document, i: int, entry: EquipmentEntry, connection: ConnectionEntry
) -> None:
    protocol = protocol_of(connection)
    say = f"equipment '{entry.id}':"
    for key, needs in (("unit_id", Protocol.MODBUS), ("topic", Protocol.MQTT)):
        given = getattr(entry, key) is not None
        if given and protocol is not needs:
            document.mistake(
                ("equipment", i, key),
                f"{say} {key} is for {needs}; connection '{connection.id}' is {protocol}",
            )
        if not given and protocol is needs and (entry.profile or needs is Protocol.MODBUS):
            document.mistake(
                ("equipment", i), f"{say} key '{key}' is missing; connection '{connection.id}' is {protocol}"
            )
    if (
        connection.modbus_rtu is not None
        and entry.unit_id is not None
        and not 1 <= entry.unit_id <= LAST_UNIT
    ):
        document.mistake(
            ("equipment", i, "unit_id"),
            f"{say} unit_id {entry.unit_id} cannot be on the serial line '{connection.id}'; "
            f"allowed are 1 to {LAST_UNIT}",
        )
    if entry.base and protocol in (Protocol.MQTT, Protocol.HEARTBEAT):
        document.mistake(
            ("equipment", i, "base"), f"{say} base is for modbus, bacnet and snmp, not for {protocol}"
        )


def _check_sparkplug(document: Document, i: int, entry: EquipmentEntry, profile: Profile) -> None:
    if not isinstance(profile, MqttProfile) or profile.form is not PayloadForm.SPARKPLUG_B:
        return
    parts = (entry.topic or "").split("/")
    if entry.topic and (len(parts) not in (2, 3) or not all(parts)):
        document.mistake(
            ("equipment", i, "topic"),
            f"equipment '{entry.id}': topic '{entry.topic}' of a Sparkplug device is group/node or "
            "group/node/device",
        )


def _check_intervals(document: Document, i: int, entry: EquipmentEntry, profile: Profile) -> None:
    names = {p.point_name for p in profile.points}
    for name in entry.intervals:
        if name not in names:
            document.mistake(
                ("equipment", i, "intervals", name),
                f"equipment '{entry.id}': intervals names '{name}', which profile '{entry.profile}' has not"
                f"{suggest(name, names)}",
            )


def _check_writable(document: Document, i: int, entry: EquipmentEntry, profile: Profile) -> None:
    points = {p.point_name: p for p in profile.points}
    for name, allowed in entry.writable.items():
        say, place = f"equipment '{entry.id}': writable", ("equipment", i, "writable", name)
        if name not in points:
            hint = suggest(name, points)
            document.mistake(place, f"{say} names '{name}', which profile '{entry.profile}' has not{hint}")
            continue
        point = points[name]
        quantity = QUANTITIES[point.role]
        if not isinstance(point, BacnetPoint):
            document.mistake(place, f"{say} '{name}': only BACnet points can be written")
        elif "-input," in point.object:
            document.mistake(place, f"{say} '{name}': {point.object} is an input; outputs and values can")
        if not quantity.low <= allowed.min <= allowed.max <= quantity.high:
            document.mistake(
                place,
                f"{say} '{name}': {allowed.min:g} to {allowed.max:g} is not within what is plausible, "
                f"{quantity.low:g} to {quantity.high:g} {quantity.unit}",
            )


def _check_feeds(document: Document, file: SiteFile) -> None:
    feeds = {e.id: e.fed_by for e in file.equipment}
    for i, entry in enumerate(file.equipment):
        if entry.fed_by is not None and _is_own_ancestor(entry.id, feeds):
            document.mistake(
                ("equipment", i, "fed_by"), f"equipment '{entry.id}': feeds itself; fed_by must be a tree"
            )


def _check_rules(document: Document, file: SiteFile) -> None:
    known = {e.id for e in file.equipment} | {s.id for s in file.spaces}
    for rule in file.rules:
        _, at, equipment = rule.partition("@")
        if at and equipment not in known:
            document.mistake(
                ("rules", rule),
                f"rules '{rule}': '{equipment}' is not an equipment{suggest(equipment, known)}",
            )
