"""HTTP on the WebSocket's port, as curl speaks it, and nginx in front."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from prometheus_client import parser as classic
from prometheus_client.openmetrics import parser as openmetrics
from server import PATIENCE, Server, free_port
from test_examples import example
from websockets.sync.client import connect


def curl(*arguments, stdin=b""):
    """(standard output, standard error) of curl, which must succeed."""
    done = subprocess.run(["curl", "-sS", *arguments], input=stdin, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def push():
    with example("http_push") as server:
        yield server, server.url("/push").replace("ws:", "http:")


def test_keep_alive_serves_many_requests_over_one_connection(push):
    _, url = push
    counts = ["-w", "%{http_code} %{num_connects}\n"]
    output, _ = curl(*counts, url, "--next", *counts, url, "--next", *counts, "-d", "x", url)
    lines = [line for line in output.splitlines() if line[0].isdigit()]
    assert lines == ["405 1", "405 0", "200 0"]


def test_connection_close_and_http_1_0_are_heeded(push):
    _, url = push
    for options in (["-H", "Connection: close"], ["--http1.0"]):
        output, _ = curl("-i", *options, "-d", "x", url)
        assert output.startswith("HTTP/1.1 200 ") and "\r\nConnection: close\r\n" in output


def test_pipelined_requests_are_answered_in_order(push):
    server, _ = push
    requests = (
        b"GET /push HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /push HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        b"POST /push HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as peer:
        peer.sendall(requests)
        answers = b""
        while piece := peer.recv(65536):
            answers += piece
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"405", b"200", b"200", b"404"]


def test_chunked_bodies_arrive_whole(push):
    server, url = push
    with connect(server.url("/")) as client:
        body = "Zwölf Boxkämpfer " * 10_000
        output, _ = curl("-H", "Transfer-Encoding: chunked", "--data-binary", "@-", url, stdin=body.encode())
        assert (output, client.recv(PATIENCE)) == ("pushed\n", body)


def test_expect_100_continue_is_answered_before_the_body(push):
    server, url = push
    with connect(server.url("/")) as client:
        body = "x" * 100_000
        output, log = curl("-v", "-H", "Expect: 100-continue", "--data-binary", "@-", url, stdin=body.encode())
        assert "HTTP/1.1 100 Continue" in log and output == "pushed\n"
        assert client.recv(PATIENCE) == body


@pytest.mark.parametrize("framing", [[], ["-H", "Transfer-Encoding: chunked"]])
def test_a_body_beyond_the_limit_is_413(push, framing):
    _, url = push
    output, _ = curl("-w", "%{http_code}", "-o", os.devnull, *framing, "--data-binary", "@-", url, stdin=b"x" * (3 << 20))
    assert output == "413"


def test_head_is_get_without_the_body():
    with Server("--worker-num", "1") as server:
        url = server.url("/").replace("ws:", "http:")
        # The second may change between the two.
        head, page = (re.sub("Date: .*?\r\n", "", curl(how, url)[0]) for how in ("-I", "-i"))
        assert page.startswith(head) and len(page) > len(head)


@pytest.mark.parametrize("parse", [openmetrics.text_string_to_metric_families, classic.text_string_to_metric_families])
def test_metrics_are_read_by_the_parsers_of_prometheus(parse):
    with Server("--worker-num", "2", "--metrics", "true", "--healthz", "true") as server:
        url = server.url("/metrics").replace("ws:", "http:")
        assert curl(url.replace("metrics", "healthz"))[0] == "ok\n"
        with connect(server.url()) as client:
            client.send("x")
            client.recv(PATIENCE)
            samples = {sample.name: sample.value for family in parse(curl(url)[0]) for sample in family.samples}
    assert (samples["martlet_websockets"], samples["martlet_workers"]) == (1, 2)
    assert samples["martlet_frames_received_total"] == samples["martlet_frames_sent_total"] == 1
    # The health, the handshake and this.
    assert samples["martlet_requests_total"] == 3


NGINX = """
daemon off; pid {home}/pid; error_log {home}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
            proxy_set_header Host $host;
        }}
    }}
}}
"""


def test_nginx_in_front_proxies_websockets_and_pages(tmp_path: Path):
    with Server("--worker-num", "2") as server:
        port = free_port()
        config = tmp_path / "nginx.conf"
        config.write_text(NGINX.format(home=tmp_path, port=port, upstream=server.port))
        with Server(binary="nginx", arguments=["-c", str(config), "-e", str(tmp_path / "error.log")], port=port) as nginx:
            page, _ = curl(f"http://127.0.0.1:{port}/")
            assert "<html" in page
            with connect(nginx.url("/echo")) as client:
                for size in (0, 1, 125, 126, 65_535, 65_536, 1_000_000):
                    client.send("ä" * (size // 2))
                    assert client.recv(PATIENCE) == "ä" * (size // 2)
                client.ping().wait(PATIENCE)
                client.close(4000, "so long")
                assert client.close_code == 4000
