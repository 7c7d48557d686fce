"""A UDP port for a server that a test starts later, or twice."""

import random
import socket


def free_udp_port() -> int:
    """A port that nobody holds, below those that systems give to clients, so that none takes it meanwhile."""
    for port in random.sample(range(20_000, 30_000), 1000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no UDP port is free")
