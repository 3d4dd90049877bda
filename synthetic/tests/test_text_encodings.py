"""Character encodings of texts and of XML, in responses and in payloads."""

from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.exchanges import masked_body
from synthetic.probe.results import RunResult
from tests.support.synthetic.mock_api import MockApi, call, write_call

LATIN = '<?xml version="1.0" encoding="iso-8859-1"?><r>é</r>'.encode("latin-1")
PLAIN = "<r>é</r>".encode()


def fetch(folder: Path, criterion: dict[str, Any], content_type: str, body: bytes) -> RunResult:
    """Return the result of a call whose response has to meet a criterion."""
    operation = {"responses": {"200": {"description": "d", "content": {"*/*": {}}}}}
    file = write_call(folder, operation, {"successCriteria": [criterion]})
    return call(file, MockApi(headers=[("Content-Type", content_type)], body=body))[0]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/xml", LATIN),
        ("application/soap+xml", LATIN.replace(b'"', b"'")),
        ("text/xml; charset=iso-8859-1", b"<r>\xe9</r>"),
        ("text/xml; charset=utf-8", LATIN.replace(b"\xe9", "é".encode())),  # the parameter counts
        ("application/xml", '<?xml version="1.0" encoding="UTF-16"?><r>é</r>'.encode("utf-16")),
        ("application/xml", b"\xef\xbb\xbf" + PLAIN),
        ("application/xml", PLAIN),
    ],
)
def test_xml_is_read_in_its_own_encoding(tmp_path: Path, content_type: str, body: bytes) -> None:
    criterion = {"condition": "/r = 'é'", "context": "$response.body", "type": "xpath"}
    result = fetch(tmp_path, criterion, content_type, body)
    assert result.result == "passed", result.detail


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=ISO-8859-1", b"\xe9"),
        ("text/plain; charset=windows-1252", b"\xe9"),
        ("text/plain", "é".encode()),
        ("text/plain; charset=unheard-of", "é".encode()),
    ],
)
def test_expressions_read_texts_in_their_encoding(
    tmp_path: Path, content_type: str, body: bytes
) -> None:
    result = fetch(tmp_path, {"condition": "$response.body == 'é'"}, content_type, body)
    assert result.result == "passed", result.detail
    assert masked_body(body, content_type) == "é"


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [
        ("application/xml", LATIN),
        ("application/xml; charset=utf-8", LATIN.decode("latin-1").encode()),
    ],
)
def test_a_payload_of_xml_is_sent_as_it_declares(
    tmp_path: Path, content_type: str, sent: bytes
) -> None:
    body = {"contentType": content_type, "payload": LATIN.decode("latin-1")}
    operation: dict[str, Any] = {"requestBody": {"content": {"application/xml": {}}}}
    file = write_call(tmp_path, operation, {"requestBody": body}, method="post")
    result, (request,) = call(file)
    assert (result.result, request.body) == ("passed", sent)
