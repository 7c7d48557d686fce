"""What an installation sets by environment variables; every process reads the same ones.

All are prefixed `ENERGY_CENTER_`, except the conventional `DATABASE_URL`.
"""

import os
import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from energy_center.errors import EnvironmentProblem

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DEMO_KEY = "energy-center-demo"  # a production server does not start without a secret of its own
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")


class Mode(StrEnum):
    """A demo may hold known log-ins; production refuses to start with them."""

    PRODUCTION = "production"
    DEMO = "demo"


class Settings(BaseSettings):
    """Settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="ENERGY_CENTER_", extra="ignore")

    def __init__(self, **given: Any) -> None:  # noqa: ANN401  the library's own signature
        """Read the environment; raises EnvironmentProblem, which names each wrong variable."""
        try:
            super().__init__(**given)
        except ValidationError as wrong:
            said = "; ".join(f"{_variable(error['loc'])}: {error['msg']}" for error in wrong.errors())
            raise EnvironmentProblem(f"Wrong in the environment: {said}") from None

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
    port: int = Field(default=8050, ge=0, le=65535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    raw_retention_days: int = Field(default=7, ge=1, description="How long raw readings are kept.")
    spool_max_bytes: int = Field(
        default=2 * 1024**3, ge=16 * 1024, description="Most that a collector keeps on disk; the oldest go."
    )
    rules_interval_s: float = Field(default=60.0, gt=0, description="How often the rules are run.")
    notify_url: SecretStr | None = Field(
        default=None, description="Where alarms are sent: an Apprise address such as mailto://…"
    )
    mail_url: SecretStr | None = Field(
        default=None, description="Sends to plain mail addresses: `mailtos://user:password@server?from=…`."
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="Where people reach the pages, for links in messages: `https://energy.example`.",
    )
    metrics_token: SecretStr | None = Field(
        default=None, min_length=16, description="With it as a bearer token, `/metrics` needs no session."
    )
    metrics_open_to: list[IPv4Network | IPv6Network] = Field(
        default=[], description='Addresses that may read `/metrics` with nothing else, as ["127.0.0.1/32"].'
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_form: Literal["text", "json"] = "text"

    def key(self) -> SecretStr:
        """What cookies, links and addresses are signed or sealed with; a demo may have the known one."""
        return self.secret or SecretStr(DEMO_KEY)

    @field_validator("database_url")
    @classmethod
    def _is_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _names_a_database(url.get_secret_value()):
            raise ValueError(
                "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in the password, letters that have "
                "a meaning in addresses (/ ? # @ : [ ]) are written as %2F and so on"
            )
        return url


def _names_a_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return parts.scheme in {"postgresql", "postgres"} and all(_HOST.fullmatch(host) for host in hosts)


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper() if location else "?"
    return name if name == "DATABASE_URL" else f"ENERGY_CENTER_{name.removeprefix('ENERGY_CENTER_')}"


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
