"""Bodies as real MTAs hand them over: an invitation, a forwarded message, more than the limit, and a reload in between.

It takes 20 s and more: a message of 12 MB comes by every way in, and goes out again.
"""

import base64
import random
import smtplib

import bodymail
import daemon
import mta
import mtacase
import policies

PEOPLE = mta.customers(450)
ATTENDEES, FEW = PEOPLE[:45], PEOPLE[:3]
SELF = [mtacase.SENDER]

INVITE = policies.rule("invite", "visible(external) inside calendar >= 10", 'quarantine "{inside} people outside in an invitation"')
POLICY = policies.policy(rules=INVITE
                         + policies.rule("forward", "visible(external) inside forwarded >= 50", 'quarantine "{inside} people outside in a forwarded message"')
                         + policies.rule("held-unread", 'header("X-Hold") and opaque(limits)', 'quarantine "not all of it was read"')
                         + policies.rule("unread", "opaque(limits)", 'tag "not all of it was read"'))
WITHOUT = policies.policy(rules="")
LARGE = 12 * 10**6


class Bodies(mtacase.MtaCase):
    POLICY = POLICY
    EXTRA = {"postfix": "message_size_limit = 40960000\n"}

    def in_force(self, policy):
        self.guard.set_policy(policy)
        self.assertIn("reload done", self.guard.reload())

    def text(self, shown, more=()):
        """(subject, text) of a message of bodymail, which nobody but its sender is the header of."""
        fields, body = shown
        subject = self.mta.new_subject()
        return subject, mta.message(subject, mtacase.SENDER, to=SELF, headers=[*fields, *more], body=body.replace("\r\n", "\n"))

    def taken(self, way, text, envelope):
        return self.accepted(way, envelope, *text)

    def assertHeldFor(self, queue_id, text, subject):
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="quarantine", text=text)
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % queue_id)
        self.assertEqual(self.mta.recipients(subject), [])

    def assertUnchanged(self, subject, text):
        """The body is delivered as it was handed in, byte for byte."""
        sent = text.partition("\n\n")[2].rstrip("\n")
        found = {one.message.rstrip("\n") == sent for one in self.mta.deliveries(subject)}
        self.assertEqual(found, {True})

    def test_invitation(self):
        """45 people of Bcc in an invitation are held, 3 are not; whatever the way in"""
        for way in self.mta.WAYS:
            with self.subTest(way):
                text = self.text(bodymail.invitation(ATTENDEES))
                self.assertHeldFor(self.taken(way, text, SELF + ATTENDEES), "45 people outside in an invitation", text[0])
                subject, few = self.text(bodymail.invitation(FEW))
                queue_id = self.taken(way, (subject, few), SELF + FEW)
                self.assertDelivered(queue_id, subject, SELF + FEW)
                self.assertLine(self.guard.verdict(queue_id), verdict="accept", rule="default")
                self.assertUnchanged(subject, few)

    def test_forward(self):
        """a message to 450 people, as an attachment of one to one"""
        for way in "plain", "sendmail":
            with self.subTest(way):
                text = self.text(bodymail.forward(PEOPLE))
                self.assertHeldFor(self.taken(way, text, FEW[:1]), "450 people outside in a forwarded message", text[0])

    def test_beyond_the_limit(self):
        """the policy decides about what was not read: one is held, and what passes is whole"""
        noise = base64.encodebytes(random.Random(1).randbytes(LARGE * 3 // 4)).decode()
        shown = [("MIME-Version", "1.0"), ("Content-Type", "text/plain")], noise
        for way in "plain", "sendmail":
            with self.subTest(way):
                subject, text = self.text(shown)
                queue_id = self.taken(way, (subject, text), FEW)
                self.assertDelivered(queue_id, subject, FEW)
                self.assertLine(self.guard.verdict(queue_id), verdict="tag", rule="unread")
                self.assertUnchanged(subject, text)
                text = self.text(shown, [("X-Hold", "1")])
                self.assertHeldFor(self.taken(way, text, FEW), "not all of it was read", text[0])

    def test_odd_bodies(self):
        """none at all, 8-bit text, lines without an end, dots: they arrive as they were"""
        bodies = ["", "\n", ".\n..\n", "x" * 900 + "\n", "Grüße\n" * 1000]
        for body in bodies:
            subject, text = self.text(([("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "8bit")], body))
            queue_id = self.taken("plain", (subject, text), FEW)
            self.assertDelivered(queue_id, subject, FEW)
            self.assertLine(self.guard.verdict(queue_id), verdict="accept", rule="default")

    # ---- a reload in between

    def reply(self, session, text, envelope):
        return self.in_time(lambda: self.mta.transaction(session, mtacase.SENDER, envelope, text))

    def test_reload_to_a_policy_that_needs_them(self):
        """An open session gets 421 and is closed by the MTA; the same message on a new one is evaluated with its body, once."""
        self.in_force(WITHOUT)
        self.addCleanup(self.in_force, POLICY)
        invitation, few = self.text(bodymail.invitation(ATTENDEES)), self.text(bodymail.invitation(FEW))
        with self.mta.connect("plain") as session:
            before = self.text(bodymail.invitation(ATTENDEES))
            reply = self.reply(session, before[1], SELF + ATTENDEES)
            self.assertEqual(reply.code, 250, reply)
            self.assertDelivered(reply.queue_id, before[0], SELF + ATTENDEES)
            self.in_force(POLICY)
            refused = self.reply(session, invitation[1], SELF + ATTENDEES)
            self.assertEqual((refused.stage, refused.code, refused.text), ("mail", 421, "4.3.2 the mail filter has a new policy; connect and try again"))
            with self.assertRaises(smtplib.SMTPServerDisconnected):
                session.noop()
        self.assertHeldFor(self.taken("plain", invitation, SELF + ATTENDEES), "45 people outside in an invitation", invitation[0])
        self.assertDelivered(self.taken("plain", few, SELF + FEW), few[0], SELF + FEW)

    def test_reload_to_a_policy_that_needs_none(self):
        """an open session goes on, and what it brings is passed over"""
        self.addCleanup(self.in_force, POLICY)
        with self.mta.connect("plain") as session:
            held = self.text(bodymail.invitation(ATTENDEES))
            self.assertHeldFor(self.reply(session, held[1], SELF + ATTENDEES).queue_id, "45 people outside in an invitation", held[0])
            self.in_force(WITHOUT)
            for shown in bodymail.invitation(ATTENDEES), bodymail.attachment(10**6):
                subject, text = self.text(shown)
                reply = self.reply(session, text, FEW)
                self.assertEqual(reply.code, 250, reply)
                self.assertDelivered(reply.queue_id, subject, FEW)
                self.assertUnchanged(subject, text)

    def test_sendmail_after_a_reload(self):
        """each message of sendmail(1) comes on a connection of its own"""
        self.in_force(WITHOUT)
        self.addCleanup(self.in_force, POLICY)
        text = self.text(bodymail.invitation(ATTENDEES))
        self.assertDelivered(self.taken("sendmail", text, SELF + ATTENDEES), text[0], SELF + ATTENDEES)
        self.in_force(POLICY)
        text = self.text(bodymail.invitation(ATTENDEES))
        self.assertHeldFor(self.taken("sendmail", text, SELF + ATTENDEES), "45 people outside in an invitation", text[0])


if __name__ == "__main__":
    mtacase.main(240)
