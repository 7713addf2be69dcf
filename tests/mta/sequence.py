"""Several messages on one SMTP connection, with RSET between them and inside them."""

import mtacase
import policies

MANY = policies.people(450)


class Sequence(mtacase.MtaCase):
    def crowded(self, session):
        subject, text = self.message(to=["care@me.example"], cc=MANY)
        reply = self.mta.transaction(session, "care@me.example", MANY, text)
        self.assertEqual((reply.stage, reply.code, reply.text), ("data", 550, "5.7.1 " + policies.REJECT_TEXT % 450))
        self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="reject", visible=450, internal=1, hidden=0)

    def clean(self, session):
        subject, text = self.message(to=["one@cust1.example"], cc=["two@me.example"])
        reply = self.mta.transaction(session, "care@me.example", ["one@cust1.example", "two@me.example"], text)
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, ["one@cust1.example", "two@me.example"])
        self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", rule="default", visible=1, parties=1, internal=1, hidden=0)

    def each_way(self, *steps):
        for way in self.smtp_ways():
            with self.subTest(way), self.mta.connect(way) as session:
                for step in steps:
                    step(session)

    @staticmethod
    def rset(session):
        assert session.rset()[0] == 250

    def test_the_crowd_first(self):
        self.each_way(self.crowded, self.rset, self.clean)

    def test_the_crowd_last(self):
        self.each_way(self.clean, self.rset, self.crowded)

    def test_without_rset(self):
        self.each_way(self.crowded, self.clean, self.crowded, self.clean)

    def abandoned(self, session):
        """An envelope of 450 that is given up."""
        self.assertEqual(session.mail("hr@me.example")[0], 250)
        for address in MANY:
            self.assertEqual(session.rcpt(address)[0], 250)

    def test_rset_inside_a_message(self):
        self.each_way(self.abandoned, self.rset, self.clean, self.abandoned, self.rset, self.crowded, self.clean)

    def test_rset_behind_mail_from(self):
        self.each_way(lambda session: session.mail("hr@me.example"), self.rset, self.clean, self.rset, self.rset, self.crowded)

    def test_a_client_that_hangs_up_inside(self):
        session = self.mta.connect("plain")
        self.abandoned(session)
        session.close()
        with self.mta.connect("plain") as other:
            self.clean(other)

    def test_ehlo_again(self):
        self.each_way(self.crowded, lambda session: session.ehlo(), self.clean)


if __name__ == "__main__":
    mtacase.main(240)
