"""`energy-center serve`: the API and the dashboards in one process, unless that would be unsafe."""

import argparse
import asyncio
import errno
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from energy_center import log
from energy_center.cli import out
from energy_center.cli.arguments import port
from energy_center.errors import EnvironmentProblem
from energy_center.services.users import enabled_demo_users
from energy_center.settings import Mode, Settings
from energy_center.store.migrate import pending_migrations
from energy_center.store.pool import Database

SUMMARY = "run the API and the dashboards"
MIN_SECRET_BYTES = 32
_APP = "dashboards.app:create"
_SHUTDOWN_S = 5
_MAX_SOCKET_MESSAGE_BYTES = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options; each overrides its environment variable."""
    parser.add_argument("--host", help="address to listen on (ENERGY_CENTER_HOST, default 127.0.0.1)")
    parser.add_argument("--port", type=port, help="port, 0 for a free one (ENERGY_CENTER_PORT, default 8050)")
    parser.add_argument("--tls-certificate", type=Path, help="PEM file with the certificate chain")
    parser.add_argument("--tls-key", type=Path, help="PEM file with the private key")
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        default=None,
        help="a proxy that ends TLS and forwards Host stands in front; FORWARDED_ALLOW_IPS names its address",
    )
    parser.add_argument(
        "--ready-file", type=Path, help="write a JSON object with the address here when ready"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    settings = _settings(args)
    log.set_up(settings.log_level, settings.log_form)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # a line a socket is for developers
    refuse_unsafe(settings)
    asyncio.run(_refuse_unfit_database(settings))
    listening = _listen(settings.host, settings.port)
    # uvicorn raises the signal again after its shutdown; the process then ends as it should, with code 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = _Server(_configuration(settings), listening, args.ready_file, over_tls=_has_tls(settings))
    _forget(args.ready_file)  # of a server that was killed
    try:
        server.run(sockets=[listening])
    except SystemExit:  # uvicorn's way to say that the app did not start; its reason is in the log
        raise EnvironmentProblem("The server did not start; the log above says why.") from None
    finally:
        listening.close()
        _forget(args.ready_file)
    return 0


def _forget(ready_file: Path | None) -> None:
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)


def _settings(args: argparse.Namespace) -> Settings:
    """Settings of the environment with the options on top, put back there for the app's factory to read."""
    for name in ("host", "port", "tls_certificate", "tls_key", "behind_proxy"):
        given = getattr(args, name)
        if given is not None:
            os.environ[f"ENERGY_CENTER_{name.upper()}"] = str(given)
    return Settings()


def refuse_unsafe(settings: Settings) -> None:
    """Raise EnvironmentProblem for a configuration that would put people's passwords or sessions at risk."""
    secret = settings.secret.get_secret_value() if settings.secret else ""
    if settings.mode is Mode.PRODUCTION and len(secret.encode()) < MIN_SECRET_BYTES:
        raise EnvironmentProblem(
            f"ENERGY_CENTER_SECRET must be set to {MIN_SECRET_BYTES} bytes or more, for example from: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise EnvironmentProblem("TLS needs both a certificate and its key.")
    for path in (settings.tls_certificate, settings.tls_key):
        if path is not None and not os.access(path, os.R_OK):
            raise EnvironmentProblem(f"The TLS file {path} cannot be read.")
    if not is_loopback(settings.host) and not _has_tls(settings) and not settings.behind_proxy:
        raise EnvironmentProblem(
            f"{settings.host} can be reached from other machines, and passwords would cross the network "
            "in the clear: give --tls-certificate and --tls-key, or --behind-proxy if a proxy ends TLS."
        )
    if not is_loopback(settings.host) and settings.mode is Mode.DEMO:
        raise EnvironmentProblem(
            f"The passwords of the demo are public, and {settings.host} can be reached from other machines: "
            "a demo listens on 127.0.0.1 only."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _has_tls(settings: Settings) -> bool:
    return settings.tls_certificate is not None


async def _refuse_unfit_database(settings: Settings) -> None:
    if settings.database_url is None:
        raise EnvironmentProblem("DATABASE_URL must be set: it says which database the server uses.")
    database = await Database.open(settings.database_url.get_secret_value(), min_size=0, max_size=1)
    try:
        if pending := await pending_migrations(database):
            raise EnvironmentProblem(
                f"The database lacks {', '.join(pending)}: run `energy-center migrate` first."
            )
        demo_users = await enabled_demo_users(database)
    finally:
        await database.close()
    if settings.mode is Mode.PRODUCTION and demo_users:
        raise EnvironmentProblem(
            f"The demo accounts {', '.join(demo_users)} are enabled and their passwords are public: "
            "disable each with `energy-center user disable NAME`."
        )


def _listen(host: str, number: int) -> socket.socket:
    """Take the port now, so that a taken one is said in one sentence before anything else starts."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as cause:
        raise EnvironmentProblem(
            f"{host} port {number} is not an address of this machine: {cause}."
        ) from cause
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen()
    except OSError as cause:
        listening.close()
        if cause.errno == errno.EADDRINUSE:
            raise EnvironmentProblem(
                f"Port {number} on {host} is taken by another program: choose one with --port."
            ) from cause
        raise EnvironmentProblem(f"Cannot listen on {host} port {number}: {cause}.") from cause
    listening.setblocking(False)  # noqa: FBT003 the name of the library's argument is no clearer
    return listening


def _configuration(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        _APP,
        factory=True,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.behind_proxy,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ws_max_size=_MAX_SOCKET_MESSAGE_BYTES,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        lifespan="on",
    )


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(
        self, config: uvicorn.Config, listening: socket.socket, ready_file: Path | None, *, over_tls: bool
    ) -> None:
        super().__init__(config)
        self._listening = listening
        self._ready_file = ready_file
        self._scheme = "https" if over_tls else "http"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address and write the ready file in one step."""
        await super().startup(sockets)
        if not self.started:
            return
        host, number = self._listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        address = f"{self._scheme}://{shown}:{number}"
        if self._ready_file:
            _write_whole(
                self._ready_file,
                json.dumps({"address": address, "host": host, "port": number, "pid": os.getpid()}),
            )
        out.line(f"serving {address}")
        sys.stdout.flush()


def _write_whole(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never a part."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text + "\n")
    unfinished.replace(path)
