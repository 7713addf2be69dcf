"""Reloads of a table of 1,000,000 domains: no message waits for the thread that reads it, or that frees the one before.

What a message waits for a processor is not counted: /proc/PID/task/TID/schedstat has it, of the daemon's threads and of
the client.  This takes 15 s: the table is read four times.
"""

import contextlib
import multiprocessing
import os
import time
import unittest

import daemon
import guardcase
import policies
import tap

DOMAINS = 1000000
RELOADS = 3
MOST = 0.05  # seconds


def run_delays(pid):
    """Seconds that each thread of the daemon, and this one, has waited for a processor."""
    found = {}
    for name in ["/proc/self/schedstat", *("/proc/%d/task/%s/schedstat" % (pid, thread) for thread in os.listdir("/proc/%d/task" % pid))]:
        with contextlib.suppress(OSError), open(name, encoding="ascii") as file:  # a thread may have ended
            found[name] = int(file.read().split()[1]) / 1e9
    return found


def send_messages(guard, pid, stop, longest):
    """One after the other; puts how long the slowest took beyond its waiting for processors, and how many there were."""
    worst, count = 0, 0
    with guard.client() as mta:
        mta.connect("127.0.0.1")
        while not stop.is_set():
            before, began = run_delays(pid), time.monotonic()
            guardcase.send(mta, to=["one@cust1.example"])
            took, after = time.monotonic() - began, run_delays(pid)
            waited = sum(max(0, after[name] - before.get(name, after[name])) for name in after)
            worst, count = max(worst, took - waited), count + 1
    longest.put((worst, count))


class Reloads(unittest.TestCase):
    @unittest.skipUnless(tap.SANITIZERS == "no", "a sanitizer needs minutes for the table")
    @unittest.skipUnless(os.path.exists("/proc/self/schedstat"), "this kernel does not say how long a thread waits for a processor")
    def test_no_message_waits_for_a_table(self):
        classes = policies.CLASSES + 'class big { domains from "big" }\n'
        table = "".join("customer-%d.example\n" % number for number in range(DOMAINS))
        context = multiprocessing.get_context("fork")
        stop, longest = context.Event(), context.Queue()
        with daemon.Daemon(policies.policy(classes=classes), files={"big": table}) as guard:
            process = context.Process(target=send_messages, args=(guard, guard.child(), stop, longest))
            process.start()
            try:
                for _ in range(RELOADS):
                    self.assertIn("reload done", guard.reload())
                stop.set()
                worst, count = longest.get(timeout=120)
            finally:
                stop.set()
                process.join(30)
                process.kill()
                process.join()
        print("# %d messages, the slowest %.1f ms" % (count, worst * 1000), flush=True)
        self.assertGreater(count, 20)
        self.assertLess(worst, MOST)


if __name__ == "__main__":
    tap.main(240)
