"""Python's `websockets` and the echo, over every transport."""

import pytest
from device import message
from server import PATIENCE
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, frame, upgrade

MESSAGES = ["", "x", "Grüße", "x" * 125, "x" * 126, b"\0\xff" * 100, b"\xff" * 300, "\u20ac" * 1000]
LONG = [b"\xff" * 65535, b"\xf3" * 65536, "\u20ac" * 30000]


def echo(device, messages):
    with device.client() as client:
        for message in messages:
            client.send(message)
            assert client.recv(timeout=PATIENCE) == message


def test_messages_of_many_lengths_come_back(device):
    echo(device, MESSAGES)


def test_messages_much_longer_than_the_buffer_come_back(ethernet, uart_arm):
    echo(ethernet, [*LONG, bytes(range(256)) * 2048])
    echo(uart_arm, LONG)


def test_messages_come_back_whole_though_they_are_sent_in_fragments(device):
    with device.client() as client:
        for fragments in [["a", "", "b"], ["x" * 300, "\u20ac" * 200, ""], [b"\xf3" * 500, b"", b"", b"\xff"]]:
            client.send(iter(fragments))
            assert client.recv(timeout=PATIENCE) == type(fragments[0])().join(fragments)


def test_messages_under_way_together_come_back_in_order(device):
    with device.client() as client:
        sent = [f"{number} {'.' * (number % 90)}" for number in range(500)]
        for message in sent:
            client.send(message)
        assert [client.recv(timeout=PATIENCE) for _ in sent] == sent


def test_pings_are_answered_between_fragments(device):
    with device.wire() as wire:
        wire.open("/")
        wire.send(frame(TEXT, b"one ", fin=False) + frame(PING, b"there?") + frame(CONTINUATION, b"two"))
        # Of a serial line a frame may come back in several.
        assert message(wire, 4) == (TEXT, b"one ")
        assert wire.frame() == (True, PONG, b"there?")
        assert message(wire) == (CONTINUATION, b"two")


def test_frames_in_one_segment_with_the_request_are_not_lost(device):
    with device.wire() as wire:
        wire.send(upgrade("/") + frame(BINARY, b"\1\2\3"))
        assert wire.response()[0] == 101
        assert message(wire) == (BINARY, b"\1\2\3")


def test_a_close_is_answered_with_its_code(device):
    with device.client() as client:
        client.close(4321, "enough")
        assert client.protocol.close_rcvd.code == 4321


@pytest.mark.parametrize("after", [b"", b"\x81", b"\x82\xfe\x01\x00\1\2\3\4" + b"half a frame" * 8])
def test_who_vanishes_leaves_the_line_to_the_next(device, after):
    for number in range(10):
        with device.wire() as wire:
            wire.open("/")
            wire.send(frame(TEXT, b"%d" % number) + after)
            assert message(wire) == (TEXT, b"%d" % number)
