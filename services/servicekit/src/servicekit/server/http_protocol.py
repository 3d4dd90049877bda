"""uvicorn's HTTP protocol with bounded header sections, and without trailers."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024  # names and values; nginx and Traefik admit half of it by default
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _Trailers(list[tuple[bytes, bytes]]):
    """Discards the fields after a chunked body, which must not count as headers (RFC 9110, 6.5)."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Discard a field."""


_TRAILERS = _Trailers()


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses requests with too many or too long headers with 431 (RFC 6585, section 5)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Start without a header section."""
        super().connection_made(transport)
        self.headers = _TRAILERS
        self._received = 0  # bytes of an incomplete header section, without the first read

    def data_received(self, data: bytes) -> None:
        """Parse bytes, and bound a header section that does not end."""
        was_incomplete = self.headers is not _TRAILERS
        super().data_received(data)
        if self.headers is _TRAILERS:
            return
        self._received = self._received + len(data) if was_incomplete else 0
        if self._received > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        """Start the request, unless its headers exceed the bounds."""
        size = sum([len(name) + len(value) for name, value in self.headers])
        if size > MAX_HEADER_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse()
            raise ValueError  # ends the parser's work on this connection
        super().on_headers_complete()
        self.headers = _TRAILERS

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, unless it was refused already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _refuse(self) -> None:
        self.logger.warning("request refused: header section too large")
        self.transport.write(_REFUSAL)
        self.transport.close()
