"""People are told: `rcptguardq notify` to the authors of held mail, `rcptguardq digest` to reviewers.

It takes about 30 s: notify is killed at many moments, on both MTAs, and each mail that it sent is looked at.
"""

import grp
import os
import re
import signal
import subprocess
import time

import daemon
import ledgerfile
import mta
import policies
import review
import surroundings

EXAMPLE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")
CARE = "care@me.example"
HOUR, DAY = 3600, 86400


class TellCase(review.ReviewCase):
    CONFIG = {("review", "notice"): EXAMPLE}
    REVIEW = {"notice": EXAMPLE, "digest-to": "desk@me.example, head@me.example"}

    def tearDown(self):
        super().tearDown()
        for table in "notice", "held":
            ledgerfile.execute(self.guard.ledger_path, "DELETE FROM " + table)

    def notices(self, address=CARE):
        """Mails of ours to somebody that have arrived, in no order."""
        return [one for one in self.mta.deliveries() if one.recipients == [address] and "From: Mail review" in one.header]

    def setUp(self):
        super().setUp()
        self.before = {self.key(one) for one in self.mta.deliveries()}

    @staticmethod
    def key(mail):
        return re.search(r"\tby smtp-sink.* id (\w+)|$", mail.header).group(1), mail.header

    def arrived(self, count, address=CARE):
        """Those that this test has sent, and no more."""
        def new():
            return [one for one in self.notices(address) if self.key(one) not in self.before]
        daemon.wait_until(lambda: len(new()) >= count, mta.LIMIT, "%d notices" % count)
        self.assertEqual(len(new()), count)
        return new()

    def notice(self, held):
        return ledgerfile.query(self.guard.ledger_path, "SELECT notice.* FROM notice JOIN held ON held.id = held WHERE queue_id = ?", held.id)[0]

    def change(self, held, assignments):
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s WHERE queue_id = ?" % assignments, held.id)

    def lines(self, *arguments, name="notify"):
        return self.done(name, *arguments).out.splitlines()


class Notify(TellCase):
    """To the author of a held message, once, and never so that a program answers."""

    def test_notice(self):
        """who, what, why, and how to send it right; from the null sender; not judged, not twice"""
        held = self.hold("auth", subject="Price =?utf-8?q?l=C3=ADst?=")
        self.assertEqual(self.lines(), ["%s: sent: %s" % (held.id, CARE)])
        mail, = self.arrived(1)
        self.assertEqual(mail.sender, "")
        origin = "me.example" if self.MTA == "postfix" else surroundings.HOST
        for line in ("From: Mail review <postmaster@%s>" % origin, "To: <%s>" % CARE, "Subject: Not sent yet: Price =?UTF-8?b?bMOtc3Q=?=",
                     "In-Reply-To: <%s@me.example>" % held.subject.replace(" ", "."), "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: bulk"):
            self.assertIn(line, mail.header.splitlines())
        for words in ("Subject:   Price líst", "wide Cc: 12 addresses, 12 parties", "12 addresses outside", "Bcc (blind copy)", "mail merge", "tell postmaster@me.example",
                      "reference is %s, rule wide-cc" % held.id):
            self.assertIn(words, mail.message)
        for recipient in held.recipients:
            self.assertNotIn(recipient, mail.header + mail.message)
        self.assertEqual(self.notice(held)["state"], "sent")
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.mta.held(), [held.id], "our own mail is not held")
        ours = re.search(r"by mail\.me\.example [^;]*\bid (\w+)", mail.header).group(1)
        self.assertEqual(self.guard.verdicts(ours), [], "our own mail is not judged")
        self.arrived(1)

    def test_whom(self):
        """an internal login before an internal sender, else nobody"""
        stranger = self.hold("auth", sender="x@else.example")
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.notice(stranger)["state"], "skipped")
        self.assertIn("internal", self.notice(stranger)["reason"])
        held = self.hold(sender="gina@me.example")
        self.assertEqual(self.lines(), ["%s: sent: gina@me.example" % held.id])
        self.arrived(1, "gina@me.example")

    def test_loops(self):
        """what a program or a list sent is not answered (RFC 3834)"""
        for header in ("Auto-Submitted: auto-replied", "auto-submitted:  Auto-Generated; x=y", "List-Id: <l.me.example>", "List-Unsubscribe: <mailto:x@me.example>", "Precedence: bulk", "PRECEDENCE: List"):
            with self.subTest(header):
                held = self.hold(headers=[tuple(header.split(": ", 1))])
                self.assertEqual(self.notice(held)["state"], "skipped")
                self.assertRegex(self.notice(held)["reason"], "a program sent it|it is mail of a list")
        null = self.hold("auth", sender="")
        self.assertEqual(self.notice(null)["state"], "skipped")
        self.assertEqual(self.lines(), [])
        for header in "Auto-Submitted: no", "Precedence: first-class", "X-List-Id: <x>":
            with self.subTest(header):
                self.assertEqual(self.notice(self.hold(headers=[tuple(header.split(": ", 1))]))["state"], "wanted")

    def test_decided(self):
        """what is decided already, or gone, is not told of, and it says why"""
        held = [self.hold() for _ in range(3)]
        self.done("release", held[0].id, reason="ok")
        self.done("list")
        self.mta.drop(held[1].id)
        self.assertEqual(sorted(self.lines()), sorted(["%s: skipped: it is released already" % held[0].id, "%s: skipped: it is on hold no longer under this id" % held[1].id,
                                                       "%s: sent: %s" % (held[2].id, CARE)]))
        self.assertEqual(self.notice(held[0])["reason"], "it is released already")
        self.assertEqual([self.notice(one)["state"] for one in held], ["skipped", "skipped", "sent"])
        self.arrived(1)

    def test_returned(self):
        """a return before the notice cancels it: one mail with the reason, beside the MTA's own words"""
        held = self.hold()
        self.done("return", held.id, reason="use Bcc")
        self.assertEqual(self.lines(), ["%s: skipped: it is returned already" % held.id])
        mail, = self.arrived(1)
        self.assertIn("Subject: Not sent: ", mail.header)
        self.assertIn("use Bcc", mail.message)

    def test_released(self):
        """who had a notice hears that his mail went; once, and nobody else"""
        told, untold, returned = self.hold(), self.hold(sender="gina@me.example"), self.hold(sender="rita@me.example")
        self.done("release", untold.id, reason="ok")
        self.lines()
        self.arrived(1)
        self.assertEqual(self.lines(), [])
        self.done("release", told.id, reason="ok")
        self.done("return", returned.id, reason="no")
        self.assertIn("Subject: Sent now: %s\n" % told.subject, self.done("notify", "--print").out)
        self.assertEqual(self.lines(), ["%s: released: %s" % (told.id, CARE)])
        mail, = [one for one in self.arrived(2) if "Subject: Sent now: " in one.header]
        self.assertEqual(mail.sender, "")
        self.assertIn("Auto-Submitted: auto-replied", mail.header)
        self.assertIn(told.id, mail.message)
        for recipient in told.recipients:
            self.assertNotIn(recipient, mail.header + mail.message)
        self.assertEqual(self.lines(), [])
        self.arrived(0, "gina@me.example")
        self.assertNotIn("Sent now", "".join(one.header for one in self.notices("rita@me.example")))

    def test_released_long_ago(self):
        """nobody hears of it after a day, as after an upgrade; a sendmail that fails is tried again"""
        old, new = self.hold(), self.hold(sender="gina@me.example")
        self.lines()
        for held in old, new:
            self.done("release", held.id, reason="ok")
        self.change(old, "changed = changed - %d" % (25 * HOUR * 1000000))
        self.configure(**self.mta.keys_without_submission())
        result = self.ask("notify")
        self.assertEqual(result.code, review.PASSING, result)
        self.assertRegex(result.out, "^%s: failed: sendmail: .*\n$" % new.id)
        self.configure()
        self.assertEqual(self.lines(), ["%s: released: gina@me.example" % new.id])
        self.arrived(1)
        self.arrived(2, "gina@me.example")

    def test_rate(self):
        """one mail a run, about all that came since, and three an hour; what is more waits and is summed"""
        held = []
        for _ in range(3):
            held.append(self.hold())
            self.lines()
        self.arrived(3)
        more = [self.hold(subject="Number %d" % number) for number in range(3)]
        for _ in range(2):
            self.assertEqual(self.lines(), ["%s: waiting: its author had enough notices in the last hour" % one.id for one in more])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - ?", HOUR * 1000000)
        self.assertEqual(self.lines(), ["%s: sent: %s" % (one.id, CARE) for one in more])
        mail, = [one for one in self.arrived(4) if "Held now (3):" in one.message]
        self.assertEqual(re.findall(r"UTC  (\S+)  (.*)", mail.message), [(one.id, "Number %d" % number) for number, one in enumerate(more)])

    def test_addresses(self):
        """an author whose address sendmail could take for something else is not told"""
        held = self.hold()
        self.change(held, "author = 'x, eve@evil.example, care@me.example'")
        self.assertEqual(self.lines(), ["%s: skipped: its author's address is not one that can be handed to sendmail" % held.id])
        self.assertEqual([one for one in self.mta.deliveries() if "eve@evil.example" in one.recipients], [])

    def test_strangers(self):
        """a subject adds neither a field nor a line, and is no template"""
        held = self.hold(subject="=?utf-8?q?a=0D=0ABcc:_eve@evil.example=0A=0A{rule}=1B[2J?=")
        self.lines()
        mail, = self.arrived(1)
        self.assertNotRegex(mail.header, r"(?m)^Bcc")
        self.assertIn("Subject:   a  Bcc: eve@evil.example  {rule} [2J\n", mail.message)
        self.assertNotIn("\x1b", mail.header + mail.message)
        self.assertEqual(held.id, self.mta.held()[0])

    # ---- when something goes wrong

    def test_template(self):
        """what is wrong in a template is told with its place; nothing is sent"""
        held = self.hold()
        path = daemon.write(os.path.join(self.guard.directory, "wrong.txt"), "Subject: x\n\nDear {sender},\n  {subjet}\n")
        self.configure(notice=path)
        result = self.refused(review.WRONG, re.escape("%s:4:3: error: there is no {subjet}; did you mean {subject}?" % path), "notify")
        self.assertIn("  {subjet}\n      ^", result.err)
        self.configure(notice=path + ".none")
        self.refused(review.WRONG, r"wrong\.txt\.none: error: ", "notify")
        self.assertEqual(self.notice(held)["state"], "wanted")

    def test_failure(self):
        """a sendmail that fails is tried again until it does not"""
        held = self.hold()
        self.configure(**self.mta.keys_without_submission())
        for _ in range(3):
            result = self.ask("notify")
            self.assertEqual(result.code, review.PASSING, result)
            self.assertRegex(result.out, "%s: failed: sendmail: " % held.id)
        self.assertEqual(self.notice(held)["state"], "wanted")
        self.configure()
        self.assertEqual(self.lines(), ["%s: sent: %s" % (held.id, CARE)])
        self.arrived(1)

    def test_killed(self):
        """one that is killed between the mail and the record sends it at most once more"""
        held = self.hold()
        for _ in range(2):
            ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET tries = tries + 1 WHERE held = (SELECT id FROM held WHERE queue_id = ?)", held.id)
        self.assertEqual(self.lines(), ["%s: skipped: it was interrupted too often, and may have been sent" % held.id])
        self.arrived(0)
        again = self.hold()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET tries = 1 WHERE held = (SELECT id FROM held WHERE queue_id = ?)", again.id)
        self.assertEqual(self.lines(), ["%s: sent: %s" % (again.id, CARE)])
        self.arrived(1)

    def test_kills(self):
        """killed at any moment, again and again: no message is told of more than twice"""
        held = [self.hold(sender="n%d@me.example" % number) for number in range(8)]
        for delay in range(40):
            process = subprocess.Popen(self.command("notify"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=daemon.environment())
            time.sleep(0.01 * delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
        for _ in range(2):
            self.lines()
        for number, one in enumerate(held):
            state = self.notice(one)["state"]
            self.assertIn(state, ("sent", "skipped"))
            if state == "sent":
                daemon.wait_until(lambda: self.notices("n%d@me.example" % number), mta.LIMIT, "the notice")
            self.assertLessEqual(len(self.notices("n%d@me.example" % number)), 2)

    def test_two_at_once(self):
        """two runs do not send the same"""
        held = [self.hold(sender="m%d@me.example" % number) for number in range(6)]
        runs = [subprocess.Popen(self.command("notify"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment()) for _ in range(4)]
        codes = []
        for run in runs:
            _out, err = run.communicate(timeout=mta.LIMIT)
            codes.append(run.returncode)
            self.assertIn((run.returncode, err), ((0, b""), (review.PASSING, b"rcptguardq: another notify is at it\n")))
        self.assertIn(0, codes)
        for number in range(len(held)):
            self.arrived(1, "m%d@me.example" % number)

    # ---- besides

    def test_print(self):
        """what would be sent, and nothing is"""
        held = self.hold()
        text = self.done("notify", "--print").out
        self.assertIn("\nTo: <%s>\n" % CARE, text)
        self.assertIn("reference is %s" % held.id, text)
        self.assertEqual((self.notice(held)["state"], self.notice(held)["tries"]), ("wanted", 0))
        self.refused(review.USAGE, "do not go together", "notify", "--print", "--json")
        self.assertEqual(self.done("notify", "--json").json(), [{"id": held.id, "notice": "sent", "text": CARE}])
        self.arrived(1)

    def test_off(self):
        """without a template nobody is told"""
        self.hold()
        self.configure(notice=None)
        self.assertEqual(self.lines(), ["[review] has no notice: no one is informed."])
        self.assertEqual(self.lines("--if-configured"), [])


class Texts(TellCase):
    """The text of a rule, with a sender in it, reads the same wherever it is told: each place escapes what it must, once."""
    POLICY = policies.policy(rules=policies.rule("refused", "parties(external) >= 20", 'reject "sent by {sender}"')
                             + policies.rule("held", "parties(external) >= 10", 'quarantine "sent by {sender}"'))
    # The sender, and what a log line makes of it.
    SENDERS = (("bounce+ann=x.example@me.example", "bounce+ann\\x3Dx.example@me.example"), ('"ann lee"@me.example', "\\x22ann lee\\x22@me.example"))

    def test_refused(self):
        """the reply is in the sender's own words; the line of the log escapes them"""
        people = policies.people(20)
        for sender, escaped in self.SENDERS:
            subject, text = self.message(sender, cc=people)
            reply = self.mta.send("plain", sender, people, text)
            self.assertEqual((reply.stage, reply.code, reply.text), ("data", 550, "5.7.1 sent by " + sender))
            self.assertEqual(self.guard.verdict(self.rejected_id(subject)).text, "sent by " + escaped)

    def test_held(self):
        """ledger, JSON, terminal and notice have them as they are"""
        for sender, escaped in self.SENDERS:
            held = self.hold(sender=sender)
            words = "sent by " + sender
            self.assertEqual(self.row(held.id)["text"], words)
            self.assertEqual(self.guard.verdict(held.id).text, "sent by " + escaped)
            shown, = self.done("show", "--json", held.id).json()
            self.assertEqual(shown["text"], words)
            self.assertRegex(self.done("show", held.id).out, "(?m)^Held because +%s$" % re.escape(words))
            if '"' not in sender:  # who gets no notice
                self.assertIn(words, self.done("notify", "--print").out)
            self.mta.drop(held.id)


class Digest(TellCase):
    """To reviewers: what waits, the oldest first."""

    def age(self, held, seconds):
        self.mta.age(held.id, seconds)
        self.change(held, "began = began - %d, judged = judged - %d" % (seconds * 1000000, seconds * 1000000))

    def test_digest(self):
        """oldest first, what waits for more than a day marked, no recipient's address"""
        young, old, late = self.hold(subject="Young"), self.hold(subject="Old"), self.hold(subject="Late")
        self.age(late, 3 * DAY)
        self.age(old, 2 * HOUR)
        self.assertEqual(self.lines(name="digest"), ["3 messages wait for review, the oldest for 3 d; sent to desk@me.example, head@me.example"])
        mail = self.arrived(1, "desk@me.example")[-1]
        self.assertEqual(self.arrived(1, "head@me.example")[-1].message, mail.message)
        self.assertEqual(mail.sender, "")
        for line in "Subject: 3 messages wait for review, the oldest for 3 d", "To: desk@me.example, head@me.example", "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All":
            self.assertIn(line, mail.header.splitlines())
        rows = re.findall(r"(?m)^([! ]) (\S+) +(\d+ \w+) +wide-cc +12 addresses, 12 parties\n +care@me\.example +(\w+)$", mail.message)
        self.assertEqual(rows, [("!", late.id, "3 d", "Late"), (" ", old.id, "2 h", "Old"), (" ", young.id, rows[2][2], "Young")])
        self.assertIn("1 of 3, marked with `!`, waits for more than a day.", mail.message)
        for recipient in young.recipients:
            self.assertNotIn(recipient, mail.header + mail.message)
        for line in mail.message.splitlines():
            self.assertLessEqual(len(line), 78)

    def test_nothing(self):
        """no mail when nothing waits, unless it is always wanted"""
        self.assertEqual(self.lines(name="digest"), ["No mail waits for review; no mail was sent"])
        held = self.hold()
        self.done("delete", held.id, reason="x")
        self.assertEqual(self.done("digest", "--json").json(), [{"waiting": 0, "late": 0, "expiring": 0, "untracked": 0, "released-by-senders": 0, "overridden": 0, "sent": 0}])
        self.assertEqual(self.lines("--always", "--to", "boss@me.example", name="digest"), ["No mail waits for review; sent to boss@me.example"])
        self.assertIn("Nothing waits for review.", self.arrived(1, "boss@me.example")[0].message)
        self.arrived(0, "desk@me.example")

    def test_options(self):
        """to whom; printed; nobody"""
        self.hold()
        self.assertIn("\nSubject: 1 message waits for review", self.done("digest", "--print").out)
        self.done("digest", "--to", "one@me.example", "--to", "two@me.example")
        for who in "one@me.example", "two@me.example":
            self.arrived(1, who)
        self.refused(review.USAGE, "--to: expected an address", "digest", "--to", "a@b, c@d")
        self.refused(review.USAGE, "do not go together", "digest", "--print", "--json")
        self.configure(digest_to=None)
        self.refused(review.WRONG, "has no digest-to", "digest")
        self.assertEqual(self.lines("--if-configured", name="digest"), [])
        self.done("digest", "--if-configured", "--to", "three@me.example")
        self.arrived(1, "three@me.example")
        self.assertIn("\nTo: undisclosed-recipients:;\n", self.done("digest", "--print").out)

    def test_untracked(self):
        """what the ledger does not know is counted"""
        held = self.hold()
        ledgerfile.execute(self.guard.ledger_path, "DELETE FROM held WHERE queue_id = ?", held.id)
        self.hold()
        self.assertIn("\n1 more on hold, not in the ledger:\n", self.done("digest", "--print").out)

    def test_hostile(self):
        """a subject stays on its line"""
        self.hold(subject="=?utf-8?q?a=0A=0A.=0AX:_y=1B[2J?=")
        self.done("digest")
        mail = self.arrived(1, "desk@me.example")[-1]
        self.assertIn(r"a\u000a\u000a.\u000aX: y\u001b[2J", mail.message)


class Units(TellCase):
    """What the units may do and Sendmail needs: its queue is root's; handing in mail writes to the queue and nowhere else."""

    MTAS = ("sendmail",)

    def test_as_the_daemons_user(self):
        """it cannot look at Debian's queue, and says so, also to a group that may list it"""
        held = self.hold()
        group = grp.getgrnam("mail").gr_gid
        queue = self.mta._path("queue")
        os.chown(queue, 0, group)
        os.chmod(queue, 0o2750)
        os.chown(self.mta.control_file(held.id), 0, group)
        self.assertEqual(os.stat(self.mta.control_file(held.id)).st_mode & 0o777, 0o600)
        program = review.copy_program(self.guard.directory)
        done = subprocess.run([program, "notify", "-c", self.config_path], user=daemon.USER, group="nogroup", extra_groups=[group], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env=daemon.environment(), timeout=daemon.LIMIT)
        self.assertEqual((done.returncode, done.stdout), (review.PASSING, b""), done)
        self.assertRegex(done.stderr.decode(), r"/hf%s: Permission denied\n$" % held.id)
        self.assertEqual(self.notice(held)["state"], "wanted")

    def test_in_the_sandbox(self):
        """as root, with the queue as the one folder of Sendmail that can be written"""
        held = self.hold()
        root, queue = self.mta.root, self.mta._path("queue")
        subprocess.run(["mount", "--bind", root, root], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", root], check=True)
        subprocess.run(["mount", "--make-private", root], check=True)
        script = ("mount --bind %(root)s %(root)s && mount -o remount,bind,ro %(root)s && mount --bind %(queue)s %(queue)s && mount -o remount,bind,rw %(queue)s"
                  " && ! touch %(root)s/client/x 2>/dev/null && exec \"$@\"") % {"root": root, "queue": queue}
        done = subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh", *self.command("notify")], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env=daemon.environment(), timeout=daemon.LIMIT)
        self.assertEqual((done.returncode, done.stderr), (review.DONE, b""), done)
        self.arrived(1)
        self.assertEqual(self.notice(held)["state"], "sent")


if __name__ == "__main__":
    review.main(180)
