"""What `martlet bench` costs beside the server that it measures: `generator.py MARTLET PEER LOAD ROUNDS SECONDS` prints two Markdown tables.

The first has CPU time a message, user and system, of both ends, and the same of a raw TCP client at a raw TCP echo that move as many
octets: what the kernel alone makes of it. The second has the instructions of bench's own code, by callgrind: a long run less a short one.
"""

import json
import re
import socket
import statistics
import subprocess
import sys
import time

LOADS = [(size, connections, depth) for size in (20, 1024) for connections in (1, 64) for depth in (1, 16)]


class Echo:
    """A server on the first core."""

    def __init__(self, *words):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        words = ["taskset", "-c", "0", *(word.format(port=self.port) for word in words)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def output(*words):
    return subprocess.run(["taskset", "-c", "1", *map(str, words)], capture_output=True, text=True, check=True)


def bench(martlet, server, load, seconds):
    size, connections, depth = load
    return [
        martlet, "bench", "--json", "--pid", server.process.pid, "--duration", f"{seconds}s", "--payload", size,
        "--connections", connections, "--depth", depth, f"ws://127.0.0.1:{server.port}/echo",
    ]  # fmt: skip


def cpu_time(martlet, peer, load_program, load, seconds):
    """Microseconds a message: bench, the server, the raw client, the raw echo."""
    size, connections, depth = load
    with Echo(martlet, "serve", "--listen", "127.0.0.1:{port}", "--worker-num", "1") as server:
        report = json.loads(output(*bench(martlet, server, load, seconds)).stdout)
    with Echo(peer, "raw", "{port}") as server:
        words = [load_program, server.port, server.process.pid, "raw", "ascii", size, connections, depth, seconds]
        _, echo, client = map(float, output(*words).stdout.split())
    return report["own_cpu_us_per_message"], report["server_cpu_us_per_message"], client, echo


def instructions(martlet, load):
    """Of bench's own code, for a message."""
    counted = []
    with Echo(martlet, "serve", "--listen", "127.0.0.1:{port}", "--worker-num", "1") as server:
        for seconds in (1, 5):
            valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
            done = output(*valgrind, *bench(martlet, server, load, seconds))
            counted.append((int(re.search(r"Collected : (\d+)", done.stderr)[1]), json.loads(done.stdout)["messages"]))
    (less, few), (more, many) = counted
    return (more - less) / (many - few)


def main(martlet, peer, load_program, rounds, seconds):
    print("| load | bench | server | bench / server | raw client | raw echo | raw client / raw echo |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows = {load: [] for load in LOADS}
    for _ in range(int(rounds)):
        for load in LOADS:
            rows[load].append(cpu_time(martlet, peer, load_program, load, int(seconds)))
    for (size, connections, depth), taken in rows.items():
        own, server, client, echo = map(statistics.median, zip(*taken))
        ratios = [statistics.median(row[at] / row[at + 1] for row in taken) for at in (0, 2)]
        print(
            f"| {size:,} B, {connections} connection{'s' * (connections > 1)}, depth {depth} | {own:.2f} | {server:.2f} | {ratios[0]:.2f}"
            f" | {client:.2f} | {echo:.2f} | {ratios[1]:.2f} |"
        )
    print("\n| load, 1 connection | instructions of bench's own code for a message |\n|---|---:|")
    for size, connections, depth in LOADS:
        if connections == 1:
            print(f"| {size:,} B, depth {depth} | {instructions(martlet, (size, 1, depth)):,.0f} |", flush=True)


main(*sys.argv[1:])
