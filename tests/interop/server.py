"""The server under test as a process: started on a free port, waited for by connecting, stopped for certain."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import time

# Tests of other programs have none.
BINARY = os.environ.get("MARTLET", "")

# How long anything may take that needs no waiting; only a broken server gets near it.
PATIENCE = 15


# As in tests/lib/server.sh.
FIRST_PORT = int(os.environ.get("MARTLET_PORTS", "20000"))


def free_port():
    """A port that nobody listens on now."""
    while True:
        port = random.randrange(FIRST_PORT, FIRST_PORT + 6000)
        if not answers(port):
            return port


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


class Server:
    """`martlet serve` with these options, or another program; a context manager."""

    def __init__(self, *options, binary=BINARY, arguments=None, port=None):
        self.port = port or free_port()
        if arguments is None:
            arguments = ["serve", "--listen", f"127.0.0.1:{self.port}", *options]
        # No pipe, which could fill up.
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([binary, *arguments], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"the server does not listen: {self.output()}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def output(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def until(self, text):
        """Waits until the program has said this."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output():
            assert time.monotonic() < deadline, f"{text!r} is not in {self.output()!r}"
            time.sleep(0.02)

    def url(self, path="/echo"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        """The exit code."""
        return self.process.wait(seconds)


def run(*arguments):
    """Runs the binary to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, text=True)
    return done.returncode, done.stdout, done.stderr
