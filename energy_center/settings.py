"""What an installation sets by environment variables; every process reads the same ones.

All are prefixed `ENERGY_CENTER_`, except the conventional `DATABASE_URL`.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class Mode(StrEnum):
    """A demo may hold known log-ins; production refuses to start with them."""

    PRODUCTION = "production"
    DEMO = "demo"


class Settings(BaseSettings):
    """Settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="ENERGY_CENTER_", extra="ignore")

    mode: Mode = Mode.PRODUCTION
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "ENERGY_CENTER_DATABASE_URL")
    )
    secret: SecretStr | None = Field(default=None, description="Signs session cookies; 32 bytes or more.")
    state_dir: Path | None = None
    site_file: Path | None = None
    endpoints_file: Path | None = Field(
        default=None, description="JSON {connection id: {host, port}}: overrides the site file's addresses."
    )
    host: str = "127.0.0.1"
    port: int = 8050
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    raw_retention_days: int = 7
    rules_interval_s: float = Field(default=60.0, gt=0, description="How often the rules are run.")
    notify_url: SecretStr | None = Field(
        default=None, description="Where alarms are sent: an Apprise address such as mailto://…"
    )
    log_level: str = "INFO"
    log_form: Literal["text", "json"] = "text"


def default_state_dir(name: str = "main") -> Path:
    """Where an installation keeps its embedded database, spool and logs.

    As root: a directory of our own in the system's state directory, because the database runs as another
    account that cannot enter root's home. Otherwise `.state/` in the project when it is writable (a clone),
    else the user's state directory.
    """
    if os.geteuid() == 0:
        slug = str(PROJECT_ROOT).strip("/").replace("/", "-") or "root"
        return Path("/var/lib/energy-center") / slug / name
    if os.access(PROJECT_ROOT, os.W_OK):
        return PROJECT_ROOT / ".state" / name
    base = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state"))
    return base / "energy-center" / name
