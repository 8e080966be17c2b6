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
# The same with the shortest code (feature `small`), which has an inflater of its own.
PIPE_SMALL = EXAMPLES / "deflate_pipe_small"
inflaters = pytest.mark.parametrize("program", [PIPE, PIPE_SMALL], ids=lambda pipe: pipe.name)
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


@inflaters
@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("takeover", [0, 1])
@pytest.mark.parametrize("bits", range(9, 16))
def test_we_read_what_zlib_compresses(bits, takeover, cut, program):
    said, made = messages(bits), []
    strategies = (zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
    for level, strategy in [(1, zlib.Z_DEFAULT_STRATEGY), (9, zlib.Z_DEFAULT_STRATEGY), (0, 0), *((6, each) for each in strategies)]:
        compressor = None
        made.clear()
        for message in said:
            if compressor is None or not takeover:
                compressor = zlib.compressobj(level, zlib.DEFLATED, -bits, 9, strategy)
            payload = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
            assert payload.endswith(TAIL)
            made.append(payload.removesuffix(TAIL))
        assert pipe(bits, takeover, "inflate", cut, said=made, program=program) == said


@inflaters
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED])
@pytest.mark.parametrize("bits", range(8, 15))
def test_a_distance_beyond_the_window_is_refused(bits, strategy, program):
    chance = random.Random(bits)
    marked, between = chance.randbytes(40), bytes(chance.choices(b"abcdefgh", k=(1 << bits) + 1 - 40))
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    payload = compressor.compress(marked + between + marked) + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert payload.endswith(TAIL)
    with pytest.raises(zlib.error, match="too far back"):
        inflated(zlib.decompressobj(-bits), payload.removesuffix(TAIL))
    for cut in (1, 1 << 20):
        assert read(program, bits, cut, payload.removesuffix(TAIL)) is None


def read(program, bits, cut, payload):
    """What we make of one message; `None` if it does not inflate."""
    octets = len(payload).to_bytes(4, "big") + payload
    run = subprocess.run([program, str(bits), "1", "inflate", str(cut)], input=octets, capture_output=True, timeout=60)
    if run.returncode == 0:
        return run.stdout[4:]
    assert b"DeflateInvalid" in run.stderr
    return None


def zlib_reads(payload):
    """What zlib makes of one message; `None` if that is none, or does not end where it should."""
    judge = zlib.decompressobj(-15)
    try:
        message = judge.decompress(payload)
        if judge.eof:
            # Behind the last block RFC 7692 allows another, which is a stream of its own for zlib.
            return None if judge.unused_data else message
        behind = judge.decompress(TAIL)
        if not judge.eof:
            behind += judge.decompress(b"\x01\x00\x00\xff\xff")
    except zlib.error:
        return None
    return None if behind or not judge.eof or judge.unused_data else message


def codes(of_octets, of_distances, behind):
    """A block with codes of these lengths, by their symbols, whose lengths have a code of four bits each; `behind` is what it says."""
    size, distances = max(END, *of_octets) + 1, max(of_distances, default=0) + 1
    bits = "001" + "".join(f"{number:0{width}b}"[::-1] for number, width in [(size - 257, 5), (distances - 1, 5), (15, 4)])
    bits += "000" * 3 + "001" * 16
    for lengths, count in [(of_octets, size), (of_distances, distances)]:
        bits += "".join(f"{lengths.get(symbol, 0):04b}" for symbol in range(count))
    bits += behind + "000"
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


A, END, THREE = 97, 256, 257
WHOLE = {A: 1, END: 2, THREE: 2}
BY_HAND = {
    "as it should be": codes(WHOLE, {0: 1}, "0" "11" "0" "10"),
    "no distance": codes(WHOLE, {}, "0" "10"),
    "no distance, but a match": codes(WHOLE, {}, "0" "11" "0" "10"),
    "the code that one distance leaves over": codes(WHOLE, {0: 1}, "0" "11" "1" "10"),
    "one distance of two bits": codes(WHOLE, {0: 2}, "0" "10"),
    "too many distances": codes(WHOLE, {0: 1, 1: 1, 2: 1}, "0" "10"),
    "distances left over": codes(WHOLE, {0: 1, 1: 2}, "0" "10"),
    "a distance too far back": codes(WHOLE, {1: 1}, "0" "11" "0" "10"),
    "30 distances": codes(WHOLE, {0: 1, 29: 1}, "0" "10"),
    "31 distances": codes(WHOLE, {0: 1, 30: 1}, "0" "10"),
    "286 symbols": codes({A: 1, END: 2, 285: 2}, {0: 1}, "0" "10"),
    "287 symbols": codes({A: 1, END: 2, 286: 2}, {0: 1}, "0" "10"),
    "the end alone": codes({END: 1}, {0: 1}, "0"),
    "the code that the end alone leaves over": codes({END: 1}, {0: 1}, "1" "0"),
    "the end alone in two bits": codes({END: 2}, {0: 1}, "00"),
    "symbols left over": codes({A: 1, END: 2}, {0: 1}, "0" "10"),
    "too many symbols": codes({A: 1, END: 1, THREE: 2}, {0: 1}, "0"),
    "no end": codes({A: 1, 98: 1}, {0: 1}, "0"),
    "15 bits": codes({**{96 + bits: bits for bits in range(1, 16)}, END: 15}, {0: 1}, "1" * 14 + "0" + "1" * 15),
}


@inflaters
@pytest.mark.parametrize("name", BY_HAND)
def test_codes_are_refused_where_zlib_refuses_them(name, program):
    for cut in (1, 1 << 20):
        assert read(program, 15, cut, BY_HAND[name]) == zlib_reads(BY_HAND[name])


def test_zlib_takes_some_of_them():
    taken = [name for name, payload in BY_HAND.items() if zlib_reads(payload) is not None]
    assert taken == ["as it should be", "no distance", "30 distances", "286 symbols", "the end alone", "15 bits"]


@inflaters
def test_wrong_bits_are_refused_where_zlib_refuses_them(program):
    chance, taken = random.Random(7692), 0
    for number in range(400):
        said = f'{{"id":{number},"name":"user{chance.random()}","tags":["a","b"]}}'.encode() * chance.randint(1, 9)
        compressor = zlib.compressobj(chance.choice([0, 1, 6, 9]), zlib.DEFLATED, -15, 9, chance.choice([0, 0, 2, 3, 4]))
        payload = bytearray((compressor.compress(said) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL))
        # Mostly among the codes' lengths, which come first.
        payload[chance.randrange(min(len(payload), 90))] ^= 1 << chance.randrange(8)
        # Not the bit that makes it the last block: zlib would not look at what is behind it.
        payload[0] &= 0xFE
        payload = bytes(payload)
        expect = zlib_reads(payload)
        assert read(program, 15, chance.choice([1, 1 << 20]), payload) == expect
        taken += expect is not None
    assert 20 < taken < 380
