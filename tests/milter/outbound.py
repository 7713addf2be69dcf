"""Which mail is judged: what people here send, and nothing else."""

import daemon
import guardcase
import milterclient
import policies
import tap

CROWD = policies.people(60)


class ByDefault(guardcase.GuardCase):
    """Without an `outbound` statement."""

    def assertJudged(self, answer, rule="mass-disclosure"):
        self.assertEqual(answer.stage, "eom", answer)
        self.assertLine(self.guard.verdict(answer), verdict="reject", rule=rule, parties=60)

    def test_inbound_is_accepted_at_mail_from(self):
        self.assertUnjudged(self.send(self.mta("192.0.2.7"), sender="list@outside.test", to=["care@me.example"], cc=CROWD))

    def test_an_outside_client_with_an_inside_sender(self):
        """A forged sender is no login."""
        self.assertUnjudged(self.send(self.mta("192.0.2.7"), to=["care@me.example"], cc=CROWD))

    def test_a_login_from_anywhere(self):
        self.assertJudged(self.send(self.mta("192.0.2.7"), cc=CROWD, user="care"))

    def test_a_login_with_an_outside_sender(self):
        self.assertJudged(self.send(self.mta("192.0.2.7"), sender="private@outside.test", cc=CROWD, user="care"))

    def test_loopback_with_an_inside_sender(self):
        for client in ("127.0.0.1", "127.9.8.7", "::1"):
            with self.subTest(client):
                self.assertJudged(self.send(self.mta(client), cc=CROWD))

    def test_loopback_with_an_outside_sender(self):
        """A content filter or list server that hands mail back."""
        for client in ("127.0.0.1", "::1"):
            with self.subTest(client):
                self.assertUnjudged(self.send(self.mta(client), sender="list@outside.test", to=["care@me.example"], cc=CROWD))

    def test_the_null_sender(self):
        """Bounces are nobody's disclosure, unless somebody logged in to send them."""
        self.assertUnjudged(self.send(self.mta("127.0.0.1"), sender="", cc=CROWD))
        self.assertUnjudged(self.send(self.mta("192.0.2.7"), sender="", cc=CROWD))
        answer = self.send(self.mta("192.0.2.7"), sender="", cc=CROWD, user="care")
        self.assertJudged(answer)
        self.assertLine(self.guard.verdict(answer), sender="-")

    def test_a_sender_in_a_subdomain(self):
        self.assertJudged(self.send(self.mta(), sender="care@north.ME.example.", cc=CROWD))

    def test_a_sender_whose_domain_only_ends_alike(self):
        self.assertUnjudged(self.send(self.mta(), sender="care@notme.example", cc=CROWD))
        self.assertUnjudged(self.send(self.mta(), sender="care@me.example.evil.test", cc=CROWD))

    def sendmail(self, sender, **options):
        mta = self.mta(connected=False)
        self.assertIsNone(mta.connect_sendmail())
        return self.send(mta, sender=sender, sendmail=True, **options)

    def test_sendmail_with_an_inside_sender(self):
        """Bare addresses, and the queue id at MAIL already."""
        answer = self.sendmail("care@me.example", cc=CROWD)
        self.assertJudged(answer)
        self.assertLine(self.guard.verdict(answer), hidden=0, client="127.0.0.1", sender="care@me.example")

    def test_sendmail_with_an_outside_sender(self):
        self.assertUnjudged(self.sendmail("list@outside.test", cc=CROWD))

    def test_sendmail_with_the_null_sender(self):
        self.assertUnjudged(self.sendmail("", cc=CROWD))

    def test_sendmail_hidden_recipients(self):
        """Bare envelope addresses are those of the headers; one without a domain is a colleague."""
        answer = self.sendmail("care@me.example", to=["a@cust1.example"], envelope=["a@cust1.example", "b@cust2.example", "root"])
        self.assertPassed(answer)
        self.assertLine(self.guard.verdict(answer), visible=1, hidden=2)

    def test_an_unknown_client(self):
        """A connection without an address."""
        self.assertUnjudged(self.send(self.mta(None), cc=CROWD))
        answer = self.send(self.mta(None), cc=CROWD, user="care")
        self.assertJudged(answer)
        self.assertLine(self.guard.verdict(answer), client="-")

    def test_the_rest_of_an_unjudged_message_costs_nothing(self):
        """An MTA that goes on after the accept, as the next message of the session, is answered."""
        mta = self.mta("192.0.2.7")
        for _ in range(3):
            answer = self.send(mta, sender="list@outside.test", cc=CROWD)
            self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))


class Listener(guardcase.GuardCase):
    POLICY = policies.policy(outbound='outbound when listener in "ORIGINATING", "submission"')

    def test_the_name_decides(self):
        for name, judged in (("ORIGINATING", True), ("submission", True), ("smtpd", False), ("NOT-ORIGINATING", False)):
            with self.subTest(name):
                answer = self.send(self.mta("192.0.2.7", daemon_name=name), to=CROWD)
                if judged:
                    self.assertEqual(answer.stage, "eom")
                    self.assertLine(self.guard.verdict(answer), verdict="reject")
                else:
                    self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))

    def test_the_name_is_that_of_the_connection(self):
        """Postfix tells another name at the end of message."""
        mta = self.mta("192.0.2.7", daemon_name="ORIGINATING")
        mta.macros["{daemon_name}"] = "mail.me.example"
        for _ in range(2):
            answer = self.send(mta, to=CROWD)
            self.assertEqual(answer.stage, "eom")

    def test_a_login_alone_is_not_enough_here(self):
        answer = self.send(self.mta("192.0.2.7"), to=CROWD, user="care")
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))


class Client(guardcase.GuardCase):
    POLICY = policies.policy(outbound='outbound when client in "10.0.0.0/8", "2001:db8:5::/48", "192.0.2.77" and not sender = ""')

    def test_networks(self):
        for client, judged in (("10.1.2.3", True), ("10.255.255.255", True), ("11.0.0.1", False), ("9.255.255.255", False), ("2001:db8:5:1::2", True),
                               ("2001:db8:6::1", False), ("192.0.2.77", True), ("192.0.2.78", False), ("127.0.0.1", False)):
            with self.subTest(client):
                answer = self.send(self.mta(client), to=CROWD)
                self.assertEqual(answer.stage, "eom" if judged else "mail")
                self.assertEqual(answer.verdict, milterclient.REJECT if judged else milterclient.ACCEPT)

    def test_an_address_of_version_4_mapped_into_6(self):
        answer = self.send(self.mta("::ffff:10.1.2.3"), to=CROWD)
        self.assertRejected(answer)
        self.assertLine(self.guard.verdict(answer), client="10.1.2.3")

    def test_not_the_null_sender(self):
        answer = self.send(self.mta("10.1.2.3"), sender="", to=CROWD)
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))


class User(guardcase.GuardCase):
    POLICY = policies.policy(outbound='outbound when user =~ /.*@staff/ or local')

    def test_the_login_decides(self):
        for user, judged in (("ann@staff", True), ("ann@guest", False), ("ann@staff.evil", False), (None, False)):
            with self.subTest(user):
                answer = self.send(self.mta("192.0.2.7"), to=CROWD, user=user)
                self.assertEqual(answer.stage, "eom" if judged else "mail")

    def test_local_is_sendmail_only(self):
        mta = self.mta(connected=False)
        mta.connect_sendmail()
        self.assertRejected(self.send(mta, to=CROWD, sendmail=True, sender="list@outside.test"))
        self.assertEqual(self.send(self.mta("127.0.0.1"), to=CROWD).stage, "mail")


class Sendmail(guardcase.GuardCase):
    """On Sendmail a loopback client is local, and Bcc is stripped at delivery."""

    POLICY = policies.policy(outbound="outbound when local or authenticated")

    def sendmail(self, client):
        mta = daemon.milterclient.Client(self.guard.socket, mta="8.17.1.9/8.17.1.9/Debian-2")
        self.addCleanup(mta.close)
        mta.connect(client, daemon_name="MSA")
        return mta

    def test_loopback_is_local(self):
        self.assertRejected(self.send(self.sendmail("127.0.0.1"), to=CROWD))
        self.assertEqual(self.send(self.sendmail("192.0.2.7"), to=CROWD).stage, "mail")

    def test_bcc_is_not_visible_on_sendmail(self):
        answer, line = self.judge(self.sendmail("127.0.0.1"), to=["a@cust1.example"], headers=[("Bcc", policies.folded(CROWD))],
                                  envelope=["a@cust1.example"] + CROWD)
        self.assertPassed(answer)
        self.assertLine(line, visible=1, hidden=60)

    def test_bcc_is_visible_on_postfix(self):
        """It comes only where message_drop_headers was emptied, and is delivered then."""
        answer, line = self.judge(self.mta("192.0.2.7"), user="care", to=["a@other.example"], headers=[("Bcc", policies.folded(CROWD))],
                                  envelope=["a@other.example"] + CROWD)
        self.assertRejected(answer)
        self.assertLine(line, visible=61, hidden=0)


if __name__ == "__main__":
    tap.main()
