"""The main cases through a real Postfix, by each way in: plain, chrooted, with a login, sendmail(1)."""

import re

import mtacase
import policies


class Main(mtacase.MtaCase):
    """The cases that the program exists for, by whatever socket the MTA reaches it."""

    MTAS = ()

    def each_way(self, check):
        for way in self.mta.WAYS:
            with self.subTest(way):
                check(way)

    def user(self, way):
        return "care" if way == "auth" else "-"

    def test_450_in_cc_are_rejected(self):
        people = policies.people(450)
        self.each_way(lambda way: self.check_rejected(way, people, policies.REJECT_TEXT % 450, to=["care@me.example"], cc=people, rule="mass-disclosure",
                                                      visible=450, parties=450, domains=450, internal=1, hidden=0, defects="none", user=self.user(way),
                                                      client="127.0.0.1"))
        self.assertEqual([entry for entry in self.mta.queue() if entry["queue_name"] != "hold"], [])

    def test_12_strangers_are_held(self):
        people = policies.people(12)
        self.each_way(lambda way: self.check_held(way, people, to=["care@me.example"], cc=people, rule="wide-cc", visible=12, parties=12, domains=12,
                                                  internal=1, hidden=0, defects="none", user=self.user(way),
                                                  text="wide Cc: 12 addresses\\x2C 12 parties"))

    def test_450_in_the_envelope_are_delivered(self):
        people = policies.people(450)
        self.each_way(lambda way: self.check_delivered(way, people, to=["care@me.example"], rule="default", visible=0, parties=0, internal=1, hidden=450,
                                                       user=self.user(way), text="-"))

    def test_without_a_header(self):
        """what has no header field is answered as any other message, and so is the next one of the session"""
        bodies = [b"\r\nHello.\r\n", b"", b" a blank first\r\n\r\nHello.\r\n", b">From ann@me.example Mon Nov 23\r\n\r\nHello.\r\n", b": no name\r\n\r\nHello.\r\n"]
        for way in self.smtp_ways():
            with self.mta.connect(way) as session:
                for body in bodies:
                    with self.subTest(way, body=body):
                        reply = self.mta.transaction(session, "care@me.example", ["one@cust1.example", "two@cust2.example"], body)
                        self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
                        self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", rule="default", visible=0, hidden=2)
                subject, text = self.message(to=["one@cust1.example"])
                reply = self.mta.transaction(session, "care@me.example", ["one@cust1.example"], text)
                self.assertEqual(reply.code, 250, reply)
                self.assertDelivered(reply.queue_id, subject, ["one@cust1.example"])

    def test_30_of_one_customer_are_delivered(self):
        people = policies.people(30, domain="customer.example")
        self.each_way(lambda way: self.check_delivered(way, people, to=people, rule="default", visible=30, parties=1, domains=1, hidden=0))


class Tcp(Main):
    """A socket of TCP."""

    MTAS = ("postfix", "sendmail")
    SOCKET = "inet"


class Ways(Main):
    """A socket of the file system."""

    MTAS = ("postfix", "sendmail")

    def test_200_separated_by_semicolons_are_rejected(self):
        people = policies.people(200)

        def check(way):
            if self.MTA == "sendmail" and way == "sendmail":
                # The MSP takes the list for one address and cuts it at 256 characters, so thirteen are left to be seen.
                self.check_held(way, people, to=";\n ".join(people), visible=13, rule="wide-cc")
            else:
                self.check_rejected(way, people, policies.REJECT_TEXT % 200, to=";\n ".join(people), visible=200, parties=200)

        self.each_way(check)

    def test_three_to_headers_of_20_are_rejected(self):
        people = policies.people(60)
        fields = [("To", ",\n ".join(people[start:start + 20])) for start in (0, 20, 40)]
        self.each_way(lambda way: self.check_rejected(way, people, policies.REJECT_TEXT % 60, headers=fields, visible=60, parties=60, hidden=0,
                                                      defects="none"))

    def test_bcc_is_hidden(self):
        """Postfix takes it out before the milter sees it; Sendmail shows it and takes it out at delivery."""
        people = policies.people(60)
        self.each_way(lambda way: self.check_delivered(way, ["x@first.example"] + people, to=["x@first.example"],
                                                       headers=[("Bcc", ",\n ".join(people))], visible=1, hidden=60))

    def test_the_sender_logs_in_from_outside(self):
        """A login counts from wherever it comes; without one the same mail is not ours."""
        people = policies.people(60)
        self.check_rejected("auth", people, policies.REJECT_TEXT % 60, to=people, client="192.0.2.7", user="care", parties=60)

    def test_held_mail_is_delivered_once_released(self):
        """What is released goes out as it was, and is not judged again."""
        people = policies.people(12)
        subject, text = self.message(cc=people)
        queue_id = self.accepted("auth", people, subject, text)
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="quarantine")
        self.mta.release(queue_id)
        self.assertDelivered(queue_id, subject, people)
        self.assertEqual(len(self.guard.verdicts(queue_id)), 1)

    def test_no_warning_of_the_milter(self):
        """The MTA finds nothing to complain of in what the daemon answers."""
        mark = len(self.mta.lines())
        for way in self.mta.WAYS:
            self.check_held(way, policies.people(12), cc=policies.people(12))
        troubles = [line for line in self.mta.lines()[mark:] if re.search(r"warning: milter|Milter service|Milter.*(error|unsafe|unknown|failed)", line)]
        self.assertEqual(troubles, [])


if __name__ == "__main__":
    mtacase.main(240)
