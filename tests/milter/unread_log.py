"""A log that nobody reads stops no mail: each line that is not taken is lost and counted, and when the log is read again a line says how many."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

import daemon
import guardcase
import journald
import milterclient
import policies
import surroundings
import tap

MESSAGES = 60
CONNECTIONS = 5


def bind(path, kind=socket.SOCK_DGRAM):
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    os.chmod(path, 0o666)
    if kind == socket.SOCK_STREAM:
        listener.listen(1)
    return listener


@unittest.skipUnless(daemon.ROOT, "needs a /run and a /dev of its own")
class Unread(unittest.TestCase):
    def listen(self, path, kind=socket.SOCK_DGRAM):
        listener = bind(path, kind)
        self.addCleanup(os.unlink, path)
        self.addCleanup(listener.close)
        return listener

    @staticmethod
    def judge(guard, count=MESSAGES):
        """The queue ids of messages that were all answered, over several connections."""
        ids = []
        for number in range(CONNECTIONS):
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                for _ in range(count // CONNECTIONS):
                    ids.append(guard.verdict(guardcase.send(mta, cc=policies.people(3 + number))).queue_id)
        return ids

    @staticmethod
    def connected(path):
        """A client, or None: a socket has a path before anybody can connect to it."""
        try:
            return milterclient.Client("unix:" + path)
        except OSError:
            return None

    @staticmethod
    def read_all(listener):
        """What is in the queue of a datagram socket by now."""
        listener.setblocking(False)
        found = []
        while True:
            try:
                found.append(listener.recv(65536).decode("utf-8", "backslashreplace"))
            except BlockingIOError:
                return found

    def told(self, guard, listener):
        """How many lines the daemon says are lost, once the log is read again; the line that follows is there as well."""
        before = self.read_all(listener)
        queue_id, = self.judge(guard, CONNECTIONS)[-1:]
        after = []
        daemon.wait_until(lambda: after.extend(self.read_all(listener)) or any(queue_id in line for line in after), what="a line in the log")
        said = [re.search(r"log: (\d+) lines? (?:is|are) lost before this one", line) for line in after]
        numbers = [int(match.group(1)) for match in said if match]
        self.assertEqual(len(numbers), 1, after)
        return before, numbers[0]

    def check(self, guard, listener):
        ids = self.judge(guard)
        self.assertEqual(len(ids), MESSAGES)
        guard.set_policy(policies.FIELD + "# another\n")
        guard.reload()
        before, lost = self.told(guard, listener)
        self.assertGreater(lost, MESSAGES // 2)
        kept = [line for line in before if any(queue_id in line for queue_id in ids)]
        self.assertLess(len(kept), MESSAGES - 10)
        # Each line of the daemon's is either there or counted.
        self.assertEqual(len(before) + lost, len(guard.lines) - CONNECTIONS)
        return lost

    def test_syslog(self):
        """and the metrics say how many"""
        listener = self.listen("/dev/log")
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        daemon.own(folder)
        path = os.path.join(folder, "rcptguard.prom")
        with daemon.Daemon(policies.FIELD, config={("metrics", "path"): path}) as guard:
            daemon.wait_until(lambda: len(guard.lines) > 0, what="the first line")
            lost = self.check(guard, listener)
            guard.reload()  # writes them anew, soon after it is done
            daemon.wait_until(lambda: "\nrcptguard_log_lines_lost_total %d\n" % lost in pathlib.Path(path).read_text(encoding="utf-8"), what="the number of lost lines")

    def test_journal(self):
        os.makedirs(journald.FOLDER, exist_ok=True)
        listener = self.listen(journald.FOLDER + "/socket")
        self.listen(journald.FOLDER + "/dev-log")
        os.symlink(journald.FOLDER + "/dev-log", "/dev/log")
        self.addCleanup(os.unlink, "/dev/log")
        with daemon.Daemon(policies.FIELD) as guard:
            self.check(guard, listener)

    def test_start_and_stop(self):
        """a start and a stop wait for no log either; nor does rcptguardq"""
        listener = self.listen("/dev/log")
        for number in range(30):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
                full.setblocking(False)
                full.connect("/dev/log")
                try:
                    full.send(b"<22>test: %d" % number)
                except BlockingIOError:
                    break
        else:
            self.fail("the log takes all")
        with daemon.Daemon(policies.FIELD) as guard:
            self.judge(guard, CONNECTIONS)
            done = subprocess.run([os.path.join(daemon.BUILD, "rcptguardd"), "-n", "-c", guard.config_path], env=daemon.environment(), timeout=daemon.LIMIT, check=False)
            self.assertEqual(done.returncode, 0)
        self.assertEqual(guard.process.returncode, 0)
        self.assertFalse(any("rcptguardd" in line for line in self.read_all(listener)))

    def test_stream(self):
        """a log daemon that takes a stream: one text, ended by a NUL, each; unread, it is no different"""
        listener = self.listen("/dev/log", socket.SOCK_STREAM)
        with daemon.Daemon(policies.FIELD) as guard:
            reader, _ = listener.accept()
            with reader:
                reader.settimeout(daemon.LIMIT)
                ids = self.judge(guard, CONNECTIONS)
                text = b""
                while ids[-1].encode() not in text or not text.endswith(b"\0"):
                    text += reader.recv(65536)
                lines = text.decode().split("\0")[:-1]
                self.assertEqual([line.split("]: ", 1)[1] for line in lines], guard.lines)
                self.assertTrue(all(re.match(r"<\d+>\w{3} [ \d]\d [\d:]{8} rcptguardd\[\d+\]: ", line) for line in lines), lines)
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                self.assertEqual(len(self.judge(guard, 8 * MESSAGES)), 8 * MESSAGES)

    def test_standard_error(self):
        """a pipe that nobody reads"""
        self.listen("/dev/log")
        with daemon.Daemon(policies.FIELD) as guard:
            second = guard.directory + "/second.conf"
            with open(guard.config_path, encoding="utf-8") as file:
                text = file.read()
            daemon.write(second, text.replace("rcptguard.sock", "second.sock").replace("ledger.db", "second.db"))
            process = subprocess.Popen([os.path.join(daemon.BUILD, "rcptguardd"), "-f", "-c", second], env=daemon.environment(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
            try:
                path = os.path.join(guard.run_directory, "second.sock")
                answered = 0
                with daemon.wait_until(lambda: self.connected(path), what="the socket") as mta:
                    mta.connect("127.0.0.1")
                    for _ in range(400):
                        answered += guardcase.send(mta, cc=policies.people(3)).queue_id is not None
                self.assertEqual(answered, 400)
            finally:
                process.terminate()
                try:
                    process.wait(daemon.LIMIT)
                finally:
                    process.stderr.close()
            self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    surroundings.enter()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    tap.main()
