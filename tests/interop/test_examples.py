"""The five classic samples of Swoole's WebSocket server, as `examples/` has them, driven by an independent client."""

import os
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from server import PATIENCE, Server, free_port
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

EXAMPLES = Path(os.environ["MARTLET_EXAMPLES"])


def example(name, *options):
    """One of `examples/` as a process."""
    port = free_port()
    return Server(binary=EXAMPLES / name, arguments=[f"127.0.0.1:{port}", *options], port=port)


def test_echo_sends_back_and_says_who_comes_and_goes():
    with example("echo") as server:
        with connect(server.url("/room?x=1")) as client:
            client.send("Grüße")
            assert client.recv(PATIENCE) == "Grüße"
            client.send(b"\x00\xff")
            assert client.recv(PATIENCE) == b"\x00\xff"
        server.until("closed by Peer with 1000")
        assert "opened /room?x=1 from 127.0.0.1" in server.output()


def test_chat_reaches_everyone_on_every_worker():
    with example("chat") as server, ExitStack() as stack:
        clients = []
        for number in range(4):
            clients.append(stack.enter_context(connect(server.url(f"/?name=p%C3%A4r{number}"))))
            for client in clients:
                assert client.recv(PATIENCE) == f"pär{number} came"
        clients[2].send("hello")
        for client in clients:
            assert client.recv(PATIENCE) == "pär2: hello"
        clients.pop().close()
        for client in clients:
            assert client.recv(PATIENCE) == "pär3 went"


def test_heartbeat_keeps_who_is_heard_and_closes_who_is_silent():
    with example("heartbeat", "1") as server:
        with connect(server.url("/"), ping_interval=None) as client:
            client.send("ping")
            assert client.recv(PATIENCE) == "pong"
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(PATIENCE)
            assert closed.value.rcvd.code == 1008
        server.until("closed by Server with 1008")


def test_handshake_lets_in_who_knows_the_word_and_the_subprotocol():
    with example("handshake") as server:
        with connect(server.url("/hall?token=secret"), subprotocols=["other", "superchat"]) as client:
            assert client.subprotocol == "superchat"
            assert client.response.headers["X-Doorman"] == "come in"
            assert client.recv(PATIENCE) == "welcome to /hall"
        for path, subprotocols, status in [("/", ["superchat"], 401), ("/?token=secret", ["other"], 400)]:
            with pytest.raises(InvalidStatus) as refused:
                connect(server.url(path), subprotocols=subprotocols)
            assert refused.value.response.status_code == status


def test_http_push_goes_to_all_websockets():
    with example("http_push") as server, ExitStack() as stack:
        clients = [stack.enter_context(connect(server.url("/"))) for _ in range(3)]
        url = server.url("/push").replace("ws:", "http:")
        with urllib.request.urlopen(url, "the news, die Nachrichten für heute".encode(), PATIENCE) as answer:
            assert (answer.status, answer.read()) == (200, b"pushed\n")
        for client in clients:
            assert client.recv(PATIENCE) == "the news, die Nachrichten für heute"
        for method, path, status in [("GET", "/push", 405), ("GET", "/", 404)]:
            request = urllib.request.Request(url.replace("/push", path), method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=PATIENCE)
            assert refused.value.code == status
