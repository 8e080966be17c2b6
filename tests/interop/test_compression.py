"""The server's permessage-deflate against Python's zlib and `websockets`, and against those who want to blow it up.

What the server sends is inflated by zlib with exactly the negotiated window, one octet of output at a time: into a larger buffer
zlib lets distances reach further than the window. zlib does not compress raw streams for a window of 8 bits, so that what is
sent to the server begins with 9.
"""

import itertools
import random
import re
import struct
import zlib

import pytest
from server import Server
from test_deflate import TAIL, inflated, messages
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect
from wire import BINARY, CLOSE, CONTINUATION, TEXT, Wire, close_body, frame, upgrade

RSV1 = 4
LIMIT = 2 << 20
# What a server that keeps the history of both directions is told.
TAKEOVER = ("--server-no-context-takeover", "false", "--client-no-context-takeover", "false")


@pytest.fixture(scope="module", params=[(), TAKEOVER], ids=["alone", "takeover"])
def zipping(request):
    with Server("--worker-num", "1", "--websocket-compression", "true", *request.param) as running:
        yield running
        assert running.process.poll() is None, f"the server died: {running.output()}"


class Zip(Wire):
    """A connection that compresses by hand, with what was agreed on."""

    def __init__(self, server, offer="permessage-deflate"):
        super().__init__(server)
        self.send(upgrade(more=[f"Sec-WebSocket-Extensions: {offer}"]))
        status, headers, _ = self.response()
        assert status == 101, status
        name, *parameters = headers["sec-websocket-extensions"].split("; ")
        assert name == "permessage-deflate"
        self.agreed = dict(parameter.partition("=")[::2] for parameter in parameters)
        assert self.agreed.keys() <= {
            f"{side}_{what}" for side in ("server", "client") for what in ("no_context_takeover", "max_window_bits")
        }
        self.inflater, self.deflater = self.new_inflater(), self.new_deflater()

    def new_inflater(self):
        return zlib.decompressobj(-int(self.agreed.get("server_max_window_bits", 15)))

    def new_deflater(self, level=6):
        return zlib.compressobj(level, wbits=-int(self.agreed.get("client_max_window_bits", 15)))

    def compress(self, message):
        if "client_no_context_takeover" in self.agreed:
            self.deflater = self.new_deflater()
        payload = self.deflater.compress(message) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        return payload.removesuffix(TAIL)

    def take_message(self):
        """(whether it came compressed, its opcode, the message); every piece of it."""
        first, payload, fin = None, b"", False
        while not fin:
            b0, length = self.take(2)
            fin = bool(b0 & 0x80)
            if length > 125:
                form, size = (">H", 2) if length == 126 else (">Q", 8)
                (length,) = struct.unpack(form, self.take(size))
            payload += self.take(length)
            first = b0 if first is None else first
        if not first & 0x40:
            return False, first & 0xF, payload
        if "server_no_context_takeover" in self.agreed:
            self.inflater = self.new_inflater()
        return True, first & 0xF, inflated(self.inflater, payload)


def is_text(octets):
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("server_bits", range(8, 16))
@pytest.mark.parametrize("client_bits", [9, 12, 15])
def test_everything_comes_back_through_zlib_with_the_negotiated_windows(zipping, server_bits, client_bits):
    offer = f"permessage-deflate; server_max_window_bits={server_bits}; client_max_window_bits={client_bits}"
    chance = random.Random(server_bits * client_bits)
    with Zip(zipping, offer) as ws:
        assert int(ws.agreed.get("server_max_window_bits", 15)) == server_bits
        compressed = 0
        for message in messages(server_bits):
            opcode = TEXT if is_text(message) else BINARY
            payload = ws.compress(message)
            cuts = sorted(chance.randrange(len(payload) + 1) for _ in range(chance.randrange(4)))
            parts = [payload[a:b] for a, b in itertools.pairwise([0, *cuts, len(payload)])]
            wire = b""
            for at, part in enumerate(parts):
                kind, rsv = (CONTINUATION, 0) if at else (opcode, RSV1)
                wire += frame(kind, part, fin=at == len(parts) - 1, rsv=rsv)
            ws.send(wire)
            was_compressed, kind, back = ws.take_message()
            assert (kind, back) == (opcode, message)
            compressed += was_compressed
        assert compressed > 40


def test_every_cut_of_a_message_gives_the_same(zipping):
    text = ("中文字符, Съешь же ещё. " * 3).encode()
    with Zip(zipping) as ws:
        for cut in range(30):
            payload = ws.compress(text)
            ws.send(frame(TEXT, payload[:cut], fin=False, rsv=RSV1))
            ws.send(frame(CONTINUATION, payload[cut:]))
            assert ws.take_message()[1:] == (TEXT, text)


# What the client offers of both windows: `True` is one that it leaves to the server. zlib compresses for none of 8 bits.
OFFERED = [*itertools.product([None, 9, 15], [True, None, 9, 15]), (8, 9), *((bits, bits) for bits in range(10, 15))]


@pytest.mark.parametrize("server_bits, client_bits", OFFERED)
@pytest.mark.parametrize("takeover", [(a, b) for a in (False, True) for b in (False, True)])
def test_websockets_and_the_server_understand_each_other(zipping, server_bits, client_bits, takeover):
    factory = ClientPerMessageDeflateFactory(
        server_no_context_takeover=not takeover[0],
        client_no_context_takeover=not takeover[1],
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )
    options = {"extensions": [factory], "compression": None, "proxy": None, "max_size": None}
    with connect(zipping.url(), **options) as ws:
        assert [extension.name for extension in ws.protocol.extensions] == ["permessage-deflate"]
        for message in [*messages(server_bits or 15), bytes(100_000), random.Random(1).randbytes(100_000)]:
            message = message.decode() if is_text(message) else message
            ws.send(message)
            assert ws.recv() == message
        ws.send(iter(["in ", "", "fragments " * 500]))
        assert ws.recv() == "in " + "fragments " * 500


def test_without_the_setting_nothing_is_agreed_on(server):
    with connect(server.url(), compression="deflate", proxy=None) as ws:
        assert ws.protocol.extensions == []
        ws.send("a" * 5000)
        assert ws.recv() == "a" * 5000


def resident(process, what="VmRSS"):
    """Octets of the process that are in memory, or were at most (VmHWM)."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(rf"^{what}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) << 10


def bomb(megabytes):
    """A compressed message of zeros."""
    compressor = zlib.compressobj(9, wbits=-15)
    payload = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(megabytes))
    return payload + compressor.flush(zlib.Z_SYNC_FLUSH).removesuffix(TAIL)


def set_off(server, octets):
    """Sends a bomb, and expects to be told that it is too big."""
    with Zip(server) as ws:
        try:
            ws.send(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The server has said why already.
        assert ws.frame()[1:] == (CLOSE, close_body(1009, b"message too big"))


@pytest.fixture(scope="module")
def large_bomb():
    """The frame of 400 MiB in 400 KiB; its mask is zero, for it would take long to apply another."""
    payload = bomb(400)
    assert 400_000 < len(payload) < 410 << 10
    return bytes([0xC0 | BINARY, 0xFF]) + struct.pack(">Q", len(payload)) + bytes(4) + payload


def is_served(ws):
    ws.send(frame(TEXT, ws.compress(b"still here " * 99), rsv=RSV1))
    return ws.take_message()[2] == b"still here " * 99


def test_a_bomb_costs_no_more_than_a_message_and_harms_nobody(zipping, large_bomb):
    with Zip(zipping) as other:
        assert is_served(other)
        before = resident(zipping.process)
        set_off(zipping, large_bomb)
        assert is_served(other)
        assert resident(zipping.process, "VmHWM") - before <= LIMIT


def test_ten_thousand_bombs_leave_nothing_behind(large_bomb):
    with Server("--worker-num", "1", "--websocket-compression", "true", "--ping-interval", "0", *TAKEOVER) as server, Zip(server) as other:
        # What the first ones leave is what all others use again.
        for _ in range(100):
            set_off(server, large_bomb)
        before = resident(server.process)
        for _ in range(9_900):
            set_off(server, large_bomb)
        assert is_served(other)
        assert resident(server.process) - before <= 256 << 10
