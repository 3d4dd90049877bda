"""Keyset pagination: ``limit`` and ``after`` in, ``Link: rel="next"`` (RFC 8288) out."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request

from servicekit.http.responses import Result


def paginate(rows: Sequence[dict[str, Any]], limit: int) -> Result:
    """Return at most ``limit`` of ``rows``, ordered by id; link to the next page if more follow.

    The link is relative (RFC 3986, 4.2), since a proxy may strip a prefix from the path.
    """
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return Result(shown)
    query = {**request.args.to_dict(), "limit": limit, "after": shown[-1]["id"]}
    return Result(shown, headers={"Link": f'<?{urlencode(query)}>; rel="next"'})
