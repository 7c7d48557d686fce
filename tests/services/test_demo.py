"""The demo as a person starts it: one command, live figures, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

DEMO = [sys.executable, "-m", "energy_center", "demo"]
START_S = 150


def _environment() -> dict[str, str]:
    own = ("DATABASE_URL", "ENERGY_CENTER_")
    return {k: v for k, v in os.environ.items() if not k.startswith(own)}


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A short folder that the database's own account can reach, as pytest's is not."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="ec-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _run(*arguments: str, state_dir: Path) -> subprocess.CompletedProcess[str]:
    argv = [*DEMO, "--state-dir", str(state_dir), *arguments]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=START_S, env=_environment(), check=False
    )


def _processes_of(state_dir: Path) -> list[str]:
    """Command lines that name the folder, the demo's children and the database among them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(state_dir) in line:
            found.append(line)
    return found


def test_check_reports_a_living_building_and_leaves_nothing_behind(state_dir: Path):
    done = _run("--check", "35", "--no-history", state_dir=state_dir)
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["devices"] >= 60
    assert report["points"] >= 1000
    assert report["devices_silent"] == []
    assert report["readings"] > 1000
    assert report["latency_ms"]["p95"] is not None
    assert {"ltb", "ym"} == set(report["residual"])
    assert all(abs(b["residual"]) < 0.03 for b in report["residual"].values())
    assert _processes_of(state_dir) == []


def test_interrupt_stops_everything_and_frees_the_folder(state_dir: Path):
    argv = [*DEMO, "--state-dir", str(state_dir), "--port", "0", "--no-history"]
    demo = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
    )
    try:
        assert demo.stdout is not None
        told = ""
        for line in demo.stdout:
            told += line
            if "Ctrl-C" in line:
                break
        second = _run("--port", "0", state_dir=state_dir)
        assert second.returncode == 2
        assert "already running" in second.stderr
        assert all(name in told for name in ("operator", "technician", "manager", "http://127.0.0.1:"))
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=40) == 0
    finally:
        demo.kill()
        demo.communicate()
    assert _processes_of(state_dir) == []


def test_killed_demo_leaves_no_process(state_dir: Path):
    argv = [*DEMO, "--state-dir", str(state_dir), "--port", "0", "--no-history"]
    demo = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
    )
    assert demo.stdout is not None
    assert any("Ctrl-C" in line for line in demo.stdout)
    left = [psutil.Process(demo.pid), *psutil.Process(demo.pid).children(recursive=True)]
    demo.kill()
    demo.communicate()
    _, alive = psutil.wait_procs(left, timeout=30)
    assert [" ".join(process.cmdline()) for process in alive] == []
    assert _processes_of(state_dir) == []


def test_port_out_of_range_is_one_clear_sentence(state_dir: Path):
    done = _run("--port", "99999", state_dir=state_dir)
    assert done.returncode == 2
    assert "expected a port from 0 to 65535" in done.stderr


def test_taken_port_is_one_clear_sentence(state_dir: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("--port", str(port), state_dir=state_dir)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert "Traceback" not in done.stderr
