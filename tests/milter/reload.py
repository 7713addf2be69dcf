"""SIGHUP: a new policy whole, or the old one."""

import re
import signal
import threading
import unittest

import daemon
import guardcase
import milterclient
import policies
import tap


def reject_from(count, text="old"):
    return policies.policy(rules=policies.rule("limit", "parties(external) >= %d" % count, 'reject "%s {parties}"' % text))


class Reload(unittest.TestCase):
    def setUp(self):
        self.guard = daemon.Daemon(reject_from(50))
        self.addCleanup(self.guard.__exit__, None, None, None)

    def send(self, count, mta=None):
        """The verdict on a message to `count` parties."""
        if mta is not None:
            return self.guard.verdict(guardcase.send(mta, to=policies.people(count)))
        with self.guard.client() as one:
            one.connect("127.0.0.1")
            return self.guard.verdict(guardcase.send(one, to=policies.people(count)))

    def test_the_next_message_is_judged_by_the_new_policy(self):
        before = self.send(20)
        self.assertEqual((before.verdict, before.rule), ("accept", "default"))
        self.guard.set_policy(reject_from(10, "new"))
        line = self.guard.reload()
        after = self.send(20)
        self.assertEqual((after.verdict, after.text), ("reject", "new 20"))
        self.assertNotEqual(after.policy, before.policy)
        self.assertIn("reload done", line)
        self.assertIn(after.policy, line)

    def test_a_policy_that_did_not_change(self):
        before = self.send(20)
        self.guard.reload()
        self.assertEqual(self.send(20).policy, before.policy)

    def test_a_broken_policy_leaves_the_old_one(self):
        before = self.send(60)
        self.guard.set_policy(reject_from(10).replace("parties(external)", "partys(external)").replace("class partner", "klass partner").replace("contact", "kontact"))
        mark = self.guard.mark()
        line = self.guard.reload()
        self.assertIn("reload failed", line)
        self.assertIn(before.policy, line)
        with self.guard.changed:
            told = [text for text in self.guard.lines[mark:] if "%s:" % self.guard.policy_path in text and "error:" in text]
        self.assertEqual(len(told), 3, told)  # each mistake, each with its place
        for text, word in zip(told, ("kontact", "klass", "partys")):
            self.assertRegex(text, r"policy:\d+:\d+: error: ")
            self.assertIn(word, text)
        for count, verdict in ((20, "accept"), (60, "reject")):
            after = self.send(count)
            self.assertEqual((after.verdict, after.policy), (verdict, before.policy))

    def test_release_by_sender_without_an_address(self):
        """nobody could answer: not in force"""
        before = self.send(60)
        self.guard.set_policy(reject_from(10).replace('reject "old {parties}"', 'quarantine "x" release by sender'))
        mark = self.guard.mark()
        self.assertIn("reload failed", self.guard.reload())
        with self.guard.changed:
            told = [text for text in self.guard.lines[mark:] if "error:" in text]
        self.assertEqual(["[review] answers" in text for text in told] + ["[review] notice" in text for text in told], [True, False, False, True], told)
        self.assertEqual(self.send(60).policy, before.policy)

    def test_a_policy_that_is_gone(self):
        before = self.send(20)
        for spoil in (lambda path: daemon.os.unlink(path), lambda path: daemon.os.mkdir(path)):
            spoil(self.guard.policy_path)
            mark = self.guard.mark()
            self.assertIn("reload failed", self.guard.reload())
            self.guard.wait_for_line(r"%s: error: " % self.guard.policy_path, mark=mark)
            self.assertEqual(self.send(20).policy, before.policy)
        daemon.os.rmdir(self.guard.policy_path)
        self.guard.set_policy(reject_from(10))
        self.assertIn("reload done", self.guard.reload())
        self.assertEqual(self.send(20).verdict, "reject")

    def test_a_table_that_is_gone(self):
        with_table = reject_from(10).replace('domain "partner.example"', 'domains from "partners"')
        self.guard.set_policy(with_table)
        mark = self.guard.mark()
        self.assertIn("reload failed", self.guard.reload())
        self.assertIn("partners", self.guard.wait_for_line(r"error: .*", mark=mark))
        daemon.write(daemon.os.path.join(self.guard.directory, "partners"), "partner.example\n")
        self.assertIn("reload done", self.guard.reload())
        self.assertEqual(self.send(20).verdict, "reject")

    def test_a_failed_assertion_is_refused(self):
        before = self.send(20)
        self.guard.set_policy(reject_from(10).replace('expect "mail.me.example" is internal', 'expect "mail.me.example" is partner'))
        mark = self.guard.mark()
        self.assertIn("reload failed", self.guard.reload())
        self.guard.wait_for_line(r"policy:\d+:\d+: error: ", mark=mark)
        self.assertEqual(self.send(20).policy, before.policy)

    def test_an_assertion_on_a_message(self):
        self.guard.set_policy(reject_from(10, "new").replace("default", 'expect message from "care@me.example" to 9 of "p{n}@q{n}.example" gives reject\ndefault'))
        self.assertIn("reload failed", self.guard.reload())
        self.guard.set_policy(reject_from(10, "new").replace("default", 'expect message from "care@me.example" to 10 of "p{n}@q{n}.example" gives reject by limit\ndefault'))
        self.assertIn("reload done", self.guard.reload())

    def test_a_message_keeps_the_policy_of_its_mail_from(self):
        """The policy in force at MAIL FROM holds to the end of message."""
        people = policies.people(20)
        with self.guard.client() as mta:
            mta.connect("127.0.0.1")
            self.assertIsNone(mta.mail("care@me.example"))
            self.guard.set_policy(reject_from(10, "new"))
            self.assertIn("reload done", self.guard.reload())
            for address in people:
                mta.rcpt(address)
            mta.data("4XyKEEPz")
            mta.header("To", policies.folded(people))
            mta.eoh("4XyKEEPz")
            self.assertEqual(mta.eom("4XyKEEPz").verdict, milterclient.ACCEPT)
            old = self.guard.verdict("4XyKEEPz")
            self.assertEqual((old.verdict, old.rule), ("accept", "default"))
            new = self.send(20, mta)  # the next message of the same connection
            self.assertEqual((new.verdict, new.text), ("reject", "new 20"))
            self.assertNotEqual(old.policy, new.policy)

    def test_a_message_keeps_it_over_many_reloads(self):
        with self.guard.client() as mta:
            mta.connect("127.0.0.1")
            mta.envelope("care@me.example", ["x@cust1.example"])
            for count in range(10, 15):
                self.guard.set_policy(reject_from(count, "new"))
                self.guard.reload()
            mta.data("4XyMANYz")
            mta.header("To", policies.folded(policies.people(60)))
            mta.eoh("4XyMANYz")
            mta.eom("4XyMANYz")
            self.assertEqual(self.guard.verdict("4XyMANYz").text, "old 60")

    def test_20_rapid_hangups(self):
        self.guard.set_policy(reject_from(10, "new"))
        pid, child = self.guard.pid, self.guard.child()
        for _ in range(20):
            self.guard.signal(signal.SIGHUP)
        daemon.wait_until(lambda: self.send(20).verdict == "reject", what="the new policy")
        self.assertTrue(daemon.alive(pid) and daemon.alive(child))
        self.assertEqual(daemon.children(pid), [child])

    def test_hangups_under_load(self):
        """Whatever the moment, a message has one policy and its line says which."""
        texts = {"odd": reject_from(10, "odd"), "even": reject_from(10, "even")}
        self.guard.set_policy(texts["odd"])
        self.guard.reload()
        stop, failures, answers = threading.Event(), [], []

        def session():
            try:
                with self.guard.client() as mta:
                    mta.connect("127.0.0.1")
                    while not stop.is_set():
                        answers.append(guardcase.send(mta, to=policies.people(20)))
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=session) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for count in range(30):
                self.guard.set_policy(texts["even" if count % 2 == 0 else "odd"])
                self.guard.reload()
                daemon.wait_until(lambda count=count: failures or len(answers) > count, what="the answers to come along with the reloads")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        digests = {}
        for answer in answers:
            line = self.guard.verdict(answer)
            self.assertEqual(line.verdict, "reject")
            self.assertEqual(answer.reply, "550 5.7.1 " + line.text)
            digests.setdefault(line.policy, set()).add(line.text)
        self.assertTrue(all(len(texts) == 1 for texts in digests.values()), digests)
        self.assertEqual(len(digests), 2)


class Configuration(unittest.TestCase):
    """rcptguard.conf is read again, too."""

    def setUp(self):
        self.guard = daemon.Daemon(reject_from(50))
        self.addCleanup(self.guard.__exit__, None, None, None)
        with open(self.guard.config_path, encoding="utf-8") as file:
            self.before = file.read()

    def change(self, *lines, text=None):
        """Writes it with more lines, reloads, and gives the lines in the log."""
        daemon.write(self.guard.config_path, (self.before if text is None else text) + "\n".join(lines) + "\n")
        mark = self.guard.mark()
        self.guard.reload()
        with self.guard.changed:
            return [line.partition("]: ")[2] or line for line in self.guard.lines[mark:]]

    def send(self, count):
        with self.guard.client() as one:
            one.connect("127.0.0.1")
            return guardcase.send(one, to=policies.people(count))

    def record(self):
        """What the daemon says of itself, once the last reload is in it."""
        with open(self.guard.ledger_path + ".running", encoding="utf-8") as file:
            return dict(line.rstrip("\n").partition(" = ")[::2] for line in file if not line.startswith("#"))

    def recorded(self, reloads):
        return daemon.wait_until(lambda: self.record() if self.record()["reloads"] == str(reloads) else None, what="the record of the reload")

    def test_what_needs_no_restart(self):
        self.assertIn(" verdict=accept", self.guard.verdict(self.send(2)).raw)
        said = self.change("[log]", "accepted = no", "summary = 1s")
        self.assertTrue([line for line in said if "reload: %s: in force: [log] accepted, [log] summary" % self.guard.config_path in line], said)
        quiet = self.send(2)
        self.guard.verdict(self.send(60))  # its line comes after where the other's would be
        self.assertEqual(self.guard.verdicts(quiet.queue_id), [])
        self.guard.wait_for_line(r"judged=\d+ not-outbound=")  # by the hour before
        self.assertEqual(self.recorded(1)["log.accepted"], "no")
        said = self.change()
        self.assertTrue([line for line in said if "in force: [log] accepted, [log] summary" in line], said)
        self.guard.verdict(self.send(2))

    def test_another_policy(self):
        """its path is a key as any other"""
        daemon.write(self.guard.policy_path + "2", reject_from(10, "new"))
        self.change(text=self.before.replace(self.guard.policy_path, self.guard.policy_path + "2"))
        self.assertEqual(self.guard.verdict(self.send(20)).text, "new 20")

    def test_json(self):
        self.change("[log]", "format = json")
        answer = self.send(60)
        self.guard.wait_for_line(r'\{"[^}]*"%s"' % answer.queue_id)

    def test_what_needs_a_restart(self):
        """it is named; what else changed is in force; what waits stays as it is until then"""
        said = self.change("timeout = 9000", "on-error = accept", "[log]", "facility = local1", text=self.before.partition("[ledger]")[0].rstrip() + "\n")
        self.assertTrue([line for line in said if "a restart is needed for [milter] timeout, [log] facility, [ledger] path; what was in force stays" in line], said)
        self.assertTrue([line for line in said if "in force: [milter] on-error" in line], said)
        self.assertIn("reload done", said[-1])
        record = self.recorded(1)
        self.assertEqual((record["milter.timeout"], record["ledger.path"], record["failed"]), ("7210", self.guard.ledger_path, "no"))

    def test_a_broken_one(self):
        """each mistake with its place; neither it nor a new policy comes in force"""
        self.guard.set_policy(reject_from(10, "new"))
        said = self.change("on-error = maybe", "[log]", "acepted = no", text=self.before.partition("[ledger]")[0].rstrip() + "\n")
        self.assertIn("reload failed", said[-1])
        lines = self.before.partition("[ledger]")[0].rstrip().count("\n") + 1
        errors = [line for line in said if ": error: " in line]
        self.assertRegex(errors[0], r"reload: %s:%d:12: error: on-error: expected tempfail or accept" % (self.guard.config_path, lines + 1))
        self.assertRegex(errors[1], r"reload: %s:%d:1: error: .*acepted" % (self.guard.config_path, lines + 3))
        self.assertEqual(self.guard.verdict(self.send(20)).verdict, "accept")
        self.assertEqual(self.recorded(1)["failed"], "yes")
        daemon.os.unlink(self.guard.config_path)
        self.assertIn("reload failed", self.guard.reload())
        self.assertIn("reload done", self.change()[-1])
        self.assertEqual(self.guard.verdict(self.send(20)).text, "new 20")

    @unittest.skipUnless(daemon.ROOT, "only root starts it with what its user cannot read")
    def test_one_that_its_user_cannot_read(self):
        """the policy is read all the same"""
        self.guard.set_policy(reject_from(10, "new"))
        daemon.os.chmod(self.guard.config_path, 0o600)
        mark = self.guard.mark()
        self.assertIn("reload done", self.guard.reload())
        self.guard.wait_for_line(r"reload: %s: warning: cannot be read by the daemon's user, so its values stay" % self.guard.config_path, mark=mark)
        self.assertEqual(self.guard.verdict(self.send(20)).text, "new 20")

    def test_a_notice(self):
        """what is wrong with the template is said, and stops no reload"""
        path = daemon.write(daemon.os.path.join(self.guard.directory, "notice"), "Subject: Held\n\n{nobody}\n")
        said = self.change("[review]", "notice = " + path)
        self.assertTrue([line for line in said if "reload: %s:3:1: warning: " % path in line], said)
        self.assertTrue([line for line in said if "in force: [review] notice" in line], said)

    def test_a_socket_of_the_command_line(self):
        """it is not compared with the file's"""
        socket = "unix:" + daemon.os.path.join(self.guard.run_directory, "other.sock")
        with daemon.Daemon(reject_from(50), socket=socket, config={("milter", "socket"): "unix:/nowhere/x.sock"}, arguments=("-p", socket)) as guard:
            mark = guard.mark()
            self.assertIn("reload done", guard.reload())
            with guard.changed:
                self.assertEqual([line for line in guard.lines[mark:] if "restart" in line], [])


class Start(unittest.TestCase):
    def test_a_failed_assertion_at_the_start_is_only_said(self):
        """No mail is refused for a failed test."""
        policy = reject_from(10).replace('expect "mail.me.example" is internal', 'expect "mail.me.example" is partner')
        with daemon.Daemon(policy) as guard:
            guard.wait_for_line(r"policy:\d+:\d+: error: ")
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                self.assertEqual(guard.verdict(guardcase.send(mta, to=policies.people(20))).verdict, "reject")

    def test_an_expired_rule_is_no_rule(self):
        policy = policies.policy(rules=policies.rule("old", "parties(external) >= 1", 'reject "x"', until="2020-01-31")
                                 + policies.rule("valid", "parties(external) >= 1", 'tag "x"', until="2099-12-31"))
        with daemon.Daemon(policy) as guard, guard.client() as mta:
            mta.connect("127.0.0.1")
            self.assertEqual(guard.verdict(guardcase.send(mta, to=policies.people(2))).rule, "valid")


if __name__ == "__main__":
    tap.main()
