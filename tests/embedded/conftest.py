"""Fixtures: one device for all tests of a run, which must live through all of them."""

import os

import pytest
from device import LM3S6965, VIRT, over_ethernet, over_uart
from server import PATIENCE


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


@pytest.fixture(params=["arm", "riscv"])
def uart(request):
    return request.getfixturevalue(f"uart_{request.param}")


@pytest.fixture(params=["ethernet", "uart_arm", "uart_riscv"])
def device(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def it_serves_the_next_client(request):
    """Whatever a test did."""
    yield
    for name in {"ethernet", "uart_arm", "uart_riscv"} & set(request.fixturenames):
        with request.getfixturevalue(name).client() as client:
            client.send("still there?")
            assert client.recv(timeout=PATIENCE) == "still there?"
