"""The files of recordings: sent out in parts, and nothing else is."""

import json
import threading

import av
import pytest

from tests.server.api.recordings.asked import (
    ask,
    ask_json,
    listed,
    remove,
    start,
    stop,
    wait_for_frames,
)


def test_a_browser_can_ask_for_parts(server, finished, folder):
    data = (folder / "finished.mp4").read_bytes()
    status, headers, part = ask(
        server, "GET", "/recordings/finished", headers={"Range": "bytes=100-299"}
    )
    assert (status, part) == (206, data[100:300])
    assert headers["Content-Range"] == f"bytes 100-299/{len(data)}"
    assert headers["Accept-Ranges"] == "bytes"
    status, _, part = ask(server, "GET", "/recordings/finished", headers={"Range": "bytes=-100"})
    assert (status, part) == (206, data[-100:])
    beyond = {"Range": f"bytes={len(data)}-"}
    assert ask(server, "GET", "/recordings/finished", headers=beyond)[0] == 416
    status, headers, body = ask(server, "HEAD", "/recordings/finished")
    assert (status, int(headers["Content-Length"]), body) == (200, len(data), b"")
    assert ask(server, "GET", "/recordings/finished.mp4")[2] == data
    with av.open(f"{server.url}/recordings/finished") as remote:
        assert remote.streams.video[0].frames == finished["frames"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "path", ["nobody", "..%2ffinished", "%2e%2e%2ffinished", ".finished.json", "finished%00", "%2e"]
)
def test_nothing_else_can_be_reached(server, finished, method, path):
    assert ask(server, method, f"/recordings/{path}")[0] == 404
    assert ask(server, method, f"/recordings/{path}?file=1")[0] == 404
    assert set(listed(server)) == {"finished"}


def test_links_are_not_followed(server, finished, folder, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(secret)
    note = json.loads((folder / ".finished.json").read_text())
    (folder / ".link.json").write_text(json.dumps({**note, "name": "link"}))
    assert ask(server, "GET", "/recordings/link")[0] == 404
    status, answer = ask_json(server, "POST", "/recordings", {"source": "camera", "name": "link"})
    assert status == 409, answer
    assert secret.read_bytes() == b"secret"
    (folder / "link.mp4").unlink()


def test_a_file_with_another_name_is_not_sent_out(server, folder, tmp_path):
    start(server, name="linked")
    wait_for_frames(server, "linked", 3)
    stop(server, "linked")
    assert ask(server, "GET", "/recordings/linked")[0] == 200
    (tmp_path / "kept.mp4").hardlink_to(folder / "linked.mp4")
    status, answer = ask_json(server, "GET", "/recordings/linked")
    assert (status, "hard link" in answer["message"]) == (403, True)
    (tmp_path / "kept.mp4").unlink()
    assert ask(server, "GET", "/recordings/linked")[0] == 200
    remove(server, "linked")


def test_what_is_swapped_in_meanwhile_is_not_sent_out(server, folder, tmp_path):
    """A link comes and goes in the place of the file while it is asked for."""
    start(server, name="swapped")
    wait_for_frames(server, "swapped", 3)
    stop(server, "swapped")
    movie, aside, secret = folder / "swapped.mp4", tmp_path / "aside.mp4", tmp_path / "secret.mp4"
    secret.write_bytes(b"secret" * 100)
    note = (folder / ".swapped.json").read_bytes()
    over = threading.Event()

    def swap():
        while not over.is_set():
            movie.rename(aside)
            movie.symlink_to(secret)
            movie.unlink()
            aside.rename(movie)
            # A server that looked in between has forgotten it.
            (folder / ".swapped.json").write_bytes(note)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        answers = [ask(server, "GET", "/recordings/swapped") for _ in range(300)]
    finally:
        over.set()
        thread.join()
    assert {status for status, _, _ in answers} <= {200, 404}
    assert not [body for _, _, body in answers if "secret" in str(body)]
    remove(server, "swapped")
