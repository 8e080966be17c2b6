"""A device in QEMU, and what brings TCP clients to it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import PATIENCE, answers, free_port
from websockets.sync.client import connect
from wire import CONTINUATION, Wire

HERE = Path(__file__).parent
# Seconds after which a place is free again, and some more for a machine with other work.
LEAVE = 6
QUIET = ["-display", "none", "-monitor", "none"]
LM3S6965 = ["qemu-system-arm", "-M", "lm3s6965evb", *QUIET]
VIRT = ["qemu-system-riscv32", "-M", "virt", "-bios", "none", *QUIET]


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
    finally:
        process.kill()
        process.wait()


def until(is_so, what):
    """Waits for a program that was started."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class PatientWire(Wire):
    """One that tries again while the device has no place for it: there are four, and each takes leave of its last client for at most
    three seconds. Who comes meanwhile is refused before the device has said anything."""

    def __init__(self, server):
        super().__init__(server)
        self.server = server

    def open(self, path="/"):
        deadline = time.monotonic() + LEAVE
        while True:
            try:
                return super().open(path)
            except (ConnectionError, EOFError):
                if self.held or time.monotonic() > deadline:
                    raise
            self.socket.close()
            time.sleep(0.05)
            super().__init__(self.server)


class Device:
    """What clients reach at a port of this machine."""

    def __init__(self, port):
        self.port = port

    def url(self, path="/"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def client(self, path="/", **options):
        """Python's `websockets`, whose messages may have 4,096 fragments, whatever their length."""
        # Over a serial line the connection's end is not told to the client.
        defaults = {"compression": None, "max_size": None, "ping_interval": None, "open_timeout": PATIENCE, "close_timeout": 0.1}
        return connect(self.url(path), **{**defaults, **options})

    def wire(self):
        return Wire(self)

    def telemetry(self):
        with self.client("/telemetry") as client:
            return json.loads(client.recv(timeout=PATIENCE))


class EthernetDevice(Device):
    """The one with four places."""

    def wire(self):
        return PatientWire(self)


def message(wire, length=None):
    """(opcode, payload) of a message in any number of fragments; of one that goes on, its first `length` octets."""
    fin, opcode, payload = wire.frame()
    while len(payload) < length if length else not fin:
        fin, continuation, piece = wire.frame()
        assert continuation == CONTINUATION, continuation
        payload += piece
    assert fin == (length is None)
    return opcode, payload


@contextlib.contextmanager
def over_ethernet(program):
    port = free_port()
    network = f"user,model=stellaris,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:80"
    with tempfile.NamedTemporaryFile() as serial:
        with running([*LM3S6965, "-nic", network, "-serial", f"file:{serial.name}", "-kernel", program]):
            until(lambda: answers(port), "QEMU does not listen")
            device = EthernetDevice(port)
            device.telemetry()
            yield device
            starts = Path(serial.name).read_text().count("martlet")
            assert starts == 1, f"the device began anew: {starts} starts"


@contextlib.contextmanager
def over_uart(machine, program):
    with tempfile.TemporaryDirectory() as folder:
        line = f"{folder}/uart"
        chardev = f"socket,id=uart,path={line},server=on,wait=off,telnet=on"
        with running([*machine, "-chardev", chardev, "-serial", "chardev:uart", "-kernel", program]):
            until(lambda: os.path.exists(line), "QEMU has no serial line")
            with running([sys.executable, HERE / "bridge.py", line], stdout=subprocess.PIPE) as bridge:
                port = int(bridge.stdout.readline())
                yield Device(port)
