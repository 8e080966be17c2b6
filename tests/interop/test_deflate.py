"""permessage-deflate against Python's zlib, opened with exactly the negotiated window.

zlib's output is forced one octet at a time: into a larger buffer it lets distances reach further than the window.
zlib inflates a raw stream of a window of 8 bits but does not compress one, so that the other way begins with 9.
"""

import os
import random
import subprocess
import zlib
from pathlib import Path

import pytest

EXAMPLES = Path(os.environ["MARTLET_EXAMPLES"])
PIPE = EXAMPLES / "deflate_pipe"
# The same with the other back end of the large compressor (feature `zlib-rs`).
PIPE_ZLIB_RS = EXAMPLES / "deflate_pipe_zlib_rs"
# Level 0 is the small compressor, which has no other back end.
COMPRESSORS = [(PIPE, 0), *((pipe, level) for pipe in (PIPE, PIPE_ZLIB_RS) for level in (1, 6, 10))]
compressors = pytest.mark.parametrize("program, level", COMPRESSORS, ids=[f"{pipe.name}-{level}" for pipe, level in COMPRESSORS])
TAIL = b"\x00\x00\xff\xff"
AS_IT_IS = 0xFFFF_FFFF


def messages(bits):
    """Random and structured octets, of which some repeat what lies just within or beyond the window."""
    chance = random.Random(bits)
    said = [b"", b"\x00", b"\xff" * 3, b"a" * 300]
    said += [chance.randbytes(size) for size in range(1, 65)]
    said += ["中文字符，压缩。".encode() * 9, "Съешь же ещё этих мягких булок. ".encode() * 5, "Grüße 😀".encode() * 7]
    for size in range(64, 1200, 90):
        said.append("".join(chance.choices("中文字符压缩абвгдежз ", k=size // 2)).encode())
    for number in range(40):
        said.append(f'{{"id":{number},"name":"user{number * 7919}","on":{number % 3},"tags":["a","b{number}"]}}'.encode() * 2)
    window = 1 << bits
    for reach in (-300, -2, -1, 0, 1, 2, 258, 700):
        marked = chance.randbytes(40)
        between = chance.choices(b"abcdefgh", k=max(window + reach - len(marked), 0))
        said.append(marked + bytes(between) + marked + b"tail" * 9)
    return said


def pipe(*arguments, said, program=PIPE):
    """What our half makes of these messages; `None` for those that are better sent as they are."""
    octets = b"".join(len(message).to_bytes(4, "big") + message for message in said)
    run = subprocess.run([program, *map(str, arguments)], input=octets, capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr.decode()
    made, rest = [], memoryview(run.stdout)
    while rest:
        size, rest = int.from_bytes(rest[:4], "big"), rest[4:]
        if size == AS_IT_IS:
            made.append(None)
        else:
            made.append(bytes(rest[:size]))
            rest = rest[size:]
    return made


def inflated(judge, payload):
    """The message, one octet after the other."""
    message, payload = bytearray(), payload + TAIL
    for at in range(0, len(payload), 16):
        left = payload[at : at + 16]
        while octet := judge.decompress(left, 1):
            message += octet
            left = judge.unconsumed_tail
        assert not judge.unconsumed_tail and not judge.unused_data
    return bytes(message)


def judged(said, made, bits, takeover):
    """Checks every payload with zlib; `bits` has the window of each message, which begins anew where that changes."""
    assert len(made) == len(said)
    judge, last = None, None
    for message, payload, window in zip(said, made, bits):
        if judge is None or window != last or (payload is not None and not takeover):
            judge, last = zlib.decompressobj(-window), window
        if payload is None:
            # Only what has nothing to repeat may be left as it is.
            assert len(message) < 1200
            continue
        assert len(payload) < len(message)
        assert inflated(judge, payload) == message
    assert sum(payload is not None for payload in made) > 40


@compressors
@pytest.mark.parametrize("takeover", [0, 1])
@pytest.mark.parametrize("bits", range(8, 16))
def test_zlib_with_the_negotiated_window_reads_what_we_compress(bits, takeover, program, level):
    said = messages(bits)
    made = pipe(bits, takeover, "compress", level, said=said, program=program)
    judged(said, made, [bits] * len(said), takeover)


@compressors
@pytest.mark.parametrize("takeover", [0, 1])
def test_a_window_that_changes_is_kept(takeover, program, level):
    windows = [11, 8, 15, 9, 13, 10, 14, 12]
    said = [message for eight in zip(*(messages(bits) for bits in windows)) for message in eight]
    made = pipe(",".join(map(str, windows)), takeover, "compress", level, said=said, program=program)
    judged(said, made, [windows[at // 8 % len(windows)] for at in range(len(said))], takeover)


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("takeover", [0, 1])
@pytest.mark.parametrize("bits", range(9, 16))
def test_we_read_what_zlib_compresses(bits, takeover, cut):
    said, made = messages(bits), []
    for level, strategy in [(1, zlib.Z_DEFAULT_STRATEGY), (9, zlib.Z_DEFAULT_STRATEGY), (6, zlib.Z_FIXED), (0, 0)]:
        compressor = None
        made.clear()
        for message in said:
            if compressor is None or not takeover:
                compressor = zlib.compressobj(level, zlib.DEFLATED, -bits, 9, strategy)
            payload = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
            assert payload.endswith(TAIL)
            made.append(payload.removesuffix(TAIL))
        assert pipe(bits, takeover, "inflate", cut, said=made) == said


@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED])
@pytest.mark.parametrize("bits", range(8, 15))
def test_a_distance_beyond_the_window_is_refused(bits, strategy):
    chance = random.Random(bits)
    marked, between = chance.randbytes(40), bytes(chance.choices(b"abcdefgh", k=(1 << bits) + 1 - 40))
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    payload = compressor.compress(marked + between + marked) + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert payload.endswith(TAIL)
    with pytest.raises(zlib.error, match="too far back"):
        inflated(zlib.decompressobj(-bits), payload.removesuffix(TAIL))
    for cut in (1, 1 << 20):
        octets = (len(payload) - 4).to_bytes(4, "big") + payload.removesuffix(TAIL)
        run = subprocess.run([PIPE, str(bits), "1", "inflate", str(cut)], input=octets, capture_output=True, timeout=60)
        assert run.returncode != 0 and b"DeflateInvalid" in run.stderr
