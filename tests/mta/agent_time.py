"""What the time decides: held mail expires if that is configured and was announced, and leaves after a delay.

It takes a minute: delays of ten seconds are waited for on both MTAs.
"""

import calendar
import itertools
import os
import pathlib
import subprocess
import time

import daemon
import decided
import ledgerfile
import mta
import policies
import review
import tap

MANY = int(os.environ.get("DUE_AT_ONCE", "12"))
HOUR = 3600 * 1000000  # microseconds
CARE = "care@me.example"
RULES = policies.rule("own", 'header("X-Own")', 'quarantine "{parties} outside parties" expire 3d return') + policies.RULES
LEFT = "left the message as it was"  # Sendmail was at it: the next hour's run would do it


class TimeCase(review.ReviewCase):
    # Everything is judged here, bounces and our own mails too.
    POLICY = policies.policy(rules=RULES, outbound='outbound when local or authenticated or client in "127.0.0.0/8"')

    def setUp(self):
        super().setUp()
        for table in "held", "notice":
            ledgerfile.execute(self.guard.ledger_path, "DELETE FROM " + table)
        self.ran()

    def ran(self, hours=0):
        """The agent has run for days, and the last time now; it let nothing expire for an hour."""
        now = ledgerfile.now()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET last = ?, running = ?, steady = ?, expired = 0", now - hours * HOUR, now - 90 * HOUR, now - 90 * HOUR)

    def agent(self, code=review.DONE, **options):
        result = self.ask("agent", **options)
        if LEFT in result.out:
            out = "".join(line for line in result.out.splitlines(True) if LEFT not in line)
            self.ran()
            result = self.ask("agent", **options)
            result.out = out + result.out
        self.assertEqual((result.code, result.err), (code, ""), result)
        return result.out

    def announced(self, held, hours=21):
        """The digest is sent, as if that were some hours ago."""
        self.done("digest")
        row = self.row(held.id)
        self.assertGreater(row["announced"], 0)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = announced - ? WHERE announced > 0", int(hours * HOUR))

    def assertAbout(self, when, minutes):
        """A time in JSON is that many minutes from now."""
        left = calendar.timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")) - time.time()
        self.assertLess(abs(left - minutes * 60), 90, when)

    @staticmethod
    def minute(microseconds):
        """As a person reads it, without the seconds."""
        return time.strftime("%Y-%m-%d %H:%M:", time.gmtime(microseconds // 1000000))

    def mails(self, address=CARE):
        return [one for one in self.mta.deliveries() if one.recipients == [address]]

    def told(self, held, words, address=CARE):
        """The mail to somebody about a message."""
        def found():
            return [one for one in self.mails(address) if words in one.message and held.subject in one.header]
        daemon.wait_until(lambda: len(found()) == 1, mta.LIMIT, "the mail that says `%s`" % words)


class Expiry(TimeCase):
    REVIEW = {"expire": "10d return", "digest-to": "desk@me.example"}

    def assertStays(self, *held):
        self.assertEqual(self.agent(), "")
        self.assertOnHold(*held)

    def test_return(self):
        """it comes back to its author, who is told why; nobody else gets it"""
        held = self.hold_old(10.5, sender=CARE)
        self.announced(held)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)
        self.told(held, "nobody released it in time")
        self.assertEqual(self.events(held.id), [(None, "return", "nobody decided within 10 days", None)])
        self.assertEqual(decided.rows(self, held.id), [("return", "expiry", None, review.DONE, True)])
        self.assertLogged(held.id, r'return by=- uid=0 requeued=- rule=wide-cc sender=care@me\.example msgid=\S+ reason="nobody decided within 10 days" way=expiry')
        self.assertRegex(self.done("log", held.id).out, r"return +\"nobody decided within 10 days\" \(it has expired\)\n$")
        self.assertIn("  returned by its expiry  ", self.done("list", "--all").out)
        self.assertRegex(self.done("show", held.id).out, r"Decision +returned by its expiry, 20\d\d-")
        self.refused(review.GONE, "was returned by its expiry", "release", held.id, reason="x")
        self.assertEqual(self.mta.recipients(held.subject), [])

    def test_delete(self):
        """only together with a mail to its author"""
        self.configure(expire="10d delete", digest_to="desk@me.example")
        held = self.hold_old(10.5, sender=CARE)
        stranger = self.hold_old(10.5, sender="somebody@else.example")
        self.announced(held)
        self.assertEqual(self.row(stranger.id)["announced"], 0)
        self.assertEqual(self.agent(), "%s: deleted\n" % held.id)
        self.told(held, "It\nhas been deleted.")
        self.assertOnHold(stranger)

    def test_delete_without_a_mail(self):
        """nothing is deleted as long as its author cannot be told"""
        self.configure(expire="10d delete")
        held = self.hold_old(10.5, sender=CARE)
        self.announced(held)
        self.configure(expire="10d delete", **self.mta.keys_without_submission())
        for _ in range(2):
            self.ran()
            self.assertRegex(self.agent(review.PASSING), "^%s: stays on hold: sendmail: " % held.id)
            self.assertOnHold(held)
            self.assertEqual(self.state(held.id), "held")
        self.configure(expire="10d delete")
        self.ran()
        self.assertEqual(self.agent(), "%s: deleted\n" % held.id)
        self.told(held, "It\nhas been deleted.")

    def test_digest_not_sent(self):
        """it announces nothing if the MTA did not take it for each of its recipients"""
        held = self.hold_old(10.5)
        self.configure(**self.mta.keys_without_submission())
        self.assertEqual(self.ask("digest").code, review.PASSING)
        self.assertEqual(self.row(held.id)["announced"], 0)
        self.configure(digest_to="desk@me.example")
        self.done("digest")
        self.assertGreater(self.row(held.id)["announced"], 0)

    def test_not_announced(self):
        """whatever its age; and not before 20 hours are over"""
        held = self.hold_old(400)
        self.assertStays(held)
        self.assertIn("expires: returned to its sender after ", self.done("digest", "--print").out)
        self.assertStays(held)
        self.assertEqual(self.row(held.id)["announced"], 0)  # --print announces nothing
        self.assertAbout(self.listed()[held.id]["expires"], 20 * 60)
        self.announced(held, 19)
        self.assertStays(held)
        self.assertEqual(self.listed()[held.id]["expiry"], "return")
        self.assertAbout(self.listed()[held.id]["expires"], 60)
        self.assertIn("  returned in 59 min  ", self.done("list").out)
        self.assertRegex(self.done("show", held.id).out, r"Expires +returned to its sender if nobody decides, on 20\d\d-")
        first = self.row(held.id)["announced"]
        self.done("digest")
        self.assertEqual(self.row(held.id)["announced"], first)  # another digest does not begin anew
        self.assertIn("expires: returned to its sender after %s" % self.minute(first + 20 * HOUR), self.done("digest", "--print", "--utc").out)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = announced - ?", 2 * HOUR)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)

    def test_too_young(self):
        """it is not announced before its last two days; and the queue says when it arrived, whatever the ledger says"""
        young, forged = self.hold_old(7), self.hold()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET judged = judged - ?, began = began - ?, arrival = arrival - ? WHERE queue_id = ?", *[400 * 24 * HOUR] * 3, forged.id)
        self.done("digest")
        self.assertEqual(self.row(young.id)["announced"], 0)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = ?", ledgerfile.now() - 21 * HOUR)
        self.assertStays(young)
        self.assertIn(forged.id, self.mta.held())

    def test_null_sender(self):
        """a bounce has nobody to go back to"""
        held = self.hold_old(20, sender="")
        self.done("digest")
        self.assertEqual(self.row(held.id)["announced"], 0)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = ?", ledgerfile.now() - 21 * HOUR)
        self.assertStays(held)

    def test_off(self):
        """without the key nothing expires"""
        held = self.hold_old(20)
        self.announced(held)
        self.configure(expire="no")
        self.assertStays(held)

    def test_clock(self):
        """a leap of a year, forth or back, or a stop of some days, voids what was announced"""
        held = self.hold_old(10.5)
        for hours in 366 * 24, -366 * 24, 25:
            with self.subTest("%d hours" % hours):
                self.ran(0)
                ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = 0")
                self.announced(held)
                self.ran(hours)
                self.assertStays(held)
                self.assertStays(held)
        self.announced(held)
        now = ledgerfile.now()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET last = ?, steady = ?", now, now - 22 * HOUR)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)

    def test_gap(self):
        """a shorter stop or leap is no time since the announcement"""
        held = self.hold_old(10.5)
        for hours in 1, 23:
            with self.subTest("%d hours" % hours):
                self.ran()
                ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = 0")
                self.announced(held, 19.5 + hours)
                self.ran(hours)
                self.assertStays(held)
                self.assertAbout(self.listed()[held.id]["expires"], 30)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET announced = announced - ?", HOUR)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)

    def test_fifty(self):
        """at most fifty an hour"""
        held = [self.hold_old(10.5) for _ in range(52)]
        self.announced(held[0])
        first = self.ask("agent").out
        self.assertEqual(first.count("\n"), 50, first)
        left = first.count(LEFT)
        self.assertEqual(first.count("returned"), 50 - left, first)
        self.assertStays(*held[50:])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET expired = expired - ?", HOUR)
        self.assertEqual(self.agent().count("returned"), 2 + left)

    def test_approved(self):
        """an approval does not stop it"""
        held = self.hold_old(10.5)
        ledgerfile.execute(self.guard.ledger_path, "INSERT INTO approval (held, login, uid, at) SELECT id, 'news', 9, 1 FROM held WHERE queue_id = ?", held.id)
        self.announced(held)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)

    def test_rule(self):
        """a rule has a time of its own, if the policy's file says so too"""
        held = self.hold_old(3.5, headers=[("X-Own", "yes")])
        other = self.hold_old(3.5)
        self.announced(held)
        self.assertEqual(self.row(other.id)["announced"], 0)
        text = pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        daemon.write(self.guard.policy_path, text.replace("expire 3d", "expire 4d"))
        self.assertStays(held)
        daemon.write(self.guard.policy_path, text.replace(" expire 3d return", ""))
        self.assertStays(held)
        daemon.write(self.guard.policy_path, text)
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)
        self.assertEqual(self.events(held.id), [(None, "return", "nobody decided within 3 days", None)])

    def test_interrupted(self):
        """what a killed agent has begun is no decision: it is looked at anew"""
        held = self.hold_old(1)
        decided.add(self, held, "delete", who=(None, 0), way="expiry", sealed=False)
        self.assertIn("looked at anew", self.agent())
        self.assertOnHold(held)

    def test_doctor(self):
        """says whether it is on, and whether that works"""
        def finding():
            return next(one for one in self.ask("doctor", "--json").json() if one["check"] == "expiry")
        self.assertEqual(finding()["severity"], "ok")
        self.ran(1)
        self.assertIn("agent", finding()["text"])
        self.assertEqual(finding()["severity"], "error")
        self.ran()
        self.configure(expire="no")
        self.assertRegex(finding()["text"], "^off")


SLOW, TEN = [("X-Slow", "yes")], [("X-Ten", "yes")]
DELAYS = (policies.rule("split", "parties(external) within 10m >= 30", 'quarantine "{within} outside parties in 10 minutes"')
          + policies.rule("slow", 'header("X-Slow")', 'quarantine "{parties} outside parties" release after 10m')
          + policies.rule("ten", 'header("X-Ten")', 'quarantine "{parties} outside parties" release after 20s') + policies.RULES)


class Locked(TimeCase):
    """On Sendmail, where another process can be at a message."""
    MTAS = ("sendmail",)

    def test_notice(self):
        """what has expired and cannot leave yet is tried each hour, and its author gets one mail"""
        for action, done in ("return", "returned to its sender"), ("delete", "deleted"):
            with self.subTest(action):
                self.configure(expire="10d " + action, digest_to="desk@me.example")
                held = self.hold_old(10.5, sender=CARE)
                self.announced(held)
                with self.mta.locked(held.id):
                    for _ in range(3):
                        self.ran()
                        self.assertRegex(self.ask("agent").out, "^%s: stays on hold: " % held.id)
                self.ran()
                self.assertEqual(self.agent(), "%s: %s\n" % (held.id, done))
                last = self.hold()
                self.done("return", last.id, reason="its notice is sent after the others")
                daemon.wait_until(lambda: self.mta.deliveries("Not sent: " + last.subject), mta.LIMIT, "the later notice")
                self.assertEqual(len([one for one in self.mails() if held.subject in one.header]), 1)


class Delay(TimeCase):
    POLICY = policies.policy(rules=DELAYS, outbound='outbound when local or authenticated or client in "127.0.0.0/8"')
    senders = itertools.count()

    def slow(self, sender=None, headers=SLOW, **options):
        """A message that leaves by itself; each of an author of its own, so that no window adds them up."""
        return self.hold(sender=sender or "author%d@me.example" % next(self.senders), headers=headers, **options)

    def over(self, *held):
        """Their delay is over."""
        self.done("list")
        for one in held:
            for column in "began", "judged", "leaves", "arrival":
                ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ? AND %s > 0" % (column, column, column), 601 * 1000000, one.id)
            self.mta.age(one.id, 601)

    def assertStays(self, *held):
        self.assertEqual(self.agent(), "")
        self.assertOnHold(*held)

    def test_ten_seconds(self):
        """its author is told at once; it leaves after its delay of 20 s, once"""
        with subprocess.Popen(self.command("agent", "--wait"), env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                start = time.monotonic()
                held, stopped = self.slow(sender=CARE, headers=TEN), self.slow()
                self.told(held, "is sent by itself after this time")
                sent = "SELECT notice.at - judged AS taken FROM notice JOIN held ON held.id = held WHERE queue_id = ? AND notice.state = 'sent'"
                daemon.wait_until(lambda: ledgerfile.query(self.guard.ledger_path, sent, held.id), mta.LIMIT, "the record of the notice")
                noticed = ledgerfile.query(self.guard.ledger_path, sent, held.id)[0]["taken"] / 1000000  # without the MTA's part of it
                self.assertLess(noticed, 15 * tap.SLOWNESS)  # that it leaves would wake the agent, too
                daemon.wait_until(lambda: time.monotonic() - start > 5, mta.LIMIT, "the middle of the delay")
                there = self.mta.held()
                if time.monotonic() - start < 20:  # a loaded machine may look too late
                    self.assertIn(held.id, there)
                self.assertOnHold(stopped)
                self.done("return", stopped.id, reason="its author asked for it")
                self.assertArrived(held)
                left = time.monotonic() - start
                self.assertGreater(left, 20)
                print("# %s: noticed after %.2f s, a delay of 20 s was over after %.2f s" % (self.MTA, noticed, left))
                daemon.wait_until(lambda: decided.rows(self, held.id) == [("release", "delay", None, review.DONE, True)], mta.LIMIT, "the record")
            finally:
                process.kill()
        self.assertEqual(self.events(held.id), [(None, "release", "nobody stopped it", None)])
        waited, = ledgerfile.query(self.guard.ledger_path, "SELECT history.at - judged AS microseconds FROM history JOIN held ON held.id = held WHERE queue_id = ?", held.id)
        self.assertGreaterEqual(waited["microseconds"], 20 * 1000000)
        self.assertIn("(its delay is over)", self.done("log", held.id).out)
        self.assertEqual([{key: each[key] for key in each if key != "time"} for each in self.shown(held)["decisions"]],
                         [{"who": None, "action": "release", "reason": "nobody stopped it", "way": "delay", "state": "done", "detail": "released"}])
        self.assertEqual(self.state(stopped.id), "returned")
        self.assertEqual(self.mta.recipients(stopped.subject), [])

    def test_window(self):
        """a window that is reached keeps what is still on delay; nobody else's"""
        first, second, other = self.slow(sender=CARE), self.slow(sender=CARE, people=policies.people(24)[12:]), self.slow()
        self.assertGreater(self.row(first.id)["leaves"], 0)
        last = self.hold(sender=CARE, people=policies.people(36)[24:])
        self.assertEqual(self.row(last.id)["rule"], "split")
        for held in first, second:
            self.assertEqual((self.row(held.id)["leaves"], self.row(held.id)["stopped"]), (0, "split"))
        listed = self.listed()
        self.assertEqual([(listed[held.id]["due"], listed[held.id]["stopped"]) for held in (first, last)], [(None, "split"), (None, None)])
        self.assertAbout(listed[other.id]["due"], 10)
        text = self.done("list").out
        self.assertEqual(text.count("  delay ended by split  "), 2, text)
        self.assertRegex(text, r"  released in \d+ min  ")
        self.assertRegex(self.done("show", first.id).out, r"Delay +ended by the rule split: a reviewer has to decide\n")
        self.assertRegex(self.done("show", other.id).out, r"Delay +released by itself on 20\d\d-")
        digest = self.done("digest", "--print").out
        self.assertEqual((digest.count("on delay no more, because of the rule split"), digest.count("on delay: released by itself after ")), (2, 1))
        self.over(first, second, other)
        self.assertEqual(self.agent(), "%s: released\n" % other.id)
        self.assertOnHold(first, second, last)

    def test_after_a_stop(self):
        """for two minutes nothing leaves, however long its time is over"""
        held = self.slow()
        self.over(held)
        self.ran(2)
        self.assertStays(held)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET running = running - 60000000")
        self.assertStays(held)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET running = running - 60000000")
        self.assertEqual(self.agent(), "%s: released\n" % held.id)
        self.assertArrived(held)

    def test_policy(self):
        """the policy's file decides, not the ledger; and where two are needed, nobody's delay is enough"""
        held, plain = self.slow(), self.hold(sender="plain@me.example")
        self.over(held, plain)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET leaves = 1 WHERE queue_id = ?", plain.id)
        text = pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        daemon.write(self.guard.policy_path, text.replace(" release after 10m", ""))
        self.assertStays(held, plain)
        daemon.write(self.guard.policy_path, text.replace("release after 10m", "release after 1h"))
        self.assertStays(held, plain)
        daemon.write(self.guard.policy_path, text)
        self.configure(approvals="2")
        self.assertStays(held, plain)
        self.configure()
        self.assertEqual(self.agent(), "%s: released\n" % held.id)
        self.assertOnHold(plain)

    def just_told(self):
        """However long it took to hold more."""
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = ? WHERE at > 0", ledgerfile.now())

    def test_notices(self):
        """one mail an author and minute, about all"""
        first = self.slow(sender=CARE)
        self.agent()
        self.told(first, "is sent by itself")
        others = [self.slow(sender=CARE, people=first.recipients) for _ in range(3)]
        self.just_told()
        self.agent()
        self.agent()
        states = [row["state"] for row in ledgerfile.query(self.guard.ledger_path, "SELECT state FROM notice ORDER BY held")]
        self.assertEqual(states, ["sent", "wanted", "wanted", "wanted"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - 61000000")
        self.agent()
        def about(held):
            return [one for one in self.mails() if held.subject in one.message and "is sent by itself" in one.message]
        daemon.wait_until(lambda: about(others[2]), mta.LIMIT, "the second mail")
        self.assertEqual([len(about(held)) for held in others], [1, 1, 1])

    def ends(self, author):
        """The mails to an author that a delay has ended."""
        return [one for one in self.mails(author) if "was to be sent by itself" in one.message]

    def test_told_of_the_end(self):
        """who was told that his mail is sent is told that it is not, once, within the same bound of a mail a minute"""
        author = "told@me.example"  # the window remembers what each one sent in other tests
        first, second = self.slow(sender=author), self.slow(sender=author, people=policies.people(24)[12:])
        self.agent()
        self.told(first, "is sent by itself", author)
        last = self.hold(sender=author, people=policies.people(36)[24:])
        self.just_told()
        self.agent()
        states = ledgerfile.query(self.guard.ledger_path, "SELECT state, tries, reason FROM notice ORDER BY held")
        self.assertEqual([tuple(row) for row in states], [("wanted", 0, "its delay was ended")] * 2)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - 61000000")
        self.agent()
        mail, = daemon.wait_until(lambda: self.ends(author), mta.LIMIT, "the mail that the delays have ended")
        for held in first, second:
            self.assertIn(held.subject, mail.message)
        self.assertNotIn(last.subject, mail.message)
        self.assertIn("stays on hold until a reviewer decides", mail.message)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE notice SET at = at - 61000000")
        self.agent()
        other = self.slow(sender="next@me.example")
        self.agent()
        self.told(other, "is sent by itself", "next@me.example")
        self.assertEqual(len(self.ends(author)), 1)
        self.assertEqual([row["state"] for row in ledgerfile.query(self.guard.ledger_path, "SELECT state FROM notice WHERE author = ?", author)], ["sent", "sent"])
        self.assertOnHold(first, second, last)

    def test_ended_before_it_was_told(self):
        """its author gets one mail, which says what is so"""
        author = "quick@me.example"
        first = self.slow(sender=author)
        self.hold(sender=author, people=policies.people(36)[12:])
        self.agent()
        mail, = daemon.wait_until(lambda: self.ends(author), mta.LIMIT, "the mail that the delay has ended")
        self.assertIn(first.subject, mail.message)
        self.assertEqual([one for one in self.mails(author) if "is sent by itself after" in one.message], [])

    def test_many(self):
        """all that is due at once leaves, each once"""
        held = [self.slow() for _ in range(MANY)]
        self.over(*held)
        start = time.monotonic()
        done = subprocess.run(self.command("agent"), env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=mta.LIMIT + MANY, check=False)
        left = done.stdout.count(LEFT.encode())
        self.assertEqual(done.stdout.count(b": released\n"), MANY - left)
        if left > 0:
            self.ran()
            self.assertEqual(self.agent().count(": released\n"), left)
        print("# %s: %d due at once were released in %.1f s" % (self.MTA, MANY, time.monotonic() - start))
        for one in held:
            self.assertArrived(one)

    def test_doctor(self):
        """no agent is an error; at the load of the policy a warning"""
        def finding():
            return next(one for one in self.ask("doctor", "--json").json() if one["check"] == "agent")
        self.assertEqual(finding()["severity"], "ok")
        self.ran(1)
        self.assertEqual(finding()["severity"], "error")
        self.ran(25)
        mark = self.guard.mark()
        self.guard.reload()
        self.assertTrue([line for line in self.guard.lines[mark:] if "`rcptguardq agent` has not run for a day" in line])


if __name__ == "__main__":
    review.main(240)
