"""The named faults around the devices: of database, broker, disk, clock and the collector itself."""

from dataclasses import dataclass

from energy_center.cli.fault_breaks import (
    SMALL_SPOOL,
    Break,
    broker_restarted,
    broker_stopped,
    clock,
    collector_killed,
    collector_restarted,
    collector_stopped,
    database,
    database_full,
    database_killed,
    database_locked,
    disk_full,
    disk_full_and_database_away,
    muted,
    nothing,
    queue_full,
    sessions_ended,
    spool_limit,
)


@dataclass(frozen=True, slots=True)
class SystemFault:
    """One row: how it is made, what that is and what must hold."""

    name: str
    make: Break
    happens: str
    must_hold: str


_FORWARD_S, _BACK_S = 200.0, -3600.0
_KEPT = "the spool keeps all; stored once"
_ANNOUNCED = "what is lost is exactly what the collector says it dropped"
_OWED = "all that was on disk, or published at QoS 1, is stored once"
_STAMPS = "changes stamps, not counts"

SYSTEM_FAULTS: tuple[SystemFault, ...] = (
    SystemFault("no-fault", nothing, "nothing", "every reading given is stored once"),
    SystemFault("device-muted", muted, "a line falls silent", "it comes back; nothing it gave is lost"),
    SystemFault("database-killed", database_killed, "SIGKILL to the server, and a new start", _KEPT),
    SystemFault("database-refused", database("refused"), "the port is closed", _KEPT),
    SystemFault("database-hung", database("hung"), "the server says nothing", _KEPT),
    SystemFault("database-slow", database("slow"), "every answer 0.3 s later", "nothing is lost"),
    SystemFault("database-reset", database("reset-once"), "connections are cut", "repeated; stored once"),
    SystemFault(
        "database-commit-answer-lost",
        database("commit-answer-lost"),
        "a batch is committed, and its answer lost",
        "repeated; stored once",
    ),
    SystemFault("database-cut-answers", database("cut-answers"), "half an answer, then a reset", _KEPT),
    SystemFault("database-full", database_full, "no space on the server", _KEPT),
    SystemFault("database-locked", database_locked, "the table is locked", "delays, and loses nothing"),
    SystemFault("database-sessions-ended", sessions_ended, "sessions are ended", "opened again; stored once"),
    SystemFault("broker-silent", broker_stopped, "SIGSTOP to the broker", "stored once when it goes on"),
    SystemFault(
        "broker-restart",
        broker_restarted,
        "SIGKILL to the broker, which forgets all sessions",
        "subscribed anew; what it then takes is stored once",
    ),
    SystemFault(
        "broker-queue-full",
        queue_full,
        "300 messages a second while the collector gets none",
        "what the broker keeps is stored once",
    ),
    SystemFault("collector-killed", collector_killed, "SIGKILL to the collector", _OWED),
    SystemFault("collector-stopped", collector_stopped, "SIGSTOP to the collector", "goes on; stored once"),
    SystemFault(
        "collector-restarted",
        collector_restarted,
        "SIGTERM to the collector",
        "it takes along all it was given",
    ),
    SystemFault("spool-disk-full", disk_full, "the spool's disk takes no octet", _ANNOUNCED),
    SystemFault(
        "spool-disk-full-database-away",
        disk_full_and_database_away,
        "neither disk nor database takes anything",
        _ANNOUNCED,
    ),
    SystemFault(
        "spool-byte-limit",
        spool_limit,
        f"the database is away for longer than {SMALL_SPOOL // 1024} KiB of spool last",
        _ANNOUNCED,
    ),
    SystemFault("clock-forward", clock(_FORWARD_S), "the collector's clock 200 s ahead", _STAMPS),
    SystemFault("clock-back", clock(_BACK_S), "the collector's clock an hour back", _STAMPS),
)
