"""`energy-center simulate`: run the device simulators alone, or steer the ones of a running demo."""

import argparse
import json
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from energy_center.cli import out
from energy_center.errors import EnvironmentProblem, Invalid
from energy_center.settings import PROJECT_ROOT, Settings, default_state_dir

SUMMARY = "run the device simulators alone, or steer running ones"
ANSWER_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options; those of the second group speak to simulators that run already."""
    parser.add_argument("--site", type=Path, default=PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds a second (default 1)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[@EQUIPMENT][+SECONDS]")
    parser.add_argument("--endpoints", type=Path, help="where to write the addresses of the devices")
    steer = parser.add_argument_group("steer the simulators of a running demo")
    steer.add_argument("--start", metavar="NAME[@EQUIPMENT]", help="start a fault")
    steer.add_argument("--stop", metavar="NAME[@EQUIPMENT]", help="end a fault")
    steer.add_argument(
        "--set", metavar="EQUIPMENT/POINT=NUMBER", help="pin a value; an empty number frees it"
    )
    steer.add_argument("--faults", action="store_true", help="list the faults with their true start and end")
    steer.add_argument("--state-dir", type=Path, help="the demo's state folder")


def run(args: argparse.Namespace) -> int:
    """Steer when asked to, else become the simulators."""
    request = _request(args)
    if request is not None:
        answer = _ask(_control_address(args.state_dir), request)
        out.as_json(answer)
        return 0 if answer.get("ok") else 1
    argv = [sys.executable, "-m", "simulators", "live", "--site", str(args.site), "--seed", str(args.seed)]
    argv += ["--speed", str(args.speed), "--fixed-ports"]
    argv += ["--endpoints", str(args.endpoints)] if args.endpoints else []
    for fault in args.fault:
        argv += ["--fault", fault]
    return _become(argv)


def _become(argv: list[str]) -> NoReturn:
    """The simulators take this process's place, and with it its signals."""
    os.execv(sys.executable, argv)  # noqa: S606


def _request(args: argparse.Namespace) -> dict[str, object] | None:
    if args.start:
        return {"do": "fault", **_fault(args.start)}
    if args.stop:
        return {"do": "clear", **_fault(args.stop)}
    if args.set:
        return {"do": "set", **_pinned(args.set)}
    return {"do": "faults"} if args.faults else None


def _fault(spec: str) -> dict[str, object]:
    name, _, equipment = spec.partition("@")
    return {"name": name, "equipment": equipment or None}


def _pinned(spec: str) -> dict[str, object]:
    point, equals, number = spec.partition("=")
    equipment, slash, name = point.partition("/")
    try:
        value = float(number) if number else None
    except ValueError:
        equals = ""
    if not (equals and slash):
        raise Invalid(
            f"--set: found {spec!r}; expected EQUIPMENT/POINT=NUMBER, as ltb-sump-b3/sump_level=1.2"
        )
    return {"equipment": equipment, "point": name, "value": value}


def _control_address(state_dir: Path | None) -> tuple[str, int]:
    folder = state_dir or Settings().state_dir or default_state_dir("demo")
    endpoints = folder / "run" / "endpoints.json"
    if not endpoints.exists():
        raise EnvironmentProblem(
            f"no demo runs on {folder} ({endpoints} is missing); start one with `make demo`"
        )
    control = json.loads(endpoints.read_text())["control"]
    return control["host"], control["port"]


def _ask(address: tuple[str, int], request: dict[str, object]) -> dict[str, object]:
    try:
        with socket.create_connection(address, timeout=ANSWER_S) as line:
            line.sendall(json.dumps(request).encode() + b"\n")
            return dict(json.loads(line.makefile("rb").readline()))
    except (OSError, ValueError) as problem:
        raise EnvironmentProblem(
            f"the simulators do not answer at {address[0]}:{address[1]}: {problem}"
        ) from problem
