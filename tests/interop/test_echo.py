"""Python's `websockets` as the client: messages, fragments, pings, closing, many at once."""

import asyncio

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.sync.client import connect

MESSAGES = {
    "text": "Hello",
    "empty text": "",
    "empty binary": b"",
    "every octet": bytes(range(256)),
    "text beyond the basic plane": "κόσμε 中文 \U0001d11e \U0001f426 " * 50,
    **{f"{size} octets": bytes(size) for size in (1, 125, 126, 127, 65535, 65536)},
    "1 MiB of text": "0123456789abcde\n" * 65536,
    "1 MiB of binary": bytes(range(256)) * 4096,
}


def client(server, path="/echo", **options):
    options.setdefault("compression", None)
    return connect(server.url(path), proxy=None, max_size=None, **options)


@pytest.mark.parametrize("path", ["/echo", "/"])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_comes_back_as_it_went(server, path, name):
    with client(server, path) as ws:
        ws.send(MESSAGES[name])
        assert ws.recv() == MESSAGES[name]


@pytest.mark.parametrize(
    "fragments",
    [["a", "b", "c"], ["", "a", ""], [b"", b""], ["κό", "σμε"], [bytes(70000), b"x", bytes(130)]],
    ids=["three", "empty ends", "nothing but empty", "not ascii", "large and small"],
)
def test_a_fragmented_message_comes_back_whole(server, fragments):
    with client(server) as ws:
        ws.send(iter(fragments))
        assert ws.recv() == type(fragments[0])().join(fragments)


def test_an_offer_of_compression_does_no_harm(server):
    with client(server, compression="deflate") as ws:
        ws.send("Hello" * 1000)
        assert ws.recv() == "Hello" * 1000


def test_many_messages_without_waiting_come_back_in_order(server):
    async def run():
        async with connect_async(server.url(), proxy=None, compression=None, max_queue=None) as ws:
            sent = [f"message {number}" for number in range(2000)]

            async def send():
                for message in sent:
                    await ws.send(message)

            sending = asyncio.create_task(send())
            got = [await ws.recv() for _ in sent]
            await sending
            assert got == sent

    asyncio.run(asyncio.wait_for(run(), 60))


def test_two_hundred_clients_at_once(server):
    async def one(number, everyone):
        async with connect_async(server.url(), proxy=None, compression=None) as ws:
            await everyone.wait()
            for turn in range(20):
                message = f"client {number} turn {turn} " + "x" * number
                await ws.send(message)
                assert await ws.recv() == message

    async def run():
        everyone = asyncio.Barrier(200)
        await asyncio.gather(*(one(number, everyone) for number in range(200)))

    asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize("body", [b"", b"x" * 125], ids=["empty", "125 octets"])
def test_a_ping_is_answered_with_its_body(server, body):
    with client(server) as ws:
        assert ws.ping(body).wait(10)
        ws.send("still there")
        assert ws.recv() == "still there"


def test_a_pong_that_nobody_asked_for_is_ignored(server):
    with client(server) as ws:
        ws.pong(b"unasked")
        ws.send("still there")
        assert ws.recv() == "still there"


# RFC 6455 section 7.4: all that may travel.
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("reason", ["", "bye", "é" * 61 + "x"], ids=["no reason", "a reason", "123 octets"])
def test_our_close_is_answered_with_its_code(server, code, reason):
    with client(server) as ws:
        ws.close(code, reason)
    # Answered, that is: not 1006, which stands for a connection that broke.
    assert ws.protocol.close_rcvd is not None
    assert ws.protocol.close_rcvd.code == code
    assert ws.protocol.close_rcvd_then_sent is False


@pytest.mark.parametrize("payload, opcode, code", [
    (b"\xff", Opcode.TEXT, 1007),
    (b"\xed\xa0\x80", Opcode.TEXT, 1007),
    (b"", 0x3, 1002),
])
def test_what_breaks_a_rule_closes_with_its_code(server, payload, opcode, code):
    with client(server) as ws:
        with ws.protocol_mutex:
            # The library's own frames, but for what its checks would refuse.
            ws.protocol.writes.append(bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            ws.send_data()
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv()
        assert closed.value.rcvd.code == code
        assert closed.value.rcvd_then_sent is True


def test_a_message_over_the_limit_closes_with_1009(server):
    with client(server) as ws:
        with pytest.raises(ConnectionClosed) as closed:
            # The default limit is 2 MiB.
            ws.send(bytes((2 << 20) + 1))
            ws.recv()
        assert closed.value.rcvd.code == 1009


def test_a_message_at_the_limit_passes(server):
    with client(server) as ws:
        ws.send(bytes(2 << 20))
        assert len(ws.recv()) == 2 << 20


def test_no_subprotocol_is_chosen_unless_the_application_wants_one(server):
    with client(server) as ws:
        assert ws.subprotocol is None
        assert "Sec-WebSocket-Protocol" not in ws.response.headers
    with client(server, subprotocols=["chat.example", "superchat.example"]) as ws:
        assert ws.subprotocol is None
        assert "Sec-WebSocket-Protocol" not in ws.response.headers
