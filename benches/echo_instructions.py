"""Instructions of an echo server's own code for a message, by callgrind: `echo_instructions.py NAME=COMMAND...` prints a Markdown table.

{port} in a command is the port to listen on. Each figure is the difference of a long and a short run, so that starting, the handshake
and ending do not count; what the kernel does never counts here.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

SHORT, LONG = 1_600, 17_600
TEXT, BINARY = b"\x81", b"\x82"
LOADS = [(TEXT, 20, 1), (TEXT, 20, 16), (BINARY, 1024, 1), (BINARY, 1024, 16)]
REQUEST = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
# Copies count as vector loops, not as one instruction for each octet.
ENVIRONMENT = os.environ | {
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000"
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connect(port, server):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not listen")


def masked(first, payload):
    key = b"\x12\x9e\x55\xc3"
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return first + length + key + bytes(octet ^ key[at % 4] for at, octet in enumerate(payload))


def talk(connection, first, size, depth, messages):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(REQUEST)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1) or sys.exit("no handshake")
    batch = masked(first, b"a" * size) * depth
    expected = (size + (2 if size < 126 else 4)) * depth
    for _ in range(messages // depth):
        connection.sendall(batch)
        missing = expected
        while missing:
            came = len(connection.recv(missing))
            missing -= came or sys.exit("the server hung up")


def instructions(command, first, size, depth, messages):
    port = free_port()
    words = shlex.split(command.format(port=port))
    server = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )
    with connect(port, server) as connection:
        talk(connection, first, size, depth, messages)
    server.send_signal(signal.SIGTERM)
    log = server.communicate(timeout=60)[1]
    return int(re.search(r"Collected : (\d+)", log)[1])


def main():
    print("| server |" + "".join(f" {size:,} B {'text' if first == TEXT else 'binary'}, depth {depth} |" for first, size, depth in LOADS))
    print("|---|" + "---:|" * len(LOADS))
    for name, command in (argument.split("=", 1) for argument in sys.argv[1:]):
        cells = []
        for first, size, depth in LOADS:
            short, long = (instructions(command, first, size, depth, messages) for messages in (SHORT, LONG))
            cells.append(f" {(long - short) / (LONG - SHORT):,.0f} |")
        print(f"| {name} |" + "".join(cells), flush=True)


main()
