"""How each point is reached on the wire, resolved: what collectors work from. Values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from energy_center.domain.commands import WriteLimits
from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.domain.units import Linear

PointKey = tuple[str, str]  # equipment id, point name


class Protocol(StrEnum):
    """Families of devices; also the folder of their profiles."""

    MODBUS = "modbus"
    BACNET = "bacnet"
    MQTT = "mqtt"
    SNMP = "snmp"
    HEARTBEAT = "heartbeat"


class PayloadForm(StrEnum):
    """How an MQTT payload is written; plain is a lone number or word."""

    JSON = "json"
    PLAIN = "plain"
    CSV = "csv"
    SPARKPLUG_B = "sparkplug_b"


class Table(StrEnum):
    """The four address spaces of a Modbus unit."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        """One bit an address rather than a 16-bit register."""
        return self in (Table.COIL, Table.DISCRETE)


class RegisterType(StrEnum):
    """How a value lies in 16-bit registers; `bcd` is packed, four decimal digits a register."""

    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BOOL = "bool"

    @property
    def registers(self) -> int:
        """How many registers (or bits) it takes."""
        return {"16": 1, "32": 2, "64": 4}.get(self.value[-2:], 1)

    @property
    def is_bcd(self) -> bool:
        """Decimal digits in nibbles."""
        return self.value.startswith("bcd")

    @property
    def modulus(self) -> float | None:
        """The raw number at which a counter of this type begins again at 0.

        A signed one stops at half its width (it counts up from 0). None for floats, which do not wrap, and
        for 64-bit integers, which no counter fills.
        """
        bits = 16 * self.registers
        if self.is_bcd:
            return 10.0 ** (bits // 4)
        if self in (RegisterType.U16, RegisterType.U32):
            return 2.0**bits
        return 2.0 ** (bits - 1) if self in (RegisterType.I16, RegisterType.I32) else None


class WordOrder(StrEnum):
    """Which register of a 32 or 64 bit value comes first: the high word (big) or the low word (little).

    The swapped ones have the two bytes of each register exchanged as well.
    """

    BIG = "big"
    LITTLE = "little"
    BIG_SWAPPED = "big_swapped"
    LITTLE_SWAPPED = "little_swapped"

    @property
    def low_word_first(self) -> bool:
        """The first register is the least significant."""
        return self in (WordOrder.LITTLE, WordOrder.LITTLE_SWAPPED)

    @property
    def bytes_swapped(self) -> bool:
        """The first byte of a register is its low one."""
        return self in (WordOrder.BIG_SWAPPED, WordOrder.LITTLE_SWAPPED)


class Framing(StrEnum):
    """How requests lie in a TCP stream: with the header of Modbus TCP, or as on a serial line."""

    TCP = "tcp"
    RTU = "rtu"


class Parity(StrEnum):
    """Of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class ModbusTcp:
    """A Modbus TCP device or gateway. `min_gap_s` is the pause it needs between two requests.

    `turnaround_s` is what a device takes before it answers, `baud_rate` the speed of the serial line behind a
    gateway: with them the load of the bus is foretold; nothing is sent by them.
    """

    host: str
    port: int = 502
    min_gap_s: float = 0.0
    timeout_s: float = 1.0
    framing: Framing = Framing.TCP
    baud_rate: int | None = None
    turnaround_s: float = 0.02


@dataclass(frozen=True, slots=True)
class ModbusRtu:
    """A serial line with Modbus units on it; eight data bits, as RTU demands."""

    port: str
    baud_rate: int = 9600
    parity: Parity = Parity.EVEN
    stop_bits: int = 1
    min_gap_s: float = 0.0
    timeout_s: float = 1.0
    turnaround_s: float = 0.02


@dataclass(frozen=True, slots=True)
class BacnetIp:
    """One BACnet/IP device by address and device instance.

    Behind a router, host and port are the router's, and the device is `station` on `network`; `baud_rate` is
    the speed of that network where it is an MS/TP line. With `bbmd` (`host:port`) we register there as a
    foreign device, which only broadcasts need. `turnaround_s` is what a device takes before it answers.
    """

    host: str
    port: int
    device: int
    timeout_s: float = 4.0
    network: int | None = None
    station: str | None = None
    bbmd: str | None = None
    baud_rate: int | None = None
    turnaround_s: float = 0.05


@dataclass(frozen=True, slots=True)
class MqttBroker:
    """A broker; the password stands in the environment variable `password_env`, never in a file.

    `ca_file` trusts an authority of our own; `certificate` and `key` are the client's, in PEM. With `share`
    the collectors of that group get each message once between them.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_env: str | None = None
    tls: bool = False
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    share: str | None = None


class SnmpAuth(StrEnum):
    """Hash by which SNMPv3 messages are authenticated (RFC 3414, RFC 7860)."""

    MD5 = "md5"
    SHA = "sha"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class SnmpPrivacy(StrEnum):
    """Cipher of SNMPv3 messages (RFC 3414, RFC 3826; the longer keys as Reeder's draft extends them)."""

    DES = "des"
    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"


class SnmpType(StrEnum):
    """What an object's value is (RFC 2578, 7.1); `text` is an octet string of a number or word."""

    INTEGER = "integer"
    GAUGE32 = "gauge32"
    COUNTER32 = "counter32"
    COUNTER64 = "counter64"
    TIMETICKS = "timeticks"
    TEXT = "text"

    @property
    def modulus(self) -> float | None:
        """The number at which a counter begins again at 0; None for 64 bits, which none fills."""
        return 2.0**32 if self in (SnmpType.COUNTER32, SnmpType.GAUGE32, SnmpType.TIMETICKS) else None


@dataclass(frozen=True, slots=True)
class SnmpAgent:
    """An SNMP agent: version 3 with a `user`, else 2c with a community.

    Secrets stand in environment variables: `community_env` (without it the community is `public`),
    `auth_password_env`, `privacy_password_env`.
    """

    host: str
    port: int = 161
    timeout_s: float = 2.0
    community_env: str | None = None
    user: str | None = None
    auth: SnmpAuth | None = None
    auth_password_env: str | None = None
    privacy: SnmpPrivacy | None = None
    privacy_password_env: str | None = None
    context: str = ""


class Check(StrEnum):
    """By what a system shows that it is there."""

    TCP = "tcp"
    ICMP = "icmp"
    HTTP = "http"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A system that is only watched for being there.

    `path` is asked for by HTTP; `ca_file` holds the authority that HTTPS trusts in place of the public ones.
    """

    host: str
    port: int
    check: Check = Check.TCP
    timeout_s: float = 2.0
    path: str = "/"
    ca_file: str | None = None


Target = ModbusTcp | ModbusRtu | BacnetIp | MqttBroker | SnmpAgent | Heartbeat


@dataclass(frozen=True, slots=True)
class Connection:
    """One bus, device or broker that a collector keeps a connection to."""

    connection_id: str
    target: Target

    @property
    def protocol(self) -> Protocol:
        """The family of profiles that its equipment uses."""
        match self.target:
            case ModbusTcp() | ModbusRtu():
                return Protocol.MODBUS
            case BacnetIp():
                return Protocol.BACNET
            case MqttBroker():
                return Protocol.MQTT
            case SnmpAgent():
                return Protocol.SNMP
            case Heartbeat():
                return Protocol.HEARTBEAT


@dataclass(frozen=True, slots=True)
class ModbusSource:
    """Where a value lies in a unit, by wire address; raw values in `invalid` mean that there is no value.

    `four_quadrant` marks a power factor coded by quadrant: beyond 1 it is 2 - x, below -1 it is -2 - x.
    A bit field is `width` bits from `bit` up. `scale_address` is a register that holds a power of ten, read
    in the same request. With `models`, addresses count from the start of the first of these SunSpec models
    that the device has.
    """

    unit_id: int
    table: Table
    address: int
    type: RegisterType
    words: WordOrder = WordOrder.BIG
    bit: int | None = None
    invalid: tuple[float, ...] = ()
    states: Mapping[int, float] = field(default_factory=dict, hash=False)
    four_quadrant: bool = False
    width: int = 1
    scale_address: int | None = None
    models: tuple[int, ...] = ()

    @property
    def start(self) -> int:
        """First address of the value or its scale factor."""
        return self.address if self.scale_address is None else min(self.address, self.scale_address)

    @property
    def end(self) -> int:
        """First address after the value and its scale factor."""
        after = self.address + self.type.registers
        return after if self.scale_address is None else max(after, self.scale_address + 1)


@dataclass(frozen=True, slots=True)
class BacnetSource:
    """A property of a BACnet object, for example the present value of `analog-input` 3.

    `property` may be one of the status flags, as `in-alarm`. `cov`: changes are subscribed to as well; the
    point is read at its interval all the same.
    """

    object_type: str
    instance: int
    states: Mapping[int, float] = field(default_factory=dict, hash=False)
    property: str = "present-value"
    cov: bool = False


@dataclass(frozen=True, slots=True)
class MqttSource:
    """A number inside a message, and the message's own time stamp where it has one.

    `path` leads into JSON, is the column (from 1) of CSV or the metric of Sparkplug B; empty: a lone value.
    `states` turns words and codes into stored states.
    """

    topic: str
    path: tuple[str, ...]
    time_path: tuple[str, ...] | None = None
    states: Mapping[int | str, float] = field(default_factory=dict, hash=False)
    form: PayloadForm = PayloadForm.JSON
    separator: str = ","


@dataclass(frozen=True, slots=True)
class SnmpSource:
    """One object instance by its OID; `states` turns codes and words into stored states."""

    oid: str
    type: SnmpType
    states: Mapping[int | str, float] = field(default_factory=dict, hash=False)
    invalid: tuple[float, ...] = ()


class Measure(StrEnum):
    """What a heartbeat tells: whether the system answered, and how long its answer took, in ms."""

    REACHABLE = "reachable"
    ROUND_TRIP = "round_trip"


@dataclass(frozen=True, slots=True)
class HeartbeatSource:
    """One of the two numbers of a heartbeat."""

    measure: Measure


Source = ModbusSource | BacnetSource | MqttSource | SnmpSource | HeartbeatSource


@dataclass(frozen=True, slots=True)
class PointBinding:
    """A point and where it comes from. `scaling` goes from the raw number to the role's unit.

    `writable` is None unless the site file allows writes to it.
    """

    key: PointKey
    role: Role
    connection_id: str
    device_id: str
    interval_s: float
    scaling: Linear
    source: Source
    writable: WriteLimits | None = None


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What a device bears: registers a request, unused registers worth reading across, requests in flight.

    `holes` are spans of addresses, first and last, that no request may touch: the device refuses them.
    `max_oids` are objects a request of SNMP.
    """

    max_registers: int = 120
    max_gap: int = 16
    max_in_flight: int = 1
    holes: tuple[tuple[int, int], ...] = ()
    max_oids: int = 20


@dataclass(frozen=True, slots=True)
class StatusTopic:
    """Where a publisher, or its last will, says whether it is there; `path` leads into a JSON payload."""

    topic: str
    online: str
    offline: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """What answers or is silent as one: a Modbus unit, a BACnet device, an MQTT publisher."""

    device_id: str
    connection_id: str
    unit_id: int | None = None
    limits: ReadLimits = field(default_factory=ReadLimits)
    status: StatusTopic | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """A site and the way to every point of it."""

    site: Site
    connections: tuple[Connection, ...]
    devices: tuple[Device, ...]
    bindings: tuple[PointBinding, ...]
