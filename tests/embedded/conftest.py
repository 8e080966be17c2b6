"""Fixtures: one device for all tests of a run, which must live through all of them."""

import os

import pytest
from device import LM3S6965, VIRT, message, over_ethernet, over_uart
from wire import TEXT, frame


@pytest.fixture(scope="session")
def ethernet():
    with over_ethernet(os.environ["ETHERNET"]) as device:
        yield device


@pytest.fixture(scope="session")
def uart_arm():
    with over_uart(LM3S6965, os.environ["UART_ARM"]) as device:
        yield device


@pytest.fixture(scope="session")
def uart_riscv():
    with over_uart(VIRT, os.environ["UART_RISCV"]) as device:
        yield device


@pytest.fixture(scope="session")
def embassy():
    with over_uart(LM3S6965, os.environ["EMBASSY"]) as device:
        yield device


UARTS = ["uart_arm", "uart_riscv", "embassy"]


@pytest.fixture(params=UARTS)
def uart(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["ethernet", *UARTS])
def device(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def it_serves_the_next_client(request):
    """Whatever a test did."""
    yield
    for name in {"ethernet", *UARTS} & set(request.fixturenames):
        with request.getfixturevalue(name).wire() as wire:
            wire.open("/")
            wire.send(frame(TEXT, b"still there?"))
            assert message(wire) == (TEXT, b"still there?")
