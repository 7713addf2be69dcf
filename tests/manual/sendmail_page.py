"""What rcptguardd(8) says of Sendmail: its example is used as it stands, and what differs from Postfix is measured."""

import re
import subprocess

import daemon
import mta
import mtacase
import page
import policies
import sendmail

PAGE = "rcptguardd(8)"
SOCKET = "unix:/run/rcptguard/rcptguard.sock"


def example():
    """The line for sendmail.mc, with the socket of this test."""
    found, = [display.text for display in page.displays(PAGE) if display.text.startswith("INPUT_MAIL_FILTER")]
    assert SOCKET in found and "F=T" in found, found
    return found.replace(SOCKET, "{socket}")


class Example(mtacase.MtaCase):
    """A Sendmail with the manual's line and no other."""

    MTAS = ("sendmail",)
    SOCKET = ""
    EXTRA = {"sendmail": example()}

    def test_it_is_judged(self):
        people = policies.people(60)
        self.check_held("plain", people[:12], cc=people[:12], rule="wide-cc")
        self.check_rejected("auth", people, policies.REJECT_TEXT % 60, cc=people, rule="mass-disclosure")

    def test_without_the_daemon(self):
        """F=T: 451 at once; in a session that is cut, too"""
        with self.mta.connect("plain") as session:
            self.guard.stop()
            try:
                people = ["a@x.example"]
                for reply in (self.mta.transaction(session, mtacase.SENDER, people, self.message(to=people)[1]),
                              self.mta.send("plain", mtacase.SENDER, people, self.message(to=people)[1])):
                    self.assertEqual(reply.code, 451, reply)
            finally:
                type(self).guard = self.mta.guard(self.POLICY)


class WithoutF(mtacase.MtaCase):
    """Without F= mail passes while the daemon is away; with F=R it is refused."""

    MTAS = ("sendmail",)
    SOCKET = ""
    EXTRA = {"sendmail": example().replace(" F=T,", "")}
    CODE = 250

    def test_away(self):
        people = policies.people(60)
        subject, text = self.message(cc=people)
        self.guard.stop()
        try:
            reply = self.mta.send("plain", mtacase.SENDER, people, text)
            self.assertEqual(reply.code, self.CODE, reply)
            if self.CODE == 250:
                self.assertDelivered(reply.queue_id, subject, people)
        finally:
            type(self).guard = self.mta.guard(self.POLICY)


class WithR(WithoutF):
    EXTRA = {"sendmail": example().replace("F=T", "F=R")}
    CODE = 554


class HandedBack(mtacase.MtaCase):
    """A listener without filters, for what a content filter hands back: mail is not judged twice."""

    MTAS = ("sendmail",)
    PORT, = mta.free_ports(1)
    EXTRA = {"sendmail": "DAEMON_OPTIONS(`Name=BACK, Addr=127.0.0.1, Port=%d, InputMailFilters=')dnl\n" % PORT}

    def test_not_judged(self):
        people = policies.people(60)
        subject, text = self.message(cc=people)
        self.mta.ports["back"] = self.PORT
        mark = len(self.guard.lines)
        reply = self.mta.send("back", mtacase.SENDER, people, text)
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, people)
        self.assertEqual(self.guard.lines[mark:], [])
        self.check_rejected("plain", people, policies.REJECT_TEXT % 60, cc=people)  # by the others it is


class Parts(mtacase.MtaCase):
    """The MSP as it is by default, and the MTA's own command."""

    MTAS = ("sendmail",)

    def test_100_at_a_time(self):
        """the header is whole in each part, the envelope is not"""
        with open(self.mta._path("submit.cf"), encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        daemon.write(self.mta._path("submit.cf"), re.sub(r"\bm=1000, |,? ?\br=1000", "", text))
        people = policies.people(130)
        mark = len(self.guard.lines)
        _, text = self.message(to=people[:5])
        self.mta.submit(mtacase.SENDER, people, text, wait=False)
        daemon.wait_until(lambda: len([line for line in self.guard.lines[mark:] if " verdict=accept " in line]) == 2, mta.LIMIT, "two parts")
        lines = [daemon.parse(line) for line in self.guard.lines[mark:] if " verdict=accept " in line]
        self.assertEqual([line.visible for line in lines], [5, 5])
        self.assertEqual(sorted(int(line.hidden) for line in lines), [30, 95])

    def test_by_the_mta_itself(self):
        """no filter sees what root hands in with -Am"""
        people = policies.people(60)
        subject, text = self.message(cc=people)
        mark = len(self.guard.lines)
        subprocess.run([sendmail.program(), "-C", self.mta._path("sendmail.cf"), "-Am", "-i", "-f", mtacase.SENDER, "--", *people], input=text.encode(), check=True)
        daemon.wait_until(lambda: len(self.mta.recipients(subject)) == 60, mta.LIMIT, "the deliveries")
        self.assertEqual(self.guard.lines[mark:], [])

    def test_mailq(self):
        """a held message is not in plain mailq; in that of quarantined mail it is, with its rule"""
        people = policies.people(12)
        held = self.check_held("plain", people, cc=people).queue_id

        def mailq(*options):
            return subprocess.run([sendmail.program(), "-C", self.mta._path("sendmail.cf"), "-bp", *options], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertNotIn(held, mailq())
        self.assertIn("QUARANTINE: wide-cc: wide Cc: 12 addresses, 12 parties", mailq("-qQ").partition(held)[2])


if __name__ == "__main__":
    mtacase.main()
