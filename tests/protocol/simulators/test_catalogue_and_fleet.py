"""The list of equipment and the opening of its ports: mistakes are told, all at once, with their place."""

import socket
from pathlib import Path

import pytest

from simulators.catalogue import Catalogue, CatalogueError, Connection, Wire, load_catalogue
from simulators.devices.fleet import Fleet
from simulators.devices.source import Source
from simulators.run_live import DelayedFault, SimulatedClock, parse_fault, start_now

P = "  - {id: p, kind: meter, connection: a, unit: 1}"
CONNECTIONS = """
site: x
connections:
  - {id: a, protocol: modbus-tcp, port: 1502}
  - {id: m, protocol: mqtt, port: 1884}
equipment:
"""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  - {id: p, kind: meter, connection: nowhere, unit: 1}", "p: no connection nowhere"),
        ("  - {id: p, kind: meter, connection: a}", "p: unit must be 1..247, is None"),
        ("  - {id: p, kind: meter, connection: a, unit: 300}", "p: unit must be 1..247, is 300"),
        ("  - {id: p, kind: iaq, connection: m}", "p: no topic"),
        (
            f"{P}\n  - {{id: q, kind: meter, connection: a, unit: 1}}",
            "q has the address of p",
        ),
        (
            f"{P}\n  - {{id: p, kind: meter, connection: a, unit: 2}}",
            "p is listed 2 times",
        ),
        ("  - {kind: meter}", "not a list of equipment"),
    ],
)
def test_a_mistake_in_the_list_is_named(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(CONNECTIONS + lines + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(file)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("wire", "kind"), [(Wire.MODBUS, socket.SOCK_STREAM), (Wire.BACNET, socket.SOCK_DGRAM)]
)
async def test_a_taken_port_is_an_error_that_names_the_connection(
    simulation, wire: Wire, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        catalogue = Catalogue("x", (Connection("a", wire, other.getsockname()[1], 1),), ())
        fleet = Fleet(catalogue, Source(simulation.world), SimulatedClock(start_now(), 1.0))
        with pytest.raises(OSError, match="a: port"):
            await fleet.start("127.0.0.1", fixed_ports=True)
        await fleet.stop()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tank_leak", DelayedFault("tank_leak")),
        ("tank_leak@ym-rain-tank", DelayedFault("tank_leak", "ym-rain-tank")),
        ("tank_leak@ym-rain-tank+60", DelayedFault("tank_leak", "ym-rain-tank", 60.0)),
        ("tank_leak+1.5", DelayedFault("tank_leak", None, 1.5)),
    ],
)
def test_a_fault_option_names_place_and_delay(text: str, fault: DelayedFault) -> None:
    assert parse_fault(text) == fault
