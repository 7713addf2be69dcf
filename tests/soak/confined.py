"""96 MB of memory with a table of 10,000 domains, a fifth of a processor, no network, a root that cannot be written: mail goes on, or the start says what is needed."""

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import soak
import surroundings
import tap

MEMORY = 96 * 1024 * 1024
PROCESSOR = 20  # per cent
DOMAINS = 10000
MESSAGES, CONNECTIONS = soak.pick((20, 8), (2000, 100))
ROOMS = {"memory": "/sys/fs/cgroup/memory", "cpu": "/sys/fs/cgroup/cpu"}  # of version 1; of version 2 all is in one

POLICY = policies.FIELD.replace("class partner", 'class listed { domains from "listed.table" }\nclass partner')
TABLE = "".join("domain%d.example\n" % number for number in range(DOMAINS))


def cgroups():
    """[(directory to make, {file: value})] of those that can be had here."""
    name = "rcptguard-soak-%d" % os.getpid()
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return [(os.path.join("/sys/fs/cgroup", name), {"memory.max": MEMORY, "cpu.max": "%d 100000" % (PROCESSOR * 1000)})]
    return [(os.path.join(ROOMS["memory"], name), {"memory.limit_in_bytes": MEMORY}), (os.path.join(ROOMS["cpu"], name), {"cpu.cfs_quota_us": PROCESSOR * 1000})]


@contextlib.contextmanager
def limited():
    """Files to which a process writes its id to be limited; those that this machine lets us make."""
    made = []
    for path, values in cgroups():
        with contextlib.suppress(OSError):
            os.mkdir(path)
            made.append(path)
            for name, value in values.items():
                with open(os.path.join(path, name), "w", encoding="ascii") as file:
                    file.write(str(value))
    try:
        yield made
    finally:
        for path in made:
            daemon.wait_until(lambda path=path: removed(path), what="the end of the processes in " + path)


def removed(path):
    try:
        os.rmdir(path)
    except OSError:
        return not os.path.exists(path)
    return True


@unittest.skipUnless(daemon.ROOT, "only root can confine it")
class Confined(unittest.TestCase):
    def confine(self, groups, before=""):
        """The daemon's program from here on: in a mount namespace and a network of its own, in these groups."""
        real = daemon.PROGRAM
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder, True)
        joins = "".join("echo $$ >%s/cgroup.procs\n" % path for path in groups)
        inner = daemon.write(os.path.join(folder, "inner"), "#!/bin/sh\nset -e\n%smount -o remount,bind,ro /\n%sexec %s \"$@\"\n" % (joins, before, real), 0o755)
        daemon.PROGRAM = daemon.write(os.path.join(folder, "rcptguardd"), "#!/bin/sh\nexec unshare --mount --net --propagation unchanged %s \"$@\"\n" % inner, 0o755)
        self.addCleanup(setattr, daemon, "PROGRAM", real)

    def test_confined(self):
        with limited() as groups:
            self.confine(groups)
            with daemon.Daemon(POLICY, files={"listed.table": TABLE}) as guard:
                self.assertRaises(OSError, self.writes, guard.child(), "/forbidden")
                answers, deferred = [], []

                def work(number):
                    with guard.client(timeout=60) as client:
                        client.connect("127.0.0.1")
                        for _ in range(MESSAGES // CONNECTIONS + 1):
                            answers.append(daemon.wait_until(lambda: taken(client, policies.people((3, 12, 60)[number % 3])), what="an answer"))

                def taken(client, people):
                    answer = guardcase.send(client, cc=people)
                    if answer.verdict != milterclient.TEMPFAIL:
                        return answer
                    deferred.append(answer.queue_id)  # it comes again
                    return None
                threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                self.assertIn("reload done", guard.reload())
                self.assertEqual(len(answers), CONNECTIONS * (MESSAGES // CONNECTIONS + 1))
                if soak.LONG:  # the short form has not the machine for itself
                    self.assertEqual(deferred, [])
                held = [answer.queue_id for answer in answers if answer.quarantine() is not None]
                self.assertGreater(len(held), MESSAGES // 4)
                daemon.wait_until(lambda: sorted(ledgerfile.queue_ids(guard.ledger_path)) == sorted(held), what="the rows of what is held, and no others")
                most = int(daemon.status(guard.child())["VmHWM"].split()[0])
                soak.measured("%d domains, %d messages over %d connections, limits by cgroup: %s: at most %.1f MB resident; %d deferred", DOMAINS,
                              len(guard.verdicts()), CONNECTIONS, len(groups) == len(cgroups()), most / 1024, len(deferred))
                self.assertLess(most * 1024, MEMORY)

    def writes(self, pid, path):
        """Raises if a file at this path cannot be made where the process is."""
        with open("/proc/%d/root%s" % (pid, path), "w", encoding="ascii"):
            pass

    def test_what_it_needs(self):
        """where its directories cannot be written either, the start says which"""
        for place, words in (("state", r"ledger"), ("run", r"rcptguard\.sock")):
            with self.subTest(place):
                folder = daemon.temporary_directory()
                self.addCleanup(shutil.rmtree, folder, True)
                path = os.path.join(folder, place)
                os.mkdir(path)
                daemon.own(path)
                os.chmod(path, 0o700)
                self.confine([], "mount --bind %s %s\nmount -o remount,bind,ro %s\n" % (path, path, path))
                options = {"config": {("ledger", "path"): os.path.join(path, "ledger.db")}} if place == "state" else {"socket": "unix:" + os.path.join(path, "rcptguard.sock")}
                with self.assertRaises(daemon.Exited) as refused:
                    daemon.Daemon(POLICY, files={"listed.table": TABLE}, **options)
                self.assertRegex(str(refused.exception), r"ended with (1|75):(.|\n)*%s(.|\n)*[Rr]ead-only" % words)


if __name__ == "__main__":
    surroundings.enter(("/var/empty",) if os.path.isdir("/var/empty") else ("/media",))  # with a root of its own, which can be mounted anew
    if daemon.ROOT:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"], check=True)
    tempfile.tempdir = "/tmp"
    tap.main(soak.LIMIT)
