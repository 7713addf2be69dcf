"""No spelling passes as nobody: sixty people, however they are written, are refused as sixty or held as malformed."""

import guardcase
import policies
import spellings
import tap

RULES = policies.rule("sixty", "visible(external) >= 60", 'reject "sixty"') + policies.rule("unreadable", "malformed and recipients(external) >= 1", 'quarantine "unreadable"')


class Sixty(guardcase.GuardCase):
    POLICY = policies.policy(rules=RULES)

    def test_forms(self):
        """each form, with either separator, in To, Cc and Resent-To"""
        mta = self.mta()
        for form in spellings.FORMS:
            for separator in spellings.SEPARATORS:
                for field in ("To", "Cc", "Resent-To"):
                    with self.subTest(form=form, separator=separator, field=field):
                        answer, line = self.judge(mta, headers=[(field, spellings.listed(form, separator=separator))], envelope=["ann@mail1.example"])
                        if line.verdict == "quarantine":
                            self.assertHeld(answer, "unreadable")
                        else:
                            self.assertRejected(answer, "sixty")

    def test_fewer_pass(self):
        """the same of one and of two people: nothing is refused for how it is written"""
        mta = self.mta()
        for form in spellings.FORMS:
            with self.subTest(form=form):
                answer, line = self.judge(mta, cc=spellings.listed(form, 2), envelope=["ann@mail1.example"])
                self.assertPassed(answer)
                self.assertIn(line.visible, (1, 2, 3))


class Blanks(guardcase.GuardCase):
    """A blank in a domain changes neither whose it is nor how many they are."""
    POLICY = policies.policy(rules=policies.rule("wide", "parties(external) >= 12", 'quarantine "wide"'))

    FORMS = ("Patient {n} <p{n}@free1. test>", '"Patient {n}" p{n}@free1. test', "Patient {n} <p{n}@free1 .test>", "Customer {n} <c{n}@customer. mail{n}.example>")

    def test_strangers(self):
        """twelve strangers are twelve parties, whatever parts them"""
        for form in self.FORMS:
            for separator in spellings.SEPARATORS:
                with self.subTest(form=form, separator=separator):
                    answer, line = self.judge(cc=spellings.listed(form, 12, separator), envelope=["ann@mail1.example"])
                    self.assertHeld(answer, "wide")
                    self.assertLine(line, visible=12, parties=12)

    def test_colleagues(self):
        """sixty colleagues are colleagues"""
        for form in ("Staff {n} <staff{n}@me. example>", '"Staff {n}" staff{n}@me. example', "Staff {n} <staff{n}@me .example>", "staff{n} @ me . example", "staff{n}(x)@me.example"):
            for separator in spellings.SEPARATORS:
                with self.subTest(form=form, separator=separator):
                    answer, line = self.judge(cc=spellings.listed(form, 60, separator), envelope=["staff1@me.example"])
                    self.assertPassed(answer)
                    self.assertLine(line, internal=60, parties=0)


if __name__ == "__main__":
    tap.main()
