"""Mail, and what is right: the cases that the program exists for, over SMTP."""

import re

import mtacase
import policies


class Field(mtacase.MtaCase):
    WAY = "plain"

    def rejected(self, recipients, count, **options):
        return self.check_rejected(self.WAY, recipients, policies.REJECT_TEXT % count, rule="mass-disclosure", visible=count, **options)

    def held(self, recipients, **options):
        return self.check_held(self.WAY, recipients, **options)

    def delivered(self, recipients, **options):
        return self.check_delivered(self.WAY, recipients, **options)

    def test_support_and_450_customers(self):
        people = policies.people(450)
        self.rejected(people, 450, sender="support@me.example", cc=people)

    def test_clinic_and_37_patients(self):
        people = policies.private(37)
        self.held(people, sender="clinic@me.example", to=people, rule="sensitive", visible=37, parties=37, domains=5)

    def test_clinic_and_one_patient(self):
        people = policies.private(1)
        self.delivered(people, sender="clinic@me.example", to=people, cc=["hr@me.example"], rule="default")

    def test_clinic_and_a_party_of_two(self):
        people = policies.people(2, domain="customer.example")
        self.delivered(people, sender="clinic@me.example", to=people, rule="default", visible=2, parties=1)

    def test_hr_and_two(self):
        self.held(policies.people(2), sender="hr@me.example", to=policies.people(2), rule="sensitive", parties=2)

    def test_to_self_and_450_hidden(self):
        people = policies.people(450)
        self.delivered(people, to=["care@me.example"], hidden=450, visible=0)

    def test_mail_merge(self):
        """450 mails to one recipient each; thirty are enough to see that nothing adds up."""
        people = policies.people(30)
        with self.mta.connect(self.WAY) as session:
            for address in people:
                subject, text = self.message(to=[address])
                reply = self.mta.transaction(session, "care@me.example", [address], text)
                self.assertEqual(reply.code, 250, reply)
                self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", visible=1, parties=1, hidden=0)
        self.assertDelivered(reply.queue_id, subject, people[-1:])

    def test_30_of_one_customer(self):
        people = policies.people(30, domain="customer.example")
        self.delivered(people, cc=people, parties=1, visible=30)

    def test_40_of_one_customer(self):
        people = policies.people(40, domain="customer.example")
        self.held(people, cc=people, parties=1, visible=40, rule="wide-cc")

    def test_800_colleagues(self):
        people = policies.colleagues(800)
        self.delivered(people, to=people, visible=0, internal=800, hidden=0, defects="none")

    def test_200_with_semicolons(self):
        people = policies.people(200)
        self.rejected(people, 200, to="; ".join(people[:100]) + ";\n " + "; ".join(people[100:]) + ";")

    def test_a_group_of_60(self):
        people = policies.people(60)
        self.rejected(people, 60, to="Customers: %s;" % ",\n ".join(people), hidden=0)

    def test_undisclosed_recipients(self):
        people = policies.people(60)
        self.delivered(people, to="undisclosed-recipients:;", visible=0, hidden=60)

    def test_resent_to(self):
        people = policies.people(60)
        self.rejected(people, 60, to=["care@me.example"], headers=[("Resent-From", "<care@me.example>"), ("Resent-To", ",\n ".join(people))])

    def test_resent_cc_and_apparently_to(self):
        people = policies.people(60)
        self.rejected(people, 60, headers=[("Resent-Cc", ",\n ".join(people[:30])), ("Apparently-To", ",\n ".join(people[30:]))])

    def test_three_to_headers(self):
        people = policies.people(60)
        self.rejected(people, 60, headers=[("To", ",\n ".join(people[n:n + 20])) for n in (0, 20, 40)])

    def test_one_mailbox_twelve_times(self):
        forms = ["ann@b\u00fccher.example", "ANN@b\u00fccher.example", "Ann@B\u00dcCHER.example", "ann@xn--bcher-kva.example", "ann@XN--BCHER-KVA.example",
                 "ann@xn--bcher-kva.EXAMPLE.", '"ann"@xn--bcher-kva.example', "<ann@xn--bcher-kva.example>", "Ann <ann@xn--bcher-kva.example>",
                 "'ann@xn--bcher-kva.example'", "ann@xn--bcher-kva.example (Ann)", "ann@Xn--Bcher-Kva.Example"]
        self.delivered(["ann@xn--bcher-kva.example"], to=",\n ".join(forms), visible=1, parties=1, domains=1, hidden=0)

    def test_12_names_that_only_end_alike(self):
        people = ["p%d@%snotme.example" % (n, "" if n == 0 else "x" * n) for n in range(12)]
        self.held(people, cc=people, visible=12, parties=12, internal=0)

    def test_subdomains_are_colleagues(self):
        people = policies.people(60, "p", "dept{n}.me.example")
        self.delivered(people, cc=people, visible=0, internal=60)

    def test_60_departments_of_one_customer(self):
        """One organisation by the Public Suffix List, also below co.uk."""
        people = policies.people(30, "p", "dept{n}.acme.co.uk")
        self.delivered(people, cc=people, visible=30, parties=1, domains=30)

    def test_12_companies_below_one_suffix(self):
        people = policies.people(12, "p", "company{n}.co.uk")
        self.held(people, cc=people, visible=12, parties=12)

    PATCH = policies.people(146, "dev", "kernel{n}.example")
    LIST = [("List-Id", "<patches.lists.example>"), ("Precedence", "list")]

    def test_a_patch_of_an_exempt_developer(self):
        """The exemption is the login's."""
        subject, text = self.message("dev@me.example", cc=self.PATCH, headers=self.LIST)
        with self.mta.connect(self.WAY, client="192.0.2.7", login="developer") as session:
            reply = self.mta.transaction(session, "dev@me.example", self.PATCH, text)
        self.assertEqual(reply.code, 250, reply)
        self.assertDelivered(reply.queue_id, subject, self.PATCH)
        self.assertLine(self.guard.verdict(reply.queue_id), verdict="accept", rule="developer", visible=146, user="developer")

    def test_the_same_from_another_with_a_list_id(self):
        self.rejected(self.PATCH, 146, sender="dev@me.example", cc=self.PATCH, headers=self.LIST)

    def test_addresses_in_a_display_name(self):
        people = policies.people(20)
        self.held(["news@me.example"], to='"%s" <news@me.example>' % ", ".join(people), visible=20, parties=20, internal=1)

    def test_2300_names(self):
        """Postfix cuts them; Sendmail takes no more than 32,768 bytes of headers (MaxHeadersLength)."""
        people = policies.people(2300, "a-rather-long-name-of-a-recipient-", "some-customer-{n}.example")
        subject, text = self.message(to=people)
        reply = self.mta.send(self.WAY, "care@me.example", people[:10], text)
        if self.MTA == "sendmail":
            self.assertEqual((reply.stage, reply.code, reply.text), ("data", 552, "5.6.0 Headers too large (32768 max)"))
            self.assertNothingOf(subject)
            return
        self.assertEqual((reply.stage, reply.code), ("data", 550), reply)
        self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="reject", rule="mass-disclosure")

    def test_inbound_with_60(self):
        people = policies.people(60)
        subject, text = self.message("list@outside.test", to=["care@me.example"], cc=people)
        queue_id = self.accepted(self.WAY, ["care@me.example"], subject, text, "list@outside.test", "192.0.2.7")
        self.assertDelivered(queue_id, subject, ["care@me.example"])
        self.assertEqual(self.guard.verdicts(queue_id), [])

    def test_a_forged_tag_does_not_go_out(self):
        subject, text = self.message(to=["one@cust1.example"], headers=[("X-Rcptguard", "forged one"), ("x-rcptguard", "forged two"), ("X-Other", "kept")])
        queue_id = self.accepted(self.WAY, ["one@cust1.example"], subject, text)
        self.assertDelivered(queue_id, subject, ["one@cust1.example"])
        delivered = self.mta.deliveries(subject)[0].header
        self.assertNotIn("forged", delivered)
        self.assertNotIn("rcptguard:", delivered.lower())
        self.assertIn("X-Other: kept", delivered)


class ChoicesOfThePolicy(mtacase.MtaCase):
    """Rows that depend on what the policy wants, and what a tag looks like to the recipient."""

    POLICY = policies.policy(rules=policies.rule("auditor", "visible(internal) >= 500 and recipients(external) >= 1", 'quarantine "{visible internal} colleagues and an outsider"')
                             + policies.rule("marked", "parties(external) >= 2", 'tag "two"')
                             + policies.rule("percent", 'header("X-Percent")', 'reject "100% of {visible}, a%b %s"'))

    def test_800_colleagues_and_an_auditor(self):
        people = policies.colleagues(800)
        for headers in ({"to": people + ["auditor@cust1.example"]}, {"to": people}):
            self.check_held("plain", ["auditor@cust1.example"] + people[:5], rule="auditor", internal=800,
                            text="800 colleagues and an outsider", **headers)

    def test_a_tag_arrives(self):
        for way in self.mta.WAYS:
            with self.subTest(way):
                subject, text = self.message(to=policies.people(2), headers=[("X-Rcptguard", "forged")])
                queue_id = self.accepted(way, policies.people(2), subject, text)
                self.assertDelivered(queue_id, subject, policies.people(2))
                self.assertLine(self.guard.verdict(queue_id), verdict="tag", rule="marked")
                header = self.mta.deliveries(subject)[0].header
                self.assertEqual(re.findall(r"(?mi)^x-rcptguard: (.*)$", header), ["marked"])

    def test_percent_signs_arrive_as_they_were_written(self):
        for way in self.mta.WAYS:
            with self.subTest(way):
                self.check_rejected(way, ["one@cust1.example"], "100% of 1, a%b %s", to=["one@cust1.example"], headers=[("X-Percent", "1")], rule="percent")


class BccDelivered(mtacase.MtaCase):
    """With message_drop_headers emptied, Postfix delivers Bcc, so it is visible."""

    MTAS = ("postfix",)
    EXTRA = {"postfix": "message_drop_headers ="}

    def test_bcc_is_visible(self):
        people = policies.people(60)
        self.check_rejected("plain", people, policies.REJECT_TEXT % 60, headers=[("Bcc", ",\n ".join(people))], visible=60, hidden=0)


if __name__ == "__main__":
    mtacase.main(240)
