"""A refusal that its sender overrides, by real SASL logins and by sendmail(1): refused, sent again with the address in Bcc, delivered."""

import contextlib
import re
import smtplib
import sqlite3
import time

import daemon
import mta
import mtacase
import policies

PEOPLE = mta.customers(6)
ADDRESS = re.compile(r"guard\+o-[a-z2-7]{13}@me\.example")
POLICY = policies.policy(rules=policies.rule("boss", 'user = "boss"', "accept")
                         + policies.rule("mass", "parties(external) >= 5 and not header(\"X-Short\")", 'reject "{parties} outside; to send it all the same, add {override} in Bcc" override 10m')
                         + policies.rule("short", "header(\"X-Short\") and parties(external) >= 5", 'reject "{override}" override 10s'))


class Override(mtacase.MtaCase):
    POLICY = POLICY
    CONFIG = {("review", "answers"): "guard@me.example"}

    def login(self, name="ann"):
        if name not in self.logins:
            self.mta.add_login(name)
            self.logins.append(name)
        return name

    @classmethod
    def setUpClass(cls):
        cls.logins = []
        super().setUpClass()

    def text(self, people=None, **options):
        subject = self.mta.new_subject()
        return subject, mta.message(subject, mtacase.SENDER, to=PEOPLE if people is None else people, **options)

    def transaction(self, login, text, envelope, away=False):
        """`away`: the state is."""
        def send():
            with self.mta.connect("auth", login=self.login(login)) as session:
                return self.mta.transaction(session, mtacase.SENDER, envelope, text)
        reply = send() if away else self.in_time(send)
        self.assertEqual(reply.stage, "data", reply)
        return reply

    def refused(self, login="ann", **options):
        """The address that overrides the refusal of a message."""
        reply = self.transaction(login, self.text(**options)[1], PEOPLE)
        self.assertEqual(reply.code, 550, reply)
        return ADDRESS.search(reply.text).group()

    def overridden(self, address, login="ann", people=None, message=None):
        """It is delivered to these people, and to nobody else."""
        people = PEOPLE if people is None else people
        subject, text = message or self.text(people)
        reply = self.transaction(login, text, people + [address])
        self.assertEqual(reply.code, 250, reply)
        line = self.guard.verdict(reply.queue_id)
        self.assertLine(line, verdict="accept", rule="default", override="yes", user=login, parties=len(people), hidden=0)
        self.assertDelivered(reply.queue_id, subject, people)
        return subject, text

    def assertRefusedAgain(self, text_wanted, address, login="ann", people=None, envelope=None, **options):
        subject, text = self.text(people, **options)
        reply = self.transaction(login, text, (PEOPLE if people is None else people) + [address] if envelope is None else envelope)
        self.assertEqual(reply.code, 550, reply)
        self.assertIn(text_wanted, reply.text)
        self.assertEqual(self.mta.recipients(subject), [])

    def tearDown(self):
        self.assertEqual([line for line in self.guard.lines if re.search(r"o-[a-z2-7]{13}", line)], [], "a code in the log")

    def test_what_is_delivered(self):
        """header and body are, byte for byte, as those of a message that was not refused"""
        address = self.refused()
        subject, text = self.overridden(address)
        reply = self.transaction("boss", text, PEOPLE)
        self.assertEqual(reply.code, 250, reply)
        self.mta.wait_gone(reply.queue_id)
        delivered = {one.as_sent() for one in self.mta.deliveries(subject)}
        self.assertEqual(len(delivered), 1, delivered)
        found, = delivered
        self.assertNotIn("guard+", found)
        self.assertEqual(found.split(), text.split())  # Sendmail folds anew
        self.assertEqual(self.mta.recipients(subject), sorted(PEOPLE * 2))

    def test_twice(self):
        address = self.refused()
        self.overridden(address)
        self.assertRefusedAgain("was used already", address)

    def test_the_same_message_again(self):
        """a client whose message was deferred after our answer"""
        address = self.refused()
        subject, text = self.overridden(address)
        reply = self.transaction("ann", text, PEOPLE + [address])
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, PEOPLE * 2)

    def raw(self, text, envelope):
        return self.in_time(lambda: self.raw_once(text, envelope))

    def raw_once(self, text, envelope):
        """A transaction with the addresses as they are; Python's would read and write them anew."""
        with self.mta.connect("auth", login=self.login("speller")) as session:
            session.mail(mtacase.SENDER)
            for one in envelope:
                code, said = session.docmd("RCPT", "TO:<%s>" % one)
                if code != 250:
                    return mta.Reply("rcpt", code, said)
            try:
                return mta.Reply("data", *session.data(text.encode().replace(b"\n", b"\r\n")))
            except smtplib.SMTPDataError as failure:
                return mta.Reply("data", failure.smtp_code, failure.smtp_error)

    SPELLINGS = ["{upper}", '"{local}"@{domain}', "{address}.", "{local}", "{address} {address}"]
    ODD = ['"{first}"{rest}@{domain}', '"{first}\\{rest}"@{domain}', "{local}(x)@{domain}", "@relay.example:{address}", "@relay.example,@other.example:{address}", "@relay.example:{local}",
           "{domain}!{local}", "{local}%{domain}", "{local}%{domain}@{domain}", "'{address}'", "{local}@[127.0.0.1]", "{address} @relay.example:{address}"]

    def test_spellings(self):
        """however the address is written, nobody gets a message at that address: it is removed, or the message is refused"""
        for form in self.SPELLINGS + self.ODD:
            with self.subTest(form):
                address = self.refused("speller")  # of an author of its own: one has 20 addresses at a time
                local, _, domain = address.partition("@")
                envelope = form.format(address=address, local=local, domain=domain, upper=address.upper(), first=local[:5], rest=local[5:]).split()
                subject, text = self.text()
                reply = self.raw(text, PEOPLE + envelope)
                print("# %s: %s: %s %d" % (self.MTA, form, reply.stage, reply.code))
                if reply.code == 250:
                    self.assertDelivered(reply.queue_id, subject, PEOPLE)
                    self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", override="yes", hidden=0)
                else:
                    self.assertIn(form, self.ODD)
                    self.assertEqual(self.mta.recipients(subject), [])

    def test_another_login(self):
        address = self.refused()
        self.assertRefusedAgain("given to another sender", address, login="bob")
        self.overridden(address)

    def test_other_recipients(self):
        address = self.refused()
        for people in PEOPLE + ["x@elsewhere.example"], PEOPLE[:5] + ["x@elsewhere.example"]:
            self.assertRefusedAgain("to fewer people", address, people=people)
        self.overridden(address, people=PEOPLE[:5])

    def test_late(self):
        address = self.refused(headers=[("X-Short", "1")])
        end = time.monotonic() + 11.5
        daemon.wait_until(lambda: time.monotonic() > end, what="the end of 10 s")
        self.assertRefusedAgain("is over", address, headers=[("X-Short", "1")])

    def test_forged(self):
        self.refused()
        self.assertRefusedAgain("is not valid", "guard+o-aaaaaaaaaaaaa@me.example")

    def test_in_cc(self):
        address = self.refused()
        self.assertRefusedAgain("into Bcc", address, cc=[address])
        self.overridden(address)

    def test_alone(self):
        """as a relay sends it on that parts Bcc from the others"""
        address = self.refused()
        self.assertRefusedAgain("in one piece", address, envelope=[address])
        self.overridden(address)

    def test_without_the_state(self):
        address = self.refused()
        path, = [path for path in self.guard.state_files() if path.endswith("state.db")]
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for envelope in PEOPLE, PEOPLE + [address]:
                reply = self.transaction("ann", self.text()[1], envelope, away=True)
                self.assertEqual(reply.code, 451, reply)
            other.execute("ROLLBACK")
        self.assertEqual(self.transaction("ann", self.text()[1], PEOPLE).code, 550)
        self.overridden(address)

    def test_sendmail(self):
        """by sendmail(1) the reply is in the bounce"""
        subject, text = self.text()
        self.mta.wait_bounced(self.mta.submit(mtacase.SENDER, PEOPLE, text))
        bounce, = [one for one in self.mta.deliveries() if one.recipients == [mtacase.SENDER] and subject.replace(" ", ".") in one.message]
        address = ADDRESS.search("".join(bounce.message.split())).group()
        subject, text = self.text()
        queue_id = self.mta.submit(mtacase.SENDER, PEOPLE + [address], text)
        self.assertDelivered(queue_id, subject, PEOPLE)
        self.assertLine(self.guard.verdict(queue_id), verdict="accept", override="yes", hidden=0)


if __name__ == "__main__":
    mtacase.main(240)
