"""wss:// on both sides: Python's `websockets` and openssl's s_client, and certificates that must be refused."""

import asyncio
import datetime
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import trustme
from server import PATIENCE, Server

# Those with one thread: the others read in a thread of its own, and now and then what they write is lost while OpenSSL reads the tickets
# of TLS 1.3, for OpenSSL allows no two threads in a connection.
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

BINARY = os.environ["MARTLET_TLS"]
HOST = "localhost"


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


def write(cert, directory):
    """(certificates, key) as files."""
    chain, key = directory / "cert.pem", directory / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in cert.cert_chain_pems))
    key.write_bytes(cert.private_key_pem.bytes())
    return str(chain), str(key)


def secure(files, *options):
    chain, key = files
    return Server("--ssl-cert-file", chain, "--ssl-key-file", key, "--worker-num", "1", *options, binary=BINARY)


def trusting(ca):
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def server(ca, tmp_path_factory):
    with secure(write(ca.issue_cert(HOST, "127.0.0.1"), tmp_path_factory.mktemp("server"))) as running:
        yield running
        assert running.process.poll() is None, running.output()


def url(server, path="/echo"):
    return f"wss://{HOST}:{server.port}{path}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_messages_of_every_size_come_back(server, ca, version):
    context = trusting(ca)
    context.minimum_version = context.maximum_version = version

    async def talk():
        async with connect(url(server), ssl=context, proxy=None, compression=None, max_size=None) as ws:
            for size in [0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 2 << 20]:
                message = bytes(range(256)) * (size // 256) + bytes(size % 256)
                await ws.send(message)
                assert await ws.recv() == message
            # Much is under way both ways at the same time, and the peer reads late.
            for _ in range(200):
                await ws.send(b"x" * 10_000)
            for _ in range(200):
                assert len(await ws.recv()) == 10_000

    asyncio.run(talk())


def test_openssl_speaks_to_it_and_http_1_1_is_agreed_on(server, ca, tmp_path):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    arguments = ["-connect", f"127.0.0.1:{server.port}", "-servername", HOST, "-CAfile", tmp_path / "ca.pem", "-verify_return_error"]
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    done = subprocess.run(
        ["openssl", "s_client", *arguments, "-alpn", "h2,http/1.1", "-ign_eof"], input=request, capture_output=True, timeout=PATIENCE
    )
    assert b"Verify return code: 0 (ok)" in done.stdout
    assert b"ALPN protocol: http/1.1" in done.stdout
    assert b"HTTP/1.1 200 OK" in done.stdout and b"</html>" in done.stdout


def test_what_is_no_tls_is_let_go_and_the_others_stay(server, ca):
    async def talk():
        async with connect(url(server), ssl=trusting(ca), proxy=None) as ws:
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                while plain.recv(4096):
                    pass
            await ws.send("still here")
            assert await ws.recv() == "still here"

    asyncio.run(talk())


def test_a_certificate_is_renewed_by_sighup(ca, tmp_path):
    files = write(ca.issue_cert(HOST), tmp_path)
    with secure(files) as server:

        async def connected():
            async with connect(url(server), ssl=trusting(ca), proxy=None) as ws:
                return ws.transport.get_extra_info("peercert")["serialNumber"]

        def serial():
            return asyncio.run(connected())

        first = serial()
        write(ca.issue_cert(HOST), tmp_path)
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while serial() == first:
            assert time.monotonic() < deadline, server.output()
            time.sleep(0.05)
        # A file that is none leaves the workers that there are.
        second = serial()
        (tmp_path / "cert.pem").write_text("nothing")
        server.process.send_signal(signal.SIGHUP)
        server.until("cert.pem")
        assert serial() == second


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ssl-cert-file", "/nowhere.pem", "--ssl-key-file", "/nowhere.pem"], "/nowhere.pem"),
        (["--ssl-cert-file", "/nowhere.pem"], "ssl_key_file"),
    ],
)
def test_what_cannot_be_a_certificate_is_refused_at_the_start(options, words):
    done = subprocess.run([BINARY, "serve", *options], capture_output=True, timeout=PATIENCE, text=True)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def ask(target, *options, lines="hello\n"):
    """`martlet connect` with these lines: (exit code, standard output, standard error)."""
    done = subprocess.run([BINARY, "connect", *options, target], input=lines, capture_output=True, timeout=PATIENCE, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def echo():
    """A server of `websockets` with this certificate: a function that gives its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def each(ws):
        async for message in ws:
            await ws.send(message)

    async def listen(context):
        running = await serve(each, "127.0.0.1", 0, ssl=context)
        return running.sockets[0].getsockname()[1]

    def start(cert):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cert.configure_cert(context)
        return asyncio.run_coroutine_threadsafe(listen(context), loop).result(PATIENCE)

    yield start
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)


def test_our_client_trusts_a_file(echo, ca, tmp_path):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    port = echo(ca.issue_cert(HOST))
    code, out, err = ask(f"wss://{HOST}:{port}/", "--cacert", tmp_path / "ca.pem", lines="hello\n" + "x" * 100_000 + "\n")
    assert (code, out) == (0, "hello\n" + "x" * 100_000 + "\n"), err


def test_our_client_refuses_whom_it_cannot_trust_with_clear_words(echo, ca, tmp_path):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    trust = ["--cacert", tmp_path / "ca.pem"]
    now = datetime.datetime.now(datetime.timezone.utc)
    expired = ca.issue_cert(HOST, not_before=now - datetime.timedelta(days=9), not_after=now - datetime.timedelta(days=1))
    stranger = trustme.CA().issue_cert(HOST)
    rows = [
        (expired, trust, "has expired"),
        (ca.issue_cert("elsewhere.example"), trust, "is for another host"),
        (stranger, trust, "nobody who is trusted has signed"),
        (ca.issue_cert(HOST), [], "nobody who is trusted has signed"),
    ]
    for cert, options, words in rows:
        code, out, err = ask(f"wss://{HOST}:{echo(cert)}/", *options)
        assert (code, out) == (3, "") and words in err, err


def test_our_client_and_our_server(server, ca, tmp_path):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    code, out, err = ask(url(server), "--cacert", tmp_path / "ca.pem")
    assert (code, out) == (0, "hello\n"), err


@pytest.mark.parametrize("load", [["--depth", "16"], ["--payload", "200000", "--binary", "--depth", "3", "--connections", "2"]])
def test_our_bench_over_tls(server, echo, ca, tmp_path, load):
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    for place in [url(server), f"wss://{HOST}:{echo(ca.issue_cert(HOST))}/"]:
        options = ["--cacert", tmp_path / "ca.pem", "--verify", "--duration", "300ms", "--json", *load]
        done = subprocess.run([BINARY, "bench", *options, place], capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout)["messages"] > 0
    done = subprocess.run([BINARY, "bench", url(server)], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 3 and b"nobody who is trusted has signed" in done.stderr
