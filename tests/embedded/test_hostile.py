"""What no honest client sends: each gets its status or close code, however it is cut, and the next client is served."""

import socket

import pytest
from device import message
from wire import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, close_body, frame, upgrade

LONG_COOKIE = "Cookie: " + "crumb=0123456789abcdef; " * 128
HEADERS_30 = [f"X-Header-{number}: {'v' * number * 5}" for number in range(30)]
HEADERS_70 = [f"X-Header-{number}: v" for number in range(70)]

# What is asked, and the status.
HANDSHAKES = {
    "Firefox's Connection": (upgrade("/", connection="keep-alive, Upgrade"), 101),
    "a cookie of 3 KiB": (upgrade("/", more=[LONG_COOKIE]), 101),
    "30 headers": (upgrade("/", more=HEADERS_30), 101),
    "a subprotocol of 40 octets": (upgrade("/", more=["Sec-WebSocket-Protocol: " + "p" * 40]), 101),
    "40 subprotocols": (upgrade("/", more=["Sec-WebSocket-Protocol: " + ", ".join(f"protocol-{n}" for n in range(40))]), 101),
    "a subprotocol longer than the buffer": (upgrade("/", more=["Sec-WebSocket-Protocol: " + "p" * 300]), 431),
    "subprotocols that are none": (upgrade("/", more=["Sec-WebSocket-Protocol: a b"]), 400),
    "extensions of 2 KiB": (upgrade("/", more=["Sec-WebSocket-Extensions: " + ", ".join(["x-much; a=1"] * 150)]), 101),
    "70 headers": (upgrade("/", more=HEADERS_70), 431),
    "a head of 10 KiB": (upgrade("/", more=[LONG_COOKIE] * 4), 431),
    "a target longer than the buffer": (upgrade("/" + "x" * 300), 414),
    "a header's name longer than the buffer": (upgrade("/", more=["X" * 300 + ": v"]), 431),
    "no key": (upgrade("/", sec_websocket_key=None), 400),
    "a key of 40 octets": (upgrade("/", sec_websocket_key="k" * 40), 400),
    "a key longer than the buffer": (upgrade("/", sec_websocket_key="k" * 2000), 431),
    "a key that is no base64": (upgrade("/", sec_websocket_key="!" * 22 + "=="), 400),
    "two keys": (upgrade("/", more=[f"Sec-WebSocket-Key: {KEY}"]), 400),
    "no version": (upgrade("/", sec_websocket_version=None), 426),
    "version 8": (upgrade("/", sec_websocket_version="8"), 426),
    "POST": (upgrade("/", method="POST"), 405),
    "HTTP/1.0": (upgrade("/", version="HTTP/1.0"), 400),
    "HTTP/2.0": (upgrade("/", version="HTTP/2.0"), 505),
    "no Host": (upgrade("/", host=None), 400),
    "a Host that is none": (upgrade("/", host="a b"), 400),
    "a folded line": (upgrade("/", more=["X-Folded: a", " b"]), 400),
    "a line without a colon": (upgrade("/", more=["no colon"]), 400),
    "a space before the colon": (upgrade("/", more=["Name : v"]), 400),
    "a control character in a value": (upgrade("/", more=["X: a\0b"]), 400),
    "a body": (upgrade("/", more=["Content-Length: 5"]) + b"hello", 400),
    "two lengths of a body": (upgrade("/", more=["Content-Length: 0", "Transfer-Encoding: chunked"]), 400),
    "TLS": (bytes.fromhex("16030100c8010000c40303"), 400),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
}

# What is sent after the handshake, and the close code of the answer.
FRAMES = {
    "unmasked": (frame(TEXT, b"hello", mask=None), 1002),
    "RSV1": (frame(TEXT, b"hello", rsv=4), 1002),
    "RSV2": (frame(TEXT, b"hello", rsv=2), 1002),
    "RSV3": (frame(TEXT, b"hello", rsv=1), 1002),
    "a reserved data opcode": (frame(3, b"hello"), 1002),
    "a reserved control opcode": (frame(11, b"hello"), 1002),
    "a length of 2^63": (frame(BINARY, form=64, announce=1 << 63), 1002),
    "a length of 2^64 - 1": (frame(BINARY, form=64, announce=(1 << 64) - 1), 1002),
    "a length of 2^63 + 1": (frame(BINARY, b"x", form=64, announce=(1 << 63) + 1), 1002),
    "5 octets with a length of 16 bits": (frame(TEXT, b"hello", form=16), 1002),
    "125 octets with a length of 64 bits": (frame(TEXT, b"x" * 125, form=64), 1002),
    "65,535 octets with a length of 64 bits": (frame(BINARY, form=64, announce=65535), 1002),
    "a Ping of 126 octets": (frame(PING, b"x" * 126), 1002),
    "a Ping of 2^32 octets": (frame(PING, form=64, announce=1 << 32), 1002),
    "a Ping in fragments": (frame(PING, b"x", fin=False), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a message inside a message": (frame(TEXT, b"", fin=False) + frame(TEXT, b"b"), 1002),
    "a Close with half a code": (frame(CLOSE, b"\x03"), 1002),
    "a Close with code 1005": (frame(CLOSE, close_body(1005)), 1002),
    "a Close with code 999": (frame(CLOSE, close_body(999)), 1002),
    "a Close with a reason that is no UTF-8": (frame(CLOSE, close_body(1000, b"\xff")), 1007),
    "text that is no UTF-8": (frame(TEXT, b"\xff"), 1007),
    "text that ends in a character": (frame(TEXT, b"\xe2\x82"), 1007),
    "33 empty fragments": (frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 40, 1008),
    "a flood of Pings": (frame(PING) * 150, 1008),
    "a second request": (upgrade("/"), 1002),
}


def rows(table):
    return pytest.mark.parametrize(("sent", "answer"), table.values(), ids=table.keys())


def cuts(octets):
    """Whole, octet by octet, and in two pieces at some places."""
    yield [octets]
    yield [octets[at : at + 1] for at in range(len(octets))]
    for at in range(1, len(octets), max(1, len(octets) // 16)):
        yield [octets[:at], octets[at:]]


def send(wire, pieces):
    # The answer may come, and the connection end, before all is sent.
    try:
        for piece in pieces:
            wire.send(piece)
    except ConnectionError:
        pass


@rows(HANDSHAKES)
def test_handshakes(ethernet, sent, answer):
    for pieces in cuts(sent):
        with ethernet.wire() as wire:
            send(wire, pieces)
            assert wire.response()[0] == answer, len(pieces)
            if answer != 101:
                wire.ended()


@rows(FRAMES)
def test_frames(ethernet, sent, answer):
    for pieces in cuts(sent):
        with ethernet.wire() as wire:
            wire.open("/")
            send(wire, pieces)
            assert close_code(wire) == answer, len(pieces)
            wire.ended()


@rows(FRAMES)
def test_frames_over_a_serial_line(uart, sent, answer):
    with uart.wire() as wire:
        wire.open("/")
        send(wire, [sent])
        assert close_code(wire) == answer


def close_code(wire):
    """Of the Close that comes, perhaps behind answers to what was legal."""
    while True:
        _, opcode, body = wire.frame()
        if opcode == CLOSE:
            return int.from_bytes(body[:2])
        assert opcode in (TEXT, CONTINUATION, PONG), (opcode, body)


@pytest.mark.parametrize("length", [(1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 63) - 1])
def test_a_longer_frame_than_a_chip_counts_is_refused(device, length):
    """And never taken for one of what is left of its length in 32 bits."""
    with device.wire() as wire:
        wire.open("/")
        wire.send(frame(BINARY, b"x" * 100, announce=length))
        assert close_code(wire) == 1009


@pytest.mark.parametrize("length", [126, 65535, 65536, 1 << 31, (1 << 32) - 2])
def test_a_frame_of_any_other_length_begins_to_come_back(device, length):
    with device.wire() as wire:
        wire.open("/")
        wire.send(frame(BINARY, b"x" * 100, announce=length))
        assert message(wire, 100) == (BINARY, b"x" * 100)


def test_nothing_of_this_costs_memory_or_a_start(ethernet):
    before = ethernet.telemetry()
    for _ in range(3):
        for sent, _answer in [*HANDSHAKES.values(), *FRAMES.values()]:
            with ethernet.wire() as wire:
                send(wire, [upgrade("/"), sent])
                # The end of what the client says, and then of what the device does.
                wire.socket.shutdown(socket.SHUT_WR)
                while wire.more():
                    pass
    after = ethernet.telemetry()
    assert after["uptime_ms"] > before["uptime_ms"]
    assert after["free_ram"] == before["free_ram"]
