"""The site file as a person writes it: keys, types and limits. References are checked in `check_site`."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from energy_center.config.bindings import Check, Framing, Parity, SnmpAuth, SnmpPrivacy
from energy_center.config.fields import Id, Interval, Name, Seconds, StatusEntry, Strict, ZoneName
from energy_center.domain.commands import FIRST_FREE_PRIORITY, LAST_PRIORITY, PROGRAM_PRIORITY, WriteLimits
from energy_center.domain.site import SpaceKind

EnvName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
BaudRate = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]


class SiteHead(Strict):
    """What the whole site is called, and its civil time."""

    id: Id
    name: Name
    time_zone: ZoneName = "Asia/Taipei"


class ContractEntry(Strict):
    """`{from: 2026-01-01, kw: {regular: 1500, half_peak: 100}}`: agreed capacity from a date on."""

    since: date = Field(alias="from")
    kw: dict[str, Annotated[float, Field(ge=0)]] = Field(min_length=1)


class AccountEntry(Strict):
    """What the utility knows of the building beside its tariff; for bills.

    `power_factors` by month (`2026-07: 93`) as printed on the bill, percent. `told_days` are the days of
    variable peak that the utility announced.
    """

    contracts: tuple[ContractEntry, ...] = ()
    vat_exempt: bool = False
    connection: str | None = None
    told_days: tuple[date, ...] = ()
    items: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    power_factors: dict[
        Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")], Annotated[float, Field(gt=0, le=100)]
    ] = Field(default_factory=dict)


class DepartmentEntry(Strict):
    """`{id: finance, name: {zh-TW: 財政局, en: Finance}, area_m2: 900, headcount: 41}`: its part of a space.

    A department on several floors stands under each of them with what it has there. One with a meter of its
    own is named by that meter: `meters: finance`.
    """

    id: Id
    name: Name
    area_m2: float = Field(gt=0)
    headcount: int | None = Field(default=None, ge=0)

    def facts(self) -> dict[str, object]:
        """As it is kept with its space."""
        words = {"zh-TW": self.name.zh_tw, "en": self.name.en}
        return {"id": self.id, "name": words, "area_m2": self.area_m2, "headcount": self.headcount}


class SpaceEntry(Strict):
    """A building, floor, zone or room; without a parent it lies directly in the site."""

    id: Id
    parent: Id | None = None
    kind: SpaceKind
    name: Name
    area_m2: float | None = Field(default=None, gt=0)
    headcount: int | None = Field(default=None, ge=0)
    contract_kw: float | None = Field(default=None, gt=0)
    tariff: str | None = None
    industry_factor: str | float | None = None
    holidays: str | None = None
    account: AccountEntry | None = None
    departments: tuple[DepartmentEntry, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)

    def all_attributes(self) -> dict[str, object]:
        """Named and free attributes in one mapping, absent ones left out."""
        named = ("area_m2", "headcount", "contract_kw", "tariff", "industry_factor", "holidays")
        given = {name: getattr(self, name) for name in named if getattr(self, name) is not None}
        if self.account is not None:
            given["account"] = self.account.model_dump(mode="json", by_alias=True)
        if self.departments:
            given["departments"] = [d.facts() for d in self.departments]
        return {**self.attributes, **given}


class ModbusTcpEntry(Strict):
    """`modbus-tcp: {host: 10.0.3.11, port: 502, min_gap: 20ms}`."""

    host: str
    port: Port = 502
    min_gap: Seconds = 0.0
    timeout: Interval = 1.0
    framing: Framing = Framing.TCP
    baud_rate: BaudRate | None = None
    turnaround: Seconds = 0.02


class ModbusRtuEntry(Strict):
    """`modbus-rtu: {port: /dev/ttyUSB0, baud_rate: 9600, parity: even, stop_bits: 1}`."""

    port: str = Field(min_length=1)
    baud_rate: BaudRate = 9600
    parity: Parity = Parity.EVEN
    stop_bits: int = Field(default=1, ge=1, le=2)
    min_gap: Seconds = 0.0
    timeout: Interval = 1.0
    turnaround: Seconds = 0.02


class BacnetIpEntry(Strict):
    """`bacnet-ip: {host: 10.0.4.20, device: 1001}`.

    Behind a router: `{host: <router>, network: 2001, station: "5", device: 1001}`, where the station is an
    MS/TP address, `host:port`, or octets as `0x0a000507bac0`; of an MS/TP line `baud_rate: 38400` as well.
    Across subnets: `bbmd: "10.0.9.1:47808"`. `turnaround: 80ms` is what the device takes to answer.
    """

    host: str
    port: Port = 47808
    device: int = Field(ge=0, le=4194302)
    timeout: Interval = 4.0
    network: int | None = Field(default=None, ge=1, le=65534)
    station: str | None = Field(
        default=None, pattern=r"^(\d{1,3}|0x([0-9a-fA-F]{2})+|\d+\.\d+\.\d+\.\d+(:\d+)?)$"
    )
    bbmd: str | None = Field(default=None, pattern=r"^\d+\.\d+\.\d+\.\d+(:\d+)?$")
    baud_rate: int | None = Field(default=None, ge=9600, le=115_200)  # of MS/TP, 9.2.3
    turnaround: Seconds = 0.05

    @model_validator(mode="after")
    def _station_on_network(self) -> "BacnetIpEntry":
        if (self.network is None) != (self.station is None):
            raise ValueError("network and station go together: which device behind the router at host")
        if self.baud_rate is not None and not (self.station or "").isdigit():
            raise ValueError("baud_rate is of an MS/TP line: network and a station from 0 to 254 go with it")
        return self


class MqttEntry(Strict):
    """`mqtt: {host: broker, username: collector, password_env: MQTT_PASSWORD, tls: true}`.

    `ca_file`, `certificate` and `key` are paths of PEM files; `share` is a group of collectors.
    """

    host: str
    port: Port = 1883
    username: str | None = None
    password_env: EnvName | None = None
    tls: bool = False
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    share: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    status_topic: StatusEntry | None = None

    @model_validator(mode="after")
    def _certificates_need_tls(self) -> "MqttEntry":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if not self.tls and (self.ca_file or self.certificate):
            raise ValueError("ca_file, certificate and key need tls: true")
        return self


class SnmpEntry(Strict):
    """`snmp: {host: ups, community_env: UPS_COMMUNITY}`, or version 3 with a user.

    `{host: ups, user: watch, auth: sha256, auth_password_env: A, privacy: aes128, privacy_password_env: B}`.
    """

    host: str
    port: Port = 161
    timeout: Interval = 2.0
    community_env: EnvName | None = None
    user: str | None = Field(default=None, min_length=1, max_length=32)
    auth: SnmpAuth | None = None
    auth_password_env: EnvName | None = None
    privacy: SnmpPrivacy | None = None
    privacy_password_env: EnvName | None = None
    context: str = ""

    @model_validator(mode="after")
    def _keys_go_together(self) -> "SnmpEntry":
        if self.user is not None and self.community_env is not None:
            raise ValueError("community_env is for version 2c, user for version 3; give one of them")
        if self.user is None and (self.auth or self.privacy or self.context):
            raise ValueError("auth, privacy and context are of version 3 and need a user")
        if (self.auth is None) != (self.auth_password_env is None):
            raise ValueError("auth and auth_password_env go together")
        if (self.privacy is None) != (self.privacy_password_env is None):
            raise ValueError("privacy and privacy_password_env go together")
        if self.privacy is not None and self.auth is None:
            raise ValueError("privacy needs auth (RFC 3414 has no privacy without it)")
        return self


_DEFAULT_PORTS = {Check.HTTP: 80, Check.HTTPS: 443, Check.ICMP: 0}


class HeartbeatEntry(Strict):
    """`heartbeat: {host: nvr.example, check: tcp, port: 554}`; `check` is tcp, icmp, http or https."""

    host: str = Field(min_length=1)
    check: Check = Check.TCP
    port: Port | None = None
    timeout: Interval = 2.0
    path: str = Field(default="/", pattern=r"^/")
    ca_file: str | None = None

    @property
    def resolved_port(self) -> int:
        """The given port, else the check's own; 0 for ICMP, which has none."""
        return self.port or _DEFAULT_PORTS.get(self.check, 0)

    @model_validator(mode="after")
    def _fits_check(self) -> "HeartbeatEntry":
        if self.check is Check.TCP and self.port is None:
            raise ValueError("check tcp needs a port")
        if self.check is Check.ICMP and self.port is not None:
            raise ValueError("check icmp has no port")
        if self.path != "/" and self.check not in (Check.HTTP, Check.HTTPS):
            raise ValueError("path is for check http and https")
        if self.ca_file is not None and self.check is not Check.HTTPS:
            raise ValueError("ca_file is for check https")
        return self


class ConnectionEntry(Strict):
    """One connection; exactly one protocol key."""

    id: Id
    modbus_tcp: ModbusTcpEntry | None = Field(default=None, alias="modbus-tcp")
    modbus_rtu: ModbusRtuEntry | None = Field(default=None, alias="modbus-rtu")
    bacnet_ip: BacnetIpEntry | None = Field(default=None, alias="bacnet-ip")
    mqtt: MqttEntry | None = None
    snmp: SnmpEntry | None = None
    heartbeat: HeartbeatEntry | None = None

    @model_validator(mode="after")
    def _one_protocol(self) -> "ConnectionEntry":
        keys = {name: field.alias or name for name, field in type(self).model_fields.items() if name != "id"}
        if sum(getattr(self, name) is not None for name in keys) != 1:
            raise ValueError(f"needs exactly one of {', '.join(keys.values())}")
        return self


class WritableEntry(Strict):
    """`writable: {schedule: {min: 0, max: 1, max_duration: 4h}}`: in the role's unit; off without it."""

    min: float
    max: float
    priority: int = Field(default=PROGRAM_PRIORITY, ge=FIRST_FREE_PRIORITY, le=LAST_PRIORITY)
    max_duration: Interval = 14_400.0

    @model_validator(mode="after")
    def _in_order(self) -> "WritableEntry":
        if not self.min <= self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    def resolved(self) -> WriteLimits:
        """As commands are checked by."""
        return WriteLimits(self.min, self.max, self.priority, self.max_duration)


class EquipmentEntry(Strict):
    """A thing in the building. With a profile it has points; without, it is a node that others are fed by."""

    id: Id
    brick_class: str | None = Field(default=None, alias="class")
    name: Name
    space: Id
    connection: Id | None = None
    unit_id: int | None = Field(default=None, ge=0, le=255)
    base: int = Field(default=0, ge=0, le=4194302)
    topic: str | None = Field(default=None, min_length=1, pattern=r"^[^+#]+$")
    profile: str | None = None
    interval: Interval | None = None
    intervals: dict[str, Interval] = Field(default_factory=dict)
    writable: dict[str, WritableEntry] = Field(default_factory=dict)
    fed_by: Id | None = None
    meters: Id | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class SiteFile(Strict):
    """The whole site file."""

    site: SiteHead
    spaces: tuple[SpaceEntry, ...]
    connections: tuple[ConnectionEntry, ...] = ()
    equipment: tuple[EquipmentEntry, ...] = ()
    rules: dict[str, dict[str, float]] = Field(default_factory=dict)
