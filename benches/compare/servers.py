"""The servers that are compared: how each is started, and in which modes it goes.

Modes: echo; deflate, an echo with permessage-deflate, each message by itself; takeover, the same with context takeover both ways;
broadcast, which sends what comes to all. The programs are named by the environment, which benches/run sets.
"""

import contextlib
import os
import shlex
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent.parent / "servers"
ALL = ("echo", "deflate", "takeover", "broadcast")
OURS = "{MARTLET} serve --listen 127.0.0.1:{port} --worker-num 1"
COMPRESSED = OURS + " --websocket-compression true --compression-threshold 1"
# Name: how it is started in each mode.
SERVERS = {
    "raw": {"echo": "{PEER} raw echo {port}"},
    "martlet": {
        "echo": OURS,
        "deflate": COMPRESSED,
        "takeover": COMPRESSED + " --server-no-context-takeover false --client-no-context-takeover false",
        "broadcast": "{PEER} martlet broadcast {port}",
    },
    "uWebSockets": dict.fromkeys(ALL, "{UWEBSOCKETS} {mode} {port}"),
    "sockudo-ws": dict.fromkeys(ALL, "{PEER} sockudo-ws {mode} {port}"),
    "yawc": dict.fromkeys(ALL, "{PEER} yawc {mode} {port}"),
    "tokio-websockets": dict.fromkeys(("echo", "broadcast"), "{PEER} tokio-websockets {mode} {port}"),
    "fastwebsockets": {"echo": "{PEER} fastwebsockets echo {port}"},
    "web-socket": {"echo": "{PEER} web-socket echo {port}"},
    "tungstenite": {"echo": "{PEER} tungstenite echo {port}"},
    "Bun": dict.fromkeys(ALL, "{BUN} {here}/bun.js {mode} {port}"),
    "picows": dict.fromkeys(("echo", "broadcast"), "{PYTHON} {here}/python.py picows {mode} {port}"),
    "websockets": dict.fromkeys(ALL, "{PYTHON} {here}/python.py websockets {mode} {port}"),
    "ws": dict.fromkeys(ALL, "node {here}/ws.js {mode} {port}"),
}
# Those whose own code can be counted by callgrind and is not made while it runs.
NATIVE = ("martlet", "uWebSockets", "sockudo-ws", "yawc", "tokio-websockets", "fastwebsockets", "web-socket", "tungstenite")


def of_mode(mode):
    """Those that have it, but for what SERVERS in the environment leaves out."""
    wanted = os.environ.get("SERVERS", "").split()
    return [name for name, modes in SERVERS.items() if mode in modes and (not wanted or name in wanted)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(name, mode, before=("taskset", "-c", "0"), **options):
    """The server on the first core, listening: its process and its port."""
    port = free_port()
    command = SERVERS[name][mode].format(**os.environ, here=HERE, mode=mode, port=port)
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    process = subprocess.Popen([*before, *shlex.split(command)], **options)
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not listen: {command}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.05)
        yield process, port
    finally:
        process.kill()
        process.communicate()
