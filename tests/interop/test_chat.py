"""The chat's endpoint: closing from the server's side with any code, and the server's pings."""

import json
import secrets
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from wire import PING, PONG, TEXT, Wire, frame


def join(name):
    """The message that enters the room, as a page of its own: by its key the room knows a page that comes back."""
    return json.dumps({"type": "join", "name": name, "key": secrets.token_hex(16)})


@contextmanager
def joined(server, name):
    """A client that is in the room."""
    with connect(server.url("/chat"), proxy=None, compression=None) as client:
        client.send(join(name))
        await_type(client, "welcome")
        yield client


def await_type(client, kind):
    while True:
        message = json.loads(client.recv(timeout=10))
        if message["type"] == kind:
            return message


@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "away"), (1011, "é"), (3000, "three"), (4999, "x" * 123)])
def test_a_close_of_the_server_reaches_the_client_as_it_is(server, code, reason):
    with joined(server, "closer") as client:
        client.send(json.dumps({"type": "close", "code": code, "reason": reason}))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(timeout=10)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)
    assert closed.value.rcvd_then_sent is True


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2999, 5000, 65535])
def test_a_code_that_must_not_travel_is_not_sent(server, code):
    with joined(server, "bad closer") as client:
        client.send(json.dumps({"type": "close", "code": code, "reason": ""}))
        assert await_type(client, "error")["code"] == "close_refused"
        # The connection goes on.
        client.send(json.dumps({"type": "say", "text": "still here", "n": 1}))
        assert await_type(client, "said")["text"] == "still here"


def test_what_one_says_all_hear(server):
    with ExitStack() as stack:
        people = [stack.enter_context(joined(server, f"person {number}")) for number in range(3)]
        people[0].send(json.dumps({"type": "say", "text": "Grüße 🐦", "n": 1}))
        for person in people:
            said = await_type(person, "said")
            assert (said["who"], said["text"]) == ("person 0", "Grüße 🐦")


def test_the_server_pings_and_takes_the_time_until_the_pong(server):
    with Wire(server) as wire:
        wire.open("/chat")
        wire.send(frame(TEXT, join("pinged").encode()))
        wire.send(frame(TEXT, b'{"type": "stats"}'))
        measured = None
        for _ in range(20):
            _, opcode, body = wire.frame()
            if opcode == PING:
                # The next report must know the time of this one.
                wire.send(frame(PONG, body) + frame(TEXT, b'{"type": "stats"}'))
                measured = measured or 0
            elif opcode == TEXT and json.loads(body)["type"] == "stats" and measured == 0:
                measured = json.loads(body)["ping_us"]
                if measured is not None:
                    break
                measured = 0
        assert measured is not None and 0 < measured < 10_000_000
