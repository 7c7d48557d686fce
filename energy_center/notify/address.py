"""Addresses of people: checked by Apprise, encrypted at rest, shown only as far as they hold no secret."""

import base64
import re
from urllib.parse import quote, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from energy_center.errors import EnvironmentProblem, Invalid

_MAIL = re.compile(r"[^@\s:/?#&=%]{1,64}@[^@\s:/?#&=%]{1,190}\.[^@\s:/?#&=%]{2,63}")
# What these reach is a desktop or a log, never a person; vapid keeps its keys in files of the server.
_OF_THE_SERVER = frozenset(
    {"dbus", "qt", "glib", "kde", "gnome", "macosx", "windows", "syslog", "rsyslog", "vapid"}
)
# Services that people run themselves: the host may be shown, it is no secret.
_WITH_HOST = frozenset(
    {"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "ntfy", "ntfys"}
)


def _fernet(key: SecretStr) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"energy-center contact addresses")
    return Fernet(base64.urlsafe_b64encode(derive.derive(key.get_secret_value().encode())))


def seal(address: SecretStr, key: SecretStr) -> bytes:
    """Encrypt an address (Fernet, under a key derived from the installation's secret)."""
    return _fernet(key).encrypt(address.get_secret_value().encode())


def unseal(sealed: bytes, key: SecretStr) -> SecretStr:
    """The address. Raises EnvironmentProblem when it was sealed under another secret."""
    try:
        return SecretStr(_fernet(key).decrypt(sealed).decode())
    except InvalidToken as wrong:
        raise EnvironmentProblem(
            "The address cannot be read: ENERGY_CENTER_SECRET has changed since it was entered"
        ) from wrong


def check_address(address: SecretStr, mail_url: SecretStr | None) -> str:
    """Whether Apprise can send there; gives what may be shown of it. Raises Invalid."""
    given = address.get_secret_value().strip()
    if _MAIL.fullmatch(given):
        if mail_url is None:
            raise Invalid("A plain mail address needs ENERGY_CENTER_MAIL_URL: which server sends the mail")
        return given
    parts = given.partition("://")
    scheme = parts[0].lower()
    if not parts[1] or scheme in _OF_THE_SERVER or not _is_known(given):
        raise Invalid("The address is neither a mail address nor one that Apprise can send to people by")
    if _reads_files(given):
        raise Invalid("The address must not name a file or page to read: no template, keyfile or PGP key")
    host = _host(given) if scheme in _WITH_HOST else None
    return f"{scheme}://{host or ''}…"


def full_address(address: SecretStr, mail_url: SecretStr | None) -> SecretStr:
    """What Apprise is given: a plain mail address goes through the installation's mail server."""
    given = address.get_secret_value().strip()
    if not _MAIL.fullmatch(given) or mail_url is None:
        return SecretStr(given)
    by = mail_url.get_secret_value()
    return SecretStr(f"{by}{'&' if '?' in by else '?'}to={quote(given)}")


def _is_known(address: str) -> bool:
    import apprise

    return apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None


def _reads_files(address: str) -> bool:
    """Whether the worker would read what it names, on its disk or its network, and send that out."""
    import apprise

    held = vars(apprise.Apprise.instantiate(address, suppress_exceptions=True))
    attached = any(isinstance(one, apprise.AppriseAttachment) and len(one) for one in held.values())
    return attached or bool(held.get("pgp_key") or held.get("pgp_privkey"))


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
