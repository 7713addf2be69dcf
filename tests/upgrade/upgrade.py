"""What the versions before this one left behind is read by this one: ledger, policies, configuration.

Each folder beside this file is of one version; record.py has made it.  Ledgers of versions that are yet to come
are refused in words, and left as they are.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import unittest

import daemon
import guardcase
import ledgerfile
import mtacase
import policies
import review
import tool

FOLDER = pathlib.Path(daemon.SOURCE, "tests", "upgrade")
RELEASES = sorted(path.name for path in FOLDER.iterdir() if (path / "ledger.sql").exists())
SCHEMA = int(re.search(r"#define SCHEMA_VERSION (\d+)u", pathlib.Path(daemon.SOURCE, "milter/ledger/schema.h").read_text()).group(1))
SUFFIXES = pathlib.Path("/usr/share/publicsuffix/public_suffix_list.dafsa")

# What differs because the message in the queue is another one than the version before held, of which no approval has a seal.
OTHERS = {"id", "age", "arrival", "began", "changed", "headers", "judged", "may"}


def read(release, name):
    return (FOLDER / release / name).read_text()


def marks(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [connection.execute("PRAGMA " + name).fetchone()[0] for name in ("application_id", "user_version")]


def fill(path, sql, owner=daemon.USER):
    """A ledger's file as the version before left it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(sql)
    os.chmod(path, 0o600)
    daemon.own(path, owner)
    return path


class Folders(unittest.TestCase):
    def test_there_are_some(self):
        """among them one of the version that is released next, and one with the first tables"""
        version = re.search(r"^AC_INIT\(\[rcptguard\], \[(\d+\.\d+)\.", pathlib.Path(daemon.SOURCE, "configure.ac").read_text(), re.M).group(1)
        self.assertIn(version, RELEASES)
        schemas = {int(re.search(r"user_version = (\d+)", read(release, "ledger.sql")).group(1)) for release in RELEASES}
        self.assertEqual(schemas, set(range(1, SCHEMA + 1)), "each version of the tables has a real ledger here")


class Ledgers(review.ReviewCase):
    """rcptguardq, with a ledger that another version has written, and with the messages that it speaks of."""

    MTAS = ("postfix",)

    @classmethod
    def configure(cls, **keys):
        return super().configure(identities=daemon.write(os.path.join(cls.guard.directory, "identities"), "root: postmaster@me.example\n"), **keys)

    def old_ledger(self, release):
        """({old id: message}, the file): the messages that waited then lie in the queue as others that are held now."""
        self.tearDown()
        self.configure()
        said = json.loads(read(release, "ledger.json"))
        sql, messages = read(release, "ledger.sql"), {}
        for old in said["waiting"]:
            messages[old] = self.hold()
        self.done("list")  # from here on their rows know when they arrived
        folder = tool.Folder()
        self.addCleanup(folder.__exit__)
        path = fill(os.path.join(folder.path, "ledger.db"), sql)
        daemon.own(folder.path)
        for old, message in messages.items():
            now = self.row(message.id)
            ledgerfile.execute(path, "UPDATE held SET queue_id = ?1, began = ?2, judged = ?3, arrival = CASE arrival WHEN 0 THEN 0 ELSE ?4 END WHERE queue_id = ?5",
                               message.id, now["began"], now["judged"], now["arrival"], old)
        config = pathlib.Path(self.config_path)
        text = config.read_text().replace(self.guard.ledger_path, path)
        self.assertIn(path, text)
        config.write_text(text)
        return said, messages, path

    def assertSays(self, now, then, but=OTHERS):
        """All that was said is said, with the same words; more may be."""
        self.assertEqual({name: now.get(name) for name in then if name not in but}, {name: value for name, value in then.items() if name not in but})

    def test_read(self):
        """list, show and log say what they said then"""
        for release in RELEASES:
            with self.subTest(release):
                said, messages, path = self.old_ledger(release)
                listed = self.listed()
                self.assertEqual(set(listed), {message.id for message in messages.values()})
                for old, message in messages.items():
                    shown, = self.done("show", "--json", message.id).json()
                    self.assertSays(shown, said["waiting"][old])
                events = self.done("log", "--json").json()
                self.assertEqual(len(events), len(said["log"]))
                for now, then in zip(events, said["log"]):
                    self.assertSays(dict(now, id=None), dict(then, id=None), but=())
                self.assertEqual(marks(path)[1], SCHEMA)
                self.assertEqual(ledgerfile.integrity(path), ["ok"])

    def test_decide(self):
        """what was held by the version before is released, once; an approval that it took has to be given again, since it has no seal"""
        for release in RELEASES:
            with self.subTest(release):
                said, messages, path = self.old_ledger(release)
                for old, message in messages.items():
                    if said["waiting"][old]["approvals_needed"] == 2:
                        self.assertEqual(said["waiting"][old]["approved_by"], ["root"])
                        self.assertIn("approved, 1 of 2", self.done("release", message.id, reason="again").out)
                        self.refused(review.FORBIDDEN, "you have approved it already", "release", message.id, reason="and again")
                        continue
                    said_now = self.done("release", message.id, reason="known to us").out
                    # A ledger that came without its files of [state]: there is nothing that could learn, and the row knows it.
                    remembered = ledgerfile.query(path, "SELECT due FROM remembered JOIN held ON held.id = held WHERE queue_id = ?", message.id)
                    self.assertEqual(len(remembered), int(release not in ("0.1-schema1", "0.1-schema2", "0.1-schema3")))
                    self.assertRegex(said_now, r"^%s: released%s\n$" % (message.id, r"; \[state\] has nothing of it: .*/state\.key: there is no such file" if remembered else ""))
                    self.assertEqual([each["due"] for each in remembered], [None] * len(remembered))
                    self.assertArrived(message)
                    self.assertEqual(ledgerfile.row(path, message.id)["state"], "released")
                self.assertEqual(len(self.done("log", "--json").json()), len(said["log"]) + len(messages) - 1)

    def test_never_queued(self):
        """what version 2 of the tables took for never queued is left, in the list and in the history"""
        _said, messages, path = self.old_ledger("0.1-schema2")
        some = next(iter(messages.values())).id
        ledgerfile.execute(path, "UPDATE held SET state = 'not-queued', arrival = 0 WHERE queue_id = ?", some)
        ledgerfile.execute(path, "INSERT INTO history (held, at, action) SELECT id, judged, 'not-queued' FROM held WHERE queue_id = ?", some)
        self.mta.drop(some)
        self.assertEqual(self.listed("--all")[some]["state"], "left")
        self.assertRegex(self.done("log", some).out, "left +it was never seen on hold\n")
        self.assertEqual(ledgerfile.query(path, "SELECT count(*) AS many FROM held WHERE state = 'not-queued'")[0]["many"], 0)

    def test_newer(self):
        """a ledger of a version to come is refused by every command, in words, and stays as it is"""
        _said, messages, path = self.old_ledger(RELEASES[-1])
        ledgerfile.execute(path, "PRAGMA user_version = %d" % (SCHEMA + 1))
        before = pathlib.Path(path).read_bytes()
        some = next(iter(messages.values())).id
        words = r"its tables have version %d, and this program knows up to %d: a newer rcptguard wrote it" % (SCHEMA + 1, SCHEMA)
        for command in ("release", some), ("return", some), ("delete", some), ("log",):
            with self.subTest(command):
                answer = self.ask(*command, **({} if command[0] == "log" else {"reason": "ok"}))
                self.assertEqual((answer.code, answer.out), (review.WRONG, ""), answer)
                self.assertRegex(answer.err, words)
        self.assertOnHold(*messages.values())
        self.assertEqual(pathlib.Path(path).read_bytes(), before)


class Daemons(guardcase.GuardCase):
    """rcptguardd, started with what another version has written."""

    POLICY = policies.FIELD

    def test_ledger(self):
        """the tables are brought up to date, the rows stay, and the next message is held in the same file"""
        for release in RELEASES:
            with self.subTest(release), tool.Folder() as folder:
                state = os.path.join(folder.path, "state")
                os.mkdir(state, 0o700)
                daemon.own(state)
                path = fill(os.path.join(state, "ledger.db"), read(release, "ledger.sql"))
                waiting = set(json.loads(read(release, "ledger.json"))["waiting"])
                with daemon.Daemon(read(release, "ledger.policy"), config={("ledger", "path"): path}) as guard:
                    with guard.client() as mta:
                        mta.connect("127.0.0.1", daemon_name="smtpd")
                        answer = guardcase.send(mta, cc=review.WIDE)
                    self.assertEqual(guard.verdict(answer).verdict, "quarantine")
                    self.assertLessEqual(waiting | {answer.queue_id}, set(ledgerfile.queue_ids(path)))
                self.assertEqual(marks(path)[1], SCHEMA)
                self.assertEqual(ledgerfile.integrity(path), ["ok"])

    def test_newer(self):
        """a ledger of a version to come: it does not start, says why, and changes nothing"""
        with tool.Folder() as folder:
            state = os.path.join(folder.path, "state")
            os.mkdir(state, 0o700)
            daemon.own(state)
            path = fill(os.path.join(state, "ledger.db"), read(RELEASES[-1], "ledger.sql"))
            ledgerfile.execute(path, "PRAGMA user_version = %d" % (SCHEMA + 1))
            before = pathlib.Path(path).read_bytes()
            with self.assertRaises(daemon.Exited) as caught:
                daemon.Daemon(self.POLICY, config={("ledger", "path"): path})
            self.assertRegex(str(caught.exception), r"ended with 1:\n(.*\n)*.*a newer rcptguard wrote it")
            self.assertEqual(pathlib.Path(path).read_bytes(), before)

    def test_configuration(self):
        """every key that a version knew is known"""
        for release in RELEASES:
            with self.subTest(release), tool.Folder() as folder:
                text = read(release, "rcptguard.conf")
                for key, value in (("socket", "unix:%s/rcptguard.sock" % folder.path), ("user", daemon.USER), ("policy", folder.write("policy", self.POLICY)),
                                   ("path", folder.path + "/ledger.db")):
                    text, count = re.subn(r"(?m)^%s = .*$" % key, "%s = %s" % (key, value), text)
                    self.assertEqual(count, 1, key)
                daemon.own(folder.path)
                config = folder.write("rcptguard.conf", text)
                code, _output, errors = daemon.run("-n", "-c", config)
                self.assertEqual(code, 0, errors)
                code, output, errors = folder.run("log", "-c", config, program=review.PROGRAM)
                self.assertNotIn(config + ":", errors)


class Policies(unittest.TestCase):
    """The same policy means the same, and has the same digest."""

    def each(self):
        """(version, the policy, its canonical form); where a version has none, they are those of the next."""
        found = sorted(FOLDER.glob("*/printed/*"))
        self.assertGreaterEqual(len(found), 6)
        for path in found:
            folder = path.parents[1]
            with self.subTest(release=folder.name, policy=path.name):
                yield folder.name, folder / "policies" / path.name, path.read_text()

    def run_tool(self, *arguments):
        with tool.Folder() as folder:
            code, output, errors = folder.run(*map(str, arguments))
        self.assertEqual(code, 0, errors)
        return output

    def test_check(self):
        """it is read, and its assertions hold"""
        for _release, policy, _printed in self.each():
            self.run_tool("check", "-p", policy)

    def test_print(self):
        """its canonical form is the same"""
        for _release, policy, printed in self.each():
            self.assertEqual(self.run_tool("print", "-p", policy), printed)

    def digest(self, policy, printed, suffixes):
        """As the versions before made it: over the canonical text, the tables in the order of their use, and the edition of the Public Suffix List."""
        tables = hashlib.sha256()
        for name in re.findall(r'\bfrom "([^"]+)"', re.sub(r"(?m)^expect .*$", "", printed)):
            tables.update(name.encode() + b"\0" + (policy.parent / name).read_bytes() + b"\0")
        return hashlib.sha256(printed.encode() + b"\0" + tables.hexdigest().encode() + suffixes.encode()).hexdigest()[:12]

    def test_digest(self):
        """its digest is the same, but for the edition of the Public Suffix List, which is a part of it"""
        here = hashlib.sha256(SUFFIXES.read_bytes()).hexdigest()
        for release, policy, printed in self.each():
            recorded = json.loads(read(release, "digests.json"))
            self.assertEqual(self.digest(policy, printed, recorded["suffixes"]), recorded["digests"][policy.name])
            self.assertEqual(json.loads(self.run_tool("check", "--json", "-p", policy))["policy"], self.digest(policy, printed, here))


if __name__ == "__main__":
    mtacase.main(120)
