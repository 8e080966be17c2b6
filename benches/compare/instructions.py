"""Instructions of an echo server's own code for a message, by callgrind: prints a Markdown table.

Each figure is the difference of a long and a short run, so that starting, the handshake and ending do not count; what the kernel does
never counts here.
"""

import os
import re
import signal
import subprocess

import servers
import talk

SHORT, LONG = 1_600, 17_600
# Copies count as vector loops, not as one instruction for each octet.
ENVIRONMENT = os.environ | {
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000"
}
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def instructions(name, first, size, depth, messages):
    with servers.running(name, "echo", CALLGRIND, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as (server, port):
        talk.talk(port, first, size, depth, messages)
        server.send_signal(signal.SIGTERM)
        log = server.communicate(timeout=60)[1]
    return int(re.search(r"Collected : (\d+)", log)[1])


def main():
    print("| server |" + "".join(f" {talk.called(*load)} |" for load in talk.LOADS))
    print("|---|" + "---:|" * len(talk.LOADS))
    for name in servers.of_mode("echo"):
        if name not in servers.NATIVE:
            continue
        cells = []
        for load in talk.LOADS:
            short, long = (instructions(name, *load, messages) for messages in (SHORT, LONG))
            cells.append(f" {(long - short) / (LONG - SHORT):,.0f} |")
        print(f"| {name} |" + "".join(cells), flush=True)


main()
