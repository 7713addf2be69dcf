"""Large and many headers: judged, and the connection stays."""

import guardcase
import policies
import tap

# 2,300 recipients with long names: over 100 kB of one header.
LONG = policies.people(2300, "a-rather-long-name-of-a-recipient-", "some-customer-{n}.example")


class Size(guardcase.GuardCase):
    def small(self, mta):
        answer, line = self.judge(mta, to=["one@cust1.example"])
        self.assertPassed(answer)
        self.assertLine(line, visible=1, internal=0, hidden=0, defects="none")

    def test_a_header_of_100_kb(self):
        mta = self.mta()
        value = policies.folded(LONG)
        self.assertGreater(len(value), 100000)
        answer, line = self.judge(mta, to=value)
        self.assertRejected(answer)
        self.assertLine(line, verdict="reject", rule="mass-disclosure", visible=2300, parties=2300)
        self.assertIn("cut", line.defects)  # on Postfix a value of this length is the rest of a longer one
        self.small(mta)

    def test_a_header_of_1_mb(self):
        mta = self.mta()
        people = policies.people(25000, "a-rather-long-name-of-a-recipient-", "some-customer-{n}.example")
        value = policies.folded(people)
        self.assertGreater(len(value), 1000000)
        answer, line = self.judge(mta, to=value, envelope=["one@cust1.example"])
        self.assertRejected(answer)
        self.assertLine(line, verdict="reject", rule="mass-disclosure")
        self.assertGreaterEqual(line.visible, 20000)
        self.small(mta)

    def test_a_header_of_1_mb_without_an_address(self):
        """Nothing can be read from it, and it is long: not known to be harmless."""
        mta = self.mta()
        answer, line = self.judge(mta, to="x" * 1048576, envelope=["one@cust1.example"])
        self.assertHeld(answer, "recipient headers could not be read whole")
        self.assertLine(line, verdict="quarantine", rule="unreadable", visible=0)
        self.small(mta)

    def test_another_header_of_1_mb_is_no_matter(self):
        mta = self.mta()
        answer, line = self.judge(mta, to=["one@cust1.example"], headers=[("X-Long", "a@b.example, " * 80000)])
        self.assertPassed(answer)
        self.assertLine(line, visible=1, defects="none")

    def test_lengths_around_the_packet_size_of_the_library(self):
        for length in (65530, 65534, 65535, 65536, 65537, 131072):
            with self.subTest(length):
                mta = self.mta()
                answer, _ = self.judge(mta, to=["one@cust1.example"], headers=[("X-Long", "x" * (length - len("X-Long") - 2))])
                self.assertPassed(answer)
                self.small(mta)

    def test_three_to_headers_of_20(self):
        people = policies.people(60)
        answer, line = self.judge(headers=[("To", policies.folded(people[start:start + 20])) for start in (0, 20, 40)], envelope=people)
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        self.assertLine(line, verdict="reject", visible=60, parties=60, hidden=0)

    def test_every_recipient_header_adds_up(self):
        people = policies.people(60)
        names = ["To", "CC", "resent-to", "Resent-Cc", "Apparently-To", "to"]
        answer, line = self.judge(headers=[(name, policies.folded(people[index * 10:index * 10 + 10])) for index, name in enumerate(names)],
                                  envelope=people)
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        self.assertLine(line, visible=60, hidden=0)

    def test_the_same_people_three_times(self):
        people = policies.people(9)
        answer, line = self.judge(headers=[("To", policies.folded(people)), ("Cc", policies.folded(people).upper()), ("Resent-To", policies.folded(people))],
                                  envelope=people)
        self.assertPassed(answer)
        self.assertLine(line, visible=9, parties=9)

    def test_60000_to_headers(self):
        """The number of headers is not limited by the MTA.  What is beyond the library's bound makes the counts a lower bound."""
        people = policies.people(60000, "p", "customer.example")
        answer, line = self.judge(headers=[("To", address) for address in people], envelope=["one@cust1.example"])
        self.assertHeld(answer)
        self.assertLine(line, verdict="quarantine", rule="wide-cc", parties=1, domains=1)
        self.assertTrue(line.visible == 60000 or line.visible >= 10000 and "limit" in line.defects, line.raw)

    def test_5000_envelope_recipients(self):
        people = policies.people(5000)
        answer, line = self.judge(to=["care@me.example"], envelope=people)
        self.assertPassed(answer)
        self.assertLine(line, visible=0, hidden=5000)

    def test_a_value_that_begins_with_a_newline(self):
        answer, line = self.judge(to="\n\t" + policies.folded(policies.people(60)))
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        self.assertLine(line, defects="none")

    def test_200_separated_by_semicolons(self):
        people = policies.people(200)
        answer, line = self.judge(to="; ".join(people), envelope=people)
        self.assertRejected(answer, policies.REJECT_TEXT % 200)
        self.assertLine(line, visible=200, hidden=0)

    def test_an_empty_header(self):
        answer, line = self.judge(headers=[("To", ""), ("Cc", ""), ("X", "")], envelope=["one@cust1.example"])
        self.assertLine(line, visible=0, hidden=1)


if __name__ == "__main__":
    tap.main()
