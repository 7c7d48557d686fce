"""An SNMP agent: version 2c by community, version 3 by user, read only, its objects as a function gives them.

It knows no MIB: an object is an OID and a value that says its own type.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.rfc1902 import Counter32, Counter64, Gauge32, Integer32, OctetString, TimeTicks
from pysnmp.proto.rfc1905 import NoSuchObject
from pysnmp.smi import error
from pysnmp.smi.instrum import AbstractMibInstrumController

__all__ = [
    "Counter32",
    "Counter64",
    "Gauge32",
    "Integer32",
    "OctetString",
    "SnmpServer",
    "SnmpUser",
    "TimeTicks",
]

Objects = Callable[[], Mapping[str, Any]]
_SEEN_FROM = (1, 3, 6, 1)


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """A user of version 3 with SHA-256 and AES-128."""

    name: str
    auth_password: str
    privacy_password: str


class _Answers(AbstractMibInstrumController):  # type: ignore[misc]  # the library has no types
    """Looks objects up at the time of the request."""

    def __init__(self, objects: Objects, most: int | None) -> None:
        self._objects = objects
        self._most = most
        self.requests: list[int] = []

    def read_variables(self, *var_binds: Any, **_: Any) -> list[Any]:  # noqa: ANN401  the library's own form
        """Answer GetRequest; `tooBig` beyond what the agent bears."""
        self.requests.append(len(var_binds))
        if self._most is not None and len(var_binds) > self._most:
            raise error.TooBigError(idx=0)
        held = self._objects()
        return [(name, held.get(str(name), NoSuchObject(""))) for name, _ in var_binds]


class SnmpServer:
    """One agent on one UDP port."""

    def __init__(
        self,
        objects: Objects,
        *,
        community: str = "public",
        users: Sequence[SnmpUser] = (),
        most_objects: int | None = None,
    ) -> None:
        self._answers = _Answers(objects, most_objects)
        self._community = community
        self._users = users
        self._engine: engine.SnmpEngine | None = None

    @property
    def requests(self) -> list[int]:
        """How many objects each request asked for, in order."""
        return self._answers.requests

    async def start(self, host: str, port: int) -> int:
        """Listen on the port, or a free one when 0; returns the port. Raises OSError when it is taken."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)  # noqa: FBT003  the socket's own form
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        agent = engine.SnmpEngine()
        transport = udp.UdpTransport().open_server_mode(sock=bound)
        while transport.transport is None:  # made in a task of the library's own  # noqa: ASYNC110
            await asyncio.sleep(0)
        config.add_transport(agent, udp.DOMAIN_NAME, transport)
        config.add_v1_system(agent, "area", self._community)
        config.add_vacm_user(agent, 2, "area", "noAuthNoPriv", _SEEN_FROM)
        for user in self._users:
            config.add_v3_user(
                agent,
                user.name,
                config.USM_AUTH_HMAC192_SHA256,
                user.auth_password,
                config.USM_PRIV_CFB128_AES,
                user.privacy_password,
            )
            config.add_vacm_user(agent, 3, user.name, "authPriv", _SEEN_FROM)
        held = context.SnmpContext(agent)
        held.unregister_context_name(b"")
        held.register_context_name(b"", self._answers)
        cmdrsp.GetCommandResponder(agent, held)
        agent.transport_dispatcher.job_started(1)
        self._engine = agent
        return int(bound.getsockname()[1])

    async def stop(self) -> None:
        """Close the port."""
        if self._engine is not None:
            self._engine.transport_dispatcher.job_finished(1)
            self._engine.close_dispatcher()
            self._engine = None
            await asyncio.sleep(0)  # the socket is closed in the next turn of the loop
