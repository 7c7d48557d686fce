"""HOST:PORT as a person writes it on the probe's command line."""

from energy_center.errors import NotFound

HIGHEST_PORT = 65_535


def address_in(option: str, written: str, port: int | None = None) -> tuple[str, int]:
    """Host and port; without `port` one must be written. Raises NotFound with what is allowed."""
    host, colon, number = written.rpartition(":") if ":" in written else (written, "", "")
    if not colon and port is not None:
        number = str(port)
    if not host or not number.isdecimal() or not 0 < int(number) <= HIGHEST_PORT:
        form = "HOST:PORT" if port is None else "HOST or HOST:PORT"
        raise NotFound(f"{option} '{written}': allowed is {form}, with a port from 1 to {HIGHEST_PORT}")
    return host, int(number)
