"""What the daemon answers beside accept, hold and reject, and what Sendmail does to messages without recipient fields."""

import mtacase
import policies

CROWD = policies.people(60)

# A match that doubles with each letter.
HARD = 'header("X-Word") =~ /(a+)+/'


class Answers(mtacase.MtaCase):
    POLICY = policies.policy(rules=policies.rule("later", "parties(external) >= 20", 'tempfail "come back with fewer than {parties}"')
                             + policies.rule("hard", HARD, 'reject "never"'))

    def test_tempfail(self):
        """Over SMTP the client hears it; what sendmail(1) took waits and is asked again."""
        for way in self.smtp_ways():
            with self.subTest(way):
                subject, text = self.message(cc=CROWD)
                reply = self.mta.send(way, "care@me.example", CROWD, text)
                self.assertEqual((reply.stage, reply.code, reply.text), ("data", 451, "4.7.1 come back with fewer than 60"))
                self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="tempfail", rule="later", parties=60)
                self.assertNothingOf(subject)

    def test_tempfail_of_sendmail(self):
        subject, text = self.message(cc=CROWD)
        self.mta.submit("care@me.example", CROWD, text, wait=False)
        self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="tempfail", rule="later")
        self.assertEqual(len(self.mta.maildrop()), 1)
        self.assertNothingOf(subject)

    def test_a_regex_beyond_its_limit(self):
        """A retry would meet the same limit, so the message is held."""
        for way in self.mta.WAYS:
            with self.subTest(way):
                self.check_held(way, ["one@cust1.example"], to=["one@cust1.example"], headers=[("X-Word", "a" * 60 + "!")], rule="fault:hard")


class NoRecipientField(mtacase.MtaCase):
    """A message with an envelope alone.  As the MTAs are by default, nobody can be read in what is delivered."""

    def test_nobody_is_visible(self):
        for way in self.smtp_ways():
            with self.subTest(way):
                self.check_delivered(way, CROWD, visible=0, hidden=60)


class RecipientsAddedToTo(mtacase.MtaCase):
    """Sendmail with NoRecipientAction=add-to writes the envelope into To behind every filter's back: why doctor calls that an error."""

    MTAS = ("sendmail",)
    EXTRA = {"sendmail": "define(`confNO_RCPT_ACTION', `add-to')dnl"}

    def test_no_filter_sees_it(self):
        subject, text = self.message()
        queue_id = self.accepted("plain", CROWD, subject, text)
        self.assertDelivered(queue_id, subject, CROWD)
        self.assertLine(self.guard.verdict(queue_id), verdict="accept", visible=0, hidden=60)
        # One field for each, or from 8.18.2 on one field with all.
        self.assertRegex(self.mta.deliveries(subject)[0].header, r"(?m)^To: (<c\d+@cust\d+\.example>,\s+)*<c60@cust60\.example>")


if __name__ == "__main__":
    mtacase.main(240)
