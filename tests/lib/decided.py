"""Rows of decisions, as a command of root's writes them, and as somebody writes them who only has the ledger.

    decided.add(self, held, "release")                       # what a command was killed over
    decided.add(self, held, "release", key=b"guessed" * 5)   # what whoever took over the daemon can try
"""

import hashlib
import hmac
import os
import pathlib
import pwd

import ledgerfile

ROOT = ("root", 0)


def key_path(case):
    return os.path.join(os.path.dirname(case.config_path), "decision.key")


def key(case):
    return bytes.fromhex(pathlib.Path(key_path(case)).read_text(encoding="ascii"))


def person(login):
    return login, pwd.getpwnam(login).pw_uid


def text(value):
    return b"-\0" if value is None else b"+" + str(value).encode() + b"\0"


def seal(secret, row, arrival, action, way, who, reason, at):
    """As milter/review/decision_record.c makes it."""
    fields = "rcptguard decision", row["mta"], row["queue_id"], arrival, row["id"], action, way, who[0], who[1], reason, at
    return hmac.new(secret, b"".join(text(value) for value in fields), hashlib.sha256).digest()


def add(case, held, action, who=ROOT, way="command", reason="agreed", at=None, sealed=True, secret=None, of=None):
    """Adds a row that is not done, and gives its id; `of` is the message that the seal is of, if it is another one."""
    case.done("list")  # the row has the arrival time from now on
    path = case.guard.ledger_path
    at = ledgerfile.now() if at is None else at
    row = case.row(held.id)
    signed = case.row((of or held).id)
    stamp = seal(secret or key(case), signed, signed["arrival"] // 1000000, action, way, who, reason, at) if sealed else None
    ledgerfile.execute(path, "INSERT INTO decision (held, action, way, who, uid, reason, at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       row["id"], action, way, who[0], who[1], reason, at, stamp)
    return ledgerfile.query(path, "SELECT max(id) AS id FROM decision")[0]["id"]


def ring(case):
    """As the daemon does once it has written a row."""
    pathlib.Path(os.path.dirname(case.guard.ledger_path), "agent.wake").write_bytes(b"\n")


def rows(case, queue_id):
    """[(action, way, who, code, done?)] of a message, the oldest first."""
    return [(row["action"], row["way"], row["who"], row["code"], row["done"] > 0) for row in ledgerfile.query(
        case.guard.ledger_path, "SELECT decision.* FROM decision JOIN held ON held.id = decision.held WHERE queue_id = ? ORDER BY decision.id", queue_id)]


# ---- answers by mail: as milter/answers/answer_code.c makes their codes

KINDS = {"o": 1, "g": 2, "c": 3, "r": 4, "b": 5, "d": 6}


def answer_key(case):
    return bytes.fromhex(pathlib.Path(os.path.dirname(case.guard.ledger_path), "answers.key").read_text(encoding="ascii"))


def answer_code(case, row, login, word, secret=None):
    told = b"rcptguard answer\0" + b"".join(number.to_bytes(8, "big") for number in (row["id"], row["judged"], KINDS[word])) + login.encode() + b"\0"
    return hmac.new(secret or answer_key(case), told, hashlib.sha256).digest()[:8]


def answer_seal(case, row, login, word):
    return answer_code(case, row, login, word) + b"\0" * 24


def answer_address(case, row, login, word, answers, delimiter="+"):
    number = int.from_bytes(answer_code(case, row, login, word), "big")
    text = "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> shift & 31] for shift in range(60, -1, -5))
    local, _, domain = answers.partition("@")
    return "%s%s%s-%d-%s@%s" % (local, delimiter, word, row["id"], text, domain)


def add_answer(case, held, action, who, seal_bytes, way="author"):
    """As whoever has the ledger's file alone, or with a seal the daemon's key as well, writes it."""
    uid = 0 if way == "author" else pwd.getpwnam(who).pw_uid
    ledgerfile.execute(case.guard.ledger_path, "INSERT INTO decision (held, action, way, who, uid, reason, at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       case.row(held.id)["id"], action, way, who, uid, "so", ledgerfile.now(), seal_bytes)
