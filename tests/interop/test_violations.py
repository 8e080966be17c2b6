"""Frames that break a rule, over a plain socket: each is answered with its close code (RFC 6455 sections 5, 7 and 8)."""

import pytest

from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_body, frame

BREAKS = {
    "5.1 without mask": (frame(TEXT, b"Hello", mask=None), 1002),
    "5.1 control frame without mask": (frame(PING, mask=None), 1002),
    **{f"5.2 RSV{4 - rsv.bit_length()}": (frame(TEXT, b"Hello", rsv=rsv), 1002) for rsv in (1, 2, 4)},
    "5.2 RSV on a control frame": (frame(PING, rsv=4), 1002),
    **{f"5.2 opcode {opcode:#x}": (frame(opcode), 1002) for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)},
    "5.2 125 octets in 16-bit form": (frame(BINARY, bytes(125), form=16), 1002),
    "5.2 nothing in 16-bit form": (frame(BINARY, form=16), 1002),
    "5.2 125 octets in 64-bit form": (frame(BINARY, bytes(125), form=64), 1002),
    "5.2 65535 octets in 64-bit form": (frame(BINARY, bytes(65535), form=64), 1002),
    "5.2 length with its top bit set": (frame(BINARY, announce=1 << 63, form=64), 1002),
    "5.4 continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "5.4 continuation after a whole message": (frame(CONTINUATION, b"x", fin=False), 1002),
    "5.4 a message inside a message": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    "5.5 fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "5.5 fragmented close": (frame(CLOSE, close_body(1000), fin=False), 1002),
    "5.5 ping of 126 octets": (frame(PING, bytes(126)), 1002),
    "5.5 pong of 64 KiB": (frame(PONG, bytes(65536)), 1002),
    "5.5.1 close of one octet": (frame(CLOSE, b"\x03"), 1002),
    "5.5.1 reason that is not UTF-8": (frame(CLOSE, close_body(1000, b"\xff")), 1007),
    "5.5.1 reason cut off in a character": (frame(CLOSE, close_body(1000, b"\xe4\xb8")), 1007),
    **{
        f"7.4 close code {code}": (frame(CLOSE, close_body(code)), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65535)
    },
    "8.1 an octet that UTF-8 has not": (frame(TEXT, b"a\xffb"), 1007),
    "8.1 an overlong form": (frame(TEXT, b"\xc0\xaf"), 1007),
    "8.1 a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "8.1 beyond U+10FFFF": (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "8.1 cut off in a character": (frame(TEXT, b"\xe4\xb8"), 1007),
    "8.1 cut off in a character, fragmented": (frame(TEXT, b"\xe4", fin=False) + frame(CONTINUATION, b"\xb8"), 1007),
    "8.1 in an unfinished message": (frame(TEXT, b"good", fin=False) + frame(CONTINUATION, b"\xff", fin=False), 1007),
    "10.4 a frame over the limit is announced": (frame(BINARY, announce=(2 << 20) + 1), 1009),
    "10.4 the longest frame of all is announced": (frame(BINARY, announce=(1 << 63) - 1), 1009),
    "10.4 2^32 octets, which 32 bits would take for none": (frame(BINARY, announce=1 << 32), 1009),
    "10.4 a message over the limit, fragmented": (
        frame(BINARY, bytes(1 << 20), fin=False) + frame(CONTINUATION, announce=(1 << 20) + 1),
        1009,
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_broken_is_answered_with_its_code(server, name):
    octets, code = BREAKS[name]
    with Wire(server) as wire:
        wire.open().send(octets)
        assert wire.closed_with()[0] == code


@pytest.mark.parametrize("name", [name for name, (octets, _) in BREAKS.items() if len(octets) < 200])
def test_the_same_octet_by_octet_behind_a_message(server, name):
    octets, code = BREAKS[name]
    with Wire(server) as wire:
        wire.open().drip(frame(TEXT, b"before"))
        try:
            wire.drip(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The first wrong octet was refused before the rest was sent.
        assert wire.frame() == (True, TEXT, b"before")
        assert wire.closed_with()[0] == code


def test_bad_text_is_refused_when_it_comes(server):
    # 1 KiB is announced, and only three octets come.
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"ok\xff", announce=1024))
        assert wire.closed_with()[0] == 1007


def test_an_endless_ping_is_refused_at_its_second_octet(server):
    with Wire(server) as wire:
        wire.open().send(frame(PING, announce=1 << 20)[:2])
        assert wire.closed_with()[0] == 1002


def test_frames_before_a_bad_one_are_answered(server):
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"one") + frame(PING, b"two") + frame(3) + frame(TEXT, b"never"))
        assert wire.frame() == (True, TEXT, b"one")
        assert wire.frame() == (True, PONG, b"two")
        assert wire.closed_with()[0] == 1002


def test_control_frames_between_fragments_are_answered_at_once(server):
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"a", fin=False) + frame(PING, b"now"))
        assert wire.frame() == (True, PONG, b"now")
        wire.send(frame(CONTINUATION, b"b"))
        assert wire.frame() == (True, TEXT, b"ab")


def test_a_character_may_be_cut_by_fragments(server):
    with Wire(server) as wire:
        wire.open().send(
            frame(TEXT, b"\xf0\x9f", fin=False) + frame(CONTINUATION, b"\x90", fin=False) + frame(CONTINUATION, b"\xa6")
        )
        assert wire.frame() == (True, TEXT, "\U0001f426".encode())


@pytest.mark.parametrize("body", [b"", close_body(1000), close_body(4999, "é".encode())], ids=["empty", "1000", "4999"])
def test_a_close_is_answered_and_nothing_follows(server, body):
    with Wire(server) as wire:
        wire.open().send(frame(CLOSE, body) + frame(TEXT, b"after") + frame(PING))
        code, _ = wire.closed_with()
        assert code == (int.from_bytes(body[:2], "big") if body else None)


def test_a_client_that_goes_without_a_word_does_no_harm(server):
    for octets in (b"", frame(TEXT, b"Hello"), frame(TEXT, b"Hel", announce=5), b"\x81"):
        with Wire(server) as wire:
            wire.open().send(octets)
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"Hello"))
        assert wire.frame() == (True, TEXT, b"Hello")
