"""A unittest case with one running rcptguardd for all its tests.

    class Verdicts(guardcase.GuardCase):
        POLICY = policies.FIELD

        def test_hold(self):
            answer, line = self.judge(cc=policies.people(12))
            self.assertLine(line, verdict="quarantine", rule="wide-cc", parties=12)
"""

import os
import re
import shutil
import unittest

import daemon
import milterclient
import policies

SENDER = "care@me.example"

# What a line says of a message whose row was not in the ledger in time; and also if another process had the ledger.
SLOW = r"could not be written \(slow\)"
SLOW_OR_BUSY = r"could not be written \((slow|busy)\)"


def in_time(guard, send, late=SLOW):
    """The answer to a message, which comes again as long as a loaded machine is too late for it: it is deferred then, as it should be."""
    def answer():
        found = send()
        return None if found.verdict == milterclient.TEMPFAIL and re.search(late, guard.verdict(found).text) else found
    return daemon.wait_until(answer, what="a ledger that is not slow")


class StartCase(unittest.TestCase):
    """Each test starts daemons of its own."""

    def start(self, **options):
        guard = daemon.Daemon(policies.FIELD, **options)
        self.addCleanup(guard._clean)
        return guard


class LedgerCase(unittest.TestCase):
    """Each test has a directory of the daemon's user, with a path for the ledger in it."""

    def setUp(self):
        self.directory = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, self.directory, True)
        daemon.own(self.directory)
        self.path = os.path.join(self.directory, "ledger.db")


class GuardCase(unittest.TestCase):
    POLICY = policies.FIELD
    FILES = None
    CONFIG = None

    @classmethod
    def setUpClass(cls):
        cls.guard = daemon.Daemon(cls.POLICY, files=cls.FILES, config=cls.CONFIG)

    @classmethod
    def tearDownClass(cls):
        cls.guard.__exit__(None, None, None)

    def mta(self, client="127.0.0.1", connected=True, daemon_name="smtpd", **options):
        """A connection of an MTA to the daemon; a loopback client by default, so that mail of colleagues is outbound."""
        mta = self.guard.client(**options)
        self.addCleanup(mta.close)
        if connected:
            mta.connect(client, daemon_name=daemon_name)
        return mta

    def send(self, mta=None, sender=SENDER, to=(), cc=(), headers=(), envelope=None, **options):
        """One message; To and Cc are lists of addresses or the text of the header.  The envelope is who can be seen."""
        mta = mta or self.mta()
        return in_time(self.guard, lambda: send(mta, sender, to, cc, headers, envelope, **options))

    def judge(self, mta=None, **options):
        """The same, with the line that the daemon wrote."""
        answer = self.send(mta, **options)
        return answer, self.guard.verdict(answer)

    def assertLine(self, line, **fields):
        found = {name: getattr(line, name) for name in fields}
        self.assertEqual(found, fields, "in the line: %s" % line.raw)

    def assertPassed(self, answer):
        """Accepted at the end, and nothing was done to it."""
        self.assertEqual((answer.stage, answer.verdict, answer.reply, answer.actions), ("eom", milterclient.ACCEPT, None, []))

    def assertHeld(self, answer, reason=None):
        """Accepted into the hold queue."""
        self.assertEqual((answer.stage, answer.verdict, answer.reply), ("eom", milterclient.ACCEPT, None))
        self.assertIsNotNone(answer.quarantine(), answer)
        if reason is not None:
            self.assertIn(reason, answer.quarantine())

    def assertRejected(self, answer, text=None):
        self.assertEqual((answer.stage, answer.verdict), ("eom", milterclient.REJECT))
        self.assertIsNotNone(answer.reply, "a reject without the rule's text")
        self.assertTrue(answer.reply.startswith("550 5.7.1 "), answer.reply)
        if text is not None:
            self.assertEqual(answer.reply[len("550 5.7.1 "):], text)

    def assertDeferred(self, answer):
        self.assertEqual((answer.stage, answer.verdict), ("eom", milterclient.TEMPFAIL))
        self.assertEqual([action for action in answer.actions if action.name == "quarantine"], [])

    def assertUnjudged(self, answer):
        """Accepted at MAIL FROM, and no verdict line; another message is judged behind it, so its line would be there."""
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))
        self.judge(to=["after@me.example"])
        self.assertEqual(self.guard.verdicts(answer.queue_id), [])


def headers(sender=SENDER, to=(), cc=(), more=(), message_id=None):
    """Header fields as (name, value) pairs."""
    fields = [("From", "<%s>" % sender if sender else "<postmaster@me.example>"), ("Subject", "a test")]
    fields.append(("Message-ID", "<%s>" % message_id if message_id else "<17@me.example>"))
    for name, value in (("To", to), ("Cc", cc)):
        if value:
            fields.append((name, value if isinstance(value, (str, bytes)) else policies.folded(value)))
    return fields + list(more)


def send(mta, sender=SENDER, to=(), cc=(), more=(), envelope=None, message_id=None, **options):
    if envelope is None:
        envelope = [address for value in (to, cc) if not isinstance(value, (str, bytes)) for address in value] or ["someone@else.example"]
    return mta.message(sender, envelope, headers(sender, to, cc, more, message_id), **options)
