"""Trainings in SQLite and in PostgreSQL: written, read, shared, and deleted to the last byte."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from server.history import store as store_module
from server.history.errors import HistoryError
from server.history.opening import open_database
from server.history.tables import metadata
from server.history.training import Draft
from tests.support.server import ROOT
from tests.support.trainer import told

ANN, BOB, COACH = "subject:ann", "subject:bob", "subject:coach"


def draft(key=ANN, reps=3, exercise="squat", session="0123456789abcdef", **more):
    made = Draft(key, key.partition(":")[2], session, 1_700_000_000_000, **more)
    for number in range(reps):
        made.add(told(number, exercise))
    return made


def test_written_and_read(database):
    store, reader = database
    assert store.save(draft().training())
    (training,), following = reader.trainings(ANN, None, 5, full=True)
    assert following is None
    assert training["began_at"] == 1_700_000_000_000
    (squats,) = training["sets"]
    assert (squats["exercise"], squats["reps"], squats["score"]) == ("squat", 3, 81.0)
    assert (squats["range_of_motion"], squats["range_deg"]) == (0.4, 100.0)
    first = squats["repetitions"][0]
    assert first["range_deg"] == {"left_knee": [70.0, 170.0], "right_knee": [80.0, 172.0]}
    assert (first["down_s"], first["hold_s"], first["up_s"]) == (1.0, 0.1, 0.9)
    assert first["parts"] == {"depth": 90.0, "tempo": 70.0}
    assert squats["repetitions"][1]["faults"] == ["squat_shallow"]


def test_what_is_only_counted_is_written_and_read(database):
    store, reader = database
    made = draft(reps=0)
    made.sum_up({"exercise_summary": {"exercises": {"unknown": {"reps": 4, "range_deg": {}}}}})
    assert store.save(made.training())
    ((training,), _) = reader.trainings(ANN, None, 5, full=True)
    (unknown,) = training["sets"]
    assert (unknown["exercise"], unknown["reps"], unknown["repetitions"]) == ("unknown", 4, [])
    assert (unknown["held_s"], unknown["score"]) == (None, None)


def test_written_again_as_it_grows_it_is_one(database):
    store, reader = database
    going = draft(reps=2)
    assert store.save(going.training())
    going.is_known = True
    going.add(told(2))
    assert store.save(going.training())
    (training,), _ = reader.trainings(ANN, None, 5, full=True)
    assert [each["number"] for each in training["sets"][0]["repetitions"]] == [1, 2, 3]


def test_page_by_page(database):
    store, reader = database
    for number in range(5):
        assert store.save(draft(reps=1, session=f"{number:016x}").training())
    pages, before = [], None
    while True:
        page, before = reader.trainings(ANN, before, 2)
        pages.append([int(each["session"], 16) for each in page])
        if before is None:
            break
    assert pages == [[4, 3], [2, 1], [0]]


def test_whom_one_sees(database):
    store, reader = database
    for key in (ANN, BOB, "name:ann"):
        store.save(draft(key).training())
    store.share(ANN, COACH)

    def seen(by, **how):
        found = reader.athletes("subject:", by, "subject:", 10, **how)
        return [(each["key"], each["trainings"]) for each in found]

    assert seen(None) == [(ANN, 1), (BOB, 1)]
    assert seen(BOB) == [(BOB, 1)]
    assert seen(COACH) == [(ANN, 1)]
    assert seen(COACH, shared=False) == []
    assert reader.sharing([ANN, BOB, "subject:nobody"], COACH) == {ANN}
    assert reader.shares(ANN) == [COACH]
    store.unshare(ANN, COACH)
    assert seen(COACH) == []


def test_to_list_one_counts_nobody_elses_trainings(tmp_path):
    store, reader = open_database(f"sqlite:///{tmp_path}/history.sqlite", tmp_path / "unused")
    store.open()
    store.save(draft().training())

    def steps():
        """What SQLite does for a page with one of them, in instructions of its machine."""
        done = []
        with reader._engine.connect() as connection:
            connection.connection.driver_connection.set_progress_handler(lambda: done.append(1), 1)
        reader.athletes("subject:", ANN, "subject:", 10)
        return len(done)

    before = steps()
    for number in range(50):
        store.save(draft(f"subject:{number}", reps=1).training())
    assert steps() < before + 50
    store.close()


def test_ids_do_not_run_out(database):
    """Repetitions get new ones whenever their training is written."""
    store, reader = database
    if not store._is_postgresql:
        pytest.skip("SQLite's are of 64 bits")
    with store._engine.begin() as connection:
        for table in ("trainings", "sets", "repetitions"):
            connection.exec_driver_sql(f"ALTER SEQUENCE {table}_id_seq RESTART {2**31}")
    assert store.save(draft().training())
    (training,), _ = reader.trainings(ANN, None, 5, full=True)
    assert len(training["sets"][0]["repetitions"]) == 3


def test_shared_with_so_many_and_no_more(database):
    store, reader = database
    taken = [store.share(ANN, f"subject:{number}") for number in range(52)]
    assert taken == [True] * 50 + [False] * 2
    assert len(reader.shares(ANN)) == 50


def test_the_oldest_give_way(database, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_TRAININGS", 3)
    store, reader = database
    store.save(draft(BOB, session="bob").training())
    for number in range(5):
        store.save(draft(session=str(number)).training())
    found, _ = reader.trainings(ANN, None, 10)
    assert [each["session"] for each in found] == ["4", "3", "2"]
    assert len(reader.trainings(BOB, None, 10)[0]) == 1


def test_what_was_deleted_meanwhile_is_not_written_again(database):
    """By another server, say, while the training goes on here."""
    store, reader = database
    going = draft()
    store.save(going.training())
    going.is_known = True
    assert store.forget(ANN).trainings == 1
    going.add(told(7))
    assert not store.save(going.training())
    assert reader.athletes("subject:", None, "subject:", 10) == []


def test_deleting_one_leaves_others(database):
    store, reader = database
    for key in (ANN, BOB):
        store.save(draft(key).training())
        store.share(key, COACH)
    store.share(BOB, ANN)
    assert store.forget(ANN).trainings == 1
    assert store.forget(ANN).trainings == 0
    assert reader.shares(ANN) is None
    assert reader.shares(BOB) == [COACH], "what was shared with who is gone, too"
    assert len(reader.trainings(BOB, None, 5)[0]) == 1


def test_no_byte_is_left_in_the_file(tmp_path):
    store, _ = open_database(f"sqlite:///{tmp_path}/history.sqlite", tmp_path / "unused")
    store.open()
    # What they are called, what they did, with whom they shared: words that are nowhere else.
    words = [b"subject:xanthippe", b"burpee-of-hers", b"0feedbeef0feedbe", b"subject:socrates"]
    for number in range(40):
        key = "subject:xanthippe" if number % 2 else BOB
        exercise = "burpee-of-hers" if number % 2 else "squat"
        session = "0feedbeef0feedbe" if number % 2 else "another"
        going = draft(key, 30, exercise, session)
        store.save(going.training())
        going.is_known = True
        going.add(told(99, exercise))
        store.save(going.training())
    store.share("subject:xanthippe", "subject:socrates")

    def found():
        content = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
        return [word for word in words if word in content]

    assert found() == words
    assert store.forget("subject:xanthippe").is_wiped
    # The database is open still, and its log beside it.
    assert (tmp_path / "history.sqlite-wal").exists()
    assert found() == []
    assert b"subject:bob" in (tmp_path / "history.sqlite").read_bytes()
    store.close()
    assert found() == []


def test_who_reads_meanwhile_keeps_it_from_being_wiped_and_that_is_said(tmp_path):
    address = f"sqlite:///{tmp_path}/history.sqlite"
    store, _ = open_database(address, tmp_path / "unused")
    store.open()
    store.save(draft().training())
    other = create_engine(address)
    with other.connect() as reading:
        reading.execute(text("BEGIN"))
        assert reading.scalar(text("SELECT count(*) FROM trainings")) == 1
        assert not store.forget(ANN).is_wiped
    other.dispose()
    assert store.forget(ANN).is_wiped
    assert not [path for path in tmp_path.iterdir() if b"subject:ann" in path.read_bytes()]
    store.close()


def test_to_delete_nobody_does_not_rewrite_the_file(tmp_path):
    """Where no tokens are asked for anybody may, again and again."""
    path = tmp_path / "history.sqlite"
    store, _ = open_database(f"sqlite:///{path}", tmp_path / "unused")
    store.open()
    store.save(draft(BOB, 100).training())
    assert store.forget("subject:nobody").is_wiped
    before = path.read_bytes()
    assert store.forget("subject:nobody").is_wiped
    assert path.read_bytes() == before
    store.close()


def test_the_file_is_its_users_alone(tmp_path):
    path = tmp_path / "new" / "history.sqlite"
    store, _ = open_database("default", path)
    store.open()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_name("history.sqlite-wal").stat().st_mode & 0o777 == 0o600
    store.close()


# ---- its tables


def test_the_migrations_make_the_tables_that_the_code_has(database, address):
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    found = inspect(engine)
    for table in metadata.sorted_tables:
        columns = {c["name"]: c["nullable"] for c in found.get_columns(table.name)}
        assert columns == {c.name: bool(c.nullable) for c in table.columns}, table.name
        indexed = {tuple(index["column_names"]) for index in found.get_indexes(table.name)}
        for column in table.columns:
            assert not column.index or (column.name,) in indexed, (table.name, column.name)
        cascading = [key["options"].get("ondelete") for key in found.get_foreign_keys(table.name)]
        assert cascading == ["CASCADE"] * len(table.foreign_keys), table.name
    engine.dispose()


OPEN = """
import sys
from pathlib import Path
from server.history.opening import open_database
store, _ = open_database(sys.argv[1], Path("unused"))
sys.stdin.readline()
store.open()
"""


def test_servers_that_start_at_once_migrate_once(address):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for each in started:
        each.stdin.write("\n")
        each.stdin.flush()
    assert [each.communicate(timeout=90)[1] for each in started] == [""] * 4
    assert [each.returncode for each in started] == [0] * 4


def test_tables_of_a_newer_version_are_left_alone(database, address):
    store, _ = database
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '999'"))
    engine.dispose()
    with pytest.raises(HistoryError, match="newer version of Kinecast"):
        store.open()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("nonsense", "it is no address: give postgresql://user@host/name"),
        ("mysql://user@host/name", "mysql is not known here"),
        ("sqlite://", "the address names no file"),
        ("sqlite:////proc/nobody/history.sqlite", "/proc/nobody/history.sqlite can not be written"),
    ],
)
def test_what_is_no_database(wrong, said):
    with pytest.raises(HistoryError, match=said):
        open_database(wrong, Path("unused"))
