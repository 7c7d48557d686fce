"""An MQTT 5 broker for the demo, in a child process that ends with this one."""

import asyncio
import contextlib
import socket
import tempfile
from pathlib import Path

from iotcore import Broker

_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 8

[v5.1]
name = "energy-center"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 200
dynamic_filters = true
"""

_LOOK_EVERY_S = 0.5


class EmbeddedBroker:
    """Starts and stops the broker; by default it would listen on every interface, so it gets settings."""

    def __init__(self) -> None:
        self._broker: Broker | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on the port, or a free one when 0; returns the port. Raises OSError when it is taken."""
        port = port or _free_port(host)
        await asyncio.to_thread(self._start, host, port)
        return port

    def _start(self, host: str, port: int) -> None:
        with tempfile.TemporaryDirectory(prefix="energy-center-broker-") as folder:
            settings = Path(folder) / "broker.toml"
            settings.write_text(_CONFIG.format(host=host, port=port), encoding="utf-8")
            broker = Broker(config_path=str(settings))
            broker.start()
            self._broker = broker

    async def run(self, host: str, port: int) -> None:
        """Start it again, with nothing of what it had, whenever its process ends; for ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._broker is not None and not self._broker.is_running:
                with contextlib.suppress(OSError, RuntimeError):  # the port may be held for a moment
                    await asyncio.to_thread(self._start, host, port)

    async def stop(self) -> None:
        """End the child process."""
        if self._broker is not None:
            await asyncio.to_thread(self._broker.stop, 1.0)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
