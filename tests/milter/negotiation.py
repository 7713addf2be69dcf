"""MTAs that offer less, or speak an older version."""

import daemon
import guardcase
import milterclient
import mta as ports
import policies
import surroundings
import tap

CROWD = policies.people(60)


class Negotiation(guardcase.GuardCase):
    def check_all(self, **options):
        """A reject, a hold and an accept on one connection."""
        mta = self.mta(**options)
        answer, line = self.judge(mta, cc=CROWD)
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        self.assertLine(line, verdict="reject", visible=60)
        answer, line = self.judge(mta, cc=CROWD[:12])
        self.assertHeld(answer, "12 parties")
        self.assertLine(line, verdict="quarantine", visible=12)
        answer, line = self.judge(mta, cc=CROWD[:1])
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", visible=1)
        self.assertTrue(mta.silent(), "an answer too many")
        return mta

    def test_what_is_asked_of_a_postfix(self):
        mta = self.check_all()
        wanted = milterclient.NOBODY | milterclient.NOHELO | milterclient.NOUNKNOWN | milterclient.NR_HDR | milterclient.NR_CONN | milterclient.NR_RCPT \
            | milterclient.NR_EOH | milterclient.NODATA
        self.assertEqual(mta.protocol & wanted, wanted, "work that could be saved")
        never = milterclient.NOCONNECT | milterclient.NOMAIL | milterclient.NORCPT | milterclient.NOHDRS | milterclient.NOEOH | milterclient.NR_MAIL \
            | milterclient.NR_DATA | milterclient.HDR_LEADSPC
        self.assertEqual(mta.protocol & never, 0, "something that is needed, or hangs")
        needed = milterclient.ADDHDRS | milterclient.CHGHDRS | milterclient.QUARANTINE
        self.assertEqual(mta.actions & needed, needed)
        self.assertEqual(mta.actions & (milterclient.CHGBODY | milterclient.ADDRCPT | milterclient.DELRCPT | milterclient.CHGFROM), 0, "more rights than needed")

    def test_no_step_may_be_left_out(self):
        """Every stage comes, the body too, and each is answered.  (The library takes an offer of nothing for one of everything.)"""
        self.check_all(protocol=milterclient.HDR_LEADSPC)

    def test_only_the_oldest_steps(self):
        self.check_all(protocol=0x7F)

    def test_no_silent_steps(self):
        self.check_all(protocol=0x7FF)

    def test_version_2(self):
        self.check_all(version=2, protocol=0x7F, actions=0x3F)

    def test_version_3_and_4(self):
        for version in (3, 4):
            with self.subTest(version):
                self.check_all(version=version, protocol=0x1FF, actions=0x3F)

    def test_no_macro_list(self):
        self.check_all(actions=milterclient.ALL_ACTIONS & ~milterclient.SETSYMLIST)

    def test_a_quarantine_that_is_not_offered_does_not_pass(self):
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.QUARANTINE)
        answer, line = self.judge(mta, cc=CROWD[:12])
        self.assertDeferred(answer)
        self.assertLine(line, verdict="tempfail", visible=12)
        self.assertIn("wide-cc", line.rule)
        answer, line = self.judge(mta, cc=CROWD)
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        answer, _ = self.judge(mta, cc=CROWD[:1])
        self.assertPassed(answer)

    def test_no_useful_action(self):
        mta = self.mta(actions=milterclient.ADDRCPT)
        answer, _ = self.judge(mta, cc=CROWD)
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        answer, _ = self.judge(mta, cc=CROWD[:12])
        self.assertDeferred(answer)
        answer, _ = self.judge(mta, cc=CROWD[:1])
        self.assertPassed(answer)

    def test_forged_fields_that_cannot_be_removed(self):
        """The message does not pass with somebody else's word on it."""
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.CHGHDRS)
        answer, _ = self.judge(mta, cc=CROWD[:1], headers=[("X-Rcptguard", "forged")])
        self.assertDeferred(answer)

    def test_no_macros(self):
        """An MTA that tells neither its version nor a listener nor a queue id."""
        mta = self.guard.client()
        self.addCleanup(mta.close)
        mta.macros = {}
        mta.asked = {}
        mta.connect("127.0.0.1")
        mark = self.guard.mark()
        answer = mta.message("care@me.example", CROWD, guardcase.headers(cc=CROWD))
        self.assertRejected(answer, policies.REJECT_TEXT % 60)
        self.guard.wait_for_line(r"NOQUEUE: verdict=reject rule=mass-disclosure", mark=mark)

    def test_missing_macros_are_said_once(self):
        """each by its name, with the line that brings it, once in the life of the daemon"""
        with daemon.Daemon(policies.FIELD) as guard:
            for _ in range(3):
                with guard.client(actions=milterclient.ALL_ACTIONS & ~milterclient.SETSYMLIST) as mta:
                    mta.macros = {}
                    mta.asked = {"mail": ["{auth_type}"]}
                    mta.connect("127.0.0.1")
                    mta.message("care@me.example", CROWD, guardcase.headers(cc=CROWD), user="care")
            daemon.wait_until(lambda: len(guard.verdicts("NOQUEUE")) == 3, what="three verdicts")
            for name, postfix, sendmail in (("{daemon_name}", "milter_connect_macros", "CONNECT"), ("v", "milter_connect_macros", "CONNECT"),
                                            ("{auth_authen}", "milter_mail_macros", "ENVFROM"), ("i", "milter_end_of_data_macros", "EOM")):
                found = [line for line in guard.lines if line.startswith("macros: the MTA does not send %s: " % name)]
                self.assertEqual(len(found), 1, guard.lines)
                self.assertIn("Postfix: `%s = " % postfix, found[0])
                self.assertRegex(found[0], r"Sendmail: \"define\(`confMILTER_MACROS_%s', `.*'\)\"$" % sendmail)

    def test_macros_that_come_are_not_missed(self):
        with daemon.Daemon(policies.FIELD) as guard:
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                mta.message("care@me.example", CROWD, guardcase.headers(cc=CROWD), user="care")
            guard.wait_for_line(r" verdict=reject .* user=care ")
            self.assertEqual([line for line in guard.lines if line.startswith("macros: ")], [])

    def test_no_connect_stage(self):
        """MAIL at once behind the negotiation: nothing is known of the client, so nothing is outbound."""
        mta = self.mta(connected=False)
        answer = self.send(mta, cc=CROWD)
        self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))
        answer, _ = self.judge(mta, cc=CROWD, user="care")
        self.assertRejected(answer)

    def test_garbage_ends_that_connection_only(self):
        for garbage in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1?", b"GET / HTTP/1.0\r\n\r\n", b"\0\0\0\2O\0"):
            with self.subTest(garbage):
                sock = milterclient.open_socket(self.guard.socket, 10 * tap.SLOWNESS)
                self.addCleanup(sock.close)
                sock.sendall(garbage)
                sock.close()
        self.check_all()


class OverTcp(guardcase.GuardCase):
    """Without an answer to DATA each message would wait for an acknowledgement."""

    @classmethod
    def setUpClass(cls):
        port, = ports.free_ports(1)
        cls.guard = daemon.Daemon(cls.POLICY, socket="inet:%d@127.0.0.1" % port)

    def test_data_is_asked_for(self):
        mta = self.mta()
        self.assertEqual(mta.protocol & (milterclient.NODATA | milterclient.NR_DATA | milterclient.NOEOH), 0)
        answer, line = self.judge(mta, cc=CROWD[:12])
        self.assertHeld(answer)
        self.assertLine(line, verdict="quarantine", visible=12)


class AcceptOnError(guardcase.GuardCase):
    CONFIG = {("milter", "on-error"): "accept"}

    def test_as_it_was_configured(self):
        """on-error = accept: what the MTA refuses to do is done without, and said."""
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.QUARANTINE)
        answer, line = self.judge(mta, cc=CROWD[:12])
        self.assertEqual((answer.verdict, answer.quarantine()), ("accept", None))
        self.assertLine(line, verdict="accept", visible=12)
        self.assertIn("wide-cc", line.rule)
        self.assertNotEqual(line.rule, "wide-cc")


if __name__ == "__main__":
    surroundings.enter()  # nobody else has its ports
    tap.main()
