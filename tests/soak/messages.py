"""A million messages with reloads and holds: memory and descriptors stay as they are after the warm-up, and every message is accounted for."""

import os
import subprocess
import unittest

import daemon
import ledgerfile
import policies
import prometheus
import soak
import tap

LOAD = os.path.join(daemon.BUILD, "tests", "bench", "milter-load")
ROUNDS = soak.pick(6, 100)
PASSING, HELD = soak.pick((300, 20), (9900, 100))  # messages in a round
WARM = soak.pick(3, 20)  # rounds
GROWTH = soak.pick(4096, 1024)  # kB


class Counting(daemon.Daemon):
    """Counts the lines of verdicts and keeps the last lines of the log only."""

    verdict_lines = 0

    def _read(self, stream):
        for raw in stream:
            line = raw.decode("utf-8", "backslashreplace").rstrip("\n")
            with self.changed:
                self.verdict_lines += ": verdict=" in line
                if ": verdict=" not in line:
                    self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()


@unittest.skipUnless(daemon.ROOT, "as the other rows")
class Messages(unittest.TestCase):
    def load(self, guard, count, recipients, verdict):
        """As an MTA that is in a hurry; each answer must be this verdict."""
        done = subprocess.run([LOAD, "-c", "4", "-n", str(count), "-r", str(recipients), "-e", verdict, guard.socket_path()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=soak.LIMIT)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_messages(self):
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        daemon.own(folder)
        path = os.path.join(folder, "rcptguard.prom")
        texts = [policies.policy(default="accept"), policies.policy(default="accept", classes=policies.CLASSES + 'class more { domain "more.example" }\n')]
        with Counting(texts[0], config={("metrics", "path"): path}) as guard:
            child = guard.child()
            memory, open_files = [], []
            for number in range(ROUNDS):
                self.load(guard, PASSING, 3, "accept")
                self.load(guard, HELD, 12, "quarantine")
                guard.set_policy(texts[number % 2])
                found = prometheus.after_reload(path, guard)
                memory.append(soak.rss(child))
                open_files.append(soak.descriptors(child))
                held = ledgerfile.query(guard.ledger_path, "SELECT count(*) FROM held WHERE state = 'pending'")[0][0]
                self.assertEqual(held, (number + 1) * HELD)
            total = ROUNDS * (PASSING + HELD)
            self.assertEqual(found.get("rcptguard_judged_messages_total"), total)
            # A line that the log did not take is counted, and mail does not wait for it.
            lost = int(found.get("rcptguard_log_lines_lost_total"))
            daemon.wait_until(lambda: guard.verdict_lines + lost >= total, what=lambda: "the lines of %d messages, %d came and %d are lost," % (total, guard.verdict_lines, lost))
            self.assertLessEqual(guard.verdict_lines, total)
            grown = max(memory[WARM:]) - memory[WARM - 1]
            soak.measured("%d messages, of which %d are held, in %d rounds with a reload each: all are in the metrics and in the ledger, and in the log but for %d lines that it did not take and that are counted; RSS %d kB after the warm-up, "
                          "then at most %d kB more; %d to %d descriptors", total, ROUNDS * HELD, ROUNDS, lost, memory[WARM - 1], grown, min(open_files[WARM:]), max(open_files[WARM:]))
            self.assertLess(grown, GROWTH)
            # Beside the metrics' file, while it is written: connections end a moment after their last answer.
            daemon.wait_until(lambda: soak.descriptors(child) <= min(open_files[WARM:]) + 2, what="the end of the connections")


if __name__ == "__main__":
    tap.main(soak.LIMIT)
