"""SIGSTOP for longer than the MTA waits: 451 at the MTA's own timeout, at whatever step; after SIGCONT mail is evaluated as before."""

import os
import signal
import smtplib

import accounting
import daemon
import mtacase
import policies
import review
import soak
import tap

SECONDS = soak.pick(4, 2)  # the MTA's patience with the milter
ROUNDS = soak.pick(1, 20)
SLACK = soak.pick(60, 1.5) * tap.SLOWNESS

NARROW, WIDE = policies.people(3), policies.people(12)

# Where the session is when the worker is stopped, and whether Postfix waits for the milter at once then.
STEPS = "before the connection", "before MAIL", "before DATA", "before the end of the message"


class Stopped(accounting.AccountingCase):
    MTAS = soak.MTAS

    @classmethod
    def setUpClass(cls):
        cls.EXTRA = {"postfix": "milter_connect_timeout = %ds\nmilter_command_timeout = %ds\nmilter_content_timeout = %ds\n" % ((SECONDS,) * 3),
                     "sendmail": "define(`confINPUT_MAIL_FILTERS', `rcptguard')dnl\nMAIL_FILTER(`rcptguard', `S={socket}, F=T, T=C:%ds;S:%ds;R:%ds;E:%ds')dnl\n" % ((SECONDS,) * 4)}
        if cls.MTA == "sendmail":  # the filter is the one of these lines
            cls.SOCKET = ""
        super().setUpClass()

    def stop_at(self, step, child, people):
        """One message, during which the worker is stopped.  Gives (reply, seconds that it took from then on, subject)."""
        subject, text = self.message(cc=people)
        data = text.encode().replace(b"\n", b"\r\n")
        session = None
        try:
            if step != STEPS[0]:
                session = self.mta.connect("plain")
            if step in STEPS[2:]:
                self.assertEqual(session.mail(mtacase.SENDER)[0], 250)
                for address in people:
                    self.assertEqual(session.rcpt(address)[0], 250)
            if step == STEPS[3]:
                self.assertEqual(session.docmd("DATA")[0], 354)
                session.send(data[:200])
            os.kill(child, signal.SIGSTOP)
            reply, took = soak.timed(lambda: self.go_on(step, session, people, data))
            return reply, took, subject
        finally:
            os.kill(child, signal.SIGCONT)
            if session is not None:
                session.close()

    def go_on(self, step, session, people, data):
        """The rest of the message; the first refusal is the reply."""
        try:
            if step == STEPS[0]:
                session = self.mta.connect("plain")
            if step in STEPS[:2]:
                code, text = session.mail(mtacase.SENDER)
                for address in people:
                    if code == 250:
                        code, text = session.rcpt(address)
                if code != 250:
                    return code
            if step == STEPS[3]:
                session.send(data[200:] + b".\r\n")
                return session.getreply()[0]
            return session.data(data)[0]
        except smtplib.SMTPResponseException as failure:
            return failure.smtp_code

    def test_stopped(self):
        """at each step; the message leaves no trace, and the next one is evaluated"""
        longest, deferred = 0, 0
        for number in range(ROUNDS):
            for step in STEPS if soak.LONG else STEPS[1::2]:
                with self.subTest("%s, %d" % (step, number)):
                    child = self.guard.child()
                    code, took, subject = self.stop_at(step, child, WIDE)
                    self.assertIn(code, (451, 421))
                    # Some MTAs ask once more for each step that is left.
                    self.assertLess(took, 2 * SECONDS + SLACK)
                    self.assertGreater(took, SECONDS / 2)
                    longest, deferred = max(longest, took), deferred + 1
                    self.check_delivered("plain", NARROW, cc=NARROW)
                    held = self.hold()
                    self.assertOnHold(held)
                    self.assertNothingOf(subject)
                    self.assertEqual(self.guard.child(), child)
        self.assertAgree()
        soak.measured("%s waits %d s: stopped %d times, each deferred, the last after %.1f s", self.MTA, SECONDS, deferred, longest)


if __name__ == "__main__":
    review.main(soak.LIMIT)
