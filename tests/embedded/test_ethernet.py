"""What only the network has: four places, telemetry, a page, and deadlines."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from server import PATIENCE
from websockets.exceptions import WebSocketException
from wire import PING, TEXT, frame, upgrade

PAGE = Path(__file__).parents[2] / "examples/cortex-m3/src/page.html"
PLACES = 4
# For the deadlines of a device whose time passes more slowly while QEMU gets no time from the system.
LONG_PATIENCE = 60


def http(method, path):
    return f"{method} {path} HTTP/1.1\r\nHost: chip\r\n\r\n".encode()


def test_a_browser_gets_the_page(ethernet):
    with ethernet.wire() as wire:
        wire.send(http("GET", "/"))
        status, headers, body = wire.response()
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert body == PAGE.read_bytes()
        wire.ended()


def test_head_gets_the_page_without_it(ethernet):
    with ethernet.wire() as wire:
        wire.send(http("HEAD", "/"))
        while wire.more():
            pass
        head = wire.held.decode()
        assert head.startswith("HTTP/1.1 200 ") and head.endswith("\r\n\r\n")
        assert f"Content-Length: {len(PAGE.read_bytes())}\r\n" in head


@pytest.mark.parametrize("request_", [http("GET", "/x"), http("POST", "/"), http("GET", "/telemetry"), http("GET", "//"), upgrade("/x")])
def test_there_is_nothing_else(ethernet, request_):
    with ethernet.wire() as wire:
        wire.send(request_)
        status, _, body = wire.response()
        assert (status, body) == (404, b"not here\n")
        wire.ended()


def test_telemetry_comes_once_a_second_and_is_right(ethernet):
    with ethernet.client("/telemetry") as watch, ethernet.client() as client:
        first = json.loads(watch.recv(timeout=PATIENCE))
        for number in range(100):
            client.send("x" * number)
            client.recv(timeout=PATIENCE)
        told = [json.loads(watch.recv(timeout=PATIENCE)) for _ in range(3)]
        assert [round((b["uptime_ms"] - a["uptime_ms"]) / 1000) for a, b in zip([first, *told], told, strict=False)] == [1, 1, 1]
        last = told[-1]
        assert (last["frames"] - first["frames"], last["octets"] - first["octets"]) == (100, sum(range(100)))
        assert last["connections"] == 2
        # 64 KiB, of which the buffers of TCP take half.
        assert 8 * 1024 < last["free_ram"] < 32 * 1024


def test_what_telemetry_is_told_is_counted_and_not_echoed(ethernet):
    with ethernet.client("/telemetry") as watch:
        before = json.loads(watch.recv(timeout=PATIENCE))["frames"]
        watch.send("hello")
        assert json.loads(watch.recv(timeout=PATIENCE))["frames"] == before + 1


def take_places(device, stack, count):
    """As many clients, once there are places for them: connections that have just ended may still have theirs."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with ExitStack() as attempt:
            try:
                clients = [attempt.enter_context(device.client()) for _ in range(count)]
            except (ConnectionError, WebSocketException):
                assert time.monotonic() < deadline, "places are not given back"
                continue
            stack.push(attempt.pop_all())
            return clients


def test_four_are_served_at_once_and_a_fifth_when_there_is_a_place(ethernet):
    with ExitStack() as stack:
        clients = take_places(ethernet, stack, PLACES)
        for turn in range(20):
            for number, client in enumerate(clients):
                client.send(f"{turn} {number}")
            for number, client in enumerate(clients):
                assert client.recv(timeout=PATIENCE) == f"{turn} {number}"
        with pytest.raises((ConnectionError, EOFError)), ethernet.wire() as fifth:
            fifth.open("/")
        clients[0].close()
        (fifth,) = take_places(ethernet, stack, 1)
        fifth.send("now")
        assert fifth.recv(timeout=PATIENCE) == "now"


def silent_request(ethernet):
    """5 seconds for a handshake."""
    with ethernet.wire() as wire:
        wire.socket.settimeout(LONG_PATIENCE)
        wire.send(upgrade("/")[:-2])
        status = wire.response()[0]
        wire.ended()
        return status


def silent_client(ethernet):
    """A Ping after 10 seconds, and the end after 5 more."""
    with ethernet.wire() as wire:
        wire.open("/")
        wire.socket.settimeout(LONG_PATIENCE)
        assert wire.frame() == (True, PING, b"")
        return wire.closed_with()


def deaf_client(ethernet, stack):
    """It sends without taking anything, until nobody takes what it sends."""
    wire = stack.enter_context(ethernet.wire()).open("/")
    wire.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            wire.send(frame(TEXT, b"x" * 4096))


def test_deadlines_are_kept_and_free_the_place(ethernet):
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        watch = stack.enter_context(ethernet.client("/telemetry"))
        silent = [pool.submit(each, ethernet) for each in [silent_request, silent_client]]
        deaf_client(ethernet, stack)
        assert [each.result() for each in silent] == [408, (1011, "no answer to a ping")]
        # 10 seconds for the deaf one. Its end is not told by QEMU's network while there is something that it does not take.
        deadline = time.monotonic() + LONG_PATIENCE
        while json.loads(watch.recv(timeout=PATIENCE))["connections"] > 1:
            assert time.monotonic() < deadline, "a deaf client keeps its place"
