"""A BACnet router: controllers of a remote network, such as an MS/TP line, behind one UDP port.

It is a BBMD as well: foreign devices register there and have their broadcasts passed on.
Source: ASHRAE 135-2020, 6 (network layer), annex J (BACnet/IP, J.4.5 and J.5).
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any

from bacpypes3.comm import bind
from bacpypes3.ipv4 import IPv4DatagramServer
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPBBMD, UDPMultiplexer
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import IPv4Address, LocalBroadcast, LocalStation
from bacpypes3.vlan import Network, Node

from simulators.devices.bacnet import BacnetServer

IP_NETWORK = 1  # the number of our side of the router
_START_LIMIT_S = 5.0


class _Datagrams(IPv4DatagramServer):  # type: ignore[misc]  # bacpypes3 has no types
    """A port without neighbours: on the loopback a broadcast would reach other programs' devices."""

    async def indication(self, pdu: Any) -> None:  # noqa: ANN401  a frame of bacpypes3
        if not isinstance(pdu.pduDestination, LocalBroadcast):
            await super().indication(pdu)


class _BbmdLink(BIPBBMD):  # type: ignore[misc]
    """The router's port towards BACnet/IP."""

    def __init__(self, address: IPv4Address, bound: socket.socket) -> None:
        super().__init__(address)
        self.codec = BVLLCodec()
        self.multiplexer = UDPMultiplexer()
        self.server = _Datagrams(address, no_broadcast=True, bind_socket=bound)
        bind(self, self.codec, self.multiplexer.annexJ)
        bind(self.multiplexer, self.server)

    def close(self) -> None:
        self._fdt_clock_handle.cancel()
        self.server.close()


class _Station(Node):  # type: ignore[misc]
    """A controller's place on the remote line; a silent controller hears nothing."""

    def __init__(self, address: LocalStation, line: Network, is_silent: Callable[[], bool]) -> None:
        super().__init__(address, line)
        self._is_silent = is_silent

    async def response(self, pdu: Any) -> None:  # noqa: ANN401  a frame of bacpypes3
        if not self._is_silent():
            await super().response(pdu)

    def close(self) -> None:
        """Leave the line."""
        self.lan.remove_node(self)


class BacnetRouter:
    """One UDP port, and a remote network of controllers by their station addresses."""

    def __init__(self, network: int, stations: Mapping[int, BacnetServer]) -> None:
        self._network = network
        self.stations = stations
        self._link: _BbmdLink | None = None

    @property
    def foreign_devices(self) -> list[tuple[str, int]]:
        """Who is registered for broadcasts, by host and port."""
        return [] if self._link is None else [e.fdAddress.addrTuple for e in self._link.bbmdFDT]

    async def start(self, host: str, port: int) -> int:
        """Bind the port, or a free one when it is 0; returns the port. Raises OSError when it is taken."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.bind((host, port))
            bound.settimeout(0)
        except OSError:
            bound.close()
            raise
        port = int(bound.getsockname()[1])
        address = IPv4Address(f"{host}:{port}")
        self._link = _BbmdLink(address, bound)
        access = NetworkServiceAccessPoint()
        bind(NetworkServiceElement(), access)
        access.bind(self._link, IP_NETWORK, address)
        line = Network(f"network-{self._network}", broadcast_address=LocalBroadcast())
        access.bind(Node(LocalStation(0), line), self._network, LocalStation(0))
        for number, controller in self.stations.items():
            station = LocalStation(number)
            controller.join(_Station(station, line, controller.is_silent), station)
        async with asyncio.timeout(_START_LIMIT_S):
            while self._link.server.local_transport is None:  # noqa: ASYNC110  no event for it
                await asyncio.sleep(0.001)
        return port

    async def stop(self) -> None:
        """Release the port."""
        for controller in self.stations.values():
            await controller.stop()
        if self._link is not None:
            self._link.close()
