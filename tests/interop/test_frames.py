"""`martlet frames` as a process: what it reads, what it says, and its exit codes."""

import json
import subprocess
import zlib

import pytest

from server import BINARY, PATIENCE
from wire import CLOSE, TEXT, close_body, frame


def frames(octets, *arguments):
    """(exit code, standard output, standard error) of `martlet frames` over these octets."""
    done = subprocess.run([BINARY, "frames", *arguments], input=octets, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


HELLO = bytes.fromhex("818537fa213d7f9f4d5158")


@pytest.mark.parametrize(
    "dump",
    [HELLO, HELLO.hex().encode(), HELLO.hex(" ").encode(), HELLO.hex(":").encode(), b"00000000: 8185 37fa 213d 7f9f 4d51 58  ..7.!=..MQX\n"],
    ids=["binary", "digits", "pairs", "colons", "xxd"],
)
def test_any_dump_of_the_rfcs_example_is_read(dump):
    code, output, error = frames(dump)
    assert (code, error) == (0, "")
    assert output.splitlines() == [
        "11 octets, sent by a client",
        "0x0000  FIN text, 5 octets (7-bit length), mask 37fa213d",
        '        "Hello"',
    ]


def test_what_is_wrong_is_named_and_ends_with_1():
    octets = frame(TEXT, b"fine") + b"\x09\x80abcd" + frame(CLOSE, close_body(1000, b"bye"))
    code, output, error = frames(octets)
    assert (code, error) == (1, "")
    assert "wrong at 0x000a: fragmented control frame (RFC 6455 section 5.5, close code 1002)" in output
    assert 'code 1000 (normal closure), reason "bye"' in output


def test_a_file_and_json(tmp_path):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = (deflate.compress(b"compressed " * 20) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    file = tmp_path / "dump"
    file.write_bytes(bytes([0xC1, len(body)]) + body)
    code, output, error = frames(b"", "--deflate", "--json", str(file))
    assert (code, error) == (0, "")
    (line,) = map(json.loads, output.splitlines())
    assert (line["rsv1"], line["from"], line["inflated"]) == (True, "server", {"length": 220, "text": "compressed " * 20})
    code, output, _ = frames(b"", "--json", str(file))
    assert code == 1 and json.loads(output)["violation"]["rule"] == "RsvUnclaimed"


@pytest.mark.parametrize(
    ("dump", "arguments", "wanted"),
    [
        (b"81 0g", [], "line 1: \"0g\" is no hex"),
        (b"", ["--role", "boss"], "invalid value 'boss'"),
        (b"", ["/nonexistent/dump"], "/nonexistent/dump: "),
    ],
)
def test_what_cannot_be_read_is_one_line_and_ends_with_2(dump, arguments, wanted):
    code, output, error = frames(dump, *arguments)
    assert (code, output) == (2, "")
    assert wanted in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_the_commands(shell):
    done = subprocess.run([BINARY, "completions", shell], capture_output=True, timeout=PATIENCE, text=True)
    assert done.returncode == 0
    for word in ("serve", "frames", "input-format", "worker-num"):
        assert word in done.stdout
