"""Conditional requests (RFC 9110, section 13) on row versions.

The contract validates the syntax of the headers.
"""

import re
from http import HTTPStatus
from typing import Any

from servicekit.http.responses import Result, etag

_TAG = re.compile(r'(W/)?"([!#-~]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}\Z")  # tags are compared by character


def parse_if_match(if_match: str | None) -> list[int] | None:
    """Return the versions that ``If-Match`` names; ``None`` if it allows any version.

    Weak tags and foreign tags match no version, by the strong comparison.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _TAG.findall(if_match)
    return [int(tag) for weak, tag in tags if not weak and _VERSION.match(tag)]


def get_response(body: Any, version: int, if_none_match: str | None) -> Result:  # noqa: ANN401 - JSON
    """Return a 200 with a row, or a 304 if the client has this version already."""
    headers = {"ETag": etag(version)}
    given = if_none_match or ""
    if given.strip() == "*" or any(tag == str(version) for _, tag in _TAG.findall(given)):
        return Result(None, HTTPStatus.NOT_MODIFIED, headers)
    return Result(body, headers=headers)


def put_response(msg: str, version: int) -> Result:
    """Return a 200 with the new version of a changed row."""
    return Result({"msg": msg}, headers={"ETag": etag(version)})
