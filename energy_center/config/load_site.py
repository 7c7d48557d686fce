"""Loads a site file and its profiles into a `Plant`, or raises ConfigError with every mistake at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from energy_center.config.bindings import (
    BacnetSource,
    Connection,
    Device,
    HeartbeatSource,
    ModbusRtu,
    ModbusSource,
    MqttSource,
    Plant,
    PointBinding,
    Protocol,
    ReadLimits,
    SnmpSource,
    Source,
    StatusTopic,
)
from energy_center.config.check_site import check_site, protocol_of
from energy_center.config.documents import Document, read_yaml, validate
from energy_center.config.load_profile import PROFILES_DIR, Profiles
from energy_center.config.profile_model import (
    BacnetPoint,
    HeartbeatPoint,
    ModbusPoint,
    MqttPoint,
    MqttProfile,
    Profile,
    ProfilePoint,
    SnmpPoint,
)
from energy_center.config.site_model import EquipmentEntry, SiteFile
from energy_center.config.targets import target_of
from energy_center.domain.commands import WriteLimits
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind
from energy_center.errors import ConfigError

Address = tuple[str, object]  # connection id, and the unit or publisher within it


def load_site(path: Path, profiles_dir: Path | None = None) -> Plant:
    """Read and check a site file; raises ConfigError that lists all mistakes with file and line."""
    document = read_yaml(path)
    profiles = Profiles(profiles_dir or PROFILES_DIR)
    file = validate(document, SiteFile)
    if file is None:
        raise ConfigError([str(m) for m in sorted(document.mistakes)])
    check_site(document, file, profiles)
    if not document.mistakes and not profiles.mistakes:
        plant = _resolve(file, profiles)
        _check_addresses(document, file, plant)
    if document.mistakes or profiles.mistakes:
        raise ConfigError([str(m) for m in [*sorted(document.mistakes), *sorted(profiles.mistakes)]])
    return plant


def move_connections(plant: Plant, endpoints_file: Path) -> Plant:
    """The plant with hosts and ports from a JSON file `{"connections": {id: {"host", "port"}}}`."""
    try:
        content = json.loads(endpoints_file.read_text(encoding="utf-8"))
        addresses: Mapping[str, Mapping[str, object]] = content.get("connections", content)
        moved = tuple(_moved(c, addresses.get(c.connection_id)) for c in plant.connections)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise ConfigError([f"{endpoints_file}:1: not a file of endpoints: {cause}"]) from cause
    return replace(plant, connections=moved)


def _moved(connection: Connection, to: Mapping[str, object] | None) -> Connection:
    if to is None:
        return connection
    if isinstance(connection.target, ModbusRtu):
        return replace(connection, target=replace(connection.target, port=str(to["port"])))
    target = replace(connection.target, host=str(to["host"]), port=int(str(to["port"])))
    return replace(connection, target=target)


def _spaces(file: SiteFile) -> tuple[Space, ...]:
    head = file.site
    listed = [
        Space(
            s.id,
            None if s.kind is SpaceKind.SITE else s.parent or head.id,
            s.kind,
            s.name,
            s.all_attributes(),
        )
        for s in file.spaces
    ]
    if any(s.space_id == head.id for s in listed):
        return tuple(listed)
    return (Space(head.id, None, SpaceKind.SITE, head.name), *listed)


def _address(file: SiteFile, entry: EquipmentEntry) -> Address | None:
    connection = next((c for c in file.connections if c.id == entry.connection), None)
    if connection is None:
        return None
    if protocol_of(connection) is Protocol.MODBUS:
        return (connection.id, entry.unit_id)
    return (connection.id, entry.id if protocol_of(connection) is Protocol.MQTT else None)


def _device_ids(file: SiteFile) -> dict[Address, str]:
    """The first equipment at an address names the device."""
    names: dict[Address, str] = {}
    for entry in file.equipment:
        address = _address(file, entry)
        if address is not None:
            names.setdefault(address, entry.id)
    return names


def _profile_of(file: SiteFile, profiles: Profiles, entry: EquipmentEntry) -> Profile | None:
    connection = next((c for c in file.connections if c.id == entry.connection), None)
    return profiles.get(protocol_of(connection), entry.profile) if connection and entry.profile else None


def _interval(entry: EquipmentEntry, profile: Profile, point: ProfilePoint) -> float:
    return entry.intervals.get(point.point_name) or entry.interval or point.interval or profile.interval


def _equipment(entry: EquipmentEntry, profile: Profile | None, device_id: str | None) -> Equipment:
    points = () if profile is None else profile.points
    return Equipment(
        equipment_id=entry.id,
        brick_class=entry.brick_class or (profile.brick_class if profile else None) or "Equipment",
        name=entry.name,
        space_id=entry.space,
        connection_id=entry.connection,
        device_id=device_id,
        profile=entry.profile,
        fed_by=entry.fed_by,
        meters=entry.meters,
        attributes=_with_nameplate(entry, profile),
        points=tuple(
            Point(
                entry.id,
                p.point_name,
                p.role,
                _interval(entry, profile, p),
                writable=_writable(entry, p.point_name),
                rollover_at=p.rollover_at,
            )
            for p in points
        )
        if profile
        else (),
    )


def _writable(entry: EquipmentEntry, point: str) -> WriteLimits | None:
    allowed = entry.writable.get(point)
    return allowed.resolved() if allowed else None


def _with_nameplate(entry: EquipmentEntry, profile: Profile | None) -> dict[str, object]:
    nameplate: dict[str, object] = {"maker": profile.maker, "model": profile.model} if profile else {}
    return {**nameplate, **entry.attributes}


def _source(entry: EquipmentEntry, profile: Profile, point: ProfilePoint) -> Source:
    match point:
        case ModbusPoint():
            return ModbusSource(
                unit_id=entry.unit_id or 0,
                table=point.table,
                address=point.address + entry.base,
                type=point.type,
                words=point.words,
                bit=point.bit,
                invalid=point.invalid,
                states=point.enum,
                four_quadrant=point.four_quadrant,
                width=point.width,
                scale_address=None if point.scale_factor is None else point.scale_factor + entry.base,
                models=point.models,
            )
        case BacnetPoint():
            kind, _, instance = point.object.partition(",")
            return BacnetSource(
                kind, int(instance) + entry.base, point.states_by_number(), point.property, point.cov
            )
        case MqttPoint():
            return _mqtt_source(entry, cast("MqttProfile", profile), point)  # its points are of no other
        case SnmpPoint():
            parent, _, last = point.oid.rpartition(".")
            return SnmpSource(f"{parent}.{int(last) + entry.base}", point.type, point.enum, point.invalid)
        case HeartbeatPoint():
            return HeartbeatSource(point.measure)


def _mqtt_source(entry: EquipmentEntry, profile: MqttProfile, point: MqttPoint) -> MqttSource:
    return MqttSource(
        topic=(point.topic or profile.topic).replace("{topic}", entry.topic or ""),
        path=profile.path_of(point.path),
        time_path=profile.path_of(profile.time) if profile.time else None,
        states=point.enum,
        form=profile.form,
        separator=profile.separator,
    )


def _statuses(file: SiteFile, profiles: Profiles) -> dict[str, StatusTopic]:
    """Status topics by equipment: the profile's own, else the connection's pattern."""
    brokers = {c.id: c.mqtt for c in file.connections if c.mqtt is not None}
    found: dict[str, StatusTopic] = {}
    for entry in file.equipment:
        broker = brokers.get(entry.connection or "")
        if broker is None or entry.topic is None:
            continue
        profile = _profile_of(file, profiles, entry)
        own = profile.status_topic if isinstance(profile, MqttProfile) else None
        status = own or broker.status_topic
        if status is not None:
            found[entry.id] = status.resolved(entry.topic)
    return found


def _resolve(file: SiteFile, profiles: Profiles) -> Plant:
    names = _device_ids(file)
    equipment: list[Equipment] = []
    bindings: list[PointBinding] = []
    limits: dict[str, list[ReadLimits]] = {name: [] for name in names.values()}
    for entry in file.equipment:
        address = _address(file, entry)
        device_id = names[address] if address else None
        profile = _profile_of(file, profiles, entry)
        equipment.append(_equipment(entry, profile, device_id))
        if profile is None or device_id is None or entry.connection is None:
            continue
        limits[device_id].append(profile.limits.resolved(entry.base))
        bindings.extend(
            PointBinding(
                key=(entry.id, point.point_name),
                role=point.role,
                connection_id=entry.connection,
                device_id=device_id,
                interval_s=_interval(entry, profile, point),
                scaling=point.scaling,
                source=_source(entry, profile, point),
                writable=_writable(entry, point.point_name),
            )
            for point in profile.points
        )
    site = Site(
        file.site.id, file.site.name, file.site.time_zone, _spaces(file), tuple(equipment), file.rules
    )
    connections = tuple(Connection(c.id, target_of(c)) for c in file.connections)
    statuses = _statuses(file, profiles)
    devices = tuple(
        Device(
            name,
            connection,
            unit if isinstance(unit, int) else None,
            _strictest(limits[name]),
            statuses.get(name),
        )
        for (connection, unit), name in names.items()
    )
    return Plant(site, connections, devices, tuple(bindings))


def _strictest(limits: Sequence[ReadLimits]) -> ReadLimits:
    if not limits:
        return ReadLimits()
    return ReadLimits(
        min(x.max_registers for x in limits),
        min(x.max_gap for x in limits),
        min(x.max_in_flight for x in limits),
        tuple(sorted({hole for x in limits for hole in x.holes})),
        min(x.max_oids for x in limits),
    )


def _places(binding: PointBinding) -> list[tuple[object, ...]]:
    """Every place on the wire that a value takes; two equipment may not share one."""
    source = binding.source
    match source:
        case ModbusSource():
            first = source.bit or 0
            bits = [None] if source.bit is None else list(range(first, first + source.width))
            return [
                (binding.connection_id, source.unit_id, source.table, source.models, address, bit)
                for address in range(source.address, source.address + source.type.registers)
                for bit in bits
            ]
        case BacnetSource():
            return [(binding.connection_id, source.object_type, source.instance, source.property)]
        case MqttSource():
            return [(binding.connection_id, source.topic, source.path)]
        case SnmpSource():
            return [(binding.connection_id, source.oid)]
        case HeartbeatSource():
            return [(binding.connection_id, source.measure)]


def _check_addresses(document: Document, file: SiteFile, plant: Plant) -> None:
    index = {e.id: i for i, e in enumerate(file.equipment)}
    owner: dict[tuple[object, ...], PointBinding] = {}
    told: set[tuple[str, str]] = set()
    for binding in plant.bindings:
        for place in _places(binding):
            other = owner.setdefault(place, binding)
            pair = (other.key[0], binding.key[0])
            if other.key[0] == binding.key[0] or pair in told:
                continue
            told.add(pair)
            line = document.line(("equipment", index[pair[0]]))
            document.mistake(
                ("equipment", index[pair[1]]),
                f"equipment '{pair[1]}': its '{binding.key[1]}' lies where '{pair[0]}' (line {line}) has its "
                f"'{other.key[1]}'; give it another connection, unit_id, topic or base",
            )
