"""Databases to keep trainings in: files of SQLite, and a real PostgreSQL where it is installed."""

import itertools

import pytest

from server.history.opening import open_database
from tests.support import postgres

_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL that runs."""
    if not postgres.is_usable():
        pytest.skip("PostgreSQL is not installed: install the package postgresql")
    with postgres.running_postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.sqlite"
    return request.getfixturevalue("cluster").make(f"test{next(_numbers)}")


@pytest.fixture
def database(address, tmp_path):
    """Its store and its reader, with tables."""
    store, reader = open_database(address, tmp_path / "unused")
    store.open()
    yield store, reader
    store.close()
