"""Conditional requests (RFC 9110, section 13) on row versions.

The contract validates the syntax of the headers.
"""

import re
from http import HTTPStatus
from typing import Any

from servicekit.db.table_repository import VersionCondition
from servicekit.http.responses import Result, etag
from servicekit.problems import PreconditionFailed

_TAG = re.compile(r'(W/)?"([!#-~]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}\Z")  # tags are compared by character


def write_condition(if_match: str | None, if_none_match: str | None) -> VersionCondition | None:
    """Return the condition of a change or deletion; ``None`` if it allows every version.

    ``If-Match`` compares strongly: weak tags match no version. ``If-None-Match`` compares weakly.
    """
    allowed = None if if_match is None else _versions(if_match, are_weak=False)
    excluded = set() if if_none_match is None else _versions(if_none_match, are_weak=True)
    if excluded is None:
        return VersionCondition([], is_allowed=True)
    if allowed is not None:
        return VersionCondition(sorted(allowed - excluded), is_allowed=True)
    return VersionCondition(sorted(excluded), is_allowed=False) if excluded else None


def get_response(
    body: Any,  # noqa: ANN401 - JSON
    version: int,
    if_match: str | None,
    if_none_match: str | None,
) -> Result:
    """Return a 200 with a row, or a 304 if the client has this version already.

    Raises:
        PreconditionFailed: the row is at none of the versions of ``If-Match``.

    """
    if if_match is not None and not _matches(version, if_match, are_weak=False):
        raise PreconditionFailed
    headers = {"ETag": etag(version)}
    if if_none_match is not None and _matches(version, if_none_match, are_weak=True):
        return Result(None, HTTPStatus.NOT_MODIFIED, headers)
    return Result(body, headers=headers)


def put_response(msg: str, version: int) -> Result:
    """Return a 200 with the new version of a changed row."""
    return Result({"msg": msg}, headers={"ETag": etag(version)})


def _matches(version: int, tags: str, *, are_weak: bool) -> bool:
    versions = _versions(tags, are_weak=are_weak)
    return versions is None or version in versions


def _versions(tags: str, *, are_weak: bool) -> set[int] | None:
    """Return the versions that entity tags name; ``None`` for ``*``. Foreign tags name none."""
    if tags.strip() == "*":
        return None
    found = _TAG.findall(tags)
    return {int(tag) for weak, tag in found if (are_weak or not weak) and _VERSION.match(tag)}
