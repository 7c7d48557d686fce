"""Kinds of command-line words that several commands take."""

import argparse

HIGHEST_PORT = 65_535


def port(text: str) -> int:
    """A port number; 0 stands for any free one."""
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected a port from 0 to {HIGHEST_PORT}")
    return int(text)
