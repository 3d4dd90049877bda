"""Kubernetes API client of the operator, over kopf's sessions.

Objects are plain dictionaries. kopf already loads aiohttp; a full client library would need more
memory than a thousand monitors.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Self
from urllib.parse import urlencode

import aiohttp
import kopf
import orjson

from synthetic.operator.api_session import Login, close_outdated, connect, is_outdated, log_in
from synthetic.operator.operator_metrics import API_REQUESTS
from synthetic.operator.resources import Object, Resource

FIELD_MANAGER = "cadastro-synthetic"
PAGE_SIZE = 250  # objects in one response of a list
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=20)  # for one response
ANY_JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA_ONLY = f"{ANY_JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = f"{ANY_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_MANY = 401, 403, 404, 409, 429

_NOT_THE_API = "the response is not of the Kubernetes API: check the URL of the server"


class ApiError(Exception):
    """The API server rejected a request, or sent no response; ``status`` is then 0."""

    def __init__(self, status: int, message: str, retry_after: float = 0) -> None:
        """Set the HTTP status, the server's message, and the seconds of ``Retry-After``."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class ApiClient:
    """A session with the API server.

    It renews its login when the token has expired, and when the cluster has another authority.
    """

    def __init__(self, login: Login = log_in) -> None:
        """Prepare the client; the session opens with the ``async with`` block."""
        self._log_in = login
        self._login: kopf.AiohttpSession | None = None
        self._logins = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._login = connect(self._log_in)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._login is not None:
            await self._login.aiohttp_session.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return an object, or None if it does not exist."""
        try:
            return await self._call("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def get_metadata(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return the metadata of an object without its data, or None if it does not exist."""
        try:
            return await self._call("GET", resource.path(namespace, name), accept=METADATA_ONLY)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def list(
        self, resource: Resource, namespace: str, selectors: Mapping[str, str] | None = None
    ) -> list[Object]:
        """Return the objects of a kind."""
        return [item async for page in self.pages(resource, namespace, selectors) for item in page]

    async def pages(
        self,
        resource: Resource,
        namespace: str,
        selectors: Mapping[str, str] | None = None,
        accept: str = ANY_JSON,
    ) -> AsyncIterator[Sequence[Object]]:
        """Yield the objects of a kind page by page; with ``METADATA_LIST``, their metadata alone.

        The API server names version and kind of the list alone; here each object has them.
        """
        query = {"limit": str(PAGE_SIZE), **(selectors or {})}
        while True:
            path = f"{resource.path(namespace)}?{urlencode(query)}"
            page = await self._call("GET", path, accept=accept)
            if "items" not in page:
                raise ApiError(0, _NOT_THE_API)
            kind = {"apiVersion": page["apiVersion"], "kind": page["kind"].removesuffix("List")}
            query["continue"] = page["metadata"].get("continue") or ""
            yield [{**kind, **item} for item in page["items"]]
            if not query["continue"]:
                return

    async def create(self, resource: Resource, body: Object) -> Object | None:
        """Create an object, or return None if the name is taken."""
        try:
            path = resource.path(body["metadata"]["namespace"])
            return await self._call("POST", _with_field_manager(path), body)
        except ApiError as error:
            if error.status == CONFLICT:
                return None
            raise

    async def replace(self, resource: Resource, body: Object, subresource: str = "") -> Object:
        """Replace an object or a subresource, guarded by its resourceVersion."""
        metadata = body["metadata"]
        path = resource.path(metadata.get("namespace", ""), metadata["name"], subresource)
        return await self._call("PUT", _with_field_manager(path), body)

    async def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Delete an object and its dependents, if it exists."""
        try:
            body = {"propagationPolicy": "Background"}
            await self._call("DELETE", resource.path(namespace, name), body)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    async def has_resource(self, resource: Resource) -> bool:
        """Return whether the server has a kind, such as the CRD of the monitors."""
        try:
            resources = await self._call("GET", resource.prefix)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return resource.plural in _resource_names(resources["resources"])

    async def _call(
        self, method: str, path: str, body: Object | None = None, accept: str = ANY_JSON
    ) -> Object:
        content = await self._fetch(method, path, body, accept)
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ApiError(0, _NOT_THE_API) from error
        if not isinstance(document, dict):
            raise ApiError(0, _NOT_THE_API)
        return document

    async def _fetch(
        self, method: str, path: str, body: Object | None = None, accept: str = ANY_JSON
    ) -> bytes:
        login = self._login
        try:
            return await self._request(method, path, body, accept)
        except ApiError as error:
            is_untrusted = isinstance(error.__cause__, aiohttp.ClientConnectorCertificateError)
            if error.status != UNAUTHORIZED and not (is_untrusted and is_outdated(login)):
                raise
        await self._renew_login(login)
        await close_outdated()  # kopf's session too, which then renews its login
        return await self._request(method, path, body, accept)

    async def _renew_login(self, old: kopf.AiohttpSession | None) -> None:
        async with self._logins:
            if self._login is old:  # otherwise another task has renewed it
                self._login = connect(self._log_in)
                if old is not None:
                    await old.aiohttp_session.close()

    async def _request(self, method: str, path: str, body: Object | None, accept: str) -> bytes:
        assert self._login is not None, "the session is not open"  # noqa: S101 - a programming error
        session, url = self._login.aiohttp_session, f"{self._login.server}{path}"
        data = None if body is None else orjson.dumps(body)
        content_type = MERGE_PATCH if method == "PATCH" else ANY_JSON
        headers = {"Accept": accept, **({"Content-Type": content_type} if data else {})}
        try:
            async with session.request(
                method, url, data=data, headers=headers, timeout=REQUEST_TIMEOUT
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            API_REQUESTS.labels(method, "none").inc()
            raise ApiError(0, f"the API server {_cause(error)}") from error
        API_REQUESTS.labels(method, str(response.status)).inc()
        if response.ok:
            return content
        wait = response.headers.get("Retry-After", "0")
        raise ApiError(
            response.status,
            _error_message(response.status, content),
            float(wait) if wait.isdecimal() else 0,
        )


def _with_field_manager(path: str) -> str:
    return f"{path}?fieldManager={FIELD_MANAGER}"


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        return f"has a certificate that is not trusted: {why}"
    name = type(error).__name__
    why = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return f"does not respond: {name}: {why}" if str(why) else f"does not respond: {name}"


def _error_message(status: int, content: bytes) -> str:
    """Return the message of a Status, or a line for the response of another server."""
    try:
        message = str(orjson.loads(content)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        message = " ".join(content[:200].decode(errors="replace").split())
        return f"the API server responded with {status}: {message or 'no content'}"
    return message or f"the API server responded with {status}"


def _resource_names(resources: Iterable[Object]) -> set[str]:
    return {resource["name"] for resource in resources}
