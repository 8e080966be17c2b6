"""Fixtures: a server for all tests of a run that leave it as it was."""

import pytest

from server import Server


@pytest.fixture(scope="session")
def server():
    with Server("--worker-num", "2") as running:
        yield running
        assert running.process.poll() is None, f"the server died: {running.output()}"
