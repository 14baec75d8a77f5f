import aiohttp
import pytest

from server import rtc
from tests.support.numbered import FPS, HEIGHT, WIDTH
from tests.support.server import running_server

FLAGS = (
    *("--analyzers", "tests.support.numbered:Checker", "--workers", "1"),
    *("--camera", "pattern", "--camera-size", f"{WIDTH}x{HEIGHT}", "--camera-fps", str(FPS)),
    *("--camera-hook", "tests.support.numbered:hook", "--connections-per-address", "0"),
)


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """Its camera shows numbered pictures, its analyzer checks them."""
    with running_server(tmp_path_factory.mktemp("numbered"), *FLAGS) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(autouse=True)
def compat():
    rtc.install()
