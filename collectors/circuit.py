"""When to ask a silent device again: its own circuit, and the share of the bus that silent devices may take.

Pure: the time is an argument and the randomness is given. Source of the jitter: "Exponential Backoff And
Jitter", AWS Architecture Blog, 2015.
"""

import random
from dataclasses import dataclass, field

MISSES_TO_OPEN = 3
BASE_S = 0.5
CAP_S = 60.0
PROBE_SHARE = 0.1  # of the bus's time, at most, goes to devices that are known to be silent


def full_jitter(attempt: int, rng: random.Random, base_s: float = BASE_S, cap_s: float = CAP_S) -> float:
    """Seconds to wait before an attempt, numbered from 0: uniform below a doubling ceiling."""
    return rng.uniform(0, min(cap_s, base_s * 2 ** min(attempt, 16)))


@dataclass(slots=True)
class Circuit:
    """One device: closed (asked on its schedule), or open after three misses in a row (probed at times)."""

    misses: int = 0
    not_before: float = 0.0
    is_online: bool | None = None  # None until the first answer or the third miss

    @property
    def is_open(self) -> bool:
        """Whether the device counts as away."""
        return self.misses >= MISSES_TO_OPEN

    def allows(self, now: float) -> bool:
        """Whether the device may be asked now."""
        return now >= self.not_before

    def answered(self) -> bool:
        """Note an answer; True when the device was not known to be online."""
        came_back = self.is_online is not True
        self.misses, self.not_before, self.is_online = 0, 0.0, True
        return came_back

    def missed(self, now: float, cost_s: float, rng: random.Random) -> bool:
        """Note a request without answer that took `cost_s`; True when the device has just gone away."""
        self.misses += 1
        if not self.is_open:
            # its other blocks must not each cost the neighbours a time limit in a row
            self.not_before = now + 2 * cost_s
            return False
        rest = cost_s * (1 / PROBE_SHARE - 1)
        self.not_before = now + rest + full_jitter(self.misses - MISSES_TO_OPEN, rng)
        return self.given_up()

    def given_up(self) -> bool:
        """Count the device as away whatever it missed; True when that is news."""
        went_away = self.is_online is not False
        self.misses = max(self.misses, MISSES_TO_OPEN)
        self.is_online = False
        return went_away


@dataclass(slots=True)
class BusHealth:
    """All devices of one bus: how silent ones share the probes, and when the bus as a whole is silent."""

    circuits: dict[str, Circuit] = field(default_factory=dict)
    probe_not_before: float = 0.0
    silent: set[str] = field(default_factory=set)  # devices that missed since any device answered

    def circuit(self, device_id: str) -> Circuit:
        """The device's circuit."""
        return self.circuits.setdefault(device_id, Circuit())

    def allows(self, device_id: str, now: float) -> bool:
        """Whether this device may be asked now, seen alone and with its neighbours."""
        circuit = self.circuit(device_id)
        return circuit.allows(now) and (not circuit.is_open or now >= self.probe_not_before)

    def answered(self, device_id: str) -> bool:
        """Note an answer; when it ends a silence of the whole bus, all others may be asked at once."""
        if self.is_silent:
            self.probe_not_before = 0.0
            for circuit in self.circuits.values():
                circuit.not_before = 0.0
        self.silent.clear()
        return self.circuit(device_id).answered()

    def missed(self, device_id: str, now: float, cost_s: float, rng: random.Random) -> bool:
        """Note a miss; True when the device has just gone away."""
        self.silent.add(device_id)
        if self.circuit(device_id).is_open:
            self.probe_not_before = now + cost_s * (1 / PROBE_SHARE - 1)
        return self.circuit(device_id).missed(now, cost_s, rng)

    def line_speaks(self) -> None:
        """Somebody on the line answers, be it for a device that does not: it is not the line."""
        self.silent.clear()

    @property
    def is_silent(self) -> bool:
        """At least three devices missed in a row and none answered: the line, not a device."""
        return len(self.silent) >= MISSES_TO_OPEN
