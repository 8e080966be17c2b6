"""Many frames without a loss, and many clients that vanish."""

from concurrent.futures import ThreadPoolExecutor

from device import message
from server import PATIENCE
from wire import BINARY, TEXT, frame

FRAMES_OVER_ETHERNET, FRAMES_OVER_UART = 200_000, 20_000
PLACES = 4
VANISHED = 100


def soak(device, who, count, under_way=64):
    """Sends numbered frames, so many at once, and reads each echo."""
    with device.wire() as wire:
        wire.open("/")
        for begin in range(0, count, under_way):
            batch = [b"%02d %017d" % (who, number) for number in range(begin, min(begin + under_way, count))]
            wire.send(b"".join(frame(TEXT, payload) for payload in batch))
            for payload in batch:
                assert message(wire) == (TEXT, payload)


def test_frames_over_ethernet(ethernet):
    before = ethernet.telemetry()
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(soak, ethernet, who, FRAMES_OVER_ETHERNET // PLACES) for who in range(PLACES)]:
            done.result()
    after = ethernet.telemetry()
    assert after["frames"] - before["frames"] == FRAMES_OVER_ETHERNET
    assert after["octets"] - before["octets"] == FRAMES_OVER_ETHERNET * 20


def test_frames_over_uart(uart_arm):
    soak(uart_arm, 0, FRAMES_OVER_UART, under_way=8)


def test_clients_that_vanish_in_a_frame(ethernet):
    for number in range(VANISHED):
        with ethernet.wire() as wire:
            wire.open("/")
            wire.send(frame(BINARY, b"%d" % number) + frame(BINARY, b"gone", announce=1000 + number))
            assert message(wire) == (BINARY, b"%d" % number)
    with ethernet.client() as client:
        client.send("still there?")
        assert client.recv(timeout=PATIENCE) == "still there?"


def test_clients_that_vanish_in_a_frame_on_a_serial_line(uart_arm):
    for number in range(VANISHED):
        with uart_arm.wire() as wire:
            wire.open("/")
            wire.send(frame(BINARY, b"%d" % number) + frame(BINARY, b"gone", announce=1000 + number))
            assert message(wire) == (BINARY, b"%d" % number)
