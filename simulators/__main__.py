"""`python -m simulators live`: both buildings on real sockets; `history`: their past as a stream.

`proxy`: a fault proxy before each of a running simulation's sockets. `meters`: many meters, for loads.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from simulators.catalogue import Catalogue, CatalogueError, load_catalogue
from simulators.run_live import LiveOptions, LiveWorld, parse_fault, run_live, start_now

DEFAULT_SITE = Path(__file__).parent / "sites" / "taichung.yaml"
_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 after a clean stop, 2 with one sentence on stderr for a mistake of the caller."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["history"]:
        from simulators.history import main as history

        return history(arguments[1:])
    if arguments[:1] == ["proxy"]:
        from simulators.faultproxy.run_proxy import main as proxy

        return proxy(arguments[1:])
    if arguments[:1] == ["meters"]:
        from simulators.meters import main as meters

        return meters(arguments[1:])
    try:
        return _live(_parser().parse_args(arguments))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError, CatalogueError) as cause:
        sys.stderr.write(f"simulators: {cause}\n")
        return _USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    live = commands.add_parser("live", help="devices on real sockets, in real time")
    live.add_argument("--site", type=Path, default=DEFAULT_SITE, help="the simulator's list of equipment")
    live.add_argument("--seed", type=int, default=1, help="weather, people and noise follow from it")
    live.add_argument("--endpoints", type=Path, help="write the ports that were bound to this JSON file")
    live.add_argument(
        "--control", default="0", help="HOST:PORT or PORT of the control socket, 0 for a free one"
    )
    live.add_argument("--fault", action="append", default=[], help="name[@equipment][+delay_s], repeatable")
    live.add_argument(
        "--past-fault", action="append", default=[], help="name@equipment:FROM..TO, as history has it"
    )
    live.add_argument("--host", default="127.0.0.1", help="address to listen on")
    live.add_argument("--fixed-ports", action="store_true", help="use the ports of the site file")
    live.add_argument("--speed", type=float, default=1.0, help="simulated seconds a second")
    commands.add_parser("history", help="the past as blocks of float64 on stdout")
    commands.add_parser("proxy", help="fault proxies before a running simulation")
    commands.add_parser("meters", help="many equal meters, for long runs and loads")
    return parser


def _live(options: argparse.Namespace) -> int:
    from simulators.faults import parse_fault as parse_past_fault
    from simulators.faults import resolve
    from simulators.world import World, load_model

    catalogue = load_catalogue(options.site)
    model = load_model(options.site)
    control_host, control_port = _address(options.control, options.host)
    live = LiveOptions(
        host=options.host,
        control_host=control_host,
        control_port=control_port,
        endpoints=options.endpoints,
        fixed_ports=options.fixed_ports,
        speed=options.speed,
        faults=[parse_fault(text) for text in options.fault],
    )
    for fault in live.faults:
        resolve(model, fault.name, fault.equipment)
    start = start_now()
    past = [parse_past_fault(model, text) for text in options.past_fault]
    world = World(model, seed=options.seed, start=start, faults=past)
    return asyncio.run(_serve(world, catalogue, start, live))


def _address(text: str, default_host: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise ValueError(f"--control {text!r}: expected PORT or HOST:PORT")
    return host or default_host, int(port)


async def _serve(world: LiveWorld, catalogue: Catalogue, start: datetime, live: LiveOptions) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_live(world, catalogue, start, live, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
