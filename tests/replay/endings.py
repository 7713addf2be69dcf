"""How `rcptguard replay` ends: what cannot be read, Ctrl-C, and in how much memory."""

import gzip
import json
import os
import signal
import subprocess

import mailbox
import replaycase
import tap
import tool


class Unreadable(replaycase.ReplayCase):
    """A warning with the name, the rest goes on, exit code 1."""

    def run_on(self, *paths):
        code, output, errors = self.folder.run("replay", "-p", "policy", "--json", *paths)
        return code, json.loads(output), errors

    def test_missing(self):
        code, last, errors = self.run_on("missing", "sent")
        self.assertEqual((code, last["messages"], last["warnings"], last["partial"]), (1, len(self.made), 1, False))
        self.assertRegex(errors, r"\Amissing: \w+: does not exist")

    def test_truncated(self):
        packed = gzip.compress(mailbox.mbox(self.made).encode())
        with open(self.path("sent.gz"), "wb") as file:
            file.write(packed)
        self.assertEqual(self.run_on("sent.gz")[0], 0)
        with open(self.path("cut.gz"), "wb") as file:
            file.write(packed[:len(packed) // 2])
        code, last, errors = self.run_on("cut.gz", "sent")
        self.assertEqual((code, last["warnings"]), (1, 1))
        self.assertGreater(last["messages"], len(self.made) + 100)
        self.assertLess(last["messages"], 2 * len(self.made))
        self.assertIn("cut.gz: ", errors)

    def test_empty(self):
        self.folder.write("empty", "")
        code, last, errors = self.run_on("empty")
        self.assertEqual((code, last["messages"]), (1, 0))
        self.assertIn("empty: ", errors)

    def test_nothing_at_all(self):
        """every way to print copes with no message"""
        self.folder.write("empty", "")
        for arguments in ([], ["--json"], ["--against", "other"], ["--html", "page.html"]):
            code, output, _errors = self.folder.run("replay", "-p", "policy", *arguments, "empty")
            self.assertEqual(code, 1)
            self.assertIn("0 messages" if "--json" not in arguments else '"messages":0', output)

    def test_bad_policies(self):
        """both are read before the mailbox is, and all that is wrong with them is told"""
        self.folder.write("bad", "version 2\n")
        code, output, errors = self.folder.run("replay", "-p", "bad", "--against", "worse", "sent")
        self.assertEqual((code, output), (1, ""))
        self.assertIn("bad:1:", errors)
        self.assertIn("worse: error: does not exist", errors)

    def test_standard_output(self):
        with open("/dev/full", "wb") as full:
            process = self.start("sent", stdout=full, stderr=subprocess.PIPE)
            _none, errors = process.communicate(timeout=self.LIMIT)
        self.assertEqual((process.returncode, errors), (1, b"rcptguard: cannot write to standard output\n"))


class Interrupted(replaycase.ReplayCase):
    def begin(self, *arguments):
        """A replay of standard input that has printed its first messages, into the file `printed`."""
        self.text = mailbox.mbox(self.made).encode()
        with open(self.path("printed"), "wb") as printed:
            process = self.start("--json", "--messages", *arguments, "-", stdin=subprocess.PIPE, stdout=printed)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while not os.path.getsize(self.path("printed")):  # the alarm of the test is the limit
            process.stdin.write(self.text)
        return process

    def end(self, process):
        """More mail, and the end of it."""
        try:
            process.stdin.write(self.text)
            process.stdin.close()
        except BrokenPipeError:
            pass

    def printed(self):
        with open(self.path("printed"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_prints_what_it_has(self):
        process = self.begin("--html", "page.html")
        process.send_signal(signal.SIGINT)
        while self.catches(process.pid):  # until it has been taken
            pass
        self.end(process)
        self.assertEqual(process.wait(self.LIMIT), 1)
        *messages, last = map(json.loads, self.printed())
        self.assertTrue(last["partial"])
        self.assertEqual(last["messages"], len(messages))
        self.assertGreater(last["messages"], 0)
        self.assertEqual(sum(last["verdicts"].values()), last["messages"])
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertIn("Interrupted: ", file.read())

    def test_second_ends_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        while self.catches(process.pid):
            pass
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(self.LIMIT), -signal.SIGINT)
        process.stdin.close()
        self.assertEqual([line for line in self.printed() if '"partial"' in line], [])

    @staticmethod
    def catches(number):
        """Whether the process has a handler for SIGINT."""
        with open("/proc/%d/status" % number, encoding="ascii") as file:
            caught, = [line.split()[1] for line in file if line.startswith("SigCgt:")]
        return bool(int(caught, 16) & (1 << (signal.SIGINT - 1)))

    def test_said_to_people(self):
        process = self.start("-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write(mailbox.mbox(self.made).encode())
        process.stdin.flush()
        while not self.catches(process.pid):
            pass
        process.send_signal(signal.SIGINT)
        while self.catches(process.pid):
            pass
        self.text = b""
        self.end(process)
        with process.stdout:
            output = process.stdout.read()
        self.assertEqual(process.wait(self.LIMIT), 1)
        self.assertTrue(output.startswith(b"Interrupted: these are the figures of what was read until then.\n"))


class Memory(replaycase.ReplayCase):
    """Bounded, however many messages, senders and thresholds there are."""

    LIMIT_KB = 64 * 1024

    def most(self, *arguments):
        """The most memory that a replay took, in kB."""
        program = ("import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)")
        done = subprocess.run(["python3", "-c", program, tool.PROGRAM, "replay", "-p", *arguments], cwd=self.folder.path, env=tool.environment(),
                              stdout=subprocess.PIPE, timeout=tap.TEST_LIMIT * tap.SLOWNESS, check=True)
        return int(done.stdout)

    def assertBounded(self, used):
        if tap.SANITIZERS == "no":  # these take memory of their own
            self.assertLess(used, self.LIMIT_KB)

    def test_many_messages(self):
        """forty times the messages in the same memory"""
        text = mailbox.mbox(self.made)
        with open(self.path("large"), "w", encoding="utf-8") as file:
            for _ in range(40):
                file.write(text)
        small, large = self.most("policy", "--jobs", "4", "sent"), self.most("policy", "--jobs", "4", "--html", "page.html", "large")
        self.assertBounded(large)
        if tap.SANITIZERS == "no":
            self.assertLess(large, small + 20 * 1024)

    def test_many_senders(self):
        """told apart up to a number, and summed beyond it"""
        with open(self.path("crowd"), "w", encoding="utf-8") as file:
            for number in range(30000):
                file.write("From x Mon Nov 23 18:34:00 2026\nFrom: %s%d@corp.example\nTo: p@x.example\n\n" % ("a" * 200, number))
        self.assertBounded(self.most("policy", "crowd"))
        _none, last = self.objects("crowd")
        self.assertEqual(len(last["senders"]), 100)
        self.assertEqual(sum(each["messages"] for each in last["senders"]) + last["other_senders"]["messages"], 30000)

    def test_ten_thousand_senders_are_exact(self):
        """one of them, the last to come, has the most"""
        with open(self.path("crowd"), "w", encoding="utf-8") as file:
            for number in list(range(10000)) + [9999] * 3:
                file.write("From x Mon Nov 23 18:34:00 2026\nFrom: s%d@corp.example\nTo: p@x.example\n\n" % number)
        _none, last = self.objects("crowd")
        self.assertEqual((last["senders"][0]["sender"], last["senders"][0]["messages"]), ("s9999@corp.example", 4))

    def test_many_thresholds(self):
        """the first 64 are watched"""
        rules = "".join("rule r%d { monitor when parties(external) >= %d tag \"x\" }\n" % (number, number) for number in range(1, 2000))
        self.folder.write("ladder", mailbox.POLICY.replace("default accept", rules + "default accept"))
        self.assertBounded(self.most("ladder", "sent"))
        _none, last = self.objects("sent", policy="ladder")
        self.assertEqual(len(last["thresholds"]), 64)

    def test_large_messages(self):
        """messages with thousands of recipients each"""
        people = ", ".join("p%d@a-rather-long-name-%d.example" % (number, number) for number in range(3000))
        with open(self.path("mass"), "w", encoding="utf-8") as file:
            for number in range(100):
                file.write("From x Mon Nov 23 18:34:00 2026\nFrom: s%d@corp.example\nTo: %s\n\n" % (number, people))
        self.assertBounded(self.most("policy", "--recipients", "--html", "page.html", "mass"))


if __name__ == "__main__":
    tap.main()
