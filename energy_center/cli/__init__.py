"""The `energy-center` command. Each sub-command is a module of this package, loaded when it is asked for.

A command module has `SUMMARY`, `add_arguments(parser)` and `run(args) -> int`. Exit codes: 0 yes or done,
1 the answer is no, 2 usage or environment.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from energy_center.cli import out
from energy_center.errors import EnergyCenterError

COMMANDS: dict[str, str] = {
    "demo": "everything on one machine: database, simulated buildings, collectors, server",
    "collect": "run the collectors of a site",
    "serve": "run the API and the dashboards",
    "worker": "run rules, roll-ups, notifications and other periodic work",
    "migrate": "bring the database up to date",
    "site": "check, plan or apply a site description",
    "simulate": "run the device simulators alone, or steer running ones",
    "backfill": "fill the demo's past with simulated history",
    "import": "bring in old readings from a CSV file",
    "intervals": "cut a meter's export into intervals and name what happened to its register",
    "demand": "find the highest demand in a meter's export",
    "bill": "reckon a bill, check the utility's, compare tariffs, choose a contract",
    "suggestions": "reckon what could be saved, from a year of history",
    "verify": "verify a measure's saving from a meter's export and outdoor temperatures",
    "what-if": "what photovoltaics or a battery would have saved",
    "readings": "correct readings, record a meter exchange, undo either",
    "probe": "read one device or register by hand",
    "backtest": "run a rule over history",
    "detection": "score the rules against injected faults",
    "replay": "prove that the live run and the backtest give the same alarms",
    "user": "administer accounts",
    "backup": "write a backup of the database",
    "restore": "restore a backup into an empty database",
    "doctor": "check this installation and say what to do",
    "faults": "break devices and the database on purpose and count what was lost",
    "soak": "run for long: random kills, the drain after an outage, memory",
    "openapi": "print the description of the API",
}


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"energy_center.cli.{name.replace('-', '_')}")


def _parser(chosen: str | None) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    parser = argparse.ArgumentParser(prog="energy-center", description="Energy Center 智慧能源管理中心")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    module = _load(chosen) if chosen in COMMANDS else None
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary)
        if name == chosen and module is not None:
            module.add_arguments(sub)
    return parser, module


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a problem that a person can solve becomes one sentence and exit code 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser, module = _parser(chosen)
    args = parser.parse_args(words)
    if module is None:  # argparse has already refused an unknown command
        return 2
    try:
        return int(module.run(args))
    except EnergyCenterError as problem:
        out.error(f"energy-center {args.command}: {problem}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
