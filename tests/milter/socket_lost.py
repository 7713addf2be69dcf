"""A socket that is deleted or replaced while the daemon runs, its lock, or the directory of both.

It takes 30 s since the daemon looks every two seconds.
"""

import contextlib
import os
import shutil
import signal
import socket
import stat
import time
import unittest

import daemon
import guardcase
import milterclient
import policies
import surroundings
import tap

NOTICED = 60 * tap.SLOWNESS  # seconds: a loaded machine is not punctual


class Lost(guardcase.StartCase):
    def judged(self, guard):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guardcase.send(mta, cc=policies.people(60)).verdict == "reject"

    def reachable(self, guard):
        try:
            return self.judged(guard)
        except OSError:
            return False

    def connected(self, path):
        try:
            return milterclient.Client("unix:" + path)
        except OSError:
            return None

    def wait_reachable(self, guard, since):
        daemon.wait_until(lambda: self.reachable(guard), what="a socket at the same path")
        self.assertLess(time.monotonic() - since, NOTICED)

    def descriptors(self, guard):
        return len(os.listdir("/proc/%d/fd" % guard.child()))

    @contextlib.contextmanager
    def unseen(self, guard):
        """It looks at nothing meanwhile."""
        child = guard.child()
        os.kill(child, signal.SIGSTOP)
        daemon.wait_until(lambda: daemon.status(child)["State"].startswith("T"), what="its halt")
        try:
            yield
        finally:
            os.kill(child, signal.SIGCONT)

    def lock_path(self, guard):
        return guard.socket_path() + ".lock"

    def assertLocked(self, guard):
        """The lock names the process that takes signals, and keeps a second daemon away."""
        with open(self.lock_path(guard), encoding="ascii") as file:
            self.assertEqual(int(file.read()), guard.pid)
        code, _, err = daemon.run("-f", "-c", guard.config_path)
        self.assertEqual(code, 75)
        self.assertIn("another rcptguardd (pid %d)" % guard.pid, err)

    def assertGone(self, guard):
        """What is left after a stop."""
        guard.stop()
        self.assertEqual(os.listdir(guard.run_directory), [])

    def test_deleted(self):
        """The sessions that there are go on, and the new socket is as the old one was."""
        guard = self.start()
        before = os.lstat(guard.socket_path())
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            self.judged(guard)
            count = self.descriptors(guard)
            for _ in range(2):
                began = time.monotonic()
                os.unlink(guard.socket_path())
                self.wait_reachable(guard, began)
                after = os.lstat(guard.socket_path())
                self.assertEqual((after.st_mode, after.st_uid, after.st_gid), (before.st_mode, before.st_uid, before.st_gid))
                self.assertEqual(stat.S_IMODE(after.st_mode), 0o660)
            self.assertEqual(guardcase.send(mta, cc=policies.people(60)).verdict, "reject")
            daemon.wait_until(lambda: self.descriptors(guard) <= count, what="an end of the old sockets")
        self.assertLocked(guard)
        self.assertGone(guard)
        self.assertEqual(len([line for line in guard.lines if "is there again" in line]), 2)  # each comes after the socket that it is about

    @unittest.skipUnless(daemon.ROOT, "needs a directory with another group")
    def test_group_of_a_setgid_directory(self):
        guard = self.start()
        os.chown(guard.run_directory, -1, 12)
        os.chmod(guard.run_directory, 0o2750)
        began = time.monotonic()
        os.unlink(guard.socket_path())
        self.wait_reachable(guard, began)
        self.assertEqual(os.lstat(guard.socket_path()).st_gid, 12)
        self.assertGone(guard)

    def test_directory_emptied(self):
        guard = self.start()
        began = time.monotonic()
        with self.unseen(guard):
            shutil.rmtree(guard.run_directory)
            os.mkdir(guard.run_directory, 0o755)
            daemon.own(guard.run_directory)
        self.wait_reachable(guard, began)
        self.assertLocked(guard)
        self.assertGone(guard)

    def test_lock_deleted(self):
        guard = self.start()
        before = os.lstat(guard.socket_path()).st_ino
        os.unlink(self.lock_path(guard))
        guard.wait_for_line("socket: .* is there again")
        self.assertLocked(guard)
        self.assertEqual(os.lstat(guard.socket_path()).st_ino, before)
        self.assertGone(guard)

    def test_directory_deleted(self):
        """Its service manager makes the directory, and starts it again."""
        guard = self.start()
        began = time.monotonic()
        shutil.rmtree(guard.run_directory)
        self.assertEqual(guard.wait_exit(), 75)
        self.assertLess(time.monotonic() - began, NOTICED + 3)
        guard.wait_for_line("socket: .* cannot be made again: .*this directory of the socket is not there")

    def test_directory_deleted_without_a_service_manager(self):
        guard = self.start()
        path = os.path.join(guard.run_directory, "inner", "background.sock")
        os.mkdir(os.path.dirname(path))
        daemon.own(os.path.dirname(path))
        code, out, err = daemon.run("-c", guard.config_path, "-p", "unix:" + path, env=daemon.environment(guard.run_directory))
        self.assertEqual((code, out, err), (0, "", ""))
        with open(path + ".lock", encoding="ascii") as file:
            pid = int(file.read())
        try:
            shutil.rmtree(os.path.dirname(path))
            time.sleep(2.5)  # longer than it waits between two looks
            os.mkdir(os.path.dirname(path))
            daemon.own(os.path.dirname(path))
            # It has a path before anybody can connect to it.
            with daemon.wait_until(lambda: self.connected(path), what="the socket") as mta:
                mta.connect("127.0.0.1")
                self.assertEqual(guardcase.send(mta, cc=policies.people(60)).verdict, "reject")
        finally:
            os.kill(pid, signal.SIGTERM)
            daemon.wait_until(lambda: not daemon.alive(pid), what="its end")
        guard.stop()

    def test_replaced_by_another_program(self):
        """It is left alone, and the path is taken again when that program has gone."""
        guard = self.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(guard.socket_path() + ".other")
            os.chmod(guard.socket_path() + ".other", 0o666)
            other.listen(5)
            os.rename(guard.socket_path() + ".other", guard.socket_path())  # there is no moment without one
            guard.wait_for_line("socket: .* cannot be made again: .*another program listens on it")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(guard.socket_path())
            ended = time.monotonic()
        self.wait_reachable(guard, ended)
        self.assertGone(guard)

    def test_another_daemon_has_it(self):
        """Its lock and its socket stay, whichever of the two ends first."""
        guard = self.start()
        with self.unseen(guard):
            shutil.rmtree(guard.run_directory)
            os.mkdir(guard.run_directory, 0o755)
            daemon.own(guard.run_directory)
            other = self.start(socket=guard.socket)
        guard.wait_for_line("socket: .* cannot be made again: .*another rcptguardd")
        guard.stop()
        self.assertLocked(other)
        self.assertTrue(self.judged(other))
        other.stop()
        self.assertEqual(os.listdir(guard.run_directory), [])

    def test_a_port_has_no_path(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        guard = self.start(socket="inet:%d@127.0.0.1" % port)
        time.sleep(2.5)  # longer than it waits between two looks: nothing is to happen
        self.assertTrue(self.judged(guard))
        guard.stop()
        self.assertEqual([line for line in guard.lines if "socket: " in line], [])


if __name__ == "__main__":
    surroundings.enter()  # nobody else has its ports
    tap.main()
