"""`martlet connect` against servers that are not ours: Python's `websockets` and aiohttp."""

import asyncio
import contextlib
import subprocess
import threading

import pytest
from aiohttp import WSMsgType, web
from server import BINARY, PATIENCE
from websockets.sync.server import serve


def ask(url, *options, lines=b""):
    """`martlet connect` with this input: (exit code, standard output, standard error)."""
    done = subprocess.run([BINARY, "connect", *options, url], input=lines, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr.decode()


@contextlib.contextmanager
def with_websockets(handler, **options):
    with serve(handler, "127.0.0.1", 0, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()


@contextlib.contextmanager
def with_aiohttp():
    """An echo, in a thread of its own."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    found = {}

    async def echo(request):
        ws = web.WebSocketResponse(protocols=["chat"])
        await ws.prepare(request)
        async for message in ws:
            if message.type == WSMsgType.TEXT:
                await ws.send_str(message.data)
            elif message.type == WSMsgType.BINARY:
                await ws.send_bytes(message.data)
        return ws

    async def run():
        app = web.Application()
        app.router.add_get("/", echo)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found["port"] = site._server.sockets[0].getsockname()[1]
        found["runner"] = runner
        started.set()

    def thread():
        loop.run_until_complete(run())
        loop.run_forever()

    threading.Thread(target=thread, daemon=True).start()
    assert started.wait(PATIENCE)
    yield f"ws://127.0.0.1:{found['port']}/"
    asyncio.run_coroutine_threadsafe(found["runner"].cleanup(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)


def echo(ws):
    for message in ws:
        ws.send(message)


LINES = "hello\n\nκόσμε 中文\n".encode() + b"x" * 100_000 + b"\n"


@pytest.mark.parametrize("options", [[], ["--compress"]], ids=["plain", "compressed"])
def test_lines_come_back(options):
    with with_websockets(echo) as url:
        assert ask(url, *options, lines=LINES)[:2] == (0, LINES)
    with with_aiohttp() as url:
        assert ask(url, *options, "--subprotocol", "chat", lines=LINES)[:2] == (0, LINES)


def test_octets_go_and_come_in_hex_and_base64():
    with with_websockets(echo) as url:
        assert ask(url, "--send", "hex", lines=b"00 ff\n")[:2] == (0, b"00ff\n")
        assert ask(url, "--send", "base64", "--binary", "raw", lines=b"AP8=\n")[:2] == (0, b"\x00\xff")
        code, out, err = ask(url, "--send", "hex", "--binary", "base64", lines=b"xyz\n00ff\n")
        assert (code, out) == (0, b"AP8=\n") and "no hex" in err


def test_the_exit_code_tells_how_it_ended():
    for close, expect in [((1000, "bye"), 0), ((1001, ""), 0), ((4000, "not so"), 1)]:
        with with_websockets(lambda ws: ws.close(*close)) as url:
            code, _, err = ask(url, "--linger", "9s")
            assert code == expect and f"closed: {close[0]} {close[1]}".rstrip() + "\n" in err
    with with_websockets(lambda ws: ws.socket.close()) as url:
        assert ask(url, "--linger", "9s")[0] == 1
    assert ask("ws://127.0.0.1:1/")[0] == 3
    assert ask("http://127.0.0.1/")[0] == 2


def test_a_refusal_is_told():
    def refuse(connection, request):
        assert request.headers["X-Test"] == "1" and request.headers["Origin"] == "http://example.org"
        return connection.respond(403, "no")

    with with_websockets(echo, process_request=refuse) as url:
        code, out, err = ask(url, "--header", "X-Test: 1", "--origin", "http://example.org")
        assert (code, out) == (3, b"") and "the server answered 403" in err


def test_pings_are_timed():
    with with_websockets(echo) as url:
        _, _, err = ask(url, "--ping", "50ms", "--linger", "300ms")
        assert "pong after " in err
