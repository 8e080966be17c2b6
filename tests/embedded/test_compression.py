"""permessage-deflate on a chip: what Python's `websockets` compresses in a window of 512 octets comes back as it was."""

import json
import random
import zlib

import pytest
from device import message
from server import PATIENCE
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from wire import CLOSE, PING, PONG, TEXT, close_body, frame, upgrade

READINGS = json.dumps([{"sensor": number, "celsius": number % 7 + 20.5, "state": "ok"} for number in range(2000)])
NOISE = random.Random(1).randbytes(40_000)
MESSAGES = ["", "x", "Grüße", READINGS[:200], READINGS, "\u20ac" * 30_000, b"\0" * 300_000, NOISE]
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"


def compressing(device, path="/", bits=True):
    return device.client(path, extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=bits)])


def test_a_client_keeps_to_the_chips_window(ethernet):
    with compressing(ethernet) as client:
        agreed = client.response.headers["Sec-WebSocket-Extensions"]
        assert agreed == "permessage-deflate; server_no_context_takeover; client_max_window_bits=9"


def test_all_comes_back_as_it_was(ethernet):
    with compressing(ethernet) as client:
        for sent in [*MESSAGES, *MESSAGES[::-1]]:
            client.send(sent)
            assert client.recv(timeout=PATIENCE) == sent


def test_fragments_with_pings_between_them(ethernet):
    with compressing(ethernet) as client:
        client.send(READINGS[at : at + 700] for at in range(0, len(READINGS), 700))
        pong = client.ping(b"there?")
        assert client.recv(timeout=PATIENCE) == READINGS
        assert pong.wait(PATIENCE)


def test_four_at_once_do_not_mix(ethernet):
    with compressing(ethernet) as one, compressing(ethernet) as two, ethernet.client() as plain:
        for turn in range(20):
            for number, client in enumerate([one, two, plain]):
                client.send(f"{turn} {number} {READINGS}")
            for number, client in enumerate([one, two, plain]):
                assert client.recv(timeout=PATIENCE) == f"{turn} {number} {READINGS}"


@pytest.mark.parametrize("path, bits", [("/", None), ("/telemetry", True)])
def test_who_does_not_keep_to_it_or_is_not_echoed_gets_none(ethernet, path, bits):
    with compressing(ethernet, path, bits) as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        assert not client.protocol.extensions


# What is no DEFLATE data, and text that is no UTF-8 once it is inflated.
WRONG = {"a block of no type": b"\x07\0", "a distance that reaches back too far": b"\x02\x03\0", "no UTF-8": b"\xfa\x07\0"}


@pytest.mark.parametrize("payload", WRONG.values(), ids=WRONG.keys())
def test_what_does_not_inflate_ends_the_connection(ethernet, payload):
    with ethernet.wire() as wire:
        wire.send(upgrade("/", more=[OFFER]))
        assert wire.response()[0] == 101
        wire.send(frame(TEXT, payload, rsv=4))
        assert message(wire) == (CLOSE, close_body(1007))


def test_a_ping_behind_a_long_inflation_is_answered(ethernet):
    compressor = zlib.compressobj(wbits=-9)
    letters = b"a" * 60_000
    # Without the four octets that end every message (RFC 7692 section 7.2.1).
    deflated = (compressor.compress(letters) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(deflated) < 256, "it lies in the chip's input as a whole, and the Ping behind it"
    with ethernet.wire() as wire:
        wire.send(upgrade("/", more=[OFFER]))
        assert wire.response()[0] == 101
        wire.send(frame(TEXT, deflated, rsv=4) + frame(PING, b"now"))
        assert message(wire) == (TEXT, letters)
        assert message(wire) == (PONG, b"now")
