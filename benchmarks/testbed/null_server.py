"""A server with one constant response, to measure the limit of the load generator."""

import asyncio
import sys
from typing import cast

import uvloop

BODY = b'{"id":1,"name":"Pessoa 1","email":"pessoa1@example.com","cpf":"000.000.001-91"}'
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class _ConstantProtocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, _: bytes) -> None:
        self._transport.write(RESPONSE)


async def serve(port: int) -> None:
    """Serve on a port of 127.0.0.1 until the process is terminated."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_ConstantProtocol, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
