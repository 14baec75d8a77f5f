"""``/athletes`` as clients see it: who may read, share and delete what, page by page, in files."""

import asyncio
import contextlib
import csv
import io
import json
import subprocess
import sys
from types import SimpleNamespace

import aiohttp
import pytest

from server.api.history import SessionsOfHistory
from server.history import history as history_module
from server.history.opening import open_database
from server.history.training import Draft
from server.security import tokens
from server.security.identity import Scope
from server.sessions.directory import SessionDirectory
from tests.support.in_process import application, refusal
from tests.support.server import ROOT
from tests.support.tracks import ColourTrack, offer_of
from tests.support.trainer import told

SECRET = "s" * 40


def token(name, *scopes):
    chosen = scopes or (Scope.PUBLISH, Scope.VIEW)
    return {"Authorization": "Bearer " + tokens.issue(SECRET, chosen, 24 * 3600, name)}


ANN, BOB = token("ann"), token("bob")
COACH = token("coach", Scope.COACH)
CONTROL = token("operator", Scope.CONTROL)


def fill(address, key="subject:ann", trainings=1, **exercise):
    store, _ = open_database(address, None)
    store.open()
    for number in range(trainings):
        draft = Draft(key, None, f"{number:016x}", 1_700_000_000_000 + number)
        for each in range(2):
            draft.add(told(each, **exercise))
        draft.sum_up({"exercise_summary": {"exercises": {"plank": {"held_s": 12.5}}}})
        store.save(draft.training())
    store.close()


@pytest.fixture
def address(tmp_path):
    """A file is enough here; what differs in PostgreSQL is below the doors."""
    return f"sqlite:///{tmp_path}/history.sqlite"


class Client:
    def __init__(self, http, url):
        self._http, self._url = http, url

    async def __call__(self, method, path, headers=None, **more):
        async with self._http.request(
            method, self._url + path, headers=headers, **more
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, json.loads(text) if is_json else text

    async def when_open(self, path, headers):
        async with asyncio.timeout(60):
            while (answer := await self("GET", path, headers))[0] == 503:
                assert "kept in memory until it does" in answer[1]["message"]
                await asyncio.sleep(0.05)
        return answer


@contextlib.asynccontextmanager
async def asking(*flags):
    async with application(*flags) as server, aiohttp.ClientSession() as http:
        yield Client(http, server.url)


@pytest.fixture
async def ask(address):
    fill(address)
    fill(address, "subject:bob")
    fill(address, "name:ann")
    async with asking("--auth-secret", SECRET, "--database", address) as client:
        await client.when_open("/athletes", CONTROL)
        yield client


async def test_whom_one_sees(ask):
    async def seen(headers):
        status, answer = await ask("GET", "/athletes", headers)
        assert status == 200
        return [(each["id"], each["own"], each["trainings"]) for each in answer["athletes"]]

    assert await seen(ANN) == [("ann", True, 1)]
    assert await seen(COACH) == []
    assert await seen(CONTROL) == [("ann", False, 1), ("bob", False, 1)]
    assert (await ask("GET", "/athletes", ANN))[1]["subject"] == "ann"


async def test_ones_own_trainings_and_nobody_elses(ask):
    status, answer = await ask("GET", "/athletes/ann/trainings", ANN)
    assert status == 200
    (training,) = answer["trainings"]
    assert [(s["exercise"], s["reps"], s["held_s"]) for s in training["sets"]] == [
        ("squat", 2, None),
        ("plank", 0, 12.5),
    ]
    assert (answer["next"], answer["shared_with"]) == (None, [])
    assert (await ask("GET", "/athletes/ann/trainings", CONTROL))[0] == 200
    for headers in (BOB, COACH):
        for method, path in (
            ("GET", "trainings"),
            ("GET", "export"),
            ("DELETE", ""),
            ("POST", "shares"),
            ("DELETE", "shares/coach"),
        ):
            there = await ask(method, f"/athletes/ann/{path}".rstrip("/"), headers)
            nobody = await ask(method, f"/athletes/eve/{path}".rstrip("/"), headers)
            assert there[0] == nobody[0] == 403, (method, path)
            # Whether there is anything is not told.
            assert there[1]["message"].replace("ann", "eve") == nobody[1]["message"]
    assert (await ask("GET", "/athletes/ann/trainings"))[0] == 401
    assert (await ask("GET", "/athletes/ann/trainings", token("x", Scope.PUBLISH)))[0] == 403


async def test_share_with_a_coach_and_take_it_back(ask):
    coach = {"coach": "coach"}
    assert await ask("POST", "/athletes/ann/shares", ANN, json=coach) == (
        200,
        {"shared_with": ["coach"]},
    )
    assert (await ask("GET", "/athletes/ann/trainings", COACH))[0] == 200
    status, answer = await ask("GET", "/athletes/ann/trainings", COACH)
    assert (status, "shared_with" in answer) == (200, False)
    assert (await ask("GET", "/athletes/ann/export", COACH))[0] == 200
    assert (await ask("DELETE", "/athletes/ann", COACH))[0] == 403
    assert (await ask("POST", "/athletes/ann/shares", COACH, json={"coach": "x"}))[0] == 403
    listed = (await ask("GET", "/athletes", COACH))[1]["athletes"]
    assert [(each["id"], each["own"]) for each in listed] == [("ann", False)]
    # Of a token of that subject without the scope it is nothing.
    assert (await ask("GET", "/athletes/ann/trainings", token("coach")))[0] == 403
    assert (await ask("GET", "/athletes", token("coach")))[1]["athletes"] == []
    assert (await ask("DELETE", "/athletes/ann/shares/coach", ANN))[1] == {"shared_with": []}
    assert (await ask("GET", "/athletes/ann/trainings", COACH))[0] == 403


async def test_a_coach_sees_those_live_who_share_until_it_is_taken_back(ask):
    sids = {}
    for name, by in (("ann", ANN), ("bob", BOB)):
        offer = {"sdp": await offer_of(ColourTrack()), "type": "offer"}
        status, answer = await ask("POST", "/offer", by, json=offer)
        assert status == 200
        sids[name] = answer["session"]["id"]

    async def listed(headers):
        return {each["id"] for each in (await ask("GET", "/sessions", headers))[1]["sessions"]}

    path = f"/sessions/{sids['ann']}"
    both = token("coach", Scope.COACH, Scope.VIEW, Scope.PUBLISH)
    await ask("POST", "/athletes/ann/shares", ANN, json={"coach": "coach"})
    for coach in (COACH, both):
        assert await listed(coach) == {sids["ann"]}
        (tile,) = (await ask("GET", "/sessions", coach))[1]["sessions"]
        assert not tile["yours"], "it can be looked at, and not opened"
        assert (await ask("GET", path, coach))[1]["id"] == sids["ann"]
        # There is no frame yet.
        assert (await ask("GET", f"{path}/picture", coach))[0] == 204
        for method, what in (("DELETE", path), ("GET", f"/sessions/{sids['bob']}")):
            assert (await ask(method, what, coach))[0] == 403, what
    # Results would go on when it is taken back.
    assert (await ask("GET", f"{path}/results", both))[0] == 403
    assert await listed(token("coach")) == set(), "without the scope it is nothing"
    assert await listed(BOB) == {sids["bob"]}
    assert (await ask("GET", "/sessions", BOB))[1]["sessions"][0]["yours"]
    await ask("DELETE", "/athletes/ann/shares/coach", ANN)
    assert await listed(COACH) == set()
    for what in (path, f"{path}/picture"):
        assert (await ask("GET", what, COACH))[0] == 403


async def test_delete_everything_of_one_person(ask):
    assert await ask("DELETE", "/athletes/ann", ANN) == (200, {"trainings": 1, "wiped": True})
    assert (await ask("GET", "/athletes/ann/trainings", ANN))[1]["trainings"] == []
    assert (await ask("GET", "/athletes", ANN))[1]["athletes"] == []
    assert (await ask("GET", "/athletes/bob/trainings", BOB))[1]["trainings"] != []


async def test_page_by_page(address, ask):
    fill(address, "subject:carl", 7)
    carl = token("carl")
    sizes, path = [], "/athletes/carl/trainings?limit=3"
    while True:
        _, answer = await ask("GET", path, carl)
        sizes.append(len(answer["trainings"]))
        if answer["next"] is None:
            break
        path = f"/athletes/carl/trainings?limit=3&before={answer['next']}"
    assert sizes == [3, 3, 1]
    _, first = await ask("GET", "/athletes?limit=2", CONTROL)
    _, second = await ask("GET", f"/athletes?limit=2&after={first['next']}", CONTROL)
    assert [each["id"] for each in first["athletes"]] == ["ann", "bob"]
    assert [each["id"] for each in second["athletes"]] == ["carl"]
    assert second["next"] is None


async def test_all_in_a_file(address, ask):
    fill(address, "subject:carl", 9)
    fill(address, "subject:carl", 1, exercise="=HYPERLINK(1)")
    carl = token("carl")
    status, exported = await ask("GET", "/athletes/carl/export", carl)
    assert (status, exported["athlete"], len(exported["trainings"])) == (200, "carl", 10)
    assert exported["trainings"][1]["sets"][0]["repetitions"][1]["faults"] == ["squat_shallow"]
    status, text = await ask("GET", "/athletes/carl/export?format=csv", carl)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert status == 200
    assert len(rows) == 30, "two squats and a plank each"
    assert rows[0]["exercise"] == "'=HYPERLINK(1)", "a formula to no table calculation"
    assert (rows[3]["exercise"], rows[3]["end_s"], rows[3]["range_deg"]) == (
        "squat",
        "2.0",
        "100.0",
    )
    assert rows[4]["fault_codes"] == "squat_shallow"
    assert (rows[5]["exercise"], rows[5]["held_s"]) == ("plank", "12.5")
    assert rows[3]["began_at"] == "2023-11-14T22:13:20Z"
    assert (rows[3]["depth_points"], rows[3]["symmetry_points"]) == ("90.0", "")
    assert None not in rows[5], "no more values than columns"


async def test_what_was_only_counted_is_one_line_of_a_table(address, ask):
    store, _ = open_database(address, None)
    store.open()
    draft = Draft("subject:dan", None, "0" * 16, 1_700_000_000_000)
    draft.sum_up({"exercise_summary": {"exercises": {"unknown": {"reps": 4}}}})
    store.save(draft.training())
    store.close()
    status, text = await ask("GET", "/athletes/dan/export?format=csv", token("dan"))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (status, row["exercise"], row["number"], row["held_s"]) == (200, "unknown", "4", "")


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/athletes?limit=0", None, "limit: give a number, 1 to 100"),
        ("GET", "/athletes?limit=9999", None, "limit: give a number"),
        ("GET", "/athletes?limit=²", None, "limit: give a number"),
        ("GET", "/athletes/ann/trainings?before=x", None, "before: give the `next`"),
        ("GET", "/athletes/ann/trainings?before=99999999999", None, "before: give the `next`"),
        ("GET", "/athletes/ann/export?format=xls", None, "format: give json or csv"),
        ("GET", f"/athletes/{'a' * 200}/trainings", None, "an athlete's id has 1 to 128"),
        ("GET", "/athletes/%00/trainings", None, "an athlete's id has 1 to 128"),
        ("GET", "/athletes?after=%00", None, "an athlete's id has 1 to 128"),
        ("DELETE", "/athletes/ann/shares/%00", None, "an athlete's id has 1 to 128"),
        ("POST", "/athletes/ann/shares", {"coach": "with blanks"}, "coach: "),
        ("POST", "/athletes/ann/shares", {"coach": 7}, "coach: "),
        ("POST", "/athletes/ann/shares", {}, "coach: "),
    ],
)
async def test_what_makes_no_sense(ask, method, path, body, said):
    status, answer = await ask(method, path, CONTROL, json=body)
    assert (status, said in answer["message"]) == (400, True), answer


async def test_too_many_at_once_try_again(ask, monkeypatch):
    monkeypatch.setattr(history_module, "MOST_AT_ONCE", 0)
    for method, path, body in (
        ("GET", "/athletes", None),
        ("GET", "/athletes/ann/trainings", None),
        ("GET", "/athletes/ann/export", None),
        ("POST", "/athletes/ann/shares", {"coach": "coach"}),
        ("DELETE", "/athletes/ann/shares/coach", None),
        ("DELETE", "/athletes/ann", None),
    ):
        status, answer = await ask(method, path, ANN, json=body)
        assert (status, "too many ask" in answer["message"]) == (503, True), (method, path)


async def test_so_many_a_minute(ask):
    statuses = {(await ask("GET", "/athletes", BOB))[0] for _ in range(40)}
    assert statuses == {200, 429}
    assert (await ask("GET", "/athletes", ANN))[0] == 200


async def test_without_a_database():
    async with asking("--auth-secret", SECRET) as ask:
        status, answer = await ask("GET", "/athletes", ANN)
        assert (status, "--database default" in answer["message"]) == (404, True)
        assert (await ask("GET", "/health"))[1]["history"] is None


async def test_without_tokens_there_are_names_and_nobody_to_share_with(address):
    fill(address, "name:ann")
    fill(address, "subject:bob")
    async with asking("--database", address) as ask:
        _, answer = await ask.when_open("/athletes", None)
        assert [each["id"] for each in answer["athletes"]] == ["ann"]
        assert answer["subject"] is None
        assert (await ask("GET", "/athletes/ann/trainings"))[0] == 200
        status, refused = await ask("POST", "/athletes/ann/shares", json={"coach": "coach"})
        assert (status, "sharing needs tokens" in refused["message"]) == (400, True)
        assert (await ask("DELETE", "/athletes/ann"))[1]["trainings"] == 1


async def test_a_database_that_is_away_is_told_without_what_it_is():
    # Nobody listens there.
    address = "postgresql://kinecast:secret@127.0.0.1:9/name"
    async with asking("--auth-secret", SECRET, "--database", address) as ask:
        status, answer = await ask("GET", "/athletes", ANN)
        assert status == 503
        async with asyncio.timeout(60):
            while (await ask("GET", "/health"))[1]["history"]["written"]:
                await asyncio.sleep(0.05)
        _, health = await ask("GET", "/health")
        assert health["status"] != "ok"
        assert health["history"]["reason"].startswith("the database does not take trainings")
        for said in (answer, health):
            assert not any(word in json.dumps(said) for word in ("secret", "127.0.0.1", "psycopg"))


def test_a_session_that_is_long_gone_needs_not_be_told():
    of_history = SessionsOfHistory()
    of_history.manager = SimpleNamespace(known=SessionDirectory())
    assert of_history.find("0123456789abcdef") is None
    of_history.tell("0123456789abcdef", "history", "raises nothing, which would end the writer")


# ---- the start


async def test_a_database_that_can_not_be_used_is_refused_at_the_start():
    assert await refusal("--database", "mysql://user:pw@host/x") == (
        "--database: mysql is not known here: give default, or postgresql://user@host/name"
    )


def test_without_what_it_needs_one_sentence_says_what_to_do(tmp_path):
    script = (
        "import sys; sys.modules['alembic'] = None\n"
        "from server.__main__ import main\n"
        "sys.argv = ['kinecast', '--no-watchdog', '--database', 'default']\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    (line,) = done.stderr.strip().splitlines()
    assert "--database: it needs what is not installed here: .venv/bin/pip install" in line
