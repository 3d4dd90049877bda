"""Check that a server responds as the others do, errors included, before it is measured."""

import httpx

from benchmarks.drive.invalid_request_cases import (
    CLIENT,
    BadRequest,
    TokenSigner,
    bad_inputs,
    bad_tokens,
    new_client,
)
from benchmarks.progress import BenchmarkError

JSON = {"Content-Type": "application/json"}


def check(name: str, url: str, token: str, signer: TokenSigner) -> int:
    """Check the server at ``url``, and return the number of checks.

    Raises:
        BenchmarkError: a response differs.

    """
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        tokens, inputs, checks = bad_tokens(signer), bad_inputs(), (_fetch, _list, _write)
        for request in tokens:
            _check_rejected(name, client, request)
        client.headers["Authorization"] = f"Bearer {token}"
        for request in inputs:
            _check_rejected(name, client, request)
        for check_success in checks:
            check_success(name, client)
    return len(tokens) + len(inputs) + len(checks)


def _check_rejected(name: str, client: httpx.Client, request: BadRequest) -> None:
    response = _send(client, request)
    media = response.headers.get("content-type", "").partition(";")[0]
    _expect(name, f"{request.defect}, status", response.status_code, request.status)
    _expect(name, f"{request.defect}, media type", media, "application/problem+json")
    problem = response.json()
    _expect(name, f"{request.defect}, status of the problem", problem.get("status"), request.status)
    _expect(name, f"{request.defect}, message", bool(problem.get("msg")), expected=True)
    if request.status == httpx.codes.UNAUTHORIZED:
        has_challenge = "www-authenticate" in response.headers
        _expect(name, f"{request.defect}, challenge", has_challenge, expected=True)


def _fetch(name: str, client: httpx.Client) -> None:
    response = client.get("/clients/fetch/7")
    _expect(name, "fetch", response.json(), {"id": 7, **CLIENT})
    _expect(name, "entity tag", response.headers.get("etag", "")[:1], '"')


def _list(name: str, client: httpx.Client) -> None:
    response = client.get("/clients/fetch?limit=100&after=6")
    ids = [row["id"] for row in response.json()]
    _expect(name, "ids of a page", ids, list(range(7, 107)))
    _expect(name, "first row of a page", response.json()[0], {"id": 7, **CLIENT})
    has_next = "after=106" in response.headers.get("link", "")
    _expect(name, "link to the next page", has_next, expected=True)


def _write(name: str, client: httpx.Client) -> None:
    created = client.post("/clients/create", json=new_client())
    _expect(name, "status of a create", created.status_code, 201)
    identifier = created.json()["id"]
    changed = {**new_client(), "balance": 0.1}
    response = client.put(f"/clients/update/{identifier}", json=changed)
    _expect(name, "status of an update", response.status_code, 200)
    _expect(name, "message of an update", bool(response.json()["msg"]), expected=True)
    row = client.get(f"/clients/fetch/{identifier}").json()
    _expect(name, "updated row", row, {"id": identifier, **changed, "balance": "0.10"})


def _send(client: httpx.Client, request: BadRequest) -> httpx.Response:
    method, path = request.method, request.path
    if isinstance(request.body, bytes):
        headers = {**JSON, **request.headers}
        return client.request(method, path, content=request.body, headers=headers)
    return client.request(method, path, json=request.body, headers=request.headers)


def _expect(name: str, what: str, observed: object, expected: object) -> None:
    if observed != expected:
        raise BenchmarkError(
            f"{name} differs from the other servers: {what} is {observed!r}, not {expected!r}"
        )
