"""What reviewers, and the author of a message, read of the people that it shows beside its recipient headers: counts, and nobody's address."""

import os

import bodymail
import daemon
import mta
import mtacase
import policies
import review

EXAMPLE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")
INVITE = policies.rule("invite", "visible(external) inside calendar >= 10", 'quarantine "{inside} people outside in the invitation would see each other"')
POLICY = policies.policy(rules=INVITE + policies.rule("fields", 'visible(external) inside header("X-To"), header("X-Also") >= 10 or opaque(limits)', 'quarantine "{inside} people in other fields"'))
INSIDE = policies.people(12, "hidden", "inside{n}.example") + ["another@inside1.example"]
FIELDS = [("X-To", ", ".join(INSIDE[:7])), ("X-Also", ", ".join(INSIDE[6:]) + ", <@")]


class Inside(review.ReviewCase):
    POLICY = POLICY.replace(" or opaque(limits)", "")
    CONFIG = {("review", "notice"): EXAMPLE}
    REVIEW = {"notice": EXAMPLE, "digest-to": "desk@me.example"}

    def test_show(self):
        """show, list, digest and the notice; a message without any is shown as before"""
        held = self.hold(people=policies.people(2), headers=FIELDS)
        shown = self.done("show", held.id)
        self.assertRegex(shown.out, r"(?m)^Held because  13 people in other fields$")
        self.assertRegex(shown.out, r'(?m)^  holds when  visible\(external\) inside header\("X-To"\), header\("X-Also"\) >= 10$\n +has 13$')
        self.assertRegex(shown.out, r"(?m)^Inside        header: 13 addresses of 12 parties$\n^Opaque        broken$")
        found, = self.done("show", "--json", held.id).json()
        listed = self.listed()[held.id]
        for one in found, listed:
            self.assertEqual((one["inside"], one["opaque"]), ([{"part": "header", "visible": 13, "parties": 12}], ["broken"]))
        self.assertEqual(found["why"], [{"condition": 'visible(external) inside header("X-To"), header("X-Also") >= 10', "has": "13"}])

        digest = self.done("digest", "--print").out
        self.assertIn("\n    inside: header: 13 addresses of 12 parties\n    not read completely: broken\n", digest)
        self.done("notify")
        mails = lambda: [mail for mail in self.mta.deliveries() if mail.recipients == [mtacase.SENDER] and held.id in mail.message]
        daemon.wait_until(mails, mta.LIMIT, "the notice")
        notice = " ".join(mails()[0].message.split())
        self.assertIn("Other fields of its header show 13 addresses outside, of 12 different organisations or people. Bcc does not hide these.", notice)
        for text in shown.out, digest, notice:
            self.assertNotRegex(text, r"inside\d|hidden\d")

    def test_invitation(self):
        """guests in Bcc, whom the invitation shows: the reviewer and the author read how many"""
        guests = INSIDE + policies.people(32, "guest", "guests{n}.example")
        fields, body = bodymail.invitation(guests)
        subject = self.mta.new_subject()
        text = mta.message(subject, mtacase.SENDER, to=[mtacase.SENDER], headers=fields, body=body.replace("\r\n", "\n"))
        queue_id = self.accepted("plain", [mtacase.SENDER] + guests, subject, text)
        daemon.wait_until(lambda: queue_id in self.mta.held(), mta.LIMIT, "the hold")
        self.assertRegex(self.done("list").out, r"(?m)^%s +\S+ \S+ +0\+45 +0\+44  invite +care@" % queue_id)
        shown = self.done("show", queue_id).out
        self.assertRegex(shown, r"(?m)^Held because  45 people outside in the invitation would see each other$")
        self.assertRegex(shown, r"(?m)^  holds when  visible\(external\) inside calendar >= 10  has 45$")
        self.assertRegex(shown, r"(?m)^Inside        calendar: 45 addresses of 44 parties$")
        found, = self.done("show", "--json", queue_id).json()
        self.assertEqual((found["visible"], found["inside"], found["opaque"], found["inside_read"]), (0, [{"part": "calendar", "visible": 45, "parties": 44}], [], True))
        line = self.guard.verdict(queue_id)
        self.assertEqual(len(self.guard.verdicts(queue_id)), 1)
        self.assertLine(line, inside="calendar:45/44", opaque=None, visible=0, hidden=45)
        self.done("notify")
        mails = lambda: [mail for mail in self.mta.deliveries() if mail.recipients == [mtacase.SENDER] and queue_id in mail.message]
        daemon.wait_until(mails, mta.LIMIT, "the notice")
        notice = " ".join(mails()[0].message.split())
        self.assertIn("An invitation in it shows 45 addresses outside, of 44 different organisations or people. Bcc does not hide these.", notice)
        self.assertNotIn("Everybody who gets it", notice)
        for words in shown, line.raw, notice:
            self.assertNotRegex(words, r"inside\d|guests?\d")


if __name__ == "__main__":
    review.main()
