"""Conditional requests (RFC 9110, section 13) on row versions; the contract checks the headers."""

import re
from http import HTTPStatus
from typing import Any

from servicekit.http.responses import Reply

_TAG = re.compile(r'(W/)?"([!#-~]*)"')
_VERSION = re.compile(r"[0-9]{1,18}\Z")


def etag(version: int) -> str:
    """Return the entity tag of a row's version."""
    return f'"{version}"'


def expected_versions(if_match: str | None) -> list[int] | None:
    """Return the versions that ``If-Match`` admits; ``None`` when it admits any.

    Weak tags and tags that are not ours admit nothing, as the strong comparison has it.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _TAG.findall(if_match)
    return [int(tag) for weak, tag in tags if not weak and _VERSION.match(tag)]


def fetched(body: Any, version: int, if_none_match: str | None) -> Reply:  # noqa: ANN401 - JSON
    """Answer with a row, or with 304 when the caller has this version of it."""
    headers = {"ETag": etag(version)}
    known = if_none_match or ""
    if known.strip() == "*" or any(tag == str(version) for _, tag in _TAG.findall(known)):
        return Reply(None, HTTPStatus.NOT_MODIFIED, headers)
    return Reply(body, headers=headers)


def updated(msg: str, version: int) -> Reply:
    """Answer that a row was changed, with its new version."""
    return Reply({"msg": msg}, headers={"ETag": etag(version)})
