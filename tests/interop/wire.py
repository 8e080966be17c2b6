"""HTTP heads and WebSocket frames by hand, over a plain socket: what no well-behaved library would send."""

import socket
import struct

from server import PATIENCE

# RFC 6455 section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"


def upgrade(path="/echo", method="GET", version="HTTP/1.1", more=(), **changes):
    """An upgrade request. `changes` replaces headers by name (`_` for `-`) or, with None, leaves them out."""
    headers = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    names = {name.lower().replace("-", "_"): name for name in headers}
    for name, value in changes.items():
        headers[names[name]] = value
    lines = [f"{method} {path} {version}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("\r\n".join([*lines, *more]) + "\r\n\r\n").encode("latin-1")


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, form=None, announce=None):
    """A frame. `form` (7, 16 or 64) forces the form of the length, `announce` another length than the payload has."""
    length = len(payload) if announce is None else announce
    if form is None:
        form = 7 if length < 126 else 16 if length < 65536 else 64
    masked = 0 if mask is None else 0x80
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == 7:
        head += bytes([masked | length])
    elif form == 16:
        head += bytes([masked | 126]) + struct.pack(">H", length)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", length)
    if mask is None:
        return head + payload
    return head + mask + bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))


def close_body(code, reason=b""):
    return struct.pack(">H", code) + reason


class Wire:
    """A connection of octets."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def drip(self, octets):
        """Sends each octet by itself."""
        for octet in octets:
            self.socket.sendall(bytes([octet]))

    def open(self, path="/echo"):
        """Does the opening handshake."""
        self.send(upgrade(path))
        status, headers, _ = self.response()
        assert status == 101, status
        assert headers["sec-websocket-accept"] == ACCEPT
        return self

    def more(self):
        got = self.socket.recv(65536)
        self.held += got
        return bool(got)

    def take(self, count):
        while len(self.held) < count:
            if not self.more():
                raise EOFError(f"the connection ended after {self.held!r}")
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def response(self):
        """(status, headers by lower-case name, body by Content-Length)."""
        while b"\r\n\r\n" not in self.held:
            if not self.more():
                raise EOFError(f"no whole response head: {self.held!r}")
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = start.split(" ", 2)
        assert version == "HTTP/1.1", start
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.take(int(headers.get("content-length", "0")))
        return int(status), headers, body

    def frame(self):
        """(fin, opcode, payload) of the next frame; a server's frames have no mask and no reserved bits."""
        b0, b1 = self.take(2)
        assert b0 & 0x70 == 0 and b1 & 0x80 == 0, (b0, b1)
        length = b1
        if length == 126:
            (length,) = struct.unpack(">H", self.take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.take(8))
        return bool(b0 & 0x80), b0 & 0x0F, self.take(length)

    def closed_with(self):
        """(code, reason) of the Close frame that must come next, and nothing but the connection's end behind it."""
        fin, opcode, body = self.frame()
        assert (fin, opcode) == (True, CLOSE), (fin, opcode, body)
        self.ended()
        if not body:
            return None, ""
        return struct.unpack(">H", body[:2])[0], body[2:].decode()

    def ended(self):
        """The server must end the connection, without a word more."""
        try:
            while self.more():
                pass
        except ConnectionResetError:
            pass
        assert self.held == b"", self.held
