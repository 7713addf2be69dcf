"""The rules for logcheck against lines that the daemon really writes: routine is silent, trouble is not."""

import os
import pathlib
import re
import unittest

import daemon
import guardcase
import logparsers
import policies
import tap

# What a line says of a message that is deferred because neither ledger nor state had an answer in time.
TOO_LATE = re.compile(r"could not be written \((slow|busy)\)|gave no answer within")

# The head of a line by rsyslog's traditional form, Debian 12's default, and by the one of Debian 13.
HEADS = ["Nov  4 08:10:19 mail rcptguardd[195]: ", "2026-11-24T08:10:19.123456+00:00 mail.corp.example rcptguardd[195]: "]


class Logcheck(unittest.TestCase):
    FORM = "text"

    def lines(self, policy=policies.FIELD, act=lambda guard: None):
        """All that a daemon writes from its start to its end; and once more where a loaded machine was too late for a message, which is trouble."""
        def in_time():
            found = self.all_lines(policy, act)
            return found if not TOO_LATE.search("\n".join(found)) else None
        return daemon.wait_until(in_time, 2 * daemon.LIMIT, "a day on which no message was too late")

    def all_lines(self, policy, act):
        with daemon.Daemon(policy, config={("log", "summary"): "1s", ("log", "format"): self.FORM}) as guard:
            act(guard)
            guard.stop()
            with guard.changed:
                found = list(guard.lines)
        self.assertIn("started: ", found[0])
        return found

    def judge(self, guard, **options):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            self.judged(guard, guardcase.send(mta, **options))

    def judged(self, guard, answer):
        guard.verdict(answer)

    def shown(self, words):
        """How a line has these words."""
        return words

    def assertTold(self, lines, words):
        """Of all lines logcheck mails those with the words, one for each word, in both forms."""
        for head in HEADS:
            left = [line[len(head):] for line in logparsers.left_over([head + line for line in lines])]
            self.assertEqual(len(left), len(words), left)
            for line, word in zip(left, words):
                self.assertIn(self.shown(word), line)

    def test_a_day_without_trouble(self):
        def act(guard):
            for count in (3, 7, 12, 60):  # passes, would be held by the rule on trial, is held, is refused
                self.judge(guard, cc=policies.people(count))
            self.judge(guard, to='"a, b" <c@cust1.example>, d@@e', sender="care@me.example")
            guard.set_policy(policies.FIELD.replace("parties(external) >= 50", "parties(external) >= 55"))
            guard.reload()
            self.judge(guard, sender="+=care@me.example", cc=policies.people(60))
        lines = self.lines(act=act)
        for word in ("verdict=accept", "verdict=quarantine", "verdict=reject", "would=quarantine:trial", "defects=syntax", "reload done", "judged=", "stopped"):
            self.assertTrue([line for line in lines if self.shown(word) in line], "no line with " + word)
        self.assertTold(lines, [])

    def test_a_tag(self):
        policy = policies.policy(rules=policies.rule("tagged", "parties(external) >= 2", 'tag "tagged"'))
        self.assertTold(self.lines(policy, lambda guard: self.judge(guard, cc=policies.people(3))), [])

    def test_what_is_remembered(self):
        """Windows and known parties are routine; that the file was deleted is not."""
        rules = policies.rule("split", "parties(external) within 10m >= 20 and not known", 'quarantine "{within}"')

        def act(guard):
            for number in range(4):
                self.judge(guard, cc=policies.people(9, "c", "set%d-{n}.example" % (number % 3)))
            if trouble:
                os.unlink(os.path.join(guard.state_directory, "state.db"))
                self.judge(guard, cc=policies.people(9))

        for trouble in False, True:
            lines = self.lines(policies.policy(rules="remember 90d\n" + rules), act)
            self.assertTrue([line for line in lines if self.shown("verdict=quarantine rule=split") in line], lines)
            self.assertTold(lines, ["was deleted or replaced; what it held is lost"] if trouble else [])

    def test_what_is_inside(self):
        rules = policies.rule("fields", 'visible(external) inside header("Reply-To") >= 3', 'quarantine "{inside}"')

        def act(guard):
            for value in ("a@one.example", "a@one.example, b@two.example, c@three.example", "a@one.example <@"):
                self.judge(guard, to=["a@cust1.example"], more=[("Reply-To", value)])

        lines = self.lines(policies.policy(rules=rules), act)
        for word in ("header:3", "broken"):
            self.assertTrue([line for line in lines if word in line], lines)
        self.assertTold(lines, [])

    def test_a_policy_that_defers(self):
        policy = policies.policy(rules=policies.rule("later", "parties(external) >= 2", 'tempfail "later"'))
        self.assertTold(self.lines(policy, lambda guard: self.judge(guard, cc=policies.people(3))), ["verdict=tempfail rule=later"])

    def test_a_reload_that_failed(self):
        def act(guard):
            guard.set_policy(policies.FIELD.replace("parties(external) >= 50", "parties(external) >= many"))
            guard.reload()
        self.assertTold(self.lines(act=act), ["error: ", "reload failed"])

    def test_a_fault_of_the_policy(self):
        policy = policies.policy(rules=policies.rule("slow", 'header("X-Slow") =~ /(a+)+$/', 'reject "slow"'))
        self.assertTold(self.lines(policy, lambda guard: self.judge(guard, to=["a@cust1.example"], more=[("X-Slow", "a" * 60 + "b")])), ["rule=fault:slow"])

    def test_a_fault_on_trial(self):
        policy = policies.policy(rules=policies.rule("slow", 'header("X-Slow") =~ /(a+)+$/', 'reject "slow"', monitor=True))
        self.assertTold(self.lines(policy, lambda guard: self.judge(guard, to=["a@cust1.example"], more=[("X-Slow", "a" * 60 + "b")])), ["would=fault:slow"])

    def test_what_a_reload_says_first(self):
        """The unit sends to the journal what -n says."""
        with daemon.Daemon(policies.FIELD) as guard:
            code, output, _ = daemon.run("-n", "-c", guard.config_path)
        self.assertEqual(code, 0)
        self.assertTold(output.splitlines(), [])

    def test_the_ledger_s_tidying(self):
        """The daemon says it once rows are older than a day at least, which no test can wait for."""
        source = (pathlib.Path(daemon.SOURCE) / "milter/daemon/ledger_writer.c").read_text()
        self.assertIn('"ledger: removed %u closed rows older than %u days"', source)
        self.assertTold(["ledger: removed 12 closed rows older than 90 days"], [])

    def test_a_list_that_was_cut(self):
        rules = "".join(policies.rule("a-rule-with-a-long-name-%d" % number, "visible(external) >= 1", 'quarantine "x"', monitor=True) for number in range(9))
        lines = self.lines(policies.policy(rules=rules), lambda guard: self.judge(guard, cc=policies.people(1)))
        self.assertTrue([line for line in lines if "..." in line])
        self.assertTold(lines, [])

    def test_what_strangers_write(self):
        """Values that have all that is escaped are ordinary, and so are their lines."""
        lines = self.lines(act=lambda guard: self.judge(guard, cc=policies.people(2), sender='"x> a=b, \\\""@me.example', message_id='"\\', user='a"\x07}\\'))
        self.assertTold(lines, [])


class Json(Logcheck):
    FORM = "json"

    def judged(self, guard, answer):
        guard.wait_for_line('^{"queue_id":"%s"' % answer.queue_id)

    def shown(self, words):
        if words == "judged=":
            return '"judged":'
        if "would=" in words or "defects=" in words:
            return '"%s":["%s"' % tuple(words.split("="))
        return ",".join('"%s":"%s"' % tuple(word.split("=")) for word in words.split(" ")) if "=" in words else words

    def test_the_ledger_s_tidying(self):
        self.assertTold(['{"event":"other","level":"info","message":"ledger: removed 12 closed rows older than 90 days"}'], [])


if __name__ == "__main__":
    tap.main()
