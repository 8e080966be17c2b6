"""Puts TCP clients, one after another, on the serial line of a device in QEMU: `bridge.py SOCKET [PORT]`.

QEMU's end is `-chardev socket,path=SOCKET,server=on,wait=off,telnet=on,...`: telnet has a command that becomes a BREAK on the serial
line, which tells the device that a connection has ended. The port is printed when the device answers.
"""

import asyncio
import contextlib
import re
import sys

IAC, DONT, BRK = b"\xff", b"\xfe", b"\xf3"
# WILL ECHO, WILL SUPPRESS-GO-AHEAD, WILL BINARY, DO BINARY.
GREETING = 12
# QEMU raises the BREAK when it reads the command, in front of octets that it read together with it. It reads no more at once than the
# device's queue holds, 16 octets; so many that mean nothing keep the command apart from what came before.
BREAK = 6 * (IAC + DONT + b"\0") + IAC + BRK
# No request begins so, and the device says so at once.
PROBE, ANSWER = b"\0", b"HTTP/1.1 400 "
LONGEST_ANSWER = 1024
# In seconds. Only a device that is broken gets near it.
PATIENCE = 30


def ends_with_answer(said):
    _, begin, answer = said.rpartition(ANSWER)
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return bool(begin and end) and len(body) == (int(length[1]) if length else 0)


class Line:
    """The serial line."""

    @classmethod
    async def open(cls, path):
        self = cls()
        self.reader, self.writer = await asyncio.open_unix_connection(path)
        await self.reader.readexactly(GREETING)
        return self

    async def end_connection(self):
        """Waits until the device has said all that it had to say on its connection: behind that comes its answer to a probe."""
        self.writer.write(BREAK + PROBE + BREAK)
        said = b""
        async with asyncio.timeout(PATIENCE):
            while not ends_with_answer(said):
                fresh = await self.reader.read(4096)
                if not fresh:
                    sys.exit("the device has gone")
                said = (said + fresh)[-LONGEST_ANSWER:]

    async def carry_in(self, reader):
        while octets := await reader.read(4096):
            self.writer.write(octets.replace(IAC, IAC + IAC))
            await self.writer.drain()

    async def carry_out(self, writer):
        while octets := await self.reader.read(4096):
            writer.write(octets)
            await writer.drain()
        sys.exit("the device has gone")


async def main(path, port=0):
    line = await Line.open(path)
    await line.end_connection()
    is_free = asyncio.Lock()

    async def serve(reader, writer):
        async with is_free:
            out = asyncio.create_task(line.carry_out(writer))
            with contextlib.suppress(ConnectionError):
                await line.carry_in(reader)
            out.cancel()
            # To a client that has gone nothing can be written.
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await out
            writer.close()
            await line.end_connection()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
