"""Words of the BACnet standard that a profile may use instead of numbers.

Source: ASHRAE 135-2020, 21: BACnetEventState, BACnetReliability; 12.2.7: status flags, by their bits.
"""

from collections.abc import Mapping

FLAG_BITS: Mapping[str, int] = {"in-alarm": 0, "fault": 1, "overridden": 2, "out-of-service": 3}

_EVENT_STATES = {
    "normal": 0,
    "fault": 1,
    "offnormal": 2,
    "high-limit": 3,
    "low-limit": 4,
    "life-safety-alarm": 5,
}
_RELIABILITIES = {
    "no-fault-detected": 0,
    "no-sensor": 1,
    "over-range": 2,
    "under-range": 3,
    "open-loop": 4,
    "shorted-loop": 5,
    "no-output": 6,
    "unreliable-other": 7,
    "process-error": 8,
    "multi-state-fault": 9,
    "configuration-error": 10,
    "communication-failure": 12,
    "member-fault": 13,
    "monitored-object-fault": 14,
    "tripped": 15,
    "lamp-failure": 16,
    "activation-failure": 17,
    "renew-dhcp-failure": 18,
    "renew-fd-registration-failure": 19,
    "restart-auto-negotiation-failure": 20,
    "restart-failure": 21,
    "proprietary-command-failure": 22,
    "faults-listed": 23,
    "referenced-object-fault": 24,
}
WORDS: Mapping[str, Mapping[str, int]] = {"event-state": _EVENT_STATES, "reliability": _RELIABILITIES}
