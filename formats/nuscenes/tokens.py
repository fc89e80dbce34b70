"""Tokens and times as nuScenes writes them."""

import hashlib

EXTRA = "crosslabel"
"""The field of a row that holds what nuScenes has no place for."""


def token_of(*parts: str | int) -> str:
    """32 hexadecimal digits that depend on the parts alone, so that an export can be repeated."""
    return hashlib.md5(
        "\x1f".join(map(str, parts)).encode(errors="surrogatepass"), usedforsecurity=False
    ).hexdigest()


def microseconds(timestamp_ns: int) -> int:
    """Nanoseconds to the whole microseconds of the tables."""
    return int(timestamp_ns) // 1000
