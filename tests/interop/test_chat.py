"""The chat's endpoint: what reaches whom and in which order, closing from the server's side with any code, and the server's pings."""

import json
import secrets
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from wire import PING, PONG, TEXT, Wire, frame


def join(name, room=""):
    """The message that enters a room, as a page of its own: by its key the chat knows a page that comes back."""
    return json.dumps({"type": "join", "name": name, "key": secrets.token_hex(16), "room": room})


@contextmanager
def joined(server, name, room=""):
    """A client that is in a room."""
    with connect(server.url("/chat"), proxy=None, compression=None) as client:
        client.send(join(name, room))
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


def test_all_see_the_same_order_whichever_worker_they_are_with(server):
    people, messages = 8, 6
    with ExitStack() as stack:
        clients = [stack.enter_context(joined(server, f"talker {number}", "order")) for number in range(people)]
        for n in range(1, messages + 1):
            # All at once: the workers decide among themselves who is first.
            for client in clients:
                client.send(json.dumps({"type": "say", "text": "x", "n": n}))
        for client in clients:
            said = [await_type(client, "said") for _ in range(people * messages)]
            assert [message["seq"] for message in said] == list(range(1, people * messages + 1))


def test_rooms_and_single_people_hear_what_is_for_them_alone(server):
    with ExitStack() as stack:
        people = {name: stack.enter_context(joined(server, name, "tea")) for name in ["ann", "bob", "cid"]}
        stranger = stack.enter_context(joined(server, "dan", "coffee"))
        with joined(server, "eve", "coffee") as mover:
            mover.send(json.dumps({"type": "enter", "room": "tea"}))
            ids = {person["name"]: person["id"] for person in await_type(mover, "welcome")["people"]}
        people["ann"].send(json.dumps({"type": "say", "text": "for bob", "n": 1, "to": ids["bob"]}))
        assert await_type(people["bob"], "private")["text"] == "for bob"
        people["ann"].send(json.dumps({"type": "say", "text": "for all", "n": 2}))
        for name, client in people.items():
            got = []
            while not got or got[-1]["type"] != "said":
                got.append(json.loads(client.recv(timeout=10)))
            assert got[-1]["text"] == "for all"
            private = [message["text"] for message in got if message["type"] == "private"]
            assert private == (["for bob"] if name == "ann" else [])
        stranger.send(json.dumps({"type": "say", "text": "coffee", "n": 1}))
        assert await_type(stranger, "said")["text"] == "coffee"


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
