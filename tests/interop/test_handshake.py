"""Opening handshakes over a plain socket: how they may come, and how bad ones are refused (RFC 6455 section 4, RFC 9112)."""

import re

import pytest

from wire import ACCEPT, KEY, TEXT, Wire, frame, upgrade


def test_the_answer_of_section_1_3(server):
    with Wire(server) as wire:
        wire.send(upgrade())
        status, headers, _ = wire.response()
        assert status == 101
        assert headers["upgrade"].lower() == "websocket"
        assert headers["connection"].lower() == "upgrade"
        assert headers["sec-websocket-accept"] == ACCEPT
        assert "sec-websocket-protocol" not in headers
        assert "sec-websocket-extensions" not in headers


LEGAL = {
    "lists and case as browsers have them": upgrade(connection="keep-alive, Upgrade", upgrade="WebSocket"),
    "several Connection lines": upgrade(more=["Connection: keep-alive"]),
    "space around values": upgrade(upgrade=" \t websocket \t "),
    "a cookie of 4 KiB": upgrade(more=["Cookie: " + "c=1; " * 800]),
    "forty headers": upgrade(more=[f"X-Header-{number}: {number}" for number in range(40)]),
    "a query": upgrade("/echo?room=1&name=%C3%A9"),
    "an origin": upgrade(more=["Origin: null"]),
    "a subprotocol that nobody wants": upgrade(more=["Sec-WebSocket-Protocol: chat.example, superchat.example"]),
    "an extension that nobody has": upgrade(more=['Sec-WebSocket-Extensions: x-nothing; a; b="c"']),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_heads_are_accepted(server, name):
    with Wire(server) as wire:
        wire.send(LEGAL[name])
        status, headers, _ = wire.response()
        assert status == 101
        assert headers["sec-websocket-accept"] == ACCEPT
        assert "sec-websocket-protocol" not in headers
        assert "sec-websocket-extensions" not in headers
        wire.send(frame(TEXT, b"Hello"))
        assert wire.frame() == (True, TEXT, b"Hello")


def test_frames_in_the_same_segment_as_the_head_are_answered(server):
    with Wire(server) as wire:
        wire.send(upgrade() + frame(TEXT, b"one") + frame(TEXT, b"two"))
        assert wire.response()[0] == 101
        assert wire.frame() == (True, TEXT, b"one")
        assert wire.frame() == (True, TEXT, b"two")


def test_head_and_frames_may_come_octet_by_octet(server):
    with Wire(server) as wire:
        wire.drip(upgrade())
        assert wire.response()[0] == 101
        wire.drip(frame(TEXT, b"Hello") + frame(TEXT, b"A" * 200))
        assert wire.frame() == (True, TEXT, b"Hello")
        assert wire.frame() == (True, TEXT, b"A" * 200)


# Name: (request, statuses that are right, header that must come with them)
REFUSED = {
    "method POST": (upgrade(method="POST"), {405}, ("allow", "GET")),
    "method of nobody": (upgrade(method="BREW"), {405, 501}, None),
    "version 8": (upgrade(sec_websocket_version="8"), {426}, ("sec-websocket-version", "13")),
    "version 0": (upgrade(sec_websocket_version="0"), {426}, ("sec-websocket-version", "13")),
    "version 14": (upgrade(sec_websocket_version="14"), {426}, ("sec-websocket-version", "13")),
    "version missing": (upgrade(sec_websocket_version=None), {400, 426}, None),
    "version twice": (upgrade(more=["Sec-WebSocket-Version: 13"]), {400}, None),
    "key missing": (upgrade(sec_websocket_key=None), {400}, None),
    "key twice": (upgrade(more=[f"Sec-WebSocket-Key: {KEY}"]), {400}, None),
    "key empty": (upgrade(sec_websocket_key=""), {400}, None),
    "key of 15 octets": (upgrade(sec_websocket_key="MTIzNDU2Nzg5MDEyMzQ1"), {400}, None),
    "key of 17 octets": (upgrade(sec_websocket_key="MTIzNDU2Nzg5MDEyMzQ1Njc="), {400}, None),
    "key that is not base64": (upgrade(sec_websocket_key="!" * 22 + "=="), {400}, None),
    "key of 40 characters": (upgrade(sec_websocket_key="A" * 40), {400}, None),
    "Host missing": (upgrade(host=None), {400}, None),
    "Host twice": (upgrade(more=["Host: other"]), {400}, None),
    "Connection without upgrade": (upgrade(connection="keep-alive"), {400, 426}, None),
    "Connection missing": (upgrade(connection=None), {400, 426}, None),
    "HTTP/1.0": (upgrade(version="HTTP/1.0"), {400, 505}, None),
    "HTTP/2.0": (upgrade(version="HTTP/2.0"), {400, 505}, None),
    "no version": (b"GET /echo\r\n\r\n", {400, 505}, None),
    "a body": (upgrade(more=["Content-Length: 5"]) + b"Hello", {400}, None),
    "a chunked body": (upgrade(more=["Transfer-Encoding: chunked"]) + b"0\r\n\r\n", {400}, None),
    "a folded line": (upgrade(more=["X-Folded: a", " b"]), {400}, None),
    "space before the colon": (upgrade(more=["X-Space : a"]), {400}, None),
    "NUL in a value": (upgrade(more=["X-Nul: a\0b"]), {400}, None),
    "bare CR in a value": (upgrade(more=["X-Cr: a\rb"]), {400}, None),
    "bare LF": (upgrade().replace(b"\r\n", b"\n"), {400}, None),
    "a name that is no token": (upgrade(more=["X(y): a"]), {400}, None),
    "no colon": (upgrade(more=["nothing"]), {400}, None),
    "a head over 8 KiB": (upgrade(more=["X-Long: " + "x" * 9000]), {431}, None),
    "a line that never ends": (b"GET /echo HTTP/1.1\r\nX-Endless: " + b"x" * 9000, {431}, None),
    "a target that never ends": (b"GET /" + b"x" * 9000, {414, 431}, None),
    "a hundred headers": (upgrade(more=[f"X-{number}: 1" for number in range(100)]), {431}, None),
    "a place that is not there": (upgrade("/nope"), {400, 404}, None),
    "a plain request for a place that is not there": (b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}, None),
    "a plain request without Host": (b"GET / HTTP/1.1\r\n\r\n", {400}, None),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), {400}, None),
    "a frame instead of a head": (frame(TEXT, b"Hello"), {400}, None),
    "zeros": (bytes(64), {400}, None),
    "letters without end": (b"A" * 9000, {400, 405, 414, 431, 501}, None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_heads_are_refused(server, name):
    request, statuses, header = REFUSED[name]
    with Wire(server) as wire:
        wire.send(request)
        status, headers, _ = wire.response()
        assert status in statuses
        if header:
            assert headers[header[0]] == header[1]


@pytest.mark.parametrize("name", [name for name in REFUSED if "plain" not in name and "place" not in name])
def test_a_refused_connection_is_ended(server, name):
    request, _, _ = REFUSED[name]
    with Wire(server) as wire:
        wire.send(request)
        _, headers, _ = wire.response()
        assert "close" in re.split(r"[ ,]+", headers["connection"].lower())
        wire.ended()


def test_a_bad_octet_is_refused_when_it_comes(server):
    # The head is not over: only its first line has come, with a method that no method could be.
    with Wire(server) as wire:
        wire.send(b"\x00")
        assert wire.response()[0] == 400


def test_the_page_is_served(server):
    with Wire(server) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        status, headers, body = wire.response()
        assert status == 200
        assert headers["content-type"].lower().startswith("text/html")
        assert b"<title>" in body
        wire.ended()


def test_the_server_lives_on_after_all_that(server):
    for request, _, _ in REFUSED.values():
        with Wire(server) as wire:
            wire.send(request)
    with Wire(server) as wire:
        wire.open().send(frame(TEXT, b"Hello"))
        assert wire.frame() == (True, TEXT, b"Hello")
