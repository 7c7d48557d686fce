"""All devices of a catalogue: started together, each connection on its own port, and stopped together."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.catalogue import Catalogue, Connection, Wire
from simulators.devices.bacnet import BacnetServer
from simulators.devices.broker import EmbeddedBroker
from simulators.devices.modbus import ModbusServer
from simulators.devices.mqtt import Clock, MqttDevices
from simulators.devices.source import Source
from simulators.served import Key


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection answers."""

    host: str
    port: int


class Fleet:
    """The devices of both buildings on one host address."""

    def __init__(self, catalogue: Catalogue, source: Source, clock: Clock) -> None:
        self._catalogue = catalogue
        self._servers: dict[str, ModbusServer | BacnetServer] = {}
        self._brokers: dict[str, EmbeddedBroker] = {}
        self._ports: dict[str, Endpoint] = {}
        self._publishers: dict[str, MqttDevices] = {}
        for connection in catalogue.connections:
            lines = catalogue.on(connection.id)
            match connection.wire:
                case Wire.MODBUS:
                    self._servers[connection.id] = ModbusServer(connection.id, lines, source)
                case Wire.BACNET:
                    self._servers[connection.id] = BacnetServer(connection, lines, source)
                case Wire.MQTT:
                    self._brokers[connection.id] = EmbeddedBroker()
                    self._publishers[connection.id] = MqttDevices(connection.id, lines, source, clock)

    def points(self) -> list[Key]:
        """Every point that some device tells."""
        return [
            key for owner in (*self._servers.values(), *self._publishers.values()) for key in owner.points()
        ]

    async def start(self, host: str, *, fixed_ports: bool) -> Mapping[str, Endpoint]:
        """Open every connection on the catalogue's or free ports; raises OSError for a taken one."""
        ports: dict[str, Endpoint] = {}
        for connection in self._catalogue.connections:
            wanted = connection.port if fixed_ports else 0
            try:
                ports[connection.id] = Endpoint(host, await self._open(connection, host, wanted))
            except OSError as cause:
                raise OSError(
                    cause.errno, f"{connection.id}: port {wanted} of {host}: {cause.strerror}"
                ) from cause
        self._ports = ports
        return ports

    async def _open(self, connection: Connection, host: str, port: int) -> int:
        server = self._servers.get(connection.id)
        if server is not None:
            return await server.start(host, port)
        port = await self._brokers[connection.id].start(host, port)
        await self._publishers[connection.id].start(host, port)
        return port

    async def run(self) -> None:
        """Publish what devices send on their own, for ever."""
        async with asyncio.TaskGroup() as group:
            for publisher in self._publishers.values():
                group.create_task(publisher.run())
            for name, broker in self._brokers.items():
                group.create_task(broker.run(self._ports[name].host, self._ports[name].port))

    async def stop(self) -> None:
        """Close everything that was opened."""
        for publisher in self._publishers.values():
            await publisher.stop()
        for owner in (*self._brokers.values(), *self._servers.values()):
            await owner.stop()
