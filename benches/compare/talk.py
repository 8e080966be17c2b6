"""A client that sends so many messages and no more, for what is counted and not timed."""

import contextlib
import socket
import sys
import time

TEXT, BINARY = b"\x81", b"\x82"
# Kind, octets, depth.
LOADS = [(TEXT, 20, 1), (TEXT, 20, 16), (BINARY, 1024, 1), (BINARY, 1024, 16)]
REQUEST = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def called(first, size, depth):
    return f"{size:,} B {'text' if first == TEXT else 'binary'}, depth {depth}"


def masked(first, payload):
    key = b"\x12\x9e\x55\xc3"
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return first + length + key + bytes(octet ^ key[at % 4] for at, octet in enumerate(payload))


def talk(port, first, size, depth, messages, raw=False):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not raw:
            connection.sendall(REQUEST)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1) or sys.exit("no handshake")
        batch = masked(first, b"a" * size) * depth
        expected = len(batch) if raw else (size + (2 if size < 126 else 4)) * depth
        for _ in range(messages // depth):
            connection.sendall(batch)
            missing = expected
            while missing:
                came = len(connection.recv(missing))
                missing -= came or sys.exit("the server hung up")
