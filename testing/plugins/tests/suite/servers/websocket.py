"""A WebSocket server: `websocket.py PORT [CHAIN KEY]`.

What it does is in the path: /echo, /greet (says "ready" unasked), /chatty (says a
number of things before "ready"), /big (says 100,000 bytes), /refuse (closes with a
reason), /vanish (says "bye" and ends the connection without a closing).
"""

import asyncio
import http
import ssl
import sys

import websockets


async def serve(socket, path):
    if path == "/refuse":
        await socket.close(1008, "not today")
    elif path == "/greet":
        await socket.send("ready")
    elif path == "/chatty":
        for number in range(20):
            await socket.send(f"line {number}")
        await socket.send(b"ready")
    elif path == "/big":
        await socket.send("x" * 100_000)
    elif path == "/vanish":
        await socket.send("bye")
        socket.transport.close()
        return
    async for message in socket:
        await socket.send(message)


async def process(path, headers):
    if path == "/private" and headers.get("Authorization") != "Basic d2F0Y2g6c2VjcmV0":
        return http.HTTPStatus.UNAUTHORIZED, [], b"who is there?"
    if path == "/moved":
        return http.HTTPStatus.MOVED_PERMANENTLY, [("Location", "/echo")], b""
    return None


async def main():
    port = int(sys.argv[1])
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = websockets.serve(
        serve,
        "127.0.0.1",
        port,
        ssl=context,
        subprotocols=["v2", "v1"],
        process_request=process,
        compression=None,
    )
    async with server:
        await asyncio.Future()


asyncio.run(main())
