"""No spelling passes as nobody, as the MTA hands it over: sixty people are refused as sixty, or held as malformed, and nobody gets the mail.

Postfix rewrites headers before it asks: where its rewriting leaves fewer, these are counted.
"""

import re

import daemon
import mta
import mtacase
import policies
import spellings

RULES = policies.rule("sixty", "visible(external) >= 60", 'reject "sixty"') + policies.rule("unreadable", "malformed and recipients(external) >= 1", 'quarantine "unreadable"')


class Spelling(mtacase.MtaCase):
    POLICY = policies.policy(rules=RULES)

    def check_form(self, form, field):
        subject, text = self.message(headers=[(field, spellings.folded(spellings.listed(form)))])
        reply = self.in_time(lambda: self.mta.send("plain", mtacase.SENDER, ["ann@mail1.example"], text))
        if reply.code == 550:
            self.assertEqual((reply.stage, reply.text), ("data", "5.7.1 sixty"))
            self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="reject", rule="sixty")
            self.stopped.append(subject)
            return
        self.assertEqual((reply.stage, reply.code), ("data", 250), reply)
        line = self.guard.verdict(reply.queue_id)
        if line.verdict == "quarantine":
            daemon.wait_until(lambda: reply.queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % reply.queue_id)
            self.stopped.append(subject)
        else:
            self.check_rewritten(subject, reply.queue_id, field, line)

    def check_rewritten(self, subject, queue_id, field, line):
        """Postfix drops some of the list, or makes colleagues of them, before it asks: who can be read in what it delivers was counted."""
        self.assertEqual(self.MTA, "postfix")
        self.mta.wait_gone(queue_id)
        header = re.sub(r"\n[ \t]+", " ", self.mta.deliveries(subject)[0].header.replace("\r", ""))
        value = re.search(r"(?m)^%s: (.*)" % field, header).group(1)
        self.assertLessEqual(len(set(re.findall(r"\d+", value))), line.visible + line.internal, value)

    def test_forms(self):
        self.stopped = []
        for form in spellings.FORMS:
            for field in ("To", "Cc", "Resent-To"):
                with self.subTest(form=form, field=field):
                    self.check_form(form, field)
        self.assertGreater(len(self.stopped), 2 * len(spellings.FORMS))
        # One that is delivered after all of them: the others are not on their way.
        self.check_delivered("plain", ["last@mail1.example"], to=["last@mail1.example"])
        self.assertEqual([subject for subject in self.stopped if self.mta.recipients(subject)], [])


class Blanks(mtacase.MtaCase):
    """A blank in a domain changes neither whose it is nor how many they are."""

    POLICY = policies.policy(rules=policies.rule("wide", "parties(external) >= 12", 'quarantine "wide"'))

    def test_strangers(self):
        """twelve of one freemailer are twelve parties, and held"""
        for form in ("Patient {n} <p{n}@free1. test>", '"Patient {n}" p{n}@free1. test', "Customer {n} <c{n}@customer. mail{n}.example>"):
            with self.subTest(form=form):
                self.check_held("plain", ["ann@mail1.example"], cc=spellings.folded(spellings.listed(form, 12)), visible=12, parties=12)

    def test_colleagues(self):
        """sixty colleagues are colleagues, and the mail arrives"""
        for form in ("Staff {n} <staff{n}@me. example>", "staff{n} @ me . example", "staff{n}(x)@me.example"):
            with self.subTest(form=form):
                self.check_delivered("plain", ["ann@mail1.example"], cc=spellings.folded(spellings.listed(form)), visible=0, internal=60, parties=0)


if __name__ == "__main__":
    mtacase.main()
