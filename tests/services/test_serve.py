"""The server as an operator starts it: it serves, or refuses in one clear sentence."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from energy_center.cli.serve import is_loopback
from energy_center.domain.people import Actor, UserRole
from energy_center.services.users import change_user, create_user
from energy_center.store.pool import Database

SECRET = "s" * 40
READY_S = 40
ACTOR = Actor("system:test", "local")
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def _environment(dsn: str | None, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_URL", "ENERGY_CENTER_"))}
    if dsn:
        kept["DATABASE_URL"] = dsn
    return {**kept, **more}


def _refusal(dsn: str | None, *options: str, **environment: str) -> str:
    """The one line that `serve` says when it refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "energy_center", "serve", "--port", "0", *options],
        env=_environment(dsn, **environment),
        capture_output=True,
        text=True,
        timeout=READY_S,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_production_needs_a_secret(database_dsn: str):
    assert "ENERGY_CENTER_SECRET" in _refusal(database_dsn)
    assert "ENERGY_CENTER_SECRET" in _refusal(database_dsn, ENERGY_CENTER_SECRET="s" * 31)


async def test_production_refuses_demo_accounts_until_they_are_disabled(
    database: Database, database_dsn: str
):
    await create_user(database, "viewer", "V", UserRole.VIEWER, "view-demo", ACTOR, NOW, is_demo=True)
    said = _refusal(database_dsn, ENERGY_CENTER_SECRET=SECRET)
    assert "viewer" in said
    assert "user disable" in said
    await change_user(database, "viewer", ACTOR, NOW, disabled=True)
    with _serving(database_dsn, ENERGY_CENTER_SECRET=SECRET) as (_, ready):
        assert ready["port"] > 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_plain_http_stays_on_this_machine(host: str, database_dsn: str):
    said = _refusal(database_dsn, "--host", host, ENERGY_CENTER_SECRET=SECRET)
    assert "in the clear" in said
    assert "--tls-certificate" in said


def test_demo_stays_on_this_machine_even_with_tls(database_dsn: str):
    said = _refusal(database_dsn, "--host", "0.0.0.0", "--behind-proxy", ENERGY_CENTER_MODE="demo")
    assert "127.0.0.1 only" in said


def test_taken_port_is_named(database_dsn: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _refusal(database_dsn, "--port", str(port), ENERGY_CENTER_SECRET=SECRET)
    assert f"Port {port} on 127.0.0.1 is taken" in said


def test_missing_or_unreachable_or_empty_database_is_said(empty_dsn: str):
    assert "DATABASE_URL" in _refusal(None, ENERGY_CENTER_SECRET=SECRET)
    nobody = "postgresql://nobody@127.0.0.1:9/none"
    assert "cannot be reached" in _refusal(nobody, ENERGY_CENTER_SECRET=SECRET)
    assert "energy-center migrate" in _refusal(empty_dsn, ENERGY_CENTER_SECRET=SECRET)


def test_half_of_tls_is_refused(database_dsn: str, tmp_path: Path):
    key = tmp_path / "key.pem"
    key.write_text("")
    assert "both" in _refusal(database_dsn, "--tls-key", str(key), ENERGY_CENTER_SECRET=SECRET)
    nowhere = ("--tls-key", str(key), "--tls-certificate", str(tmp_path / "no.pem"))
    assert "cannot be read" in _refusal(database_dsn, *nowhere, ENERGY_CENTER_SECRET=SECRET)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.evil.test", False)),
    ],
)
def test_loopback_is_known(host: str, loopback: bool):
    assert is_loopback(host) is loopback


class _serving:  # noqa: N801 reads as a statement
    """`with _serving(dsn) as (process, ready)`: a server, stopped by SIGTERM and gone afterwards."""

    def __init__(self, dsn: str, *options: str, **environment: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ec-serve-")
        self._ready = Path(self._folder.name) / "ready.json"
        argv = [
            sys.executable,
            "-m",
            "energy_center",
            "serve",
            "--port",
            "0",
            "--ready-file",
            str(self._ready),
        ]
        self._argv = [*argv, *options]
        self._environment = _environment(dsn, **environment)

    def __enter__(self) -> tuple[subprocess.Popen[str], dict[str, object]]:
        self._process = subprocess.Popen(
            self._argv, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + READY_S
        while not self._ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError(self._process.communicate()[1])
            time.sleep(0.05)
        return self._process, json.loads(self._ready.read_text())

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=10)
        finally:
            self._process.kill()
            self._folder.cleanup()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of our own for 127.0.0.1."""
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    argv = ["openssl", "req", *kind, *subject, "-keyout", str(key), "-out", str(chain)]
    subprocess.run(argv, check=True, capture_output=True)
    return chain, key


def test_serves_pages_and_api_and_stops_cleanly_on_sigterm(database_dsn: str):
    with _serving(database_dsn, ENERGY_CENTER_SECRET=SECRET) as (process, ready):
        connection = http.client.HTTPConnection("127.0.0.1", int(str(ready["port"])), timeout=10)
        connection.request("GET", "/api/health")
        health = connection.getresponse()
        assert json.loads(health.read())["status"] == "ok"
        assert "uvicorn" not in str(health.headers).lower()
        connection.request("GET", "/")
        page = connection.getresponse()
        page.read()
        assert (page.status, page.headers["location"]) == (303, "/login?next=%2F")
        connection.request("GET", "/login")
        log_in = connection.getresponse()
        log_in.read()
        assert log_in.status == 200
        connection.close()
    assert process.returncode == 0


def test_serves_over_tls_with_secure_headers(database_dsn: str, certificate: tuple[Path, Path]):
    chain, key = certificate
    options = ("--tls-certificate", str(chain), "--tls-key", str(key))
    with _serving(database_dsn, *options, ENERGY_CENTER_SECRET=SECRET) as (_, ready):
        assert str(ready["address"]).startswith("https://")
        trusted = ssl.create_default_context(cafile=str(chain))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", int(str(ready["port"])), timeout=10, context=trusted
        )
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        assert answer.status == 200
        assert "max-age=" in answer.headers["strict-transport-security"]
        connection.close()
