"""Addresses as the MTA hands them over: what is judged is who gets the mail, and who can be read in what is delivered."""

import re
import subprocess

import daemon
import mta
import mtacase
import policies
import sendmail
import wiretap

INSIDER = policies.rule("insider", 'sender in "clinic@me.example"', 'quarantine "the clinic"')


def command(session, line):
    """One that smtplib would write otherwise; bytes or ASCII."""
    session.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
    return session.getreply()


class AddressCase(mtacase.MtaCase):
    def transaction(self, mail, recipients, header, way="plain"):
        """A message with these arguments as they stand.  Gives its queue id and its subject."""
        subject = self.mta.new_subject()
        text = header if isinstance(header, bytes) else header.encode()
        with self.mta.connect(way) as session:
            code, said = command(session, "MAIL FROM:" + mail)
            self.assertEqual(code, 250, (mail, said))
            for recipient in recipients:
                argument = recipient if isinstance(recipient, bytes) else recipient.encode()
                code, said = command(session, b"RCPT TO:" + argument)
                self.assertEqual(code, 250, (recipient, said))
            self.assertEqual(command(session, "DATA")[0], 354)
            session.send(b"Subject: %s\r\n%s\r\nHello.\r\n.\r\n" % (subject.encode(), text.replace(b"\n", b"\r\n")))
            code, said = session.getreply()
            self.assertEqual(code, 250, said)
        return mta.Reply("data", code, said).queue_id, subject

    def judged(self, mail, recipients, header, way="plain", **fields):
        """... the verdict line has these fields; who got it, sorted."""
        queue_id, subject = self.transaction(mail, recipients, header, way)
        self.assertLine(self.guard.verdict(queue_id), verdict="accept", **fields)
        self.mta.wait_gone(queue_id)
        self.subject = subject
        return self.mta.recipients(subject)


class Envelope(AddressCase):
    """One person, however the envelope writes it."""

    POLICY = policies.policy(rules=INSIDER + policies.RULES)

    FROM = "From: <care@me.example>\n"

    def test_parameters_brackets_and_case(self):
        found = self.judged("<Care@ME.Example> SIZE=100", ["<Ann@Mail1.Example>", "ben@mail2.example", " <carl@mail3.example>"],
                            self.FROM + "To: ann@mail1.EXAMPLE, Ben@mail2.example,\n\tcarl@mail3.example\n", visible=3, internal=0, hidden=0)
        self.assertEqual([one.lower() for one in found], ["ann@mail1.example", "ben@mail2.example", "carl@mail3.example"])

    def test_without_a_domain(self):
        """one of us.  Postfix gives the one in the header a domain before it is judged; Sendmail does at delivery, so it counts as hidden"""
        queue_id, subject = self.transaction("<care@me.example>", ["<bob>", "<ann@mail1.example>"], self.FROM + "To: bob, ann@mail1.example\n")
        self.assertLine(self.guard.verdict(queue_id), visible=1, internal=1 if self.MTA == "postfix" else 0, hidden=1)
        daemon.wait_until(lambda: "ann@mail1.example" in self.mta.recipients(subject), mta.LIMIT, "the delivery")
        self.assertIn("bob@" + self.mta.ORIGIN, self.mta.deliveries(subject)[0].header)

    def test_quoted(self):
        self.judged("<care@me.example>", ['<"ann"@mail1.example>', '<"ann lee"@mail1.example>', '<"a@b"@mail1.example>', '<"a\\"b"@mail1.example>'],
                    self.FROM + 'To: ann@mail1.example, "ann lee"@mail1.example,\n "a@b"@mail1.example, "a\\"b"@mail1.example\n', visible=4, hidden=0)

    def test_ways(self):
        """source routes, comments, blanks; `%` and `!` without an `@`: who gets it is who was counted"""
        found = self.judged("<@relay.example:care@me.example>",
                            ["<@a.example,@b.example:ann@mail1.example>", "<ben(x)@mail2.example>", "<carl@(x)mail3.example>", "< dan@mail4.example >",
                             "<eve%mail5.example>", "<mail6.example!fay>", "<mail7.example!mail8.example!gus>", "<hal%mail9.example%mail10.example>"],
                            self.FROM + "To: ann@mail1.example, ben@mail2.example, carl@mail3.example, dan@mail4.example,\n eve@mail5.example, fay@mail6.example,"
                            " mail8.example!gus@mail7.example, hal%mail9.example@mail10.example\n", visible=8, hidden=0, internal=0)
        self.assertEqual(found, sorted(["ann@mail1.example", "ben@mail2.example", "carl@mail3.example", "dan@mail4.example", "eve@mail5.example",
                                        "fay@mail6.example", "mail8.example!gus@mail7.example", "hal%mail9.example@mail10.example"]))

    def test_literals_and_dots(self):
        queue_id, _ = self.transaction("<care@me.example.>", ["<ann@[127.0.0.1]>", "<.a@mail1.example>", "<a..b@mail1.example>", "<ben@mail2.example.>"],
                                       self.FROM + "To: ann@[127.0.0.1], .a@mail1.example, a..b@mail1.example, ben@mail2.example\n")
        self.assertLine(self.guard.verdict(queue_id), verdict="accept", visible=4, hidden=0)

    def test_sender(self):
        """no way of writing the sender gets by a rule for it, or by being outbound"""
        for mail in ("<clinic@me.example>", "clinic@me.example", "<Clinic@ME.example>", '<"clinic"@me.example>', "<@relay.example:clinic@me.example>",
                     "<clinic(x)@me.example>", "<clinic@(x)me.example>", "<clinic@me.example(x)>", "< clinic@me.example >", "<clinic%me.example>",
                     "<me.example!clinic>"):
            with self.subTest(mail):
                queue_id, subject = self.transaction(mail, ["<ann@mail1.example>"], self.FROM + "To: ann@mail1.example\n")
                self.assertLine(self.guard.verdict(queue_id), verdict="quarantine", rule="insider")
                self.assertEqual(self.mta.recipients(subject), [])

    def test_null_sender(self):
        queue_id, _ = self.transaction("<>", ["<ann@mail1.example>"], self.FROM + "To: ann@mail1.example\n", way="auth")
        self.assertLine(self.guard.verdict(queue_id), verdict="accept", sender="-", visible=1, hidden=0)

    def test_other_letters(self):
        """the same domain, in letters and by IDNA"""
        self.judged("<care@me.example>", ["<ann@xn--bcher-kva.example>"], self.FROM + "To: ann@b\u00fccher.example\n", visible=1, hidden=0)


class Handed(AddressCase):
    """What Sendmail says to a filter, word by word."""

    MTAS = ("sendmail",)

    @classmethod
    def setUpClass(cls):
        cls.mta = mtacase.MTAS[cls.MTA](milter="unix", extra=cls.EXTRA.get(cls.MTA, ""))
        try:
            at, cls.mta.socket = cls.mta.socket, cls.mta.socket.replace("rcptguard.sock", "behind.sock")
            cls.guard = cls.mta.guard(cls.POLICY)
            cls.tap = wiretap.Wiretap(at, cls.mta.socket)
        except BaseException:
            cls.mta.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.tap.close()
        super().tearDownClass()


class Raw(Handed):
    """Over SMTP: all of it as the client wrote it."""

    def test_arguments(self):
        """with what brackets and in what case they came; parameters stand behind"""
        self.transaction("<Care@ME.Example> SIZE=100 BODY=8BITMIME", ["<Ann@Mail1.Example> NOTIFY=SUCCESS", "ben@mail2.example", "<@a.example:c(x)@mail3.example>"],
                         "From: <care@me.example>\n")
        heard = self.tap.last()
        self.assertEqual(heard.mail, [b"<Care@ME.Example>", b"SIZE=100", b"BODY=8BITMIME"])
        self.assertEqual(heard.recipients, [[b"<Ann@Mail1.Example>", b"NOTIFY=SUCCESS"], [b"ben@mail2.example"], [b"<@a.example:c(x)@mail3.example>"]])

    def test_fields(self):
        """unfolded by nobody, a line ends with LF alone, one leading blank is gone; eight bits stay; no field is added or left out"""
        queue_id, _ = self.transaction("<care@me.example>", ["<ann@mail1.example>"],
                                       b"From: <care@me.example>\nTo:  two blanks <ann@mail1.example>,\n\tben@mail2.example (B),\n  bob\n"
                                       b"CC : carl@mail3.example\ncc:\n\tdan@mail4.example\nX-A: J\xf6rg \xc3\xb6\x81\x85 end \nBcc: eve@mail5.example\n")
        heard = self.tap.last()
        self.assertEqual(heard.values("To"), [b" two blanks <ann@mail1.example>,\n\tben@mail2.example (B),\n  bob"])
        self.assertEqual(heard.values("Cc"), [b"carl@mail3.example", b"\n\tdan@mail4.example"])
        self.assertEqual(heard.values("X-A"), [b"J\xf6rg \xc3\xb6\x81\x85 end "])
        self.assertEqual(heard.values("Bcc"), [b"eve@mail5.example"])
        self.assertEqual([name.lower() for name, _ in heard.headers], [b"subject", b"from", b"to", b"cc", b"cc", b"x-a", b"bcc"])
        self.assertLine(self.guard.verdict(queue_id), visible=4, internal=0, hidden=0)

    def test_ways_in_the_header(self):
        """Sendmail writes them as addresses at delivery: as such they count"""
        people = policies.people(60)
        ways = ["%s!%s" % tuple(reversed(address.split("@"))) if number % 2 else address.replace("@", "%") for number, address in enumerate(people)]
        self.check_rejected("plain", people[:1], policies.REJECT_TEXT % 60, cc=ways, visible=60, rule="mass-disclosure")
        subject, text = self.message(cc=ways[:4], headers=[("To", '"50%off.example" <ann@mail1.example>, "a%b.example", c@mail2.example (c%d.example)')])
        queue_id = self.accepted("plain", people[:4], subject, text)
        self.assertEqual(self.tap.last().values("Cc"), [",\n\t".join(ways[:4]).encode()])
        self.assertLine(self.guard.verdict(queue_id), visible=6, hidden=0)
        self.mta.wait_gone(queue_id)
        written = re.sub(r"\s+", " ", re.search(r"(?ms)^Cc: (.*?)^\S", self.mta.deliveries(subject)[0].header + "\n.").group(1)).strip()
        self.assertEqual(written, ", ".join(people[:4]))

    def test_through_a_name_of_its_own(self):
        """`ann%x.example@here` goes to ann@x.example, and nobody writes it otherwise in a header: it counts as it stands"""
        here = "ann%mail1.example@" + self.mta.ORIGIN
        found = self.judged("<care@me.example>", ["<%s>" % here], "From: <care@me.example>\nTo: %s\n" % here, visible=0, internal=1, hidden=0)
        self.assertEqual(found, ["ann@mail1.example"])
        self.assertIn("To: " + here, self.mta.deliveries(self.subject)[0].header)

    def test_other_letters(self):
        """it knows no SMTPUTF8, and hands on eight bits without"""
        with self.mta.connect("plain") as session:
            self.assertFalse(session.has_extn("smtputf8"))
            self.assertEqual(command(session, "MAIL FROM:<care@me.example> SMTPUTF8")[0], 555)
        queue_id, _ = self.transaction("<care@me.example>", ["<ann@b\u00fccher.example>"], "From: <care@me.example>\nTo: ann@xn--bcher-kva.example\n")
        self.assertEqual(self.tap.last().recipients, [["<ann@b\u00fccher.example>".encode()]])
        self.assertLine(self.guard.verdict(queue_id), visible=1, hidden=0)

    def submit(self, arguments, text):
        """By sendmail(1); what the MTA said to the filter of it."""
        mark = len(self.guard.lines)
        subprocess.run([sendmail.program(), "-C", self.mta._path("submit.cf"), "-Ac", "-bm", "-i", *arguments], input=text.encode(), check=True)
        daemon.wait_until(lambda: any(" verdict=" in line for line in self.guard.lines[mark:]), mta.LIMIT, "its verdict")
        return self.tap.last()

    def test_sendmail(self):
        """the MSP makes whole addresses of all, in envelope and header, and takes Bcc out"""
        heard = self.submit(["-f", "care(x)@me.example", "ann(x)@mail1.example", "@a.example:ben@mail2.example", "mail3.example!carl", "dan%mail4.example", "bob"],
                            "From: care@me.example\nSubject: s\nTo: ann(x)@mail1.example, mail3.example!carl,\n dan%mail4.example, Bob <bob>\nBcc: eve@mail5.example\n\nHello.\n")
        self.assertEqual(heard.mail[0], b"<care@me.example>")
        self.assertEqual(sorted(recipient[0] for recipient in heard.recipients),
                         [b"<ann@mail1.example>", b"<ben@mail2.example>", b"<bob@mail.me.example>", b"<carl@mail3.example>", b"<dan@mail4.example>"])
        self.assertEqual(b" ".join(heard.values("To")[0].split()), b"ann@mail1.example (x), carl@mail3.example, dan@mail4.example, Bob <bob@mail.me.example>")
        self.assertEqual(heard.values("Bcc"), [])
        self.assertLine(daemon.parse(self.guard.wait_for_line(r" sender=care@me\.example .*msgid=\S*@mail\.me\.example ")), visible=3, internal=1, hidden=1)

    def test_sendmail_without_a_sender(self):
        """who calls it, at the host's name"""
        heard = self.submit(["ann@mail1.example"], "Subject: s\nTo: ann@mail1.example\n\nHello.\n")
        self.assertEqual((heard.mail[0], heard.values("From")), (b"<root@mail.me.example>", [b"root <root@mail.me.example>"]))


class Masquerade(Handed):
    """Names that Sendmail hides are hidden at delivery, behind the filter: the policy has to know those of the hosts."""

    EXTRA = {"sendmail": "MASQUERADE_AS(`corp.example')dnl\nFEATURE(`masquerade_envelope')dnl\nFEATURE(`allmasquerade')dnl\n"}

    def test_at_delivery(self):
        queue_id, subject = self.transaction("<care@mail.me.example>", ["<ann@mail1.example>"], "From: care@mail.me.example\nTo: ann@mail1.example, bob@mail.me.example\n")
        self.assertEqual((self.tap.last().mail, self.tap.last().values("From")), ([b"<care@mail.me.example>"], [b"care@mail.me.example"]))
        self.assertLine(self.guard.verdict(queue_id), sender="care@mail.me.example", visible=1, internal=1)
        self.mta.wait_gone(queue_id)
        delivery, = self.mta.deliveries(subject)
        self.assertEqual(delivery.sender, "care@corp.example")
        self.assertIn("\nFrom: care@corp.example\nTo: ann@mail1.example, bob@corp.example", delivery.header)


if __name__ == "__main__":
    mtacase.main(240)
