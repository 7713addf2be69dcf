"""Mail that is not ours to judge passes at once, without a verdict."""

import time

import mtacase
import policies
import tap

CROWD = policies.people(60)


class Unjudged(mtacase.MtaCase):
    MTAS = ()  # what the classes below share

    def check_unjudged(self, way, sender, client=None, login=False):
        subject, text = self.message(sender, to=["care@me.example"], cc=CROWD)
        begin = time.monotonic()
        queue_id = self.accepted(way, ["care@me.example"], subject, text, sender, client)
        taken = time.monotonic() - begin
        self.assertDelivered(queue_id, subject, ["care@me.example"])
        self.assertEqual(self.guard_settled(queue_id), [])
        return taken

    def guard_settled(self, queue_id):
        """The verdict lines of a message; a judged one behind it is waited for, so a line would be there."""
        self.check_delivered("plain", ["after@me.example"], to=["after@me.example"])
        return self.guard.verdicts(queue_id)


class Inbound(Unjudged):
    MTAS = ("postfix", "sendmail")

    def test_60_in_cc_from_outside(self):
        """Delivered at once: nobody waits for an answer of a milter (Postfix would wait 30 s)."""
        for way in self.smtp_ways("plain", "chroot"):
            with self.subTest(way):
                self.assertLess(self.check_unjudged(way, "list@outside.test", "192.0.2.7"), 20 * tap.SLOWNESS)

    def test_a_forged_inside_sender(self):
        self.check_unjudged("plain", "care@me.example", "192.0.2.7")

    def test_the_null_sender(self):
        self.check_unjudged("plain", "", "192.0.2.7")

    def test_an_outside_sender_by_the_loopback(self):
        """What a content filter or a list server hands back."""
        self.check_unjudged("reinject" if self.MTA == "postfix" else "plain", "list@outside.test")

    def test_an_outside_sender_of_sendmail(self):
        """A list server that calls sendmail(1)."""
        self.check_unjudged("sendmail", "list@outside.test")

    def test_inside_and_outside_on_one_connection(self):
        """An unjudged message leaves nothing for the judged one behind it, nor the other way round."""
        with self.mta.connect("plain") as session:
            for _ in range(2):
                subject, text = self.message("list@outside.test", cc=CROWD)
                reply = self.mta.transaction(session, "list@outside.test", ["care@me.example"], text)
                self.assertEqual(reply.code, 250, reply)
                self.assertDelivered(reply.queue_id, subject, ["care@me.example"])
                _, text = self.message(cc=CROWD)
                reply = self.mta.transaction(session, "care@me.example", CROWD, text)
                self.assertEqual((reply.code, reply.text), (550, "5.7.1 " + policies.REJECT_TEXT % 60))


class InboundWithAnswers(Inbound):
    """The same where people answer to us by mail: recipients are looked at before it passes."""

    CONFIG = {("review", "answers"): "guard@me.example"}


class Filtered(Unjudged):
    """What Postfix hands to a content filter comes back through another listener."""

    MTAS = ("postfix",)

    def test_an_outside_sender_through_a_content_filter(self):
        """In from outside, to the filter and back: judged neither time, and delivered."""
        subject, text = self.message("list@outside.test", to=["care@me.example"], cc=CROWD)
        first = self.accepted("filtered", ["care@me.example"], subject, text, "list@outside.test", "192.0.2.7")
        self.mta.wait_gone(first)
        line = self.mta.wait_for_line(r": %s: to=<care@me.example>.*queued as \S+\)" % first)
        second = line.rsplit(" ", 1)[1].rstrip(")")
        self.assertNotEqual(first, second)
        self.assertDelivered(second, subject, ["care@me.example"])
        self.assertEqual(self.guard_settled(first), [])
        self.assertEqual(self.guard_settled(second), [])


class Trusted(mtacase.MtaCase):
    """Submission by the client's network, and by the name of the listener."""

    POLICY = policies.policy(outbound='outbound when client in "10.0.0.0/8" or listener in "ORIGINATING", "MSA"')

    def test_a_trusted_client_is_judged(self):
        for way in self.smtp_ways("plain", "chroot"):
            with self.subTest(way):
                self.check_rejected(way, CROWD, policies.REJECT_TEXT % 60, cc=CROWD, client="10.1.2.3", parties=60)
                self.check_held(way, CROWD[:12], cc=CROWD[:12], client="10.1.2.3", parties=12)

    def test_others_are_not(self):
        for client in (None, "192.0.2.7"):
            with self.subTest(client):
                subject, text = self.message(cc=CROWD)
                queue_id = self.accepted("plain", ["one@me.example"], subject, text, client=client)
                self.assertDelivered(queue_id, subject, ["one@me.example"])

    def test_the_listener_of_submission(self):
        self.check_rejected("auth", CROWD, policies.REJECT_TEXT % 60, cc=CROWD, parties=60, user="care")


if __name__ == "__main__":
    mtacase.main(240)
