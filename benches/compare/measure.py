"""Runs experiments: `measure.py EXPERIMENT...`. ROUNDS and SECONDS_EACH say how long; SERVERS names those that take part, if not all do.

Each round goes through all servers, beginning with another one each time, so that what slows the machine meets them alike.
"""

import os
import re
import resource
import subprocess
import sys

import results
import servers
import talk

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", 3)), int(os.environ.get("SECONDS_EACH", 2))
# Called, as `load` has it.
ECHO = {
    "20 B, depth 1": "binary 20 1 1",
    "20 B text, depth 16": "ascii 20 1 16",
    "20 B text, 64 connections": "ascii 20 64 1",
    "1 KiB, depth 1": "binary 1024 1 1",
    "1 KiB, depth 16": "binary 1024 1 16",
    "16 KiB, depth 4": "binary 16384 1 4",
    "1 MiB, depth 1": "binary 1048576 1 1",
    "4 KiB Chinese, depth 4": "chinese 4096 1 4",
}
# Octets, connections, depth.
DEFLATE = {"200 B": "200 4 4", "2 KiB": "2048 4 4"}
BROADCAST = {"64 B, one at a time": "64 1000 1", "64 B, 16 at once": "64 1000 16", "1 KiB, one at a time": "1024 1000 1"}
CONNECT = {"16 at once": "16"}
IDLE = (64, 1000, 5000, 18000)
# Descriptors that a server or the load has beside its connections.
SPARE = 100


def measured(name, mode, *load):
    """What `load` says of a server, as a dictionary; a failure is said, and is no number."""
    with servers.running(name, mode) as (process, port):
        what, *rest = load
        words = ["taskset", "-c", "1", os.environ["LOAD"], what, str(port), str(process.pid), *rest]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return {"failed": "timeout"}
        if done.returncode:
            return {"failed": done.stderr.strip().replace("\t", " ").replace("\n", " ")[:200]}
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def protocol(name):
    return "raw" if name == "raw" else "ws"


def rounds(out, called, mode, load, names=None):
    names = names or servers.of_mode(mode)
    for number in range(ROUNDS):
        at = number * 5 % len(names)
        for name in names[at:] + names[:at]:
            said = measured(name, mode, *load(name))
            if "failed" in said:
                print(f"{called}: {name} failed: {said['failed']}", file=sys.stderr)
            for metric, value in said.items():
                out.add(called, name, number, metric, value)


def echo(out):
    for called, load in ECHO.items():
        rounds(out, called, "echo", lambda name: ["echo", protocol(name), *load.split(), str(SECONDS)])


def deflate(out):
    for mode, said in (("deflate", "each by itself"), ("takeover", "with takeover")):
        for called, load in DEFLATE.items():
            rounds(out, f"{called}, {said}", mode, lambda _: [mode, *load.split(), str(SECONDS)])


def broadcast(out):
    for called, load in BROADCAST.items():
        rounds(out, called, "broadcast", lambda _: ["broadcast", *load.split(), str(SECONDS)])


def connect(out):
    for called, at_once in CONNECT.items():
        rounds(out, called, "echo", lambda name: ["connect", protocol(name), at_once, str(SECONDS)])


def idle(out):
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE
    for many in IDLE:
        # A thread for each connection is another question.
        names = [name for name in servers.of_mode("echo") if many <= 1000 or name != "tungstenite"]
        if many <= room:
            rounds(out, f"{many:,}", "echo", lambda name: ["idle", protocol(name), str(many), str(SECONDS)], names)
        else:
            print(f"{many} connections: there are descriptors for {room}", file=sys.stderr)


def system_calls(name, first, size, depth, messages):
    """How many a whole run takes."""
    path = results.FOLDER / "strace"
    with servers.running(name, "echo", ["strace", "-f", "-c", "-o", str(path)]) as (process, port):
        talk.talk(port, first, size, depth, messages, name == "raw")
        # Ends the server and not strace, which then says what it counted.
        [child] = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
        os.kill(int(child), 15)
        process.wait(30)
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", path.read_text(), re.MULTILINE)
    counted = {name: int(calls) for calls, name in rows if name != "total"}
    path.unlink()
    return sum(counted.values())


def calls(out):
    short, long = 160, 1760
    for load in talk.LOADS:
        for name in servers.of_mode("echo"):
            less, more = (system_calls(name, *load, messages) for messages in (short, long))
            out.add(talk.called(*load), name, 0, "calls", f"{(more - less) / (long - short):.3f}")


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for experiment in sys.argv[1:]:
        {"echo": echo, "deflated": deflate, "broadcast": broadcast, "connect": connect, "idle": idle, "calls": calls}[
            experiment
        ](results.Writer(experiment, ROUNDS, SECONDS))


main()
