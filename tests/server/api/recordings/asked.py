"""Recordings, as a client asks a server for them."""

import json
import urllib.error
import urllib.request

from tests.support.server import COUNTER

FPS = 25
FLAGS = (
    *("--analyzers", COUNTER, "--workers", "1"),
    *("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", str(FPS)),
    # Recordings are no viewers.
    *("--max-viewers", "0", "--max-recordings", "3"),
)


def ask(server, method, path, body=None, headers=None):
    """Status, headers and body of the answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def ask_json(server, method, path, body=None):
    """Status and JSON of the answer."""
    status, _, text = ask(server, method, path, body)
    return status, json.loads(text)


def start(server, **wish):
    status, answer = ask_json(server, "POST", "/recordings", {"source": "camera", **wish})
    assert status == 201, answer
    return answer


def listed(server):
    return {one["name"]: one for one in server.get("/recordings")["recordings"]}


def wait_for_frames(server, name, count):
    return server.wait_until(
        "/recordings",
        lambda answer: (
            next(r for r in answer["recordings"] if r["name"] == name)["frames"] >= count
        ),
        within_s=60,
    )


def stop(server, name):
    status, answer = ask_json(server, "DELETE", f"/recordings/{name}")
    assert status == 200, answer
    return answer


def remove(server, name):
    assert ask(server, "DELETE", f"/recordings/{name}?file=1")[0] == 200
