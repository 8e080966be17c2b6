"""Servers of Python: `python.py picows|websockets echo|deflate|takeover|broadcast PORT`, picows over uvloop."""

import asyncio
import sys


async def picows(mode, port):
    from picows import WSListener, WSMsgType, ws_create_server

    connections = set()

    class Echo(WSListener):
        def on_ws_connected(self, transport):
            connections.add(transport)

        def on_ws_disconnected(self, transport):
            connections.discard(transport)

        def on_ws_frame(self, transport, frame):
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()
            elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
                message = frame.get_payload_as_bytes()
                for receiver in connections if mode == "broadcast" else (transport,):
                    receiver.send(frame.msg_type, message)

    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", port, backlog=1024, max_frame_size=64 << 20)
    await server.serve_forever()


async def websockets(mode, port):
    from websockets.asyncio.server import broadcast, serve
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

    connections = set()

    async def echo(socket):
        connections.add(socket)
        try:
            async for message in socket:
                if mode == "broadcast":
                    broadcast(connections, message)
                else:
                    await socket.send(message)
        finally:
            connections.discard(socket)

    alone = mode == "deflate"
    extensions = []
    if mode in ("deflate", "takeover"):
        extensions = [ServerPerMessageDeflateFactory(server_no_context_takeover=alone, client_no_context_takeover=alone)]
    server = await serve(
        echo, "127.0.0.1", port, compression=None, extensions=extensions, max_size=64 << 20, ping_interval=None, backlog=1024
    )
    await server.serve_forever()


name, mode, port = sys.argv[1:]
if name == "picows":
    import uvloop

    uvloop.run(picows(mode, int(port)))
else:
    asyncio.run(websockets(mode, int(port)))
