"""A unittest case with a private Postfix and a rcptguardd in front of it, for all tests of a class."""

import unittest

import guardcase
import policies
import postfix

SENDER = "care@me.example"
WAYS = ("plain", "chroot", "auth", "sendmail")


@unittest.skipUnless(postfix.daemon.ROOT, "Postfix starts as root only")
class MtaCase(unittest.TestCase):
    POLICY = policies.FIELD
    CONFIG = None
    EXTRA = ""  # more lines for main.cf

    assertLine = guardcase.GuardCase.assertLine

    @classmethod
    def setUpClass(cls):
        cls.mta = postfix.Postfix(milter=postfix.MILTER, extra=cls.EXTRA)
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
        return subject, postfix.message(subject, sender, to, cc, headers)

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
        reply = self.mta.send(way, sender, recipients, text, client)
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
        postfix.daemon.wait_until(lambda: queue_id in self.mta.held(), postfix.LIMIT, "the hold of %s" % queue_id)
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

    def rejected_id(self, subject):
        """The queue id that a rejected message had for a moment: found by its Message-ID, which ours is made of."""
        msgid = subject.replace(" ", ".") + "@" + postfix.DOMAIN
        line = self.mta.wait_for_line(r"cleanup\[\d+\]: \S+: message-id=<%s>" % postfix.re.escape(msgid))
        return postfix.re.search(r"cleanup\[\d+\]: (\S+): message-id=", line).group(1)

    def assertBounced(self, queue_id, subject, sender, text_wanted):
        """cleanup(8) drops the message itself, so the log tells of the notification only."""
        line = self.mta.wait_for_line(r": %s: sender non-delivery notification: " % queue_id)
        bounce = line.rsplit(": ", 1)[1]
        self.mta.wait_gone(bounce)
        found = [delivery for delivery in self.mta.deliveries() if delivery.recipients == [sender] and "<>" in delivery.header + "<%s>" % delivery.sender
                 and subject.replace(" ", ".") in delivery.message]
        self.assertEqual(len(found), 1, "one bounce to the sender")
        flat = " ".join(found[0].message.split())
        self.assertIn(" ".join(text_wanted.split()), flat)
        self.assertIn("5.7.1", flat)
