"""A unittest case with messages on hold and rcptguardq to review them.

    class Release(review.ReviewCase):
        def test_release(self):
            held = self.hold()
            self.done("release", held.id, reason="ok")
            self.assertDelivered(held)
"""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import threading

import daemon
import devlog
import ledgerfile
import mta
import mtacase
import policies
import tap

PROGRAM = os.path.join(daemon.BUILD, "rcptguardq")
WIDE = policies.people(12)
DAY = 86400

DONE, WRONG, USAGE, GONE, FORBIDDEN, PASSING = 0, 1, 2, 3, 4, 75


class Held:
    """One message that was put on hold, as the test knows it."""

    def __init__(self, queue_id, subject, recipients):
        self.id = queue_id
        self.subject = subject
        self.recipients = recipients


class Answer:
    """What rcptguardq said."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def json(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __eq__(self, other):
        return (self.code, self.out, self.err) == (other.code, other.out, other.err)

    def __repr__(self):
        return "exit %d\n%s%s" % (self.code, self.out, self.err)


def decisions(queue_id):
    """The lines in the log of what reviewers did with a message."""
    return [line.partition("]: ")[2] for line in devlog.lines() if re.search(r" rcptguardq\[\d+\]: %s: decision=" % queue_id, line)]


class ReviewCase(mtacase.MtaCase):
    REVIEW = {}  # keys of [review] beside those that are needed here

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        devlog.lines()  # from here on
        cls.configure()

    def setUp(self):
        self.configure()

    def tearDown(self):
        """Nothing of one test waits in the next one."""
        for queue_id in self.mta.held():
            self.mta.drop(queue_id)

    @classmethod
    def configure(cls, **keys):
        """Writes rcptguardq's configuration: the daemon's ledger, the private MTA, and keys of [review]."""
        values = {("milter", "socket"): cls.mta.socket, ("milter", "policy"): cls.guard.policy_path, ("milter", "user"): daemon.USER, ("ledger", "path"): cls.guard.ledger_path}
        for key, value in {**cls.mta.review_keys(), **cls.REVIEW, **keys}.items():
            values["review", key.replace("_", "-")] = value
        cls.config_path = daemon.write_config(os.path.join(cls.guard.directory, "review.conf"), values)
        return cls.config_path

    # ---- messages

    def hold(self, way="plain", people=WIDE, sender=mtacase.SENDER, subject=None, **options):
        """Puts one message on hold."""
        options.setdefault("cc", people)
        made, text = self.message(sender, **options)
        if subject is not None:
            text = text.replace("Subject: %s\n" % made, "Subject: %s\n" % subject)
        queue_id = self.accepted(way, people, made, text, sender)
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % queue_id)
        daemon.wait_until(lambda: self.mta.lets_go(queue_id), mta.LIMIT, "the end of what the MTA does with %s" % queue_id)
        return Held(queue_id, made, people)

    def hold_old(self, days, **options):
        """Puts a message on hold as if that were some days ago."""
        held = self.hold(**options)
        self.done("list")  # its row has the arrival time from now on
        self.mta.age(held.id, int(days * DAY))
        for column in "began", "judged", "arrival":
            ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ?" % (column, column), int(days * DAY) * 1000000, held.id)
        return held

    def assertArrived(self, held):
        """Each recipient has exactly one copy."""
        daemon.wait_until(lambda: len(self.mta.recipients(held.subject)) >= len(held.recipients), mta.LIMIT, "the delivery of %s" % held.subject)
        self.assertEqual(self.mta.recipients(held.subject), sorted(held.recipients))

    def assertOnHold(self, *held):
        there = self.mta.held()
        for one in held:
            self.assertIn(one.id, there)
            self.assertEqual(self.mta.recipients(one.subject), [])

    def row(self, queue_id):
        return ledgerfile.row(self.guard.ledger_path, queue_id)

    def state(self, queue_id):
        return self.row(queue_id)["state"]

    def events(self, queue_id):
        """[(who, action, reason, detail)] of a message, from the ledger's file."""
        return [(each["who"], each["action"], each["reason"], each["detail"]) for each in ledgerfile.query(
            self.guard.ledger_path, "SELECT history.* FROM history JOIN held ON held.id = history.held WHERE queue_id = ? ORDER BY history.id", queue_id)]

    def assertLogged(self, queue_id, *wanted):
        """These lines, each a regex of what stands behind `decision=`, and no other."""
        daemon.wait_until(lambda: len(decisions(queue_id)) >= len(wanted), what="the lines of the decisions")
        found = decisions(queue_id)
        self.assertEqual(len(found), len(wanted), found)
        for line, pattern in zip(found, wanted):
            self.assertRegex(line, r"^%s: decision=%s$" % (queue_id, pattern))

    # ---- rcptguardq

    def command(self, name, *arguments, reason=None):
        return [PROGRAM, name, "-c", self.config_path, *(["--reason", reason] if reason is not None else []), *arguments]

    def ask(self, name, *arguments, reason=None, answer=None, **options):
        """Runs it to its end."""
        options.setdefault("env", daemon.environment())
        done = subprocess.run(self.command(name, *arguments, reason=reason), input=(answer or "").encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=mta.LIMIT, check=False, **options)
        result = Answer(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
        assert not daemon.SANITIZER_REPORT.search(result.err), result
        return result

    def done(self, name, *arguments, **options):
        """The same, and it has to succeed without a complaint."""
        result = self.ask(name, *arguments, **options)
        self.assertEqual((result.code, result.err), (DONE, ""), result)
        return result

    def refused(self, code, words, name, *arguments, **options):
        """The same, and it has to fail with this code and these words."""
        result = self.ask(name, *arguments, **options)
        self.assertEqual(result.code, code, result)
        self.assertRegex(result.err, words)
        return result

    def listed(self, *arguments):
        """{queue id: what list --json says}"""
        return {one["id"]: one for one in self.done("list", "--json", *arguments).json()}

    def shown(self, held):
        """What show --json says of a message."""
        found, = self.done("show", "--json", held.id).json()
        return found

    def on_terminal(self, name, *arguments, columns=80, lines=24):
        """Runs it on a terminal of its own.  Gives (exit code, the bytes that the terminal got)."""
        return on_terminal(self.command(name, *arguments), columns, lines)


def on_terminal(command, columns=80, lines=24):
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "rows", str(lines), "cols", str(columns)], stdin=theirs, check=True)
    taken = []

    def take():
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the last one has closed its end
                return
            if not piece:
                return
            taken.append(piece)

    reader = threading.Thread(target=take, daemon=True)
    reader.start()
    try:
        done = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=theirs, timeout=mta.LIMIT, check=False,
                              env=dict(daemon.environment(), TERM="xterm", NO_COLOR="1"))
    finally:
        os.close(theirs)
        reader.join(mta.LIMIT)
        os.close(ours)
    return done.returncode, b"".join(taken)


# What a terminal may get: printable text, and the ends of lines.
PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*")


def copy_program(folder):
    """The program where every user may run it; sudo hides the sanitizers' options from it, so they stand in a script then."""
    path = os.path.join(folder, "rcptguardq")
    if tap.SANITIZERS == "no":
        return shutil.copy(PROGRAM, path)
    real = shutil.copy(PROGRAM, path + "-itself")
    options = {name: value for name, value in daemon.environment().items() if name == "LD_PRELOAD" or name.endswith("SAN_OPTIONS")}
    settings = "".join(" %s=%s" % (name, shlex.quote(value)) for name, value in options.items())
    return daemon.write(path, "#!/bin/sh\nexec env%s %s \"$@\"\n" % (settings, shlex.quote(real)), 0o755)


main = mtacase.main
