"""`martlet bench` as a process: against our echo, another one, and servers that do not echo."""

import base64
import hashlib
import json
import os
import re
import socket
import threading
from contextlib import contextmanager

import pytest
from websockets.sync.server import serve

from server import Server, run

SHORT = ("--duration", "300ms", "--json")


@contextmanager
def other(handler):
    """A server of Python's `websockets`; gives its URL."""
    with serve(handler, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


def echo(connection):
    for message in connection:
        connection.send(message)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--payload", "0", "--binary"],
        ["--payload", "125", "--connections", "3", "--depth", "7"],
        ["--payload", "126", "--binary", "--depth", "16"],
        ["--payload", "70000", "--depth", "5"],
        # More than the sockets' buffers hold: neither end may wait for the other for ever.
        ["--payload", "1000000", "--binary", "--depth", "20", "--connections", "2"],
    ],
    ids=lambda arguments: " ".join(arguments) or "defaults",
)
def test_each_echo_is_right_and_counted(arguments):
    with Server("--max-backpressure", "100000000") as server:
        code, output, error = run("bench", "--verify", *SHORT, "--pid", str(server.process.pid), *arguments, server.url())
        assert (code, error) == (0, "")
        report = json.loads(output)
        assert report["messages"] > 0 and report["server_cpu_us_per_message"] >= 0
        times = report["latency_us"]
        assert 0 < times["p50"] <= times["p99"] <= times["p99.9"] <= times["max"]


def test_another_echo_and_the_figures_for_people():
    with other(echo) as url:
        code, output, error = run("bench", "--duration", "300ms", "--depth", "4", "--verify", url)
        assert (code, error) == (0, "")
        lines = output.splitlines()
        assert lines[:2] == [url, "1 connection, 4 under way on each, text of 20 octets, 0.3 s"]
        assert [line.split()[0] for line in lines[2:4]] == ["messages", "latency"]


def fragments(connection):
    for message in connection:
        connection.ping(b"between")
        connection.send([message[:3], message[3:]])


def test_an_echo_in_fragments_is_one_too():
    with other(fragments) as url:
        code, output, error = run("bench", "--verify", *SHORT, url)
        assert (code, error) == (0, "") and json.loads(output)["messages"] > 0


def answers(text):
    def handler(connection):
        for _ in connection:
            connection.send(text)

    return handler


def closes(connection):
    connection.recv()
    connection.close(1001, "enough")


def talks(connection):
    connection.send("abcdefghijklmnopqrst")
    connection.send("abcdefghijklmnopqrst")
    echo(connection)


@pytest.mark.parametrize(
    ("handler", "wanted"),
    [
        (answers("short"), "not an echo: a message of 5 octets"),
        (answers(b"x" * 20), "not an echo: text and binary are changed"),
        (answers("x" * 20), "not an echo: other octets than were sent"),
        (closes, 'the server closed with 1001, "enough"'),
        (talks, "not an echo: more messages than were sent"),
    ],
    ids=["length", "kind", "octets", "close", "surplus"],
)
def test_what_is_no_echo_breaks_off(handler, wanted):
    with other(handler) as url:
        code, output, error = run("bench", "--verify", *SHORT, url)
        assert (code, output) == (1, "")
        assert wanted in error and len(error.splitlines()) == 1


def test_an_end_that_comes_with_the_last_echo_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_one():
            connection = listener.accept()[0]
            with connection:
                stream = connection.makefile("rb")
                head = b"".join(iter(stream.readline, b"\r\n"))
                key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)[1]
                accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
                )
                stream.read(2 + 4 + 20)
                # In one segment with the end.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                connection.sendall(b"\x81\x14" + b"x" * 20)
                connection.shutdown(socket.SHUT_WR)
                stream.read()

        thread = threading.Thread(target=serve_one)
        thread.start()
        code, output, error = run("bench", "--duration", "60s", f"ws://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert (code, output) == (1, "")
    assert "ended" in error and len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "wanted"),
    [
        (["http://127.0.0.1:1/"], 2, "begins with ws://"),
        (["wss://127.0.0.1:1/"], 3, "feature `tls`"),
        (["--payload", "-1", "ws://127.0.0.1:1/"], 2, ""),
        (["--connections", "0", "ws://127.0.0.1:1/"], 2, "--connections"),
        (["--text", "--binary", "ws://127.0.0.1:1/"], 2, "cannot be used with"),
        (["--pid", "0", "ws://127.0.0.1:1/"], 2, "--pid"),
        ([], 2, "<URL>"),
        (["ws://127.0.0.1:1/"], 3, "cannot connect"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, code, wanted):
    got, output, error = run("bench", *arguments)
    assert (got, output) == (code, "")
    assert wanted in error and len(error.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="the bar is for terminals")
def test_a_bar_is_shown_on_a_terminal_only():
    import subprocess

    from server import BINARY

    with Server() as server:
        lead, follow = os.openpty()
        arguments = [BINARY, "bench", "--duration", "1s", "--json", server.url()]
        environment = dict(os.environ, TERM="xterm")
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=follow, env=environment)
        os.close(follow)
        shown = b""
        try:
            while piece := os.read(lead, 4096):
                shown += piece
        except OSError:
            pass
        os.close(lead)
        assert process.wait(15) == 0
        assert b"messages a second" in shown
        assert json.loads(process.stdout.read())["messages"] > 0
        process.stdout.close()
