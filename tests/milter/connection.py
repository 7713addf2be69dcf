"""Several messages on one connection: nothing of one survives into the next."""

import guardcase
import milterclient
import policies
import tap

MANY = policies.people(450)


class Connection(guardcase.GuardCase):
    def clean(self, mta, **options):
        """A small message that passes, judged for itself alone."""
        answer, line = self.judge(mta, to=["one@cust1.example"], cc=["two@me.example"], **options)
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="default", visible=1, parties=1, domains=1, internal=1, hidden=0, defects="none")

    def crowded(self, mta, **options):
        answer, line = self.judge(mta, to=["care@me.example"], cc=MANY, **options)
        self.assertRejected(answer, policies.REJECT_TEXT % 450)
        self.assertLine(line, verdict="reject", visible=450, parties=450, internal=1, hidden=0)

    def test_the_crowd_first(self):
        mta = self.mta()
        self.crowded(mta)
        mta.abort()  # RSET behind a rejected message
        self.clean(mta)

    def test_the_crowd_last(self):
        mta = self.mta()
        self.clean(mta)
        mta.abort()
        self.crowded(mta)

    def test_without_rset(self):
        mta = self.mta()
        for _ in range(3):
            self.crowded(mta)
            self.clean(mta)

    def test_fifty_messages(self):
        mta = self.mta()
        for _ in range(50):
            self.clean(mta)

    def test_abort_at_each_stage(self):
        """A message that is given up leaves nothing behind: no recipient, header, user or queue id."""
        mta = self.mta()
        steps = [
            lambda: mta.mail("hr@me.example", user="developer"),
            lambda: [mta.rcpt(address) for address in MANY],
            lambda: mta.data("4XyABORTz"),
            lambda: mta.header("Cc", policies.folded(MANY), "4XyABORTz"),
            lambda: mta.header("X-Rcptguard", "forged", "4XyABORTz"),
            lambda: mta.eoh("4XyABORTz"),
        ]
        for count in range(1, len(steps) + 1):
            with self.subTest(count):
                for step in steps[:count]:
                    step()
                mta.abort()
                answer, line = self.judge(mta, to=["one@cust1.example"], cc=["two@me.example"])
                self.assertPassed(answer)
                self.assertLine(line, visible=1, internal=1, hidden=0, user="-", sender="care@me.example", rule="default")
        self.assertEqual(self.guard.verdicts("4XyABORTz"), [])

    def test_mail_anew_without_abort(self):
        """An MTA that begins a message anew without a word."""
        mta = self.mta()
        mta.envelope("hr@me.example", MANY, user="developer")
        mta.header("Cc", policies.folded(MANY))
        self.clean(mta)

    def test_an_unjudged_message_between(self):
        """Accepted at MAIL FROM, the next one judged, and the other way round; with and without abort."""
        for abort in (True, False):
            with self.subTest(abort=abort):
                mta = self.mta()
                self.crowded(mta)
                answer = self.send(mta, sender="someone@outside.test", to=["care@me.example"], cc=policies.people(60))
                self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))
                if abort:
                    mta.abort()
                self.crowded(mta)
                self.clean(mta)

    def test_the_user_is_not_kept(self):
        mta = self.mta()
        answer, line = self.judge(mta, cc=MANY, user="developer")
        self.assertPassed(answer)
        self.assertLine(line, rule="developer", user="developer")
        self.crowded(mta)

    def test_abort_twice_and_abort_at_first(self):
        mta = self.mta()
        mta.abort()
        mta.abort()
        self.clean(mta)

    def test_a_new_session_on_the_same_socket(self):
        """quit-new-connection: client, listener and the message's state are those of the new session."""
        mta = self.mta("127.0.0.1")
        self.crowded(mta)
        mta.envelope("care@me.example", MANY)
        mta.abort()
        mta.quit_new_connection()
        self.assertIsNone(mta.connect("192.0.2.9"))
        answer = self.send(mta, to=["care@me.example"], cc=MANY)  # no loopback any more, and no login
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))
        answer, line = self.judge(mta, to=["one@cust1.example"], user="care")
        self.assertLine(line, client="192.0.2.9", visible=1)

    def test_nothing_comes_after_the_answer(self):
        mta = self.mta()
        self.crowded(mta)
        self.assertTrue(mta.silent(), "something came after the final answer")
        self.clean(mta)

    def test_two_connections_interleaved(self):
        one, two = self.mta(), self.mta("10.0.0.2")
        self.assertIsNone(one.envelope("care@me.example", MANY))
        self.assertIsNone(two.envelope("hr@me.example", ["x@cust1.example"], user="hr"))
        for mta in (one, two):
            mta.data("4Xytwo%dz" % (mta is two))
        for address in MANY[:20]:
            one.header("To", address)
        two.header("To", "x@cust1.example")
        for address in MANY[20:30]:
            one.header("To", address)
        for mta in (one, two):
            mta.eoh()
        self.assertEqual(two.eom("4Xytwo1z").verdict, milterclient.ACCEPT)
        one.eom("4Xytwo0z")
        self.assertLine(self.guard.verdict("4Xytwo0z"), visible=30, hidden=420, sender="care@me.example", client="127.0.0.1")
        self.assertLine(self.guard.verdict("4Xytwo1z"), visible=1, hidden=0, sender="hr@me.example", client="10.0.0.2", verdict="accept")

    def test_macros_that_are_no_pairs(self):
        """libmilter would end the process by them: the connection is closed, and no other one notices"""
        other = self.mta()
        child = self.guard.child()
        for before, payload in (b"", b"Mi\0"), (b"", b"Mi\0" + b"4XyZ1\0j\0"), (b"", b"M" + b"j\0" * 4001), (b"", b"C\0"), (b"", b"\0i\0"), (b"\xff\xff\xff\xffN", b"Mi\0"):
            mta = self.mta()
            mark = self.guard.mark()
            mta.sock.sendall(before)
            with self.assertRaises((milterclient.ProtocolError, ConnectionError)):
                mta.send(b"D", payload)
                mta.send(b"M", b"<care@me.example>\0")
                mta.receive()
            self.guard.wait_for_line("protocol: macros that are no pairs of name and value; the connection is closed", mark=mark)
        answer, _line = self.judge(other, cc=policies.people(12))
        self.assertHeld(answer)
        self.assertEqual(self.guard.child(), child)

    def test_a_client_that_goes_away(self):
        """A connection cut in each stage does not disturb the others."""
        for stage in range(4):
            mta = self.mta()
            mta.mail("care@me.example")
            if stage > 0:
                mta.rcpt("x@cust1.example")
            if stage > 1:
                mta.header("To", policies.folded(MANY))
            if stage > 2:
                mta.send(b"L", b"half a header without an end")
            mta.close()
        self.clean(self.mta())


if __name__ == "__main__":
    tap.main()
