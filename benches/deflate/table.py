"""Prints the tables of permessage-deflate: `table.py MINIZ ZLIB_RS ROUNDS`, the two builds of the program `deflate`.

The Python that runs this has `websockets`; Node.js finds `ws` by NODE_PATH.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
MINIZ, ZLIB_RS, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
SIZES = {200: "200 B", 2048: "2 KiB", 65536: "64 KiB"}
TAKEOVER = ("yes", "no")
WINDOWS = (9, 12, 15)
# Name, program, compressor, level.
COMPRESSORS = [
    ("small", MINIZ, "small", 1),
    *((f"miniz_oxide, level {level}", MINIZ, "large", level) for level in (1, 2, 6)),
    # Level 1 is the library's second there as well.
    *((f"zlib-rs, level {level}", ZLIB_RS, "large", level) for level in (2, 6)),
]
CALLGRIND = ["valgrind", "--tool=callgrind", "--toggle-collect=measured", "--callgrind-out-file=/dev/null"]
# Copies and fills count as vector loops, not as one instruction for each octet.
TUNED = {
    **os.environ,
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000",
}


def run(*command, stdin=None, **options):
    """What the program says, by name."""
    done = subprocess.run([str(part) for part in command], stdin=stdin, capture_output=True, check=True, **options)
    return dict(line.split() for line in done.stdout.decode().splitlines())


def instructions(*command, stdin=None):
    command = [*CALLGRIND, *map(str, command), "quick"]
    done = subprocess.run(command, stdin=stdin, capture_output=True, check=True, env=TUNED)
    said = dict(line.split() for line in done.stdout.decode().splitlines())
    [collected] = [line.split()[-1] for line in done.stderr.decode().splitlines() if "Collected" in line]
    return int(collected) // int(said["messages"])


def counted(number):
    """Three digits or more, in thousands."""
    return f"{number / 1000:.1f}k" if number < 100_000 else f"{number / 1000:,.0f}k"


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def best(runs):
    """The rate of each of these in the best of the rounds, which go round among them."""
    rates = dict.fromkeys(runs, 0.0)
    for _ in range(ROUNDS):
        for name, command in runs.items():
            rates[name] = max(rates[name], float(command()["mbs"]))
    return rates


def back_ends():
    print("### Compressors: ratio, MB/s, instructions a message\n")
    row("JSON", "takeover", "compressor", *(f"window of {bits} bits" for bits in WINDOWS))
    row("---", "---", "---", *["---:"] * len(WINDOWS))
    held = {}
    for size, called in SIZES.items():
        for takeover in TAKEOVER:
            commands = {
                (name, bits): (program, "compress", which, size, takeover, bits, level)
                for name, program, which, level in COMPRESSORS
                for bits in WINDOWS
            }
            rates = best({key: lambda command=command: run(*command) for key, command in commands.items()})
            for name, *_ in COMPRESSORS:
                cells = []
                for bits in WINDOWS:
                    said = run(*commands[name, bits], "quick")
                    held[name, bits] = int(said["held"])
                    count = counted(instructions(*commands[name, bits]))
                    cells.append(f"{said['ratio'].lstrip('0')}, {rates[name, bits]:.0f}, {count}")
                row(called, takeover, name, *cells)
    print("\n### Compressors: octets of memory\n")
    row("compressor", *(f"window of {bits} bits" for bits in WINDOWS))
    row("---", *["---:"] * len(WINDOWS))
    for name, *_ in COMPRESSORS:
        row(name, *(f"{held[name, bits]:,}" for bits in WINDOWS))


def peers():
    compressors = {name: (program, which, 15, level) for name, program, which, level in COMPRESSORS}
    names = [*compressors, "ws", "websockets"]
    node, python = ["node", HERE / "ws_peer.js"], [sys.executable, HERE / "websockets_peer.py"]
    print("\n### Compressors and peers, the peers as they are by default: ratio, MB/s\n")
    row("JSON", "takeover", *names)
    row("---", "---", *["---:"] * len(names))
    inflating = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        made = {name: folder / name for name in ("ws", "websockets")}
        for size, called in SIZES.items():
            corpus = folder / f"messages-{size}"
            with open(corpus, "wb") as file:
                subprocess.run([MINIZ, "messages", str(size)], stdout=file, check=True)
            for takeover in TAKEOVER:
                runs = {
                    name: lambda at=at: run(at[0], "compress", at[1], size, takeover, at[2], at[3])
                    for name, at in compressors.items()
                }
                runs["ws"] = lambda: run(*node, "compress", takeover, corpus, made["ws"])
                runs["websockets"] = lambda: run(*python, "compress", takeover, corpus, made["websockets"])
                rates = best(runs)

                def inflated(name, *more):
                    with open(made[name], "rb") as file:
                        return run(MINIZ, "inflate", size, takeover, 15, *more, stdin=file)

                ratios = {name: runs[name]()["ratio"] for name in compressors}
                # The inflater says what the peer's ratio is, and that it is the same messages.
                ratios |= {name: inflated(name, "quick")["ratio"] for name in made}
                row(called, takeover, *(f"{ratios[name].lstrip('0')}, {rates[name]:.0f}" for name in names))
                rates = best({
                    "martlet": lambda: inflated("websockets"),
                    "ws": lambda: run(*node, "inflate", takeover, made["websockets"]),
                    "websockets": lambda: run(*python, "inflate", takeover, made["websockets"]),
                })
                inflating.append((called, takeover, *(f"{rate:.0f}" for rate in rates.values())))
    print("\n### Inflating what websockets has compressed: MB/s\n")
    row("JSON", "takeover", "martlet", "ws", "websockets")
    row("---", "---", "---:", "---:", "---:")
    for cells in inflating:
        row(*cells)
    held = [int(run(*peer, "held")["held"]) for peer in (node, python)]
    print(f"\nA compressor with context takeover keeps {held[0]:,} octets resident in ws and {held[1]:,} in websockets.")


back_ends()
peers()
