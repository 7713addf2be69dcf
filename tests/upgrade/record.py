"""Records what this version leaves behind, for the tests of the versions to come:

    make record-version RELEASE=0.1

writes tests/upgrade/RELEASE: a ledger as SQL, with messages that a real Postfix held and that
reviewers decided on; what rcptguardq said of it; the example policies with their tables, what
`print` made of each, and its digest; and a configuration.  It is run once, when a version is
released.  A folder that is there is not changed: users have such files.  `0.1-schema1`
to `0.1-schema6` are of the last builds before 0.1 whose ledgers had the first six versions of the tables.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

import daemon
import ledgerfile
import policies
import review
import surroundings

SUFFIXES = "/usr/share/publicsuffix/public_suffix_list.dafsa"

# A policy that two reviewers, and no other, let mail pass of, that remembers what it saw, and that counts beside the recipient headers.
RULES = "remember 90d\n" + policies.rule("fields", 'visible(external) inside header("X-To") >= 3', 'quarantine "{inside} people in a field"') + policies.rule("two", 'header("X-Two")', 'quarantine "{parties} outside parties" approvals 2') + policies.RULES + policies.rule(
    "split", "parties(external) within 10m >= 100 and not known", 'quarantine "{within} outside parties"')

# The display of the manual page in which each key of the configuration has its default.
CONFIG = re.compile(r"^\.Bd -literal -offset indent\n(\[milter\]\n(?:(?!\.Ed).*\n)*\[review\]\n(?:(?!\.Ed).*\n)*)\.Ed$", re.M)


class Recorder(review.ReviewCase):
    """Its messages, and what becomes of each."""

    MTA = "postfix"
    POLICY = policies.policy(rules=RULES)

    @classmethod
    def configure(cls, **keys):
        return super().configure(identities=daemon.write(os.path.join(cls.guard.directory, "identities"), "root: postmaster@me.example\n"), **keys)

    def runTest(self):
        """A row for each state that a reviewer can bring about, and each kind of party."""
        waiting = self.hold(people=policies.people(9) + policies.private(14), subject="Your complaint of 3 May")
        for what in "release", "return", "delete":
            self.done(what, self.hold(people=policies.people(12), subject="To be %s" % what).id, reason="agreed with care")
        twice = self.hold(people=policies.people(11), headers=[("X-Two", "yes")])
        self.assertEqual(self.ask("release", twice.id, reason="the first of two").code, review.DONE)
        fields = self.hold(people=policies.people(2), headers=[("X-To", "a@one.example, b@one.example, c@two.example")])
        by_hand = self.hold(people=policies.people(13))
        self.done("list")
        self.mta.release(by_hand.id)
        self.mta.wait_gone(by_hand.id)
        self.done("list")
        unseen = self.hold(people=policies.people(10))
        self.waiting = [waiting.id, twice.id, fields.id, unseen.id]


def dump(path):
    """The ledger as SQL, with the marks that tell its version."""
    connection = sqlite3.connect(path)
    marks = "".join("PRAGMA %s = %d;\n" % (name, connection.execute("PRAGMA " + name).fetchone()[0]) for name in ("application_id", "user_version"))
    return marks + "\n".join(connection.iterdump()) + "\n"


def record_ledger(folder):
    Recorder.setUpClass()
    try:
        case = Recorder()
        case.setUp()
        case.runTest()
        copy = os.path.join(Recorder.guard.directory, "copy.db")
        ledgerfile.copy(Recorder.guard.ledger_path, copy)
        (folder / "ledger.sql").write_text(dump(copy))
        (folder / "ledger.policy").write_text(Recorder.POLICY)
        said = {"waiting": {one: case.done("show", "--json", one).json()[0] for one in case.waiting}, "log": case.done("log", "--json").json()}
        (folder / "ledger.json").write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")
        case.tearDown()
    finally:
        Recorder.tearDownClass()


def record_policies(folder):
    program = os.path.join(daemon.BUILD, "rcptguard")
    source = pathlib.Path(daemon.SOURCE, "packaging", "examples")
    (folder / "policies").mkdir()
    (folder / "printed").mkdir()
    for path in sorted(source.iterdir()):
        shutil.copyfile(path, folder / "policies" / path.name)
    digests = {}
    for path in sorted((folder / "policies").iterdir()):
        if not path.read_text().lstrip("\ufeff").partition("version 1\n")[1]:
            continue
        printed = subprocess.run([program, "print", "-p", path], stdout=subprocess.PIPE, check=True).stdout
        (folder / "printed" / path.name).write_bytes(printed)
        checked = subprocess.run([program, "check", "--json", "-p", path], stdout=subprocess.PIPE, check=True).stdout
        digests[path.name] = json.loads(checked)["policy"]
    recorded = {"suffixes": hashlib.sha256(pathlib.Path(SUFFIXES).read_bytes()).hexdigest(), "digests": digests}
    (folder / "digests.json").write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


def main(release):
    folder = pathlib.Path(__file__).resolve().parent / release
    folder.mkdir()
    record_ledger(folder)
    record_policies(folder)
    page = pathlib.Path(daemon.SOURCE, "milter/common/rcptguard.conf.5").read_text()
    (folder / "rcptguard.conf").write_text(CONFIG.search(page).group(1))


if __name__ == "__main__":
    surroundings.enter()
    main(sys.argv[1])
