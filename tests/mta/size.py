"""Headers longer than the MTA keeps: what is left is judged and the line says that it was cut, or nothing passes."""

import re

import mtacase
import policies

# 2,300 recipients: over 100 kB in one header, of which Postfix keeps some 60 kB.
LONG = policies.people(2300, "a-rather-long-name-of-a-recipient-", "some-customer-{n}.example")


class Size(mtacase.MtaCase):
    """Postfix keeps some 60,000 bytes of each header."""

    MTAS = ("postfix",)

    def test_a_header_of_100_kb(self):
        self.assertGreater(sum(map(len, LONG)), 100000)
        for way in self.mta.WAYS:
            with self.subTest(way):
                subject, text = self.message(to=LONG)
                recipients = LONG[:20]
                if way == "sendmail":
                    queue_id = self.mta.submit("care@me.example", recipients, text)
                    self.mta.wait_for_line(r": %s: sender non-delivery notification: " % queue_id)
                else:
                    reply = self.mta.send(way, "care@me.example", recipients, text)
                    self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
                    self.assertRegex(reply.text, r"^5\.7\.1 \d+ people outside could read each other's addresses\.")
                    queue_id = self.rejected_id(subject)
                line = self.guard.verdict(queue_id)
                self.assertLine(line, verdict="reject", rule="mass-disclosure")
                self.assertIn("cut", line.defects.split(","))
                self.assertGreater(line.visible, 500)
                self.assertNothingOf(subject, queue_id)

    def test_an_outsider_behind_the_cut(self):
        """Colleagues fill the header as far as it can be read: what could not be read is held."""
        subject, text = self.message(to=policies.colleagues(4000) + ["one@cust1.example"])
        self.assertGreater(len(text), 70000)
        reply = self.mta.send("plain", "care@me.example", ["one@cust1.example"], text)
        self.assertEqual(reply.code, 250, reply)
        self.assertLine(self.guard.verdict(reply.queue_id), verdict="quarantine", rule="unreadable", hidden=1)
        self.assertLessEqual(self.guard.verdict(reply.queue_id).visible, 1)  # the last one is cut in its middle
        self.assertIn(reply.queue_id, self.mta.held())
        self.assertEqual(self.mta.recipients(subject), [])

    def test_many_headers(self):
        """The number of headers is not limited."""
        people = policies.people(3000)
        self.check_rejected("plain", people[:10], policies.REJECT_TEXT % 3000, headers=[("To", address) for address in people], visible=3000,
                            parties=3000, defects="none")


class Limit(mtacase.MtaCase):
    """header_size_limit above 60,000 changes nothing while there is a milter; what is cut is delivered so."""

    MTAS = ("postfix",)
    EXTRA = {"postfix": "header_size_limit = 500000\n"}
    POLICY = policies.policy(rules="")
    BYTES, DEFECTS = 60000, "cut"

    def test_cut(self):
        subject, text = self.message(to=LONG)
        reply = self.mta.send("plain", "care@me.example", ["one@cust1.example"], text)
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, ["one@cust1.example"])
        field = re.search(r"(?ms)^To: (.*?)(?=^\S)", self.mta.deliveries(subject)[0].header + "\n.").group(1)
        self.assertTrue(self.BYTES - 100 < len(field) < self.BYTES, len(field))
        self.assertLine(self.guard.verdict(reply.queue_id), visible=field.count("@"), defects=self.DEFECTS)


class LoweredLimit(Limit):
    """Below that it is not known as cut: `rcptguardq doctor` says so."""

    EXTRA = {"postfix": "header_size_limit = 30000\n"}
    BYTES, DEFECTS = 30000, "none"


class DefaultLimit(mtacase.MtaCase):
    """Sendmail takes 32,768 bytes of headers in all (MaxHeadersLength)."""

    MTAS = ("sendmail",)

    def test_more_is_refused_by_sendmail(self):
        for way in self.smtp_ways():
            with self.subTest(way):
                subject, text = self.message(to=LONG)
                reply = self.mta.send(way, "care@me.example", LONG[:20], text)
                self.assertEqual((reply.stage, reply.code, reply.text), ("data", 552, "5.6.0 Headers too large (32768 max)"))
                self.assertNothingOf(subject)

    def test_what_it_takes_is_judged_whole(self):
        people = policies.people(1000)
        self.check_rejected("plain", people[:10], policies.REJECT_TEXT % 1000, to=people, visible=1000, parties=1000, defects="none")


class RaisedLimit(mtacase.MtaCase):
    """With MaxHeadersLength raised, a single header is handed to a filter up to 65,535 bytes; F=T keeps more from passing."""

    MTAS = ("sendmail",)
    EXTRA = {"sendmail": "define(`confMAX_HEADERS_LENGTH', `1000000')dnl"}

    def test_a_header_of_60_kb_is_judged(self):
        people = LONG[:900]
        self.assertGreater(sum(map(len, people)), 50000)
        self.check_rejected("plain", people[:10], policies.REJECT_TEXT % 900, to=people, visible=900)

    def test_a_header_of_100_kb_does_not_pass(self):
        subject, text = self.message(to=LONG)
        reply = self.mta.send("plain", "care@me.example", LONG[:20], text)
        self.assertEqual((reply.stage, reply.code), ("data", 451), reply)
        self.assertNothingOf(subject)

    def test_many_headers(self):
        people = policies.people(3000)
        self.check_rejected("plain", people[:10], policies.REJECT_TEXT % 3000, headers=[("To", address) for address in people], visible=3000,
                            parties=3000, defects="none")


if __name__ == "__main__":
    mtacase.main(240)
