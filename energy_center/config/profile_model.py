"""Device profiles as data: which quantity lies where, in which unit, and on which page of the manual."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from energy_center.config.bacnet_words import WORDS
from energy_center.config.bindings import (
    Measure,
    PayloadForm,
    ReadLimits,
    RegisterType,
    SnmpType,
    Table,
    WordOrder,
)
from energy_center.config.fields import Interval, StatusEntry, Strict
from energy_center.domain.quantities import QUANTITIES, Kind, Role
from energy_center.domain.units import Linear, UnitMismatch, conversion, same_dimension

Raw = int


class Golden(Strict):
    """Raw words as the manual or a capture shows them, and the number in the role's unit that they mean."""

    raw: tuple[int, ...] = Field(min_length=1)
    value: float | None  # null: these words mean that there is no value
    scale_factor: int | None = None  # the word in the scale factor's register


def _as_list(written: object) -> object:
    return written if isinstance(written, list | tuple) else [written]


class _Point(Strict):
    role: Role
    name: str | None = Field(default=None, pattern=r"^[a-z0-9_]+$")
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    interval: Interval | None = None
    enum: dict[Raw, float] = Field(default_factory=dict)

    @property
    def point_name(self) -> str:
        """The point's name in its equipment."""
        return self.name or self.role.value

    @property
    def rollover_at(self) -> float | None:
        """Where a counter begins again at 0, in the role's unit; None where that is not known."""
        return None

    @property
    def scaling(self) -> Linear:
        """From the raw number to the role's unit."""
        wanted = QUANTITIES[self.role].unit
        return Linear(self.scale, self.offset).then(conversion(self.unit or wanted, wanted))

    @model_validator(mode="after")
    def _unit_fits_role(self) -> "_Point":
        wanted = QUANTITIES[self.role].unit
        try:
            conversion(self.unit or wanted, wanted)
        except UnitMismatch as cause:
            allowed = ", ".join(same_dimension(wanted))
            raise ValueError(f"{cause}; {self.role} is stored in {wanted}, allowed are {allowed}") from cause
        return self


class ModbusPoint(_Point):
    """One register value. `address` is the wire address (from 0), `scale` and `offset` give its unit."""

    table: Table
    address: int = Field(ge=0, le=65535)
    type: RegisterType
    words: WordOrder = WordOrder.BIG
    bit: int | None = Field(default=None, ge=0, le=15)
    invalid: tuple[float, ...] = ()
    four_quadrant: bool = False
    width: int = Field(default=1, ge=1, le=16)
    models: tuple[int, ...] = ()
    scale_factor: int | None = Field(default=None, ge=0, le=65535)
    rollover: float | None = Field(default=None, gt=0)
    manual: str = Field(min_length=3)
    golden: Annotated[tuple[Golden, ...], BeforeValidator(_as_list)] = ()

    @property
    def rollover_at(self) -> float | None:
        """Where a counter begins again at 0, in the role's unit: as the manual says, else by its width."""
        quantity = QUANTITIES[self.role]
        if quantity.kind is not Kind.COUNTER or self.scale_factor is not None:
            return None
        if self.rollover is not None:
            return conversion(self.unit or quantity.unit, quantity.unit)(self.rollover)
        modulus = self.type.modulus
        return None if modulus is None else abs(modulus * self.scaling.factor)

    @model_validator(mode="after")
    def _shape_fits(self) -> "ModbusPoint":
        if self.table.is_bits and self.type is not RegisterType.BOOL:
            raise ValueError(f"table {self.table} holds bits; type must be bool")
        if self.address + self.type.registers > 65536:  # noqa: PLR2004  addresses are 16 bits
            raise ValueError("the value reaches beyond address 65535")
        return self

    @model_validator(mode="after")
    def _bits_fit(self) -> "ModbusPoint":
        if self.type is RegisterType.BOOL and not self.table.is_bits and self.bit is None:
            raise ValueError("a bool in a register needs its bit (0 is the lowest)")
        if self.bit is not None and self.type not in (RegisterType.BOOL, RegisterType.U16):
            raise ValueError("bit goes with type bool, or u16 for a field of several bits")
        if self.width > 1 and (self.bit is None or self.bit + self.width > 16):  # noqa: PLR2004  of a register
            raise ValueError("a field of several bits needs its lowest bit, and ends within its register")
        return self

    @model_validator(mode="after")
    def _rollover_is_a_counter(self) -> "ModbusPoint":
        if self.rollover is not None and QUANTITIES[self.role].kind is not Kind.COUNTER:
            raise ValueError(f"rollover belongs to a counter; {self.role} is none")
        return self


def _states_by_word(written: object) -> object:
    if isinstance(written, dict) and any(isinstance(key, bool) for key in written):
        raise ValueError(
            "quote the words on, off, yes, no, true and false: YAML takes them for something else"
        )
    return written


class BacnetPoint(_Point):
    """An object's present value, its alarm or fault state, or one of its flags; `object` as `analog-input,1`.

    `enum` of an event state or reliability takes the standard's words: `{normal: 0, offnormal: 1}`.
    `cov`: the device tells changes of the present value on its own, besides being read at the interval.
    """

    object: str = Field(
        pattern=r"^(analog|binary|multi-state)-(input|output|value),\d+$"
        r"|^(accumulator|integer-value|large-analog-value|positive-integer-value|schedule|loop),\d+$"
    )
    property: Literal[
        "present-value",
        "event-state",
        "reliability",
        "in-alarm",
        "fault",
        "overridden",
        "out-of-service",
        "elapsed-active-time",
        "change-of-state-count",
        "feedback-value",
    ] = "present-value"
    enum: Annotated[dict[Raw | str, float], BeforeValidator(_states_by_word)] = Field(  # type: ignore[assignment]
        default_factory=dict
    )
    cov: bool = False
    manual: str | None = None

    def states_by_number(self) -> dict[int, float]:
        """Stored states by the standard's numbers."""
        words = WORDS.get(self.property, {})
        return {words[raw] if isinstance(raw, str) else raw: state for raw, state in self.enum.items()}

    @model_validator(mode="after")
    def _words_are_known(self) -> "BacnetPoint":
        words = WORDS.get(self.property, {})
        for raw in self.enum:
            if isinstance(raw, str) and raw not in words:
                allowed = f"numbers, {', '.join(words)}" if words else "numbers"
                raise ValueError(f"enum of {self.property} has '{raw}'; allowed are {allowed}")
        return self

    @model_validator(mode="after")
    def _told_is_present_value(self) -> "BacnetPoint":
        if self.cov and self.property != "present-value":
            raise ValueError(f"cov tells the present value; {self.property} is read at its interval")
        return self


class MqttPoint(_Point):
    """One number of a message; `path` is dotted for JSON, a column from 1 for CSV, a metric for Sparkplug B.

    `enum` takes words as well as numbers; `topic` replaces the profile's for devices with a topic a value.
    """

    path: str = ""
    topic: str | None = None
    enum: Annotated[dict[Raw | str, float], BeforeValidator(_states_by_word)] = Field(  # type: ignore[assignment]
        default_factory=dict
    )
    manual: str | None = None


class GoldenValue(Strict):
    """A value as an agent sends it, and the number in the role's unit that it means; null for no value."""

    raw: int | str
    value: float | None


class SnmpPoint(_Point):
    """One object instance; the equipment's `base` is added to the last number of `oid`.

    A code that `enum` does not name is no reading, so that an unknown state is never taken for a known one.
    """

    oid: str = Field(pattern=r"^1(\.\d+){5,}$")
    type: SnmpType = SnmpType.INTEGER
    enum: Annotated[dict[Raw | str, float], BeforeValidator(_states_by_word)] = Field(  # type: ignore[assignment]
        default_factory=dict
    )
    invalid: tuple[float, ...] = ()
    manual: str = Field(min_length=3)
    golden: Annotated[tuple[GoldenValue, ...], BeforeValidator(_as_list)] = ()

    @property
    def rollover_at(self) -> float | None:
        """Where a counter begins again at 0, in the role's unit, by its type."""
        if QUANTITIES[self.role].kind is not Kind.COUNTER or self.type.modulus is None:
            return None
        return abs(self.type.modulus * self.scaling.factor)


class HeartbeatPoint(_Point):
    """Whether a system answers, or how long its answer takes (in ms)."""

    measure: Measure


class Limits(Strict):
    """What the device bears, as its manual states."""

    max_registers: int = Field(default=120, ge=1, le=125)
    max_gap: int = Field(default=16, ge=0, le=120)
    max_in_flight: int = Field(default=1, ge=1, le=16)
    max_oids: int = Field(default=20, ge=1, le=100)
    holes: tuple[tuple[int, int], ...] = ()  # first and last address; no request touches them

    def resolved(self, base: int = 0) -> ReadLimits:
        """As collectors use it, for equipment whose addresses are moved by `base`."""
        holes = tuple((first + base, last + base) for first, last in self.holes)
        return ReadLimits(self.max_registers, self.max_gap, self.max_in_flight, holes, self.max_oids)


class _Profile(Strict):
    maker: str
    model: str
    source: str | dict[str, Any]
    brick_class: str | None = Field(default=None, alias="class")
    interval: Interval = 60.0
    limits: Limits = Limits()
    notes: str | None = None


class ModbusProfile(_Profile):
    """Register map of a device."""

    protocol: Literal["modbus"]
    points: tuple[ModbusPoint, ...]


class BacnetProfile(_Profile):
    """Object list of a controller's application."""

    protocol: Literal["bacnet"]
    points: tuple[BacnetPoint, ...]


class MqttProfile(_Profile):
    """What a publisher sends: `topic` with `{topic}` for the equipment's, `time` the path of its stamp."""

    protocol: Literal["mqtt"]
    topic: str = "{topic}"
    form: PayloadForm = PayloadForm.JSON
    separator: str = Field(default=",", min_length=1, max_length=1)
    time: str | None = None
    status_topic: StatusEntry | None = None
    points: tuple[MqttPoint, ...]

    def path_of(self, written: str) -> tuple[str, ...]:
        """The parts of a path in this profile's form."""
        if not written:
            return ()
        return tuple(written.split(".")) if self.form is PayloadForm.JSON else (written,)

    @model_validator(mode="after")
    def _paths_fit(self) -> "MqttProfile":
        for point in self.points:
            if self.form is PayloadForm.PLAIN and (point.path or self.time):
                raise ValueError(f"{point.point_name}: a plain value has no path and no time")
            if self.form is PayloadForm.CSV and not (point.path.isdigit() and int(point.path) > 0):
                raise ValueError(f"{point.point_name}: path of CSV is a column, counted from 1")
            if self.form is PayloadForm.SPARKPLUG_B and not point.path:
                raise ValueError(f"{point.point_name}: path is the metric's name")
        return self


class SnmpProfile(_Profile):
    """Objects of an agent."""

    protocol: Literal["snmp"]
    points: tuple[SnmpPoint, ...]


class HeartbeatProfile(_Profile):
    """What is told of a system that is only watched for being there."""

    protocol: Literal["heartbeat"]
    points: tuple[HeartbeatPoint, ...]


Profile = ModbusProfile | BacnetProfile | MqttProfile | SnmpProfile | HeartbeatProfile
ProfilePoint = ModbusPoint | BacnetPoint | MqttPoint | SnmpPoint | HeartbeatPoint
