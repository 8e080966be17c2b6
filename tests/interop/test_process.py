"""The binary as a process: its options, its exit codes, and how it stops."""

import os
import signal
import socket
import subprocess
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from server import PATIENCE, Server, answers, run
from wire import CLOSE, TEXT, Wire, close_body, frame, upgrade


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stop_tells_every_client_1001(number):
    with Server("--worker-num", "2") as server, ExitStack() as stack:
        urls = [server.url(path) for path in ("/echo", "/", "/chat")] * 10
        clients = [stack.enter_context(connect(url, proxy=None, compression=None)) for url in urls]
        server.signal(number)
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=PATIENCE)
            assert closed.value.rcvd.code == 1001
        assert server.wait() == 0
        assert not answers(server.port)


def test_a_client_inside_a_message_is_told_too():
    with Server() as server, Wire(server) as wire:
        wire.open().send(frame(TEXT, b"begun", fin=False))
        # The answer to a ping tells that the fragment has arrived.
        wire.send(frame(0x9))
        wire.frame()
        server.signal()
        fin, opcode, body = wire.frame()
        assert (fin, opcode, body[:2]) == (True, CLOSE, close_body(1001))
        wire.send(frame(CLOSE, close_body(1001)))
        wire.ended()
        assert server.wait() == 0


def test_a_client_that_does_not_answer_does_not_hold_up_the_stop():
    with Server() as server, Wire(server) as deaf, Wire(server) as unfinished, Wire(server) as silent:
        deaf.open()
        unfinished.send(upgrade()[:40])
        server.signal()
        fin, opcode, body = deaf.frame()
        assert (fin, opcode, body[:2]) == (True, CLOSE, close_body(1001))
        # Nothing is sent back, on any of the three.
        assert server.wait(30) == 0
        for wire in (deaf, unfinished, silent):
            wire.held = b""
            try:
                while wire.more():
                    pass
            except ConnectionResetError:
                pass


def test_a_stop_without_clients_is_immediate():
    with Server() as server:
        server.signal()
        assert server.wait(5) == 0


def told_in_one_line(result):
    """The one line of standard error that an exit with code 2 must come with."""
    code, _, error = result
    assert code == 2, result
    lines = error.strip().splitlines()
    assert len(lines) == 1, result
    return lines[0]


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        line = told_in_one_line(run("serve", "--listen", f"127.0.0.1:{port}"))
        assert str(port) in line


def test_a_port_in_use_by_another_martlet_is_told(server):
    # Workers share a port by SO_REUSEPORT; two servers must not do so unknowingly.
    line = told_in_one_line(run("serve", "--listen", f"127.0.0.1:{server.port}"))
    assert str(server.port) in line


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "256.0.0.1:80", "192.0.2.1:0", ""])
def test_a_bad_address_is_told(address):
    assert told_in_one_line(run("serve", "--listen", address))


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--nonsense"],
        ["serve", "--worker-num", "0"],
        ["serve", "--worker-num", "many"],
        ["serve", "--worker-num", "-1"],
        ["serve", "--worker-num"],
        ["serve", "--package-max-length", "2MB"],
        ["serve", "--package-max-length", "99999999999999999999999"],
        ["serve", "surplus"],
        ["nonsense"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_a_bad_option_is_told(arguments):
    assert told_in_one_line(run(*arguments))


def test_help_and_version_are_no_errors():
    code, output, error = run("--help")
    assert (code, error) == (0, "") and "serve" in output
    code, output, error = run("serve", "--help")
    assert (code, error) == (0, "") and "--listen" in output and "--package-max-length" in output
    code, output, error = run("--version")
    assert (code, error) == (0, "") and "martlet" in output


def test_without_options_it_serves_on_port_9501():
    if answers(9501):
        # Somebody works with a server of their own just now.
        assert "9501" in told_in_one_line(run())
        return
    with Server(arguments=[], port=9501) as server, Wire(server) as wire:
        wire.open().send(frame(TEXT, b"Hello"))
        assert wire.frame() == (True, TEXT, b"Hello")
        server.signal()
        assert server.wait() == 0


def test_a_file_holds_settings_and_flags_are_laid_over_it(tmp_path):
    file = tmp_path / "martlet.toml"
    file.write_text("package_max_length = 1000\nmax_head_bytes = 500\n")
    with Server("--config", str(file), "--package-max-length", "10") as server:
        with Wire(server) as wire:
            wire.open().send(frame(TEXT, b"x" * 11))
            assert wire.closed_with()[0] == 1009
        with Wire(server) as wire:
            wire.send(b"GET /echo HTTP/1.1\r\nX: " + b"x" * 600)
            assert wire.response()[0] == 431


def test_it_listens_at_several_places_at_once(tmp_path):
    path = str(tmp_path / "martlet.sock")
    with Server("--listen", f"unix:{path}", "--listen", "127.0.0.1:0") as server, Wire(server) as wire:
        wire.open()
        with socket.socket(socket.AF_UNIX) as local:
            local.settimeout(PATIENCE)
            local.connect(path)
            local.sendall(upgrade())
            assert local.recv(12) == b"HTTP/1.1 101"
        server.signal()
        assert server.wait() == 0
        assert not os.path.exists(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("worker_nums = 1", "worker_nums: there is no such setting"),
        ("worker_num = 0", "worker_num: must be"),
        ("\nworker_num =", "line 2"),
        ('listen = [{ address = "127.0.0.1:0", backlog = 1 }]', "listen[0].backlog: is for the server as a whole"),
        ("buffer_low_watermark = 300000", "buffer_low_watermark: must be less than buffer_high_watermark"),
    ],
)
def test_a_bad_file_is_told(tmp_path, text, why):
    file = tmp_path / "martlet.toml"
    file.write_text(text)
    line = told_in_one_line(run("serve", "--config", str(file)))
    assert f"{file}: " in line and why in line


@pytest.mark.parametrize("spread", ["true", "false"])
def test_the_backlog_is_that_of_the_settings(spread):
    with Server("--worker-num", "2", "--backlog", "77", "--reuse-port", spread) as server:
        listing = ["ss", "--no-header", "--listening", "--tcp", "--numeric", f"sport = :{server.port}"]
        lines = subprocess.run(listing, capture_output=True, check=True, text=True, timeout=PATIENCE).stdout.splitlines()
        # State, who waits, how many may wait.
        assert [line.split()[2] for line in lines] == ["77"] * (2 if spread == "true" else 1)


def test_the_log_says_as_much_as_it_is_asked_to(monkeypatch):
    for level, wanted, unwanted in [(None, [], ["INFO"]), ("info", ["INFO"], ["DEBUG"]), ("martlet_std=debug", ["opened", "closed"], [])]:
        if level:
            monkeypatch.setenv("MARTLET_LOG", level)
        with Server("--worker-num", "1") as server:
            with Wire(server) as wire:
                wire.open().send(frame(CLOSE, close_body(1000)))
                assert wire.closed_with()[0] == 1000
            server.signal()
            assert server.wait() == 0
            log = server.output()
            assert all(word in log for word in wanted) and not any(word in log for word in unwanted), log
    monkeypatch.setenv("MARTLET_LOG", "nonsense=loud")
    assert "MARTLET_LOG" in told_in_one_line(run("serve", "--listen", "127.0.0.1:0"))


def test_the_message_limit_is_an_option():
    with Server("--package-max-length", "1000") as server:
        with Wire(server) as wire:
            wire.open().send(frame(TEXT, b"x" * 1000))
            assert wire.frame() == (True, TEXT, b"x" * 1000)
            wire.send(frame(TEXT, b"x" * 1001))
            assert wire.closed_with()[0] == 1009


def test_sighup_has_new_workers_take_over():
    with Server("--worker-num", "2", "--max-wait-time", "1") as server:
        with connect(server.url()) as old:
            server.signal(signal.SIGHUP)
            # Its worker serves it for the grace and no longer, which shows that another one has taken over.
            old.send("still here")
            assert old.recv(PATIENCE) == "still here"
            with pytest.raises(ConnectionClosed) as closed:
                old.recv(PATIENCE)
            assert closed.value.rcvd.code == 1001
        with connect(server.url()) as new:
            new.send("and now")
            assert new.recv(PATIENCE) == "and now"
        server.signal()
        assert server.wait() == 0
