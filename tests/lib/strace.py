"""Counts the system calls of an echo turn: `strace.py PORT MESSAGES` talks, `strace.py LOG MESSAGES --judge` counts.

The client sends one message, waits for its echo, and sends the next. The first and the last message are marks in the log.
"""

import re
import socket
import sys
from collections import Counter

# What a turn needs: one call that reads, one that writes.
CALLS_PER_MESSAGE = 2
# For the whole talk: a turn may be cut in two by the scheduler now and then, and the log begins inside one.
SURPLUS = 8

READS = {"read", "readv", "recvfrom", "recvmsg"}
WRITES = {"write", "writev", "sendto", "sendmsg"}
MASK = b"\x00\x00\x00\x00"


def text(message):
    return b"\x81" + bytes([0x80 | len(message)]) + MASK + message


def exactly(peer, count):
    got = b""
    while len(got) < count:
        piece = peer.recv(count - len(got))
        assert piece, "the server ended the connection"
        got += piece
    return got


def talk(port, messages):
    peer = socket.create_connection(("127.0.0.1", port), timeout=30)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(
        b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(peer, 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    for message in [b"begin of the talk", *[b"a message of 20 byte"] * messages, b"end of the talk.."]:
        peer.sendall(text(message))
        assert exactly(peer, 2 + len(message)) == b"\x81" + bytes([len(message)]) + message
    peer.close()


def judge(log, messages):
    """Counts the calls on the connection's descriptor between the two marks."""
    call = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<fd>\d+)")
    with open(log, errors="replace") as file:
        lines = [(match, line) for line in file if (match := call.match(line))]
    marks = [at for at, (match, line) in enumerate(lines) if "of the talk" in line and match["name"] in WRITES]
    assert len(marks) == 2, f"the echoes of the first and the last message are not in the log: {len(marks)} marks"
    worker = lines[marks[0]][0]
    inside = lines[marks[0] + 1 : marks[1]]
    mine = [match["name"] for match, _ in inside if match["thread"] == worker["thread"] and match["fd"] == worker["fd"]]
    reads = sum(name in READS for name in mine)
    writes = sum(name in WRITES for name in mine)
    every = Counter(match["name"] for match, _ in inside if match["thread"] == worker["thread"])
    print(f"{messages} echo turns: {reads} reads, {writes} writes; all calls of the worker: {dict(every)}")
    # Between the marks lie the turns, and the read of the last mark.
    assert reads >= messages and writes >= messages, "calls are missing in the log, so that it proves nothing"
    assert len(mine) <= messages * CALLS_PER_MESSAGE + SURPLUS, "more than one read and one write for each echo"


if __name__ == "__main__":
    if sys.argv[3:] == ["--judge"]:
        judge(sys.argv[1], int(sys.argv[2]))
    else:
        talk(int(sys.argv[1]), int(sys.argv[2]))
