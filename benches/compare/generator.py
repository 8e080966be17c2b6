"""What `martlet bench` costs beside the server that it measures: `generator.py ROUNDS SECONDS` prints two Markdown tables.

The first has CPU time a message, user and system, of both ends, and the same of a raw TCP client at a raw TCP echo that move as many
octets: what the kernel alone makes of it. The second has the instructions of bench's own code, by callgrind: a long run less a short one.
"""

import json
import os
import re
import statistics
import subprocess
import sys

import servers

LOADS = [(size, connections, depth) for size in (20, 1024) for connections in (1, 64) for depth in (1, 16)]


def output(*words):
    return subprocess.run(["taskset", "-c", "1", *map(str, words)], capture_output=True, text=True, check=True)


def bench(process, port, load, seconds):
    size, connections, depth = load
    return [
        os.environ["MARTLET"], "bench", "--json", "--pid", process.pid, "--duration", f"{seconds}s", "--payload", size,
        "--connections", connections, "--depth", depth, f"ws://127.0.0.1:{port}/echo",
    ]  # fmt: skip


def cpu_time(load, seconds):
    """Microseconds a message: bench, the server, the raw client, the raw echo."""
    size, connections, depth = load
    with servers.running("martlet", "echo") as (process, port):
        report = json.loads(output(*bench(process, port, load, seconds)).stdout)
    with servers.running("raw", "echo") as (process, port):
        words = [os.environ["LOAD"], "echo", port, process.pid, "raw", "ascii", size, connections, depth, seconds]
        said = dict(line.split() for line in output(*words).stdout.splitlines())
    echo, client = float(said["cpu"]), float(said["own"])
    return report["own_cpu_us_per_message"], report["server_cpu_us_per_message"], client, echo


def instructions(load):
    """Of bench's own code, for a message."""
    counted = []
    with servers.running("martlet", "echo") as (process, port):
        for seconds in (1, 5):
            valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
            done = output(*valgrind, *bench(process, port, load, seconds))
            counted.append((int(re.search(r"Collected : (\d+)", done.stderr)[1]), json.loads(done.stdout)["messages"]))
    (less, few), (more, many) = counted
    return (more - less) / (many - few)


def main(rounds, seconds):
    print("| load | bench | server | bench / server | raw client | raw echo | raw client / raw echo |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows = {load: [] for load in LOADS}
    for _ in range(int(rounds)):
        for load in LOADS:
            rows[load].append(cpu_time(load, int(seconds)))
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
            print(f"| {size:,} B, depth {depth} | {instructions((size, 1, depth)):,.0f} |", flush=True)


main(*sys.argv[1:])
