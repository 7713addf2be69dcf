"""What waits and what was decided, in numbers; and what one message says of its decisions and of who may make one."""

import calendar
import contextlib
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

import daemon
import ledgerfile
import mta
import mtacase
import policies
import review

HOUR = 3600
DAY = 86400


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def zone_file(change, before, after):
    """A time zone in which the clocks change once, from one offset to another: RFC 8536, version 1."""
    names = b"ONE\0TWO\0"
    counts = struct.pack(">6L", 0, 0, 0, 1, 2, len(names))
    return b"TZif" + bytes(16) + counts + struct.pack(">lB", change, 1) + struct.pack(">lBB", before, 0, 0) + struct.pack(">lBB", after, 0, 4) + names


class Follower:
    """`rcptguardq counts --follow`, and what it prints, as it comes."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment(), **options)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self.lines.put(line.decode())

    def wait_for(self, condition, what):
        """The first object that is so, of those that are printed from now on."""
        end = time.monotonic() + mta.LIMIT
        seen = []
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                seen.append(json.loads(self.lines.get(timeout=1)))
                if condition(seen[-1]):
                    return seen[-1]
            assert self.process.poll() is None, self.process.stderr.read()
        raise AssertionError("%s was not printed: %s" % (what, seen))

    def wait_exit(self):
        """(exit code, what it said of it)"""
        code = self.process.wait(mta.LIMIT)
        return code, self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(mta.LIMIT)
        self.process.stdout.close()
        self.process.stderr.close()


class Counted(review.ReviewCase):
    EXTRA = {"postfix": "header_checks = regexp:{{/^X-Hold:/ HOLD}}\n",
             "sendmail": "LOCAL_RULESETS\nHX-Hold: $>CheckHold\nSCheckHold\nR$*\t$#error $@ quarantine $: by somebody else\n"}

    def setUp(self):
        super().setUp()
        for table in "history", "decision", "approval", "party", "remembered", "inside_test", "notice", "held":
            ledgerfile.execute(self.guard.ledger_path, "DELETE FROM " + table)

    def counts(self, *arguments):
        found, = self.done("counts", "--json", *arguments).json()
        return found

    def follow(self, *arguments):
        follower = Follower(self.command("counts", "--follow", "--json", *arguments))
        self.addCleanup(follower.close)
        return follower

    def move(self, table, column, queue_id, seconds):
        """To a time."""
        key = "queue_id = ?" if table == "held" else "held = (SELECT id FROM held WHERE queue_id = ?)"
        ledgerfile.execute(self.guard.ledger_path, "UPDATE %s SET %s = ? WHERE %s" % (table, column, key), int(seconds * 1000000), queue_id)

    # ---- once

    def test_nothing(self):
        found = self.counts()
        self.assertEqual({key: found[key] for key in ("waiting", "oldest", "late", "untracked", "rules", "hours", "verdicts", "verdicts_since", "verdicts_until")},
                         {"waiting": 0, "oldest": None, "late": 0, "untracked": 0, "rules": [], "hours": [], "verdicts": [], "verdicts_since": None, "verdicts_until": None})
        self.assertEqual(found["verdicts_said"], "[metrics] in the configuration names no path")
        self.assertEqual(self.done("counts").out, "Nothing waits.\n\nNo verdicts are known: [metrics] in the configuration names no path\n")

    def test_waiting(self):
        """by rule, the largest first; what only the ledger or only the queue has does not wait"""
        old, wide, clinic = self.hold_old(2), self.hold(), self.hold(sender="clinic@me.example", people=review.WIDE[:3])
        gone = self.hold()
        reply = self.mta.send("plain", mtacase.SENDER, ["one@x.example"], mta.message(self.mta.new_subject(), mtacase.SENDER, ["one@x.example"], headers=[("X-Hold", "yes")]))
        daemon.wait_until(lambda: reply.queue_id in self.mta.held(), mta.LIMIT, "the hold")
        self.mta.drop(gone.id)
        found = self.counts()
        times = {one.id: utc(self.row(one.id)["judged"] // 1000000) for one in (old, wide, clinic)}
        self.assertEqual({key: found[key] for key in ("waiting", "oldest", "late", "untracked", "rules")},
                         {"waiting": 3, "oldest": times[old.id], "late": 1, "untracked": 1,
                          "rules": [{"rule": "wide-cc", "waiting": 2, "oldest": times[old.id]}, {"rule": "sensitive", "waiting": 1, "oldest": times[clinic.id]}]})
        self.assertEqual(seconds_of(found["since"]) % HOUR, 0)
        self.assertLessEqual(abs(time.time() - seconds_of(found["since"]) - 7 * DAY - HOUR / 2), HOUR / 2 + 60)
        text = self.done("counts").out
        self.assertRegex(text, r"^3 messages wait, the oldest for 2 d; 1 for more than a day\.\n1 more on hold, but not by rcptguard\.\n\nRULE +WAITING +OLDEST\nwide-cc +2 +2 d\nsensitive +1 +\d+ \w+\n")
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)

    def test_hours(self):
        """each message where it was held, each decision where it was carried out, once"""
        held = [self.hold() for _ in range(5)]
        self.done("release", held[0].id, reason="ok")
        self.done("return", held[1].id, reason="no")
        self.done("delete", held[2].id, reason="no")
        self.done("delete", held[3].id, reason="no")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE history SET way = 'expiry', who = NULL WHERE held = (SELECT id FROM held WHERE queue_id = ?)", held[3].id)

        def counted():
            """(an hour, what is counted of all, since an hour before, and for long); None if another one began meanwhile."""
            now = int(time.time()) // HOUR * HOUR
            for at, one in zip((now - 3 * HOUR, now - 3 * HOUR + 3599.999999, now - 2 * HOUR, now - 8 * DAY, now - 2 * HOUR), held):
                self.move("held", "judged", one.id, at)
            for at, one in zip((now - 2 * HOUR, now - 2 * HOUR + 10, now - HOUR, now - HOUR), held):
                self.move("history", "at", one.id, at)
            found = now, *(self.counts(*options)["hours"] for options in ((), ("--newer", "1h"), ("--newer", "90d")))
            return found if int(time.time()) // HOUR * HOUR == now else None

        now, hours, last, long = daemon.wait_until(counted, what="counts within an hour")
        wanted = [{"hour": utc(now - 3 * HOUR), "held": 2, "released": 0, "returned": 0, "deleted": 0, "expired": 0},
                  {"hour": utc(now - 2 * HOUR), "held": 2, "released": 1, "returned": 1, "deleted": 0, "expired": 0},
                  {"hour": utc(now - HOUR), "held": 0, "released": 0, "returned": 0, "deleted": 1, "expired": 1}]
        self.assertEqual((hours, last), (wanted, wanted[2:]))
        self.assertEqual(sum(hour["held"] for hour in long), 5)

    def test_days(self):
        """those of the machine's zone: when clocks change one has 25 hours or 23; others begin at half an hour"""
        before = os.readlink("/etc/localtime")
        self.addCleanup(self.zone, before)
        day = int(time.time()) // DAY * DAY - 3 * DAY
        held = [self.hold() for _ in range(4)]
        # At 1:00 UTC, by an hour in each direction; not at all; at midnight, so that a day begins at 1:00, or has midnight twice.
        for change, offsets, begin, end in ((day + HOUR, (2 * HOUR, HOUR), day - 2 * HOUR, day + 23 * HOUR), (day + HOUR, (HOUR, 2 * HOUR), day - HOUR, day + 22 * HOUR),
                                            (day + HOUR, (19800, 19800), day - 19800, day - 19800 + DAY), (day - HOUR, (HOUR, 2 * HOUR), day - HOUR, day + 22 * HOUR),
                                            (day - HOUR, (2 * HOUR, HOUR), day - 2 * HOUR, day + 23 * HOUR)):
            with self.subTest(change=change - day, offsets=offsets):
                self.zone(daemon.write(os.path.join(self.guard.directory, "zone%d-%d" % (change - day, offsets[0])), zone_file(change, *offsets)))
                for one, at in zip(held, (begin - 1, begin, end - 1, end)):
                    self.move("held", "judged", one.id, at)
                rows = [line.split() for line in self.done("counts").out.split("EXPIRED\n")[1].split("\n\n")[0].splitlines()]
                self.assertEqual(rows, [[utc(day + number * DAY)[:10], count, "0", "0", "0", "0"] for number, count in ((-1, "1"), (0, "2"), (1, "1"))])

    @staticmethod
    def zone(path):
        """The time zone of the machine: this test has an /etc of its own."""
        os.unlink("/etc/localtime")
        os.symlink(path, "/etc/localtime")

    def test_command_line(self):
        for arguments, words in ((("--newer", "1y"), "--newer: expected a time such as 90s"), (("--newer", "91d"), "--newer: expected at most 90d, not `91d`"), (("x",), "unexpected argument")):
            self.refused(review.USAGE, words, "counts", *arguments)

    # ---- what the daemon counted

    def test_verdicts(self):
        path = os.path.join(self.guard.directory, "metrics.prom")
        config = pathlib.Path(self.config_path).read_text(encoding="utf-8")
        daemon.write(self.config_path, config + "\n[metrics]\npath = %s\n" % path)
        self.assertIn("metrics.prom: No such file", self.counts()["verdicts_said"])
        daemon.write(path, 'rcptguard_messages_total{rcptguard_instance="a} \\"verdict=\\"reject\\",",verdict="accept",rule="default"} 7\n'
                           'rcptguard_messages_total{verdict="accept",rule="trusted"} 3\n# HELP x\n'
                           'rcptguard_messages_total{verdict="quarantine",rule="wide-cc"} 2\nrcptguard_messages_total{verdict="new",rule="y"} 9\n'
                           'rcptguard_messages_totals{verdict="accept",rule="y"} 9\nrcptguard_start_time_seconds 1795341600.5\nrcptguard_metrics_timestamp_seconds 1795345200\n')
        found = self.counts()
        self.assertEqual([(each["verdict"], each["messages"]) for each in found["verdicts"]], [("accept", 10), ("tag", 0), ("quarantine", 2), ("reject", 0), ("tempfail", 0)])
        self.assertEqual((found["verdicts_since"], found["verdicts_until"], found["verdicts_said"]), (utc(1795341600), utc(1795345200), None))
        self.assertRegex(self.done("counts", "--utc").out, r"\nVerdicts from 2026-\S+ \S+ UTC to 2026-\S+ \S+ UTC:\n  accept 10, tag 0, quarantine 2, reject 0, tempfail 0\n$")
        daemon.write(path, "rcptguard_messages_total 5\n")
        self.assertIn("has no metrics of rcptguardd", self.counts()["verdicts_said"])
        os.unlink(path)
        os.mkfifo(path)
        self.assertIn("is not a regular file", self.counts()["verdicts_said"])
        os.unlink(path)

    def test_real_verdicts(self):
        """those of a daemon"""
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        daemon.own(folder)
        path = os.path.join(folder, "metrics.prom")
        with daemon.Daemon(policies.FIELD, config={("metrics", "path"): path}):
            daemon.wait_until(lambda: os.path.exists(path), what="the metrics")
            daemon.write(self.config_path, pathlib.Path(self.config_path).read_text(encoding="utf-8") + "\n[metrics]\npath = %s\n" % path)
            found = self.counts()
            self.assertIsNone(found["verdicts_said"])
            self.assertEqual(sum(each["messages"] for each in found["verdicts"]), 0)
            self.assertLess(abs(time.time() - seconds_of(found["verdicts_since"])), 120)

    # ---- as it changes

    def test_follow(self):
        """what is held or decided meanwhile appears, and nothing is printed twice"""
        follower = self.follow()
        first = follower.wait_for(lambda found: True, "the first")
        self.assertEqual(first["waiting"], 0)
        held = self.hold()
        found = follower.wait_for(lambda found: found["waiting"] == 1, "the message")
        self.assertEqual((found["rules"][0]["rule"], sum(hour["held"] for hour in found["hours"])), ("wide-cc", 1))
        self.done("release", held.id, reason="ok")
        # It may look between the claim of the message and the record of its release.
        follower.wait_for(lambda found: found["waiting"] == 0 and sum(hour["released"] for hour in found["hours"]) == 1, "the release")
        self.assertTrue(follower.lines.empty())

    def test_two_followers(self):
        """they do not wake each other for ever"""
        followers = [self.follow(), self.follow()]
        for follower in followers:
            follower.wait_for(lambda found: True, "the first")
        self.hold()
        for follower in followers:
            follower.wait_for(lambda found: found["waiting"] == 1, "the message")

    def test_reader_goes(self):
        """it ends, without a word"""
        for arguments in ((), ("--json",)):
            ours, theirs = os.pipe()
            with subprocess.Popen(self.command("counts", "--follow", *arguments), stdout=theirs, stderr=subprocess.PIPE, env=daemon.environment()) as process:
                os.close(theirs)
                self.assertNotEqual(os.read(ours, 65536), b"")
                os.close(ours)
                self.assertEqual((process.wait(mta.LIMIT), process.stderr.read()), (0, b""))

    def copied(self):
        """A ledger that is no daemon's, which is what is followed from now on."""
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        copy = os.path.join(folder, "ledger.db")
        ledgerfile.copy(self.guard.ledger_path, copy)
        ledgerfile.query(copy, "PRAGMA journal_mode = WAL")
        daemon.own(folder)
        daemon.own(copy)
        config = pathlib.Path(self.config_path).read_text(encoding="utf-8")
        daemon.write(self.config_path, config.replace(self.guard.ledger_path, copy))
        return copy

    def test_follow_replaced(self):
        """a ledger that is deleted or replaced ends it with the reason, and it can be begun anew"""
        for replace in False, True:
            with self.subTest(replace=replace):
                copy = self.copied()
                follower = self.follow()
                follower.wait_for(lambda found: True, "the first")
                other = copy + ".other"
                ledgerfile.copy(copy, other)
                daemon.own(other)
                if replace:
                    os.rename(other, copy)
                else:
                    os.unlink(copy)
                code, said = follower.wait_exit()
                self.assertEqual((code, said), (review.PASSING, "rcptguardq: %s was deleted or replaced\n" % copy))
                if replace:
                    for name in "-wal", "-shm":
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(copy + name)
                    self.follow().wait_for(lambda found: found["waiting"] == 0, "the first of the other ledger")
                self.configure()

    def test_follow_damaged(self):
        """a ledger that is damaged ends it with the reason"""
        copy = self.copied()
        follower = self.follow()
        follower.wait_for(lambda found: True, "the first")
        size, = ledgerfile.query(copy, "PRAGMA page_size")
        pages, = ledgerfile.query(copy, "PRAGMA page_count")
        version, = ledgerfile.query(copy, "PRAGMA user_version")
        with contextlib.closing(ledgerfile.connect(copy)) as connection:
            self.assertEqual(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0], 0)
            with open(copy, "r+b") as file:  # all but the first page
                file.seek(size["page_size"])
                file.write(b"\xa5" * size["page_size"] * (pages["page_count"] - 1))
            connection.execute("PRAGMA user_version = %d" % version["user_version"])  # that it has changed
        code, said = follower.wait_exit()
        self.assertIn(code, (review.WRONG, review.PASSING))
        self.assertRegex(said, r"(?m)^rcptguardq: %s: .*(damaged|malformed)" % re.escape(copy))
        self.assertTrue(follower.lines.empty())

    def test_follow_newer(self):
        """a ledger that becomes one of a newer version ends it with the reason"""
        path = self.guard.ledger_path
        follower = self.follow()
        follower.wait_for(lambda found: True, "the first")
        version, = ledgerfile.query(path, "PRAGMA user_version")
        self.addCleanup(ledgerfile.execute, path, "PRAGMA user_version = %d" % version["user_version"])
        ledgerfile.execute(path, "PRAGMA user_version = 99")
        code, said = follower.wait_exit()
        self.assertEqual(code, review.WRONG)
        self.assertIn("a newer rcptguard wrote it", said)
        self.refused(review.WRONG, "a newer rcptguard wrote it", "counts", "--follow")

    # ---- a ledger that is not there

    def test_no_ledger(self):
        config = pathlib.Path(self.config_path).read_text(encoding="utf-8")
        away = os.path.join(os.path.dirname(self.guard.ledger_path), "away.db")
        daemon.write(self.config_path, config.replace(self.guard.ledger_path, away))
        for arguments in ((), ("--follow",)):
            self.refused(review.WRONG, "away.db: there is no such file", "counts", *arguments)
        daemon.own(daemon.write(away, b"no database " * 1000))
        for arguments in ((), ("--follow",)):
            self.refused(review.WRONG, "away.db: .*(not a database|another program|damaged)", "counts", *arguments)
        os.unlink(away)


if __name__ == "__main__":
    mtacase.main(240, ["/etc"])
