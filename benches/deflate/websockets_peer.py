"""permessage-deflate of Python's `websockets`, as it is by default, in the form of benches/src/bin/deflate.rs.

`websockets_peer.py compress yes|no FILE OUT`, `websockets_peer.py inflate yes|no FILE`, `websockets_peer.py held`.
"""

import sys
import time

from websockets.extensions.permessage_deflate import enable_server_permessage_deflate
from websockets.frames import Frame, Opcode

TIME = 0.2


def extension(takeover):
    """What a server agrees to that a browser's offer comes to."""
    [factory] = enable_server_permessage_deflate(None)
    offer = [("client_max_window_bits", None)]
    if not takeover:
        offer += [("server_no_context_takeover", None), ("client_no_context_takeover", None)]
    _, made = factory.process_request_params(offer, [])
    return made


def messages(path):
    with open(path, "rb") as file:
        octets = file.read()
    made = []
    while octets:
        size = 4 + int.from_bytes(octets[:4], "big")
        made.append(octets[4:size])
        octets = octets[size:]
    return made


def measured(one, inputs, octets):
    """The first outputs, and megabytes of messages a second in the best pass."""
    outputs = [one(item) for item in inputs]
    octets = octets(outputs)
    start, best = time.perf_counter(), float("inf")
    while time.perf_counter() - start < TIME:
        begin = time.perf_counter()
        for item in inputs:
            one(item)
        best = min(best, time.perf_counter() - begin)
    print(f"mbs {octets / best / 1e6:.1f}")
    return outputs


def size(items):
    return sum(map(len, items))


def main(way, *arguments):
    if way == "held":
        # Each has compressed once, so that the pages that it uses are there.
        kept = []
        for number in range(600):
            if number == 100:
                before = resident()
            made = extension(True)
            made.encode(Frame(Opcode.TEXT, b"what is said to one of many " * 8))
            kept.append(made)
        print(f"held {(resident() - before) // 500}")
        return
    deflate, inputs = extension(arguments[0] == "yes"), messages(arguments[1])
    if way == "compress":
        outputs = measured(lambda data: bytes(deflate.encode(Frame(Opcode.TEXT, data)).data), inputs, lambda _: size(inputs))
        with open(arguments[2], "wb") as file:
            for data in outputs:
                file.write(len(data).to_bytes(4, "big") + data)
    else:
        measured(lambda data: deflate.decode(Frame(Opcode.TEXT, data, rsv1=True)).data, inputs, size)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


main(*sys.argv[1:])
