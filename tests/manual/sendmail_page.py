"""What rcptguardd(8) says of Sendmail: its example is used as it stands, and what differs from Postfix is measured."""

import os
import re
import subprocess
import time

import daemon
import mta
import mtacase
import page
import policies
import sendmail
import tap

PAGE = "rcptguardd(8)"
SOCKET = "unix:/run/rcptguard/rcptguard.sock"


def words():
    """The section, as one line."""
    return " ".join(page.section(page.tree(PAGE), "SENDMAIL").text().split())


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


    def test_stop(self):
        """within the seconds that the page says; the sessions that are under way are cut, and each is answered by 451"""
        seconds, = re.findall(r"up to (\d+) seconds", words())
        sessions = [self.mta.connect("plain") for _ in range(5)]
        try:
            for session in sessions:
                self.assertEqual(session.mail(mtacase.SENDER)[0], 250)
                self.assertEqual(session.rcpt("a@x.example")[0], 250)
            begin = time.monotonic()
            self.guard.stop()
            took = time.monotonic() - begin
            self.assertLess(took, int(seconds) * tap.SLOWNESS)
            for session in sessions:
                code, text = session.docmd("DATA")
                if code == 354:
                    session.send(self.message(to=["a@x.example"])[1].replace("\n", "\r\n") + "\r\n.\r\n")
                    code, text = session.getreply()
                self.assertEqual(code, 451, text)
        finally:
            for session in sessions:
                session.close()
            type(self).guard = self.mta.guard(self.POLICY)

    def test_group_may_write(self):
        """Sendmail refuses a socket below such a folder, as if the daemon were away"""
        folder = self.mta._path("run")
        people = ["a@x.example"]
        for mode in 0o775, 0o757:
            mark = len(self.mta.lines())
            os.chmod(folder, mode)
            try:
                reply = self.mta.send("plain", mtacase.SENDER, people, self.message(to=people)[1])
                self.assertEqual(reply.code, 451, (oct(mode), reply))
                self.mta.wait_for_line(r"Milter \(rcptguard\): local socket name %s/rcptguard\.sock unsafe" % re.escape(folder), mark)
            finally:
                os.chmod(folder, 0o755)
        self.assertEqual(self.mta.send("plain", mtacase.SENDER, people, self.message(to=people)[1]).code, 250)

    def test_queue_runs(self):
        """what waits in the MTA's queue is judged once; what waits in the MSP's, when it is handed on"""
        people = policies.people(3)
        subject, text = self.message(to=people)
        self.mta.stop_sink()
        try:
            reply = self.mta.send("plain", mtacase.SENDER, people, text)
            self.assertEqual(reply.code, 250, reply)
            self.mta.wait_for_line(r": %s: to=.*stat=Deferred" % reply.queue_id)
        finally:
            self.mta.start_sink()
        self.mta.flush(reply.queue_id)
        self.assertDelivered(reply.queue_id, subject, people)
        self.assertEqual(len(self.guard.verdicts(reply.queue_id)), 1)

        subject, text = self.message(to=people)
        self.mta.halt()
        mark = len(self.guard.lines)
        try:
            self.mta.submit(mtacase.SENDER, people, text, wait=False)
            self.assertEqual(self.guard.lines[mark:], [])
        finally:
            self.mta.resume()
        self.mta.kick_pickup()
        queue_id = self.mta.id_of(subject.replace(" ", ".") + "@" + mta.DOMAIN)
        self.assertDelivered(queue_id, subject, people)
        self.assertEqual(len(self.guard.verdicts(queue_id)), 1)


class NoRecipientField(mtacase.MtaCase):
    """What each value of NoRecipientAction writes into a message without To, Cc and Bcc, behind the filter."""

    MTAS = ("sendmail",)
    ACTION = "none"
    WRITTEN = []
    EXPOSES = False

    @classmethod
    def setUpClass(cls):
        cls.EXTRA = {"sendmail": "define(`confNO_RCPT_ACTION', `%s')dnl\n" % cls.ACTION}
        super().setUpClass()

    def test_delivered(self):
        people = policies.people(3)
        subject, text = self.message()
        reply = self.mta.send("plain", mtacase.SENDER, people, text)
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, people)
        self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", visible=0, hidden=3)
        headers = [re.findall(r"(?mi)^((?:to|cc|bcc|apparently-to):.*(?:\n[ \t].*)*)", delivery.header) for delivery in self.mta.deliveries(subject)]
        for fields in headers:
            if self.EXPOSES:
                self.assertEqual(sorted(re.findall(r"c\d@cust\d\.example", " ".join(fields))), people)
            else:
                self.assertEqual(fields, self.WRITTEN)

    def test_the_page_says_so(self):
        bad, good = re.search(r"With confNO_RCPT_ACTION as (.*?) Sendmail writes the envelope.*? Set it to (.*?) ?\. ", words() + " ").groups()
        self.assertIn(self.ACTION, re.findall(r"[a-z-]{4,}", bad if self.EXPOSES else good))


class AddTo(NoRecipientField):
    ACTION, EXPOSES = "add-to", True


class AddApparentlyTo(NoRecipientField):
    ACTION, EXPOSES = "add-apparently-to", True


class AddToUndisclosed(NoRecipientField):
    ACTION, WRITTEN = "add-to-undisclosed", ["To: undisclosed-recipients:;"]


class AddBcc(NoRecipientField):
    """an empty one, which goes at delivery"""

    ACTION, WRITTEN = "add-bcc", ["Bcc:"]


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
        self.guard.wait_for_line("^started: ")  # its own line, which may be read late
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
