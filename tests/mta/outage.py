"""rcptguardd is away: the MTA answers 451 and nothing passes; it comes back, and mail is judged again."""

import os
import signal
import smtplib

import daemon
import mta
import mtacase
import policies


class Outage(mtacase.MtaCase):
    def setUp(self):
        # Each test has a daemon of its own to stop; the class's one is the first.
        if not type(self).guard.socket_exists():
            self.start_again()

    def start_again(self):
        type(self).guard._clean()  # of the one before, which has ended
        type(self).guard = self.mta.guard(self.POLICY)

    def refused(self, way):
        subject, text = self.message(to=["one@cust1.example"])
        reply = self.mta.send(way, "care@me.example", ["one@cust1.example"], text)
        if way == "auth":  # the login is refused already
            self.assertEqual((reply.stage, reply.code), ("connect", 454), reply)
        else:
            self.assertEqual((reply.stage, reply.code), ("mail", 451), reply)
            self.assertRegex(reply.text, r"^4\.(7\.1|3\.2) ")
        self.assertNothingOf(subject)

    def stop(self):
        self.guard.stop()
        self.assertFalse(self.guard.socket_exists())

    def test_stopped(self):
        before = self.mta.queue()
        self.stop()
        for way in self.smtp_ways():
            with self.subTest(way):
                self.refused(way)
        self.assertEqual(self.mta.queue(), before)

    def test_stopped_while_a_session_is_open(self):
        with self.mta.connect("plain") as session:
            subject, text = self.message(to=["one@cust1.example"])
            reply = self.mta.transaction(session, "care@me.example", ["one@cust1.example"], text)
            self.assertEqual(reply.code, 250, reply)
            self.assertDelivered(reply.queue_id, subject, ["one@cust1.example"])
            self.stop()
            subject, text = self.message(to=["one@cust1.example"])
            reply = self.mta.transaction(session, "care@me.example", ["one@cust1.example"], text)
            self.assertEqual(reply.code, 451, reply)
            self.assertNothingOf(subject)

    def test_killed_within_a_message(self):
        with self.mta.connect("plain") as session:
            self.assertEqual(session.mail("care@me.example")[0], 250)
            self.assertEqual(session.rcpt("one@cust1.example")[0], 250)
            self.guard.signal(signal.SIGKILL)
            self.guard.wait_exit()
            subject, text = self.message(to=["one@cust1.example"])
            code, _ = self.data(session, text)
            self.assertEqual(code, 451)
            self.assertNothingOf(subject)
        os.unlink(self.guard.socket_path())

    @staticmethod
    def data(session, text):
        try:
            return session.data(text.encode().replace(b"\n", b"\r\n"))
        except smtplib.SMTPDataError as failure:
            return failure.smtp_code, failure.smtp_error

    def test_sendmail_waits_and_is_judged_later(self):
        """Mail from sendmail(1) stays where it is; nothing passes, nothing is lost."""
        people = policies.people(12)
        self.stop()
        subject, text = self.message(cc=people)
        mark = len(self.mta.lines())
        self.mta.submit("care@me.example", people, text, wait=False)
        self.mta.wait_deferred(mark)
        self.assertEqual(len(self.mta.maildrop()), 1)
        self.assertNothingOf(subject)
        self.start_again()
        self.mta.kick_pickup()
        queue_id = self.rejected_id(subject)
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold")
        self.assertLine(self.guard.verdict(queue_id), verdict="quarantine", rule="wide-cc", visible=12)
        daemon.wait_until(lambda: not self.mta.maildrop(), mta.LIMIT, "the end of what sendmail(1) left")
        self.assertEqual(self.mta.recipients(subject), [])

    def test_a_restart_is_noticed_by_nobody(self):
        """Stopped and started again: the next message is judged."""
        self.stop()
        self.start_again()
        self.check_delivered("plain", ["one@cust1.example"], to=["one@cust1.example"], visible=1)
        self.check_held(self.mta.WAYS[1], policies.people(12), cc=policies.people(12), parties=12)


if __name__ == "__main__":
    mtacase.main(240)
