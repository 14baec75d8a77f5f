"""A dispatcher that a test steps."""

import pytest

from tests.server.workers.stepped import Worker


@pytest.fixture
def make_worker():
    made = []

    def make(*analyzers):
        made.append(Worker(*analyzers))
        return made[-1]

    yield make
    for worker in made:
        worker.close()
