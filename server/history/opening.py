"""What `--database` names, opened; says what is missing for it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from server.history.errors import HistoryError

if TYPE_CHECKING:
    from server.history.reading import Reader
    from server.history.store import Store

DEFAULT = "default"
_NEEDS = ("sqlalchemy", "alembic", "psycopg")


def open_database(address: str, default: Path) -> tuple[Store, Reader]:
    """Open the database; nothing is asked of it yet.

    Parameters
    ----------
    address
        Of it, or ``default``.
    default
        The file of that.

    Raises
    ------
    HistoryError
        It can not be used: one line that says why, and what to do.
    """
    if not all(map(find_spec, _NEEDS)):
        raise HistoryError(
            "it needs what is not installed here: .venv/bin/pip install 'kinecast[history]',"
            " or -e '.[history]' in a checkout"
        )
    # They take their time to import, which servers without a history need not wait for.
    from server.history.database import open_engine
    from server.history.reading import Reader
    from server.history.store import Store

    engine = open_engine(f"sqlite:///{default}" if address == DEFAULT else address)
    return Store(engine), Reader(engine)
