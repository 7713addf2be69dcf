"""Decisions as rows: a command writes one and carries it out, the agent carries out what is left, and believes no row."""

import os
import pwd
import stat
import subprocess
import time

import daemon
import decided
import ledgerfile
import mta
import policies
import review
import tap

MINUTE = 60 * 1000000  # microseconds
RULES = policies.rule("two", 'header("X-Two")', 'quarantine "{parties} outside parties" approvals 2') + policies.RULES

# How often the time from a decision to its delivery is measured: AGENT_TIMES=100 gives the figures of tests/RESULTS.md.
TIMES = int(os.environ.get("AGENT_TIMES", "5"))

# A sendmail command that waits before it takes a mail.
SLOW = """#!/bin/sh
case " $* " in *" -Am "*) touch {began}; while [ ! -e {go} ]; do sleep 0.1; done;; esac
exec {program} "$@"
"""

# Users that every system has, who are reviewers here.
ANN, BOB, EVE = "games", "news", "nobody"
ROOT = decided.ROOT


class AgentCase(review.ReviewCase):
    POLICY = policies.policy(rules=RULES)
    REVIEW = {"release": "games, news"}

    @classmethod
    def configure(cls, **keys):
        text = "root: postmaster@me.example\n%s: ann@me.example\n%s: bob@me.example\n" % (ANN, BOB)
        return super().configure(identities=daemon.write(os.path.join(cls.guard.directory, "identities"), text), **keys)

    def setUp(self):
        super().setUp()
        if not os.path.exists(decided.key_path(self)):
            self.done("delete", self.hold().id, reason="the first decision makes the key")

    def agent(self, code=review.DONE):
        result = self.ask("agent")
        self.assertEqual((result.code, result.err), (code, ""), result)
        return result.out


class Rows(AgentCase):
    def test_commands(self):
        """a command writes down what is decided, and what came of it"""
        released, returned, deleted = self.hold(), self.hold(), self.hold()
        self.done("release", released.id, reason="ok")
        self.done("return", returned.id, reason="ok")
        self.done("delete", deleted.id, reason="ok")
        for held, action in (released, "release"), (returned, "return"), (deleted, "delete"):
            self.assertEqual(decided.rows(self, held.id), [(action, "command", "root", review.DONE, True)])
            event, = self.done("log", "--json", held.id).json()
            self.assertEqual((event["who"], event["action"], event["way"]), ("root", action, "command"))
        self.assertEqual(self.agent(), "")
        self.assertArrived(released)

    def test_what_may_not_be_decided(self):
        """is no decision: nothing is written down, nor by --dry-run"""
        held = self.hold(sender="postmaster@me.example")
        self.assertEqual(self.ask("release", held.id, "--dry-run", reason="x").code, review.FORBIDDEN)
        self.assertEqual(self.ask("delete", held.id, "--dry-run", reason="x").code, review.DONE)
        self.refused(review.FORBIDDEN, "your own mail", "release", held.id, reason="x")
        self.assertEqual(decided.rows(self, held.id), [])

    def test_key(self):
        """root's alone, made at first use; what others can read seals nothing"""
        path = decided.key_path(self)
        status = os.stat(path)
        self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (0, 0o600))
        self.addCleanup(os.chmod, path, 0o600)
        os.chmod(path, 0o644)
        held = self.hold()
        self.refused(review.PASSING, "a key is secret", "release", held.id, reason="x")
        self.assertOnHold(held)

    def test_for_root_alone(self):
        """not for the daemon's user either, whose file the ledger is"""
        entry = pwd.getpwnam(daemon.USER)
        self.refused(review.FORBIDDEN, "agent is root's", "agent", user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])


class CarriedOut(AgentCase):
    def test_left_by_a_command(self):
        """each action, once, in the name of who decided"""
        released, returned, deleted = self.hold(), self.hold(), self.hold()
        decided.add(self, released, "release", decided.person(ANN))
        self.configure(**{"return": ANN})
        decided.add(self, returned, "return", decided.person(ANN), reason="use Bcc")
        decided.add(self, deleted, "delete")
        self.assertEqual(self.agent(), "%s: released\n%s: returned to its sender\n%s: deleted\n" % (released.id, returned.id, deleted.id))
        self.assertArrived(released)
        self.assertEqual(self.events(released.id), [(ANN, "release", "agreed", None)])
        self.assertEqual(self.events(returned.id)[0][:3], (ANN, "return", "use Bcc"))
        self.assertEqual(self.state(deleted.id), "deleted")
        for held in released, returned, deleted:
            self.assertEqual([row[3:] for row in decided.rows(self, held.id)], [(review.DONE, True)])
            self.assertEqual(len(self.mta.recipients(held.subject)), len(held.recipients) if held is released else 0)
        self.assertLogged(released.id, r"release by=%s uid=%d requeued=- rule=wide-cc sender=care@me\.example msgid=\S+ reason=\"agreed\"" % decided.person(ANN))
        self.assertEqual(self.agent(), "")

    def test_somebody_is_at_it(self):
        """what a process that lives carries out is left to it; once it is dead it is not"""
        held = self.hold()
        number = decided.add(self, held, "release")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE decision SET process = ?, since = ? WHERE id = ?", os.getpid(), ledgerfile.now(), number)
        self.assertEqual(self.agent(review.PASSING), "")
        self.assertOnHold(held)
        ended = subprocess.Popen(["true"])
        ended.wait()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE decision SET process = ? WHERE id = ?", ended.pid, number)
        self.assertEqual(self.agent(), "%s: released\n" % held.id)
        self.assertArrived(held)

    def test_done_already(self):
        """its process died after the release, and before it wrote that down; or somebody else was quicker"""
        own, other = self.hold(), self.hold()
        decided.add(self, own, "release")
        self.done("release", own.id, reason="the same")
        decided.add(self, other, "delete")
        self.done("release", other.id, reason="another")
        self.assertRegex(self.agent(), r"(?s)%s: was released by root.*%s: was released by root" % (own.id, other.id))
        self.assertEqual([row[3:] for row in decided.rows(self, own.id)], [(review.DONE, True), (review.DONE, True)])
        self.assertEqual([row[3:] for row in decided.rows(self, other.id)], [(review.GONE, True), (review.DONE, True)])

    def test_two_reviewers(self):
        """the first is an approval, the second releases; the same one twice does not"""
        held = self.hold(headers=[("X-Two", "yes")])
        decided.add(self, held, "release", decided.person(ANN))
        self.assertIn("approved, 1 of 2", self.agent())
        decided.add(self, held, "release", decided.person(ANN))
        self.assertIn("approved, 1 of 2", self.agent())
        self.assertOnHold(held)
        decided.add(self, held, "release", decided.person(BOB))
        self.assertEqual([(each["who"], each["action"], each["state"]) for each in self.shown(held)["decisions"]],
                         [(ANN, "approve", "done"), (ANN, "release", "done"), (BOB, "release", "waiting")])
        self.assertEqual(self.agent(), "%s: released\n" % held.id)
        self.assertArrived(held)
        self.assertEqual([(each["who"], each["action"], each["state"]) for each in self.shown(held)["decisions"]][2:], [(BOB, "release", "done")])

    def test_time(self):
        """`--wait`: from the row to the delivery at once; the line says how long"""
        with subprocess.Popen(self.command("agent", "--wait"), env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                times = []
                for _ in range(TIMES):
                    held = self.hold()
                    decided.add(self, held, "release")
                    start = time.monotonic()
                    decided.ring(self)
                    self.assertArrived(held)
                    times.append(time.monotonic() - start)
                times.sort()
                print("# decision row to delivery, %s, %d decisions: median %.0f ms, p99 %.0f ms, longest %.0f ms"
                      % (self.MTA, TIMES, *(1000 * times[(TIMES - 1) * percent // 100] for percent in (50, 99)), 1000 * times[-1]))
                self.assertLess(times[TIMES // 2], 30 * tap.SLOWNESS)  # without the bell it looks once a minute
            finally:
                process.kill()


class Meanwhile(AgentCase):
    """On Sendmail, whose command can be made to wait."""
    MTAS = ("sendmail",)

    def test_what_comes_meanwhile(self):
        """is done by the same run: the unit does not hear the bell while it runs"""
        first, second = self.hold(), self.hold()
        folder = self.guard.directory
        began, go = os.path.join(folder, "began"), os.path.join(folder, "go")
        slow = daemon.write(os.path.join(folder, "slow"), SLOW.format(began=began, go=go, program=self.mta.review_keys()["sendmail-command"]), 0o755)
        decided.add(self, first, "return")
        self.configure(sendmail_command=slow)
        with subprocess.Popen(self.command("agent"), env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                daemon.wait_until(lambda: os.path.exists(began), mta.LIMIT, "the first decision")
                decided.add(self, second, "delete")
                decided.ring(self)
            finally:
                daemon.write(go, "")
            out, _ = process.communicate(timeout=mta.LIMIT)
        self.assertEqual(out.decode(), "%s: returned to its sender\n%s: deleted\n" % (first.id, second.id))


    def test_notice(self):
        """of a return that cannot be done yet the sender gets one mail, however often that is tried"""
        held = self.hold()
        decided.add(self, held, "return")
        with self.mta.locked(held.id):
            for _ in range(3):
                self.assertRegex(self.agent(review.PASSING), "^%s: stays on hold: " % held.id)
            self.assertEqual([(each["state"], each["detail"]) for each in self.shown(held)["decisions"]], [("waiting", "a notice was sent")])
        self.assertEqual(self.agent(), "%s: returned to its sender\n" % held.id)
        last = self.hold()
        self.done("return", last.id, reason="its notice is sent after the others")
        daemon.wait_until(lambda: self.mta.deliveries("Not sent: " + last.subject), mta.LIMIT, "the later notice")
        self.assertEqual(len(self.mta.deliveries("Not sent: " + held.subject)), 1)


class Forged(AgentCase):
    """Whoever took the daemon over has the ledger, and not the key."""

    def assertRefused(self, held, words):
        self.assertRegex(self.agent(), r"%s: .*%s" % (held.id, words))
        self.assertOnHold(held)
        self.assertEqual(self.row(held.id)["state"], "held")
        row = decided.rows(self, held.id)[-1]
        self.assertEqual(row[3:], (review.FORBIDDEN, True))
        self.assertEqual(self.events(held.id)[-1][1], "refuse")
        self.assertEqual(self.agent(), "")
        shown = self.shown(held)["decisions"][-1]
        self.assertEqual((shown["who"], shown["action"], shown["way"], shown["state"]), (row[2], row[0], row[1], "refused"))
        self.assertRegex(shown["detail"], words)

    def test_without_a_seal(self):
        for way in "command", "author", "reviewer":
            for action in "release", "return", "delete":
                with self.subTest("%s by %s" % (action, way)):
                    held = self.hold()
                    decided.add(self, held, action, way=way, sealed=False)
                    self.assertRefused(held, "is not decided")
                    self.assertLogged(held.id, "refuse by=root uid=0 .*")
                    self.mta.drop(held.id)

    def as_the_daemon(self, *statements):
        """Runs them on the ledger as the daemon's user, who cannot read the key."""
        entry = pwd.getpwnam(daemon.USER)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)
                for sql, values in statements:
                    ledgerfile.execute(self.guard.ledger_path, sql, *values)
                code = 2
                with open(decided.key_path(self), "rb"):
                    pass
            except PermissionError:
                code = 0 if code == 2 else 3
            finally:
                os._exit(code)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_by_the_daemons_user(self):
        """whatever he writes, and however often, decides nothing"""
        done, held, own = self.hold(), self.hold(), self.hold(sender="ann@me.example")
        self.done("delete", done.id, reason="ok")
        self.done("list")
        seal = ledgerfile.query(self.guard.ledger_path, "SELECT seal FROM decision WHERE held = ?", self.row(done.id)["id"])[0]["seal"]
        insert = "INSERT INTO decision (held, action, way, who, uid, reason, at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        forged = []
        for one in held, own:
            number, now = self.row(one.id)["id"], ledgerfile.now()
            for way, who in ("command", ROOT), ("command", decided.person(ANN)), ("command", (EVE, 0)), ("author", ("care", -1)), ("reviewer", decided.person(BOB)), ("expiry", (None, 0)), ("delay", (None, 0)):
                for action in "release", "return", "delete":
                    forged += [(insert, (number, action, way, *who, "so", now, stamp)) for stamp in (None, seal, bytes(32))]
            forged += [("INSERT INTO approval (held, login, uid, at) VALUES (?, ?, 0, 1)", (number, login)) for login in (ANN, BOB)]
            forged += [("UPDATE held SET leaves = 1, announced = 1, approvals = 1, judged = 1 WHERE id = ?", (number,))]
        forged += [("UPDATE agent SET last = ?, running = 1, steady = 1, expired = 0", (ledgerfile.now(),))]
        self.as_the_daemon(*forged)
        self.agent()
        self.agent()
        self.assertOnHold(held, own)
        open_or_done = [row for one in (held, own) for row in decided.rows(self, one.id) if row[3:] not in ((review.FORBIDDEN, True), (review.GONE, True))]
        self.assertEqual((open_or_done, len(decided.rows(self, held.id))), ([], 63))
        self.done("release", held.id, reason="a person who may")
        self.assertArrived(held)

    def test_what_the_time_decides(self):
        """is found out from the queue, the policy and the configuration, and not from such a row"""
        for way in "expiry", "delay":
            held = self.hold()
            decided.add(self, held, "release", who=(None, 0), way=way, sealed=False)
            self.assertIn("looked at anew", self.agent())
            self.assertOnHold(held)

    def test_with_another_key(self):
        held = self.hold()
        decided.add(self, held, "release", secret=bytes(32))
        self.assertRefused(held, "seal")

    def test_copied(self):
        """the seal of another message, action, person, reason or time"""
        held, other = self.hold(), self.hold()
        decided.add(self, held, "release", of=other)
        self.assertRefused(held, "seal")
        for change in "action = 'delete'", "who = 'news', uid = 9", "reason = 'another'", "at = at + 1", "reason = NULL":
            with self.subTest(change):
                number = decided.add(self, held, "release")
                ledgerfile.execute(self.guard.ledger_path, "UPDATE decision SET %s WHERE id = ?" % change, number)
                self.assertRefused(held, "seal")

    def test_row_of_another_message(self):
        """a decided row is pointed at another message, and its decision begins anew"""
        released, held = self.hold(), self.hold()
        self.done("release", released.id, reason="ok")
        self.assertArrived(released)
        row, target = self.row(released.id), self.row(held.id)
        self.done("list")
        target = self.row(held.id)
        ledgerfile.execute(self.guard.ledger_path, "DELETE FROM held WHERE id = ?", target["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'held', queue_id = ?, arrival = ?, began = ?, judged = ?, who = NULL, requeued = NULL WHERE id = ?",
                           held.id, target["arrival"], target["began"], target["judged"], row["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE decision SET done = 0, process = 0, since = 0 WHERE held = ?", row["id"])
        self.assertRegex(self.agent(), "%s: .*seal" % held.id)
        self.assertOnHold(held)

    def test_approvals(self):
        """an approval without a sealed decision does not count"""
        held = self.hold(headers=[("X-Two", "yes")])
        row = self.row(held.id)
        ledgerfile.execute(self.guard.ledger_path, "INSERT INTO approval (held, login, uid, at) VALUES (?, ?, 9, 1)", row["id"], BOB)
        decided.add(self, held, "release", decided.person(ANN))
        self.assertIn("approved, 1 of 2", self.agent())
        self.assertOnHold(held)

    def test_rights(self):
        """who may no longer, who never could, and whose own mail it is"""
        held = self.hold()
        decided.add(self, held, "release", decided.person(EVE))
        self.assertRefused(held, "`%s` is in no group" % EVE)
        decided.add(self, held, "delete", decided.person(ANN))
        self.assertRefused(held, "`%s` is in no group that .review. lets delete" % ANN)
        decided.add(self, held, "release", (ANN, 0))
        self.assertRefused(held, "no user `%s` with the id 0" % ANN)
        decided.add(self, held, "release", ("no-such-user", 4711))
        self.assertRefused(held, "no user `no-such-user`")
        own = self.hold(sender="ann@me.example")
        decided.add(self, own, "release", decided.person(ANN))
        self.assertRefused(own, "your own mail")

    def test_old(self):
        """a decision that is older than a day has to be made again"""
        held = self.hold()
        decided.add(self, held, "release", at=ledgerfile.now() - 25 * 60 * MINUTE)
        self.assertRefused(held, "older than a day")


if __name__ == "__main__":
    review.main()
