"""Content codings of responses (RFC 9110, 8.4.1)."""

import gzip
import zlib
from pathlib import Path

import pytest

from tests.support.synthetic.mock_api import check_response

STRICT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


JSON_BODY = b'{"id": 1}'


RAW_DEFLATE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        pytest.param("gzip", gzip.compress(JSON_BODY), "", id="gzip"),
        pytest.param("GZIP", gzip.compress(JSON_BODY), "", id="upper case"),
        pytest.param(
            "gzip",
            gzip.compress(JSON_BODY[:5]) + gzip.compress(JSON_BODY[5:]),
            "",
            id="two members",
        ),
        pytest.param(
            "gzip",
            gzip.compress(b"") + gzip.compress(JSON_BODY) + gzip.compress(b""),
            "",
            id="empty members",
        ),
        pytest.param(
            "gzip", gzip.compress(JSON_BODY) + b"more", "schema", id="rest after the member"
        ),
        pytest.param(
            "gzip",
            gzip.compress(b"") * 10_000 + gzip.compress(JSON_BODY),
            "schema",
            id="ten thousand members",
        ),
        pytest.param("deflate", zlib.compress(JSON_BODY), "", id="zlib"),
        pytest.param(
            "deflate", RAW_DEFLATE.compress(JSON_BODY) + RAW_DEFLATE.flush(), "", id="raw deflate"
        ),
        pytest.param(
            "deflate, gzip", gzip.compress(zlib.compress(JSON_BODY)), "", id="two codings"
        ),
        pytest.param("identity", JSON_BODY, "", id="identity"),
        pytest.param("gzip", gzip.compress(b'{"id": "x"}'), "schema", id="breaks the schema"),
        pytest.param("gzip", gzip.compress(JSON_BODY)[:-9], "schema", id="cut"),
        pytest.param("gzip", JSON_BODY, "schema", id="not compressed"),
        pytest.param("br", b"\x0b\x04\x80{}\x03", "schema", id="not supported"),
        pytest.param(
            "gzip",
            gzip.compress(b" " * 9_000_000 + JSON_BODY),
            "schema",
            id="larger than the limit",
        ),
    ],
)
def test_decodes_content_codings_up_to_the_limit_of_a_body(
    tmp_path: Path, coding: str, body: bytes, reason: str
) -> None:
    content = {"content": {"application/json": {"schema": STRICT}}}
    headers = ("Content-Type", "application/json"), ("Content-Encoding", coding)
    assert check_response(tmp_path, content, body, *headers).reason == reason
