"""Reads device profiles, each once; their mistakes are reported with the profile's own file and line."""

from dataclasses import dataclass, field
from pathlib import Path

from energy_center.config.bindings import Protocol
from energy_center.config.documents import Document, Mistake, read_yaml, validate
from energy_center.config.profile_model import (
    BacnetProfile,
    HeartbeatProfile,
    ModbusProfile,
    MqttProfile,
    Profile,
    SnmpProfile,
)
from energy_center.errors import ConfigError

PROFILES_DIR = Path(__file__).resolve().parents[2] / "collectors" / "profiles"
_MODELS: dict[Protocol, type[Profile]] = {
    Protocol.MODBUS: ModbusProfile,
    Protocol.BACNET: BacnetProfile,
    Protocol.MQTT: MqttProfile,
    Protocol.SNMP: SnmpProfile,
    Protocol.HEARTBEAT: HeartbeatProfile,
}


@dataclass(slots=True)
class Profiles:
    """The profiles of one folder, loaded when asked for."""

    folder: Path = PROFILES_DIR
    mistakes: list[Mistake] = field(default_factory=list)
    _loaded: dict[tuple[Protocol, str], Profile | None] = field(default_factory=dict)

    def names(self, protocol: Protocol) -> list[str]:
        """Names of all profiles of a protocol."""
        return sorted(p.stem for p in (self.folder / protocol.value).glob("*.yaml"))

    def get(self, protocol: Protocol, name: str) -> Profile | None:
        """The profile, or None when it does not exist or is wrong (then `mistakes` says why)."""
        key = (protocol, name)
        if key not in self._loaded:
            self._loaded[key] = self._load(protocol, name)
        return self._loaded[key]

    def exists(self, protocol: Protocol, name: str) -> bool:
        """Whether there is such a file, right or wrong."""
        return name in self.names(protocol)

    def _load(self, protocol: Protocol, name: str) -> Profile | None:
        if not self.exists(protocol, name):
            return None
        document = read_yaml(self.folder / protocol.value / f"{name}.yaml")
        profile = validate(document, _MODELS[protocol])
        if profile is not None:
            _check_names(document, profile)
        self.mistakes.extend(document.mistakes)
        return None if document.mistakes else profile


def _check_names(document: Document, profile: Profile) -> None:
    seen: dict[str, int] = {}
    for i, point in enumerate(profile.points):
        if point.point_name in seen:
            line = document.line(("points", seen[point.point_name]))
            document.mistake(
                ("points", i),
                f"point '{point.point_name}' stands on line {line} already; give it another name",
            )
        seen.setdefault(point.point_name, i)


def load_profile(path: Path) -> Profile:
    """Read one profile file `<protocol>/<name>.yaml`; raises ConfigError with every mistake in it."""
    profiles = Profiles(path.parent.parent)
    try:
        protocol = Protocol(path.parent.name)
    except ValueError as cause:
        known = ", ".join(Protocol)
        raise ConfigError(
            [f"{path}:1: folder '{path.parent.name}' is not a protocol; known are {known}"]
        ) from cause
    profile = profiles.get(protocol, path.stem)
    if profile is None:
        raise ConfigError([str(m) for m in profiles.mistakes] or [f"{path}:1: no such profile"])
    return profile
