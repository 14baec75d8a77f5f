"""A server that benches' clients stream to, and the clip that they stream."""

import pytest

from bench.harness.processes import running, with_pose
from bench.harness.stream import encoded_clip


@pytest.fixture
async def server():
    async with running(with_pose()) as server:
        yield server


@pytest.fixture
async def clip():
    async with encoded_clip() as path:
        yield path
