"""Collections by keyset: ``limit`` and ``after`` in, ``Link: rel="next"`` (RFC 8288) out."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request

from servicekit.http.responses import Reply


def page(rows: Sequence[dict[str, Any]], limit: int) -> Reply:
    """Answer with at most ``limit`` of ``rows``, ordered by id; one more row says there is more."""
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return Reply(shown)
    query = {**request.args.to_dict(), "limit": limit, "after": shown[-1]["id"]}
    return Reply(shown, headers={"Link": f'<{request.path}?{urlencode(query)}>; rel="next"'})
