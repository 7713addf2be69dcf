"""Looks into a ledger from outside, as another process does; and gets in its way."""

import contextlib
import sqlite3
import time

WAIT = 10  # seconds


def connect(path):
    """A connection that begins no transaction by itself."""
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def query(path, sql, *parameters):
    with contextlib.closing(connect(path)) as connection:
        return connection.execute(sql, parameters).fetchall()


def execute(path, sql, *parameters):
    with contextlib.closing(connect(path)) as connection:
        connection.execute(sql, parameters)


def rows(path, queue_id=None):
    """The rows of held messages, the oldest first."""
    return query(path, "SELECT * FROM held WHERE ?1 IS NULL OR queue_id = ?1 ORDER BY id", queue_id)


def row(path, queue_id):
    """The one row of a message."""
    found = rows(path, queue_id)
    assert len(found) == 1, "%d rows of %s" % (len(found), queue_id)
    return found[0]


def queue_ids(path):
    return [each["queue_id"] for each in rows(path)]


def parties(path, row_id):
    """(class, name, individuals, people, parties), the largest first."""
    return [tuple(each) for each in query(path, "SELECT class, name, individuals, people, parties FROM party WHERE held = ? ORDER BY people DESC, name", row_id)]


def integrity(path):
    """What SQLite finds: ["ok"], or what is wrong."""
    return [each[0] for each in query(path, "PRAGMA integrity_check")] + [str(tuple(each)) for each in query(path, "PRAGMA foreign_key_check")]


def copy(path, other):
    """A sound copy, whatever is going on."""
    with contextlib.closing(connect(path)) as connection, contextlib.closing(connect(other)) as target:
        connection.backup(target)


@contextlib.contextmanager
def locked(path):
    """Nobody else writes meanwhile."""
    with contextlib.closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def now():
    """As the ledger counts: microseconds."""
    return int(time.time() * 1000000)
