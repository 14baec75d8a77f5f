"""What clients of older servers read of a refusal that their request's handler never saw."""

import aiohttp
import pytest

from tests.support.in_process import application

SECRET = "a secret for these tests alone, of some length"


async def ask(server, path, method="POST"):
    url = f"{server.url}{path}"
    async with aiohttp.ClientSession() as http, http.request(method, url) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/pose", {"error": "failed"}),
        ("/api/ml/analyze-frame", {"success": False, "data": None}),
        ("/api/ai/analyze-form", {"success": False, "data": None}),
        ("/upload-embedding", {"error_code": "INVALID_REQUEST", "status": "error"}),
        ("/find", {"error_code": "INVALID_REQUEST", "status": "error"}),
        ("/find/3", {"error_code": "INVALID_REQUEST", "status": "error"}),
        ("/camera/start", {}),
        ("/record/start", {}),
        ("/findings", {}),
        ("/sessions", {}),
    ],
)
async def test_without_a_token(path, said):
    async with application("--auth-secret", SECRET) as server:
        status, answer = await ask(server, path)
    assert (status, answer["code"]) == (404 if path == "/findings" else 401, status)
    assert answer["message"]
    if path not in ("/sessions", "/findings") and not path.startswith("/api"):
        said = {**said, "detail": answer["message"]}
    stamp = answer.pop("timestamp", None)
    assert (stamp is not None) == ("error_code" in said)
    assert answer == {"message": answer["message"], "code": status, **said}


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("/pose", "error", "busy"),
        ("/find", "error_code", "SERVICE_UNAVAILABLE"),
        ("/api/ml/analyze-frame", "success", False),
    ],
)
async def test_too_many(path, key, value):
    async with application("--expensive-per-minute", "1") as server:
        await ask(server, path)
        status, answer = await ask(server, path)
    assert (status, answer[key]) == (429, value)


async def test_a_camera_that_is_not_there():
    async with application("--no-camera-enabled") as server:
        status, answer = await ask(server, "/frame", "GET")
    assert (status, answer["detail"]) == (503, answer["message"])
