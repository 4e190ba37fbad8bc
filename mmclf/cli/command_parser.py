"""The parser of a command's own options."""

from __future__ import annotations

import argparse


def command_parser(name: str, description: str) -> argparse.ArgumentParser:
    """The parser of `mmclf NAME`, whose help shows the lines of the description as they are."""
    return argparse.ArgumentParser(
        prog=f"mmclf {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
