"""`energy-center openapi`: the description of the API, without a database or a server."""

import argparse

from energy_center.api.app import create_api
from energy_center.cli import out
from energy_center.settings import Settings

SUMMARY = "print the description of the API"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What form to print it in."""
    parser.add_argument(
        "--format", choices=("json", "text"), default="json", help="text lists the operations"
    )


def run(args: argparse.Namespace) -> int:
    """Print it."""
    document = create_api(Settings()).openapi()
    if args.format == "json":
        out.as_json(document)
        return 0
    rows = [
        (method.upper(), path, operation.get("x-permission", "open"), operation["summary"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    out.table(("method", "path", "permission", "summary"), rows)
    return 0
