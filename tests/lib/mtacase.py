"""A unittest case with a private MTA and a rcptguardd in front of it, for all tests of a class.

    class Ways(mtacase.MtaCase):
        def test_something(self):
            for way in self.mta.WAYS: ...

    if __name__ == "__main__":
        mtacase.main()

Each class is run twice, as WaysOnPostfix and WaysOnSendmail: the same
descriptions for both.  `MTAS` says which, where one of them has no such thing.
"""

import contextlib
import re
import sys
import unittest

import daemon
import guardcase
import mta
import policies
import postfix
import sendmail
import statecase
import surroundings
import tap

SENDER = "care@me.example"

# What the line says of a message that a loaded machine was too late for.
LATE = re.compile(guardcase.SLOW_OR_BUSY + "|" + statecase.LATE)

MTAS = {"postfix": postfix.Postfix, "sendmail": sendmail.Sendmail}


@unittest.skipUnless(daemon.ROOT, "an MTA starts as root only")
class MtaCase(unittest.TestCase):
    MTAS = ("postfix", "sendmail")
    MTA = None  # one of them, by main()
    SOCKET = "unix"
    POLICY = policies.FIELD
    CONFIG = None
    EXTRA = {}  # by MTA: more lines for main.cf, for the .mc file

    assertLine = guardcase.GuardCase.assertLine

    @classmethod
    def setUpClass(cls):
        cls.mta = MTAS[cls.MTA](milter=cls.SOCKET, extra=cls.EXTRA.get(cls.MTA, ""))
        try:
            cls.guard = cls.mta.guard(cls.POLICY, config=cls.CONFIG)
        except BaseException:
            cls.mta.close()
            raise

    @classmethod
    def tearDownClass(cls):
        # The daemon first, so that what is asserted of it is not lost with the MTA.
        try:
            cls.guard.__exit__(None, None, None)
        finally:
            cls.mta.close()

    def message(self, sender=SENDER, to=(), cc=(), headers=()):
        """(subject, text): a message with a subject that finds it again."""
        subject = self.mta.new_subject()
        return subject, mta.message(subject, sender, to, cc, headers)

    def daemons(self):
        """Those that the MTA may ask."""
        return [self.guard]

    def in_time(self, send):
        """The reply that `send` gets, which comes again as long as a loaded machine is too late for it: it is deferred then, as it should be."""
        def reply():
            marks = [(guard, guard.mark()) for guard in self.daemons()]
            found = send()
            return None if found.code == 451 and LATE.search(self.why_deferred(marks)) else found
        return daemon.wait_until(reply, mta.LIMIT, "a ledger and a state that are not late")

    @staticmethod
    def why_deferred(marks):
        """The texts of the lines since then; none if it was no daemon that deferred the message."""
        def texts():
            lines = [daemon.parse(line) for guard, mark in marks for line in guard.lines[mark:]]
            return [line.text for line in lines if line is not None and line.verdict == "tempfail"]
        with contextlib.suppress(AssertionError):
            daemon.wait_until(texts, 10, "a line")  # it is written before the reply, and read a moment later
        return "\n".join(texts())

    # ---- what becomes of a message, by whatever way it came

    def assertDelivered(self, queue_id, subject, recipients):
        """Gone from the queue, and each recipient has exactly one copy."""
        self.assertIsNotNone(queue_id)
        self.mta.wait_gone(queue_id)
        self.assertEqual(self.mta.recipients(subject), sorted(recipients))

    def assertNothingOf(self, subject, queue_id=None):
        """Neither delivered nor queued."""
        self.assertEqual(self.mta.recipients(subject), [])
        if queue_id is not None:
            self.assertNotIn(queue_id, [entry["queue_id"] for entry in self.mta.queue()])

    def accepted(self, way, recipients, subject, text, sender=SENDER, client=None):
        """Hands a message in that is to be taken.  Gives its queue id."""
        if way == "sendmail":
            return self.mta.submit(sender, recipients, text)
        reply = self.in_time(lambda: self.mta.send(way, sender, recipients, text, client))
        self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
        return reply.queue_id

    def check_delivered(self, way, recipients, sender=SENDER, to=(), cc=(), headers=(), client=None, **fields):
        """It reaches each recipient once; the verdict line has these fields."""
        subject, text = self.message(sender, to, cc, headers)
        queue_id = self.accepted(way, recipients, subject, text, sender, client)
        self.assertDelivered(queue_id, subject, recipients)
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="accept", sender=sender, **fields)
        return line

    def check_held(self, way, recipients, sender=SENDER, to=(), cc=(), headers=(), client=None, **fields):
        """It lies in the hold queue, and nobody has it."""
        subject, text = self.message(sender, to, cc, headers)
        queue_id = self.accepted(way, recipients, subject, text, sender, client)
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % queue_id)
        entry = next(entry for entry in self.mta.queue() if entry["queue_id"] == queue_id)
        self.assertEqual((entry["queue_name"], entry["sender"]), ("hold", sender))
        self.assertEqual(sorted(recipient["address"] for recipient in entry["recipients"]), sorted(recipients))
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="quarantine", sender=sender, **fields)
        self.assertEqual(self.mta.recipients(subject), [])
        return line

    def check_rejected(self, way, recipients, text_wanted, sender=SENDER, to=(), cc=(), headers=(), client=None, **fields):
        """550 5.7.1 and the text at end of message, or a bounce to the sender with it; nothing is queued for anyone."""
        subject, text = self.message(sender, to, cc, headers)
        if way == "sendmail":
            queue_id = self.mta.submit(sender, recipients, text)
            self.assertBounced(queue_id, subject, sender, text_wanted)
        else:
            reply = self.mta.send(way, sender, recipients, text, client)
            self.assertEqual((reply.stage, reply.code, reply.text), ("data", 550, "5.7.1 " + text_wanted))
            queue_id = self.rejected_id(subject)
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="reject", sender=sender, text=text_wanted.replace(",", "\\x2C"), **fields)
        self.assertNothingOf(subject, queue_id)
        return line

    def smtp_ways(self, *among):
        """The ways in over SMTP that this MTA has, all or those of `among`."""
        return [way for way in self.mta.WAYS if way != "sendmail" and (not among or way in among)]

    def rejected_id(self, subject):
        """The queue id that a rejected message had for a moment: by the verdict line, which has its Message-ID, and ours is made of the subject."""
        line = self.guard.wait_for_line(r" msgid=%s@%s " % (re.escape(subject.replace(" ", ".")), re.escape(mta.DOMAIN)))
        return daemon.parse(line).queue_id

    def assertBounced(self, queue_id, subject, sender, text_wanted):
        self.mta.wait_bounced(queue_id)
        found = [delivery for delivery in self.mta.deliveries() if delivery.recipients == [sender] and "<>" in delivery.header + "<%s>" % delivery.sender
                 and subject.replace(" ", ".") in delivery.message]
        self.assertEqual(len(found), 1, "one bounce to the sender")
        flat = " ".join(found[0].message.split())
        self.assertIn(" ".join(text_wanted.split()), flat)
        self.assertIn("5.7.1", flat)


def main(limit=tap.TEST_LIMIT, folders=(), prepare=None):
    """Runs each class of __main__ on each of its MTAs, with its own copies of the folders, which `prepare` may change."""
    surroundings.enter(folders)
    if prepare is not None:
        prepare()
    module = sys.modules["__main__"]
    for name, case in list(vars(module).items()):
        if isinstance(case, type) and issubclass(case, MtaCase) and case.__module__ == "__main__":
            delattr(module, name)
            for which in case.MTAS:
                both = name + "On" + which.capitalize()
                setattr(module, both, type(both, (case,), {"MTA": which, "__module__": "__main__", "__doc__": case.__doc__}))
    tap.main(limit)
