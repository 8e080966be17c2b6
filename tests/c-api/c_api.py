"""The C programs of c-api/examples under valgrind, against Python's `websockets` and over plain sockets."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from server import PATIENCE, Server, free_port
from test_violations import BREAKS
from websockets.sync.client import connect
from websockets.sync.server import serve
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_body, frame, upgrade

LOGS = Path(os.environ["VALGRIND_LOGS"])
VALGRIND = ["valgrind", "--error-exitcode=9", "--leak-check=full", f"--log-file={LOGS}/%p.log"]
# Lengths around each form of a frame's length, and around the program's buffers of 8 KiB.
SIZES = [0, 1, 125, 126, 127, 1000, 8177, 8178, 8191, 8192, 8193, 20000, 65535, 65536, 100_000]


@pytest.fixture(scope="module")
def server():
    port = free_port()
    arguments = [*VALGRIND[1:], os.environ["ECHO"], str(port)]
    with Server(binary=VALGRIND[0], arguments=arguments, port=port) as running:
        yield running
        assert running.process.poll() is None, f"the server died: {running.output()}"
        running.signal(signal.SIGTERM)
        running.wait()


@pytest.fixture(scope="module", autouse=True)
def nothing_for_valgrind_to_tell():
    """Each connection is a process with a log of its own, and none of them may tell of an error."""
    yield
    logs = {path: path.read_text() for path in LOGS.glob("*.log")}
    assert len(logs) > len(BREAKS)
    for path, log in logs.items():
        assert "ERROR SUMMARY: 0 errors from 0 contexts" in log, f"{path}: {log}"


def message(wire):
    """The opcode and the payload of the next message, from all its fragments."""
    fin, opcode, payload = wire.frame()
    while not fin:
        fin, more, piece = wire.frame()
        assert more == CONTINUATION
        payload += piece
    return opcode, payload


@pytest.mark.parametrize("size", SIZES)
def test_echo_of_binary_and_text(server, size):
    octets = bytes(at * 31 % 251 for at in range(size))
    text = ("a中ß🐦" * size)[:size]
    with connect(server.url(), max_size=None) as client:
        client.send(octets)
        assert client.recv(PATIENCE) == octets
        client.send(text)
        assert client.recv(PATIENCE) == text


def test_fragments_and_pings_between_them(server):
    with connect(server.url()) as client:
        client.send(["a", "", "ü" * 9000, "z"])
        pong = client.ping(b"still there?")
        assert client.recv(PATIENCE) == "a" + "ü" * 9000 + "z"
        assert pong.wait(PATIENCE)
        client.send([b"\0" * 5000, b"\xff" * 50_000])
        assert client.recv(PATIENCE) == b"\0" * 5000 + b"\xff" * 50_000
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"\xf0\x9f", fin=False) + frame(PING, b"now") + frame(CONTINUATION, b"\x90\xa6"))
        assert wire.frame() == (False, TEXT, b"\xf0\x9f")
        assert wire.frame() == (True, PONG, b"now")
        assert wire.frame() == (True, CONTINUATION, b"\x90\xa6")


def test_octet_by_octet(server):
    with Wire(server) as wire:
        wire.drip(upgrade() + frame(TEXT, "é".encode()) + frame(PING, b"p") + frame(CLOSE, close_body(1000, b"bye")))
        assert wire.response()[0] == 101
        got = []
        while (opcode_and_payload := message(wire))[0] not in (PONG, CLOSE):
            got.append(opcode_and_payload)
        assert [payload for opcode, payload in got if opcode == TEXT] == ["é".encode()]
        assert opcode_and_payload == (PONG, b"p")
        assert wire.closed_with()[0] == 1000


@pytest.mark.parametrize("body", [b"", close_body(1000), close_body(4999, "é".encode())], ids=["empty", "1000", "4999"])
def test_a_close_is_answered_and_nothing_follows(server, body):
    with Wire(server) as wire:
        wire.open().send(frame(CLOSE, body) + frame(BINARY, b"after") + frame(PING))
        assert wire.closed_with()[0] == (int.from_bytes(body[:2], "big") if body else None)
    server.until("closed\n")


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_broken_is_answered_with_its_code(server, name):
    octets, code = BREAKS[name]
    with Wire(server) as wire:
        wire.open().send(octets)
        # What comes before the wrong octet is sent back as it comes.
        while (got := wire.frame())[1] != CLOSE:
            assert got[1] in (TEXT, BINARY, CONTINUATION)
        assert got[2][:2] == code.to_bytes(2, "big")
        wire.ended()
    server.until(f"(close code {code}, status 0)")


@pytest.mark.parametrize(
    "head, status",
    [
        (b"\0\0garbage\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        (upgrade(sec_websocket_key="short"), 400),
        (upgrade(sec_websocket_version="8"), 426),
        (upgrade(more=["X-Long: " + "x" * 4096]), 431),
        (upgrade(version="HTTP/2.0"), 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ],
)
def test_a_wrong_head_is_answered_with_its_status(server, head, status):
    with Wire(server) as wire:
        wire.send(head)
        assert wire.response()[0] == status
        wire.ended()


def test_who_goes_without_a_word_does_no_harm(server):
    for octets in (b"", frame(TEXT, b"Hello"), frame(TEXT, b"Hel", announce=5), b"\x81"):
        with Wire(server) as wire:
            wire.open().send(octets)
    server.until("gone\n")


def ask(port, *words, code=0):
    """What the client prints."""
    command = [*VALGRIND, os.environ["ASK"], str(port), *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE * 2)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout.decode(), done.stderr.decode()


def test_the_client_asks_the_server(server):
    long = "ä" * 3000
    assert ask(server.port, "Hello", "", long)[0] == f"Hello\n\n{long}\n"


def test_the_client_asks_websockets():
    seen = []

    def handler(connection):
        seen.append((connection.request.path, connection.subprotocol))
        for text in connection:
            connection.ping().wait(PATIENCE)
            connection.send([text.upper()[:2], text.upper()[2:]])

    with serve(handler, "127.0.0.1", 0, subprotocols=["ask"]) as running:
        import threading

        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        assert ask(running.socket.getsockname()[1], "one", "two")[0] == "ONE\nTWO\n"
        running.shutdown()
        thread.join()
    assert seen == [("/", "ask")]


@pytest.mark.parametrize(
    "answer, words",
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the server did not switch to WebSocket (404)"),
        (b"SSH-2.0-x\r\n", "not an HTTP status line (0)"),
    ],
)
def test_the_client_names_what_is_wrong_with_an_answer(answer, words):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once():
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(answer)
                peer.recv(4096)

        thread = threading.Thread(target=once)
        thread.start()
        assert words in ask(listener.getsockname()[1], "x", code=1)[1]
        thread.join()
