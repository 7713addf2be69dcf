"""Reloads under load: each message has one policy, whole; none is dropped; each bad policy is reported; memory does not grow."""

import os
import time
import unittest

import daemon
import guardcase
import milterclient
import policies
import soak
import tap

RELOADS = soak.pick(12, 100)
RATE = 200  # messages a second
SENDERS = 4
DOMAINS = soak.pick(20000, 1000000)
TABLE_RELOADS = soak.pick(4, 1000)
GROWTH = soak.pick(8, 16) * 1024  # kB, after a warm-up
WAIT = soak.pick(60, 0.05) * tap.SLOWNESS  # seconds that a message may wait at a reload

BAD = "version 1\nnonsense\ndefault accept\n"


def policy(name):
    """Rule, text and threshold all name the policy: a mix would show."""
    return policies.policy(rules=policies.rule("rule-" + name, "parties(external) >= 5", 'reject "text %s"' % name))


class Load:
    """Messages at a steady rate, over several connections; what became of each is kept."""

    def __init__(self, guard, people=policies.people(12)):
        self.guard = guard
        self.people = people
        self.answers = []
        self.times = []
        self.clients = {}

    def send(self, number):
        begun = time.monotonic()
        if number not in self.clients:
            self.clients[number] = self.guard.client()
            self.clients[number].connect("127.0.0.1")
        answer, took = soak.timed(lambda: guardcase.send(self.clients[number], cc=self.people))
        self.answers.append(answer)
        self.times.append(took)
        time.sleep(max(0, begun + SENDERS / RATE - time.monotonic()))  # the rate

    def running(self):
        return soak.Workers(SENDERS, self.send)

    def close(self):
        for client in self.clients.values():
            client.close()


class Alternating(unittest.TestCase):
    def test_alternating(self):
        """two policies in turn, every fifth time one that is no policy; tables come and go with them"""
        tables = {"old": "cust1.example\n", "new": "cust2.example\n"}
        texts = {name: policy(name).replace("class partner", 'class listed { domains from "%s.table" }\nclass partner' % name) for name in tables}
        with daemon.Daemon(texts["old"], files={name + ".table": text for name, text in tables.items()}) as guard:
            load = Load(guard)
            bad = reported = 0
            memory = None
            with load.running() as workers:
                for number in range(RELOADS):
                    workers.alive()
                    name = ("new", "old")[number % 2]
                    daemon.write(os.path.join(guard.directory, name + ".table.new"), tables[name] * (number + 1))
                    os.rename(os.path.join(guard.directory, name + ".table.new"), os.path.join(guard.directory, name + ".table"))
                    guard.set_policy(BAD if number % 5 == 4 else texts[name])
                    mark = guard.mark()
                    line = guard.reload()
                    if number % 5 == 4:
                        bad += 1
                        reported += "reload failed" in line and any(":2:1: error: " in one for one in guard.lines[mark:])
                    else:
                        self.assertIn("reload done", line)
                    goal = len(load.answers) + SENDERS
                    daemon.wait_until(lambda: len(load.answers) >= goal, what="messages after the reload")
                    if number == RELOADS // 4:
                        memory = soak.rss(guard.child())
            load.close()
            self.assertEqual(reported, bad)
            digests = {}
            for answer in load.answers:
                line = guard.verdict(answer)
                self.assertEqual((answer.verdict, answer.reply), (milterclient.REJECT, "550 5.7.1 " + line.text))
                digests.setdefault(line.policy, set()).add((line.rule, line.text))
            # A digest is of the tables too, so there are more than two.
            self.assertTrue(all(len(said) == 1 for said in digests.values()), digests)
            self.assertEqual(set.union(*digests.values()), {("rule-new", "text new"), ("rule-old", "text old")})
            self.assertEqual(len(guard.verdicts()), len(load.answers))
            grown = soak.rss(guard.child()) - memory
            soak.measured("%d reloads, %d of them bad and reported, under %d messages: each by one policy; RSS grew by %d kB", RELOADS, bad, len(load.answers), grown)
            self.assertLess(grown, GROWTH)


class Tables(unittest.TestCase):
    def test_tables(self):
        """a large table, replaced at each reload: no message waits for it, and the one before is given back"""
        people = [address.replace("cust1.example", "domain7.example") for address in policies.people(12)]
        text = policy("large").replace("class partner", 'class listed { domains from "large.table" }\nclass partner')
        names = "".join("domain%d.example\n" % number for number in range(DOMAINS))
        with daemon.Daemon(text, files={"large.table": names}) as guard:
            load = Load(guard, people)
            sizes, slow = [], 0
            with load.running() as workers:
                daemon.wait_until(lambda: len(load.times) > 50, what="messages")
                for number in range(TABLE_RELOADS):
                    workers.alive()
                    path = os.path.join(guard.directory, "large.table")
                    daemon.write(path + ".new", names + "another%d.example\n" % number)
                    os.rename(path + ".new", path)
                    self.assertIn("reload done", guard.reload())
                    sizes.append(soak.rss(guard.child()))
                slow = max(load.times)
            load.close()
            for answer in load.answers:
                self.assertEqual(answer.verdict, milterclient.REJECT)
            half = len(sizes) // 2
            grown = max(sizes[half:]) - max(sizes[:half])
            soak.measured("%d reloads of %d domains under %d messages: the slowest took %.0f ms, p99 %.1f ms; RSS at most %d MB, which grew by %d kB in the second half", TABLE_RELOADS,
                          DOMAINS, len(load.answers), 1000 * slow, 1000 * soak.percentile(load.times, 99), max(sizes) // 1024, grown)
            self.assertLess(grown, GROWTH)
            self.assertLess(slow, WAIT)


if __name__ == "__main__":
    tap.main(soak.LIMIT)
