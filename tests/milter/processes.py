"""Parent and child, signals, the socket, and the rights that are given up."""

import contextlib
import grp
import os
import pwd
import signal
import socket
import stat
import subprocess
import time
import unittest

import daemon
import guardcase
import milterclient
import policies
import surroundings
import tap


def ids(words):
    return {int(word) for word in words.split()}


class Processes(guardcase.StartCase):
    def judged(self, guard):
        with guard.client() as mta:
            mta.connect("127.0.0.1")
            return guard.verdict(guardcase.send(mta, cc=policies.people(60))).verdict == "reject"

    def gone(self, *pids):
        daemon.wait_until(lambda: not any(daemon.alive(pid) for pid in pids), what="the end of the processes")

    # ---- rights

    @unittest.skipUnless(daemon.ROOT, "only root has rights to give up")
    def test_root_is_given_up_by_both(self):
        guard = self.start(groups=[0, 1, 4])  # those of whoever started it go too
        user = pwd.getpwnam(daemon.USER)
        groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
        for pid in (guard.pid, guard.child()):
            status = daemon.status(pid)
            self.assertEqual(ids(status["Uid"]), {user.pw_uid})  # real, effective, saved, file system
            self.assertEqual(ids(status["Gid"]), {user.pw_gid})
            self.assertEqual(ids(status["Groups"]) | {user.pw_gid}, groups | {user.pw_gid})
            for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                self.assertEqual(int(status[name], 16), 0, name)
        guard.stop()

    def test_the_socket_is_for_owner_and_group_alone(self):
        guard = self.start()
        status = os.lstat(guard.socket_path())
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode) & 0o007, 0, "others may connect")
        self.assertEqual(stat.S_IMODE(status.st_mode) & 0o660, 0o660, "owner and group cannot connect")
        if daemon.ROOT:
            self.assertEqual(status.st_uid, pwd.getpwnam(daemon.USER).pw_uid)
        guard.stop()

    @unittest.skipUnless(daemon.ROOT, "needs a directory with another group")
    def test_the_socket_has_the_group_of_a_setgid_directory(self):
        directory = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, directory)
        group = grp.getgrnam("postfix" if any(entry.gr_name == "postfix" for entry in grp.getgrall()) else "mail").gr_gid
        os.chown(directory, pwd.getpwnam(daemon.USER).pw_uid, group)
        os.chmod(directory, 0o2750)
        guard = self.start(socket="unix:%s/rcptguard.sock" % directory)
        self.assertEqual(os.lstat(guard.socket_path()).st_gid, group)
        guard.stop()
        self.assertEqual(os.listdir(directory), [])

    def test_descriptors_are_raised(self):
        guard = self.start()
        with open("/proc/%d/limits" % guard.child(), encoding="ascii") as file:
            line = next(line for line in file if line.startswith("Max open files"))
        self.assertGreaterEqual(int(line.split()[3]), 16384 if daemon.ROOT else 1024)
        guard.stop()

    def test_no_descriptor_is_left(self):
        """one line, no processor time, and mail again as soon as there are some"""
        guard = self.start(descriptors=40)
        child = guard.child()
        idle = [guard.client(negotiate=False) for _ in range(50)]
        try:
            guard.wait_for_line("connections: none can be taken, and mail waits: Too many open files")
            before = daemon.cpu_seconds(child)
            time.sleep(1)  # a second of doing nothing is what is measured
            self.assertLess(daemon.cpu_seconds(child) - before, 0.3)
        finally:
            for client in idle:
                client.close()
        self.assertTrue(self.judged(guard))
        self.assertEqual(len([line for line in guard.lines if "none can be taken" in line]), 1)
        guard.stop()

    # ---- ends

    def test_sigterm_removes_the_socket(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            guard = self.start()
            child = guard.child()
            self.assertTrue(guard.socket_exists())
            guard.signal(number)
            self.assertEqual(guard.wait_exit(), 0)
            self.gone(child)
            self.assertEqual(os.listdir(guard.run_directory), [], "the socket or its lock is left")

    def test_sigterm_is_quick(self):
        """An idle daemon does not wait for the library's five seconds, which would be there each time."""
        took = []
        while not took or took[-1] >= 3 * tap.SLOWNESS and len(took) < 4:  # a loaded machine may be slow once
            guard = self.start()
            begin = time.monotonic()
            guard.stop()
            took.append(time.monotonic() - begin)
        self.assertLess(took[-1], 3 * tap.SLOWNESS, took)

    def test_sigterm_with_open_connections(self):
        guard = self.start()
        idle = guard.client()
        self.addCleanup(idle.close)
        busy = guard.client()
        self.addCleanup(busy.close)
        busy.connect("127.0.0.1")
        busy.envelope("care@me.example", policies.people(20))
        child = guard.child()
        guard.stop()
        self.gone(child)
        self.assertFalse(guard.socket_exists())

    def test_kill_of_the_parent_leaves_no_orphan(self):
        guard = self.start()
        child = guard.child()
        guard.signal(signal.SIGKILL)
        self.assertEqual(guard.wait_exit(), -signal.SIGKILL)
        self.gone(child)

    def test_kill_of_the_child_ends_the_parent(self):
        guard = self.start()
        os.kill(guard.child(), signal.SIGKILL)
        self.assertNotEqual(guard.wait_exit(), 0)
        self.assertIn("signal 9", "\n".join(guard.lines))
        self.assertFalse(guard.socket_exists())

    def test_segfault_of_the_child_ends_the_parent(self):
        guard = self.start()
        os.kill(guard.child(), signal.SIGABRT)
        self.assertEqual(guard.wait_exit(), 75)
        self.assertFalse(guard.socket_exists())

    def test_a_start_after_a_kill(self):
        """The socket that a killed daemon left is replaced."""
        guard = self.start()
        child = guard.child()
        os.kill(guard.pid, signal.SIGKILL)
        guard.wait_exit()
        self.gone(child)
        self.assertTrue(guard.socket_exists(), "nothing is left over, so this test shows nothing")
        other = self.start(socket=guard.socket)
        self.assertTrue(self.judged(other))
        other.stop()
        self.assertFalse(guard.socket_exists())

    # ---- one socket

    def second(self, guard, *arguments):
        return daemon.run("-f", "-c", guard.config_path, *arguments)

    def test_two_daemons_on_one_socket(self):
        guard = self.start()
        before = os.lstat(guard.socket_path()).st_ino
        code, out, err = self.second(guard)
        self.assertEqual(code, 75)
        self.assertEqual(out, "")
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn(guard.socket_path(), err)
        self.assertIn(str(guard.pid), err)
        self.assertEqual(os.lstat(guard.socket_path()).st_ino, before)
        self.assertTrue(self.judged(guard))
        guard.stop()

    def test_many_second_daemons(self):
        """All at once: one goes on, the others refuse."""
        guard = self.start()
        others = [subprocess.Popen([daemon.PROGRAM, "-f", "-c", guard.config_path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=daemon.environment()) for _ in range(5)]
        for other in others:
            self.addCleanup(other.stdout.close)
            self.addCleanup(other.kill)
        for other in others:
            self.assertEqual(other.wait(daemon.LIMIT), 75)
        self.assertTrue(self.judged(guard))
        guard.stop()

    def test_another_program_listens(self):
        """A live socket of something else, without our lock."""
        directory = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, directory)
        daemon.own(directory)
        path = os.path.join(directory, "other.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(path)
            os.chmod(path, 0o666)
            other.listen(5)
            guard = self.start(socket="unix:" + path, wait=False)
            self.assertEqual(guard.wait_exit(), 75)
            self.assertEqual(len(guard.lines), 1, guard.lines)
            self.assertIn(path, guard.lines[0])
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(path)  # it still listens

    def test_two_daemons_on_one_port(self):
        port = free_port()
        guard = self.start(socket="inet:%d@127.0.0.1" % port)
        self.assertTrue(self.judged(guard))
        code, _, err = self.second(guard)
        self.assertEqual(code, 75)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn(str(port), err)
        self.assertTrue(self.judged(guard))
        guard.stop()

    def test_a_stale_socket_is_replaced(self):
        directory = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, directory)
        daemon.own(directory)
        path = os.path.join(directory, "stale.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
            dead.bind(path)
        daemon.own(path)
        guard = self.start(socket="unix:" + path)
        self.assertTrue(self.judged(guard))
        guard.stop()
        self.assertFalse(os.path.exists(path))

    def test_what_is_no_socket_is_left_alone(self):
        for make in (lambda path: daemon.write(path, "precious"), os.mkdir, os.mkfifo, lambda path: os.symlink("/nonexistent", path)):
            directory = daemon.temporary_directory()
            self.addCleanup(daemon.shutil.rmtree, directory)
            daemon.own(directory)
            path = os.path.join(directory, "precious")
            make(path)
            before = os.lstat(path)
            with self.assertRaises(daemon.Exited) as refused:
                daemon.Daemon(policies.FIELD, socket="unix:" + path)
            self.assertIn("ended with 1:", str(refused.exception))
            self.assertIn(path, str(refused.exception))
            after = os.lstat(path)
            self.assertEqual((before.st_ino, before.st_mode, before.st_size), (after.st_ino, after.st_mode, after.st_size))

    def test_sockets_by_their_kinds(self):
        port = free_port()
        for name in ("inet:%d@127.0.0.1" % port, "inet:%d@localhost" % port):
            with self.subTest(name):
                guard = self.start(socket=name)
                self.assertTrue(self.judged(guard))
                guard.stop()
        if has_ipv6():
            guard = self.start(socket="inet6:%d@::1" % port)
            self.assertTrue(self.judged(guard))
            guard.stop()

    def test_option_p_overrides_the_socket(self):
        directory = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, directory)
        daemon.own(directory)
        path = os.path.join(directory, "other.sock")
        guard = self.start(arguments=("-p", "unix:" + path), wait=False)
        configured = guard.socket_path()
        guard.socket = "unix:" + path
        guard.wait_ready()
        self.assertTrue(self.judged(guard))
        self.assertFalse(os.path.exists(configured))
        guard.stop()
        self.assertFalse(os.path.exists(path))

    # ---- the background

    def test_the_start_in_the_background(self):
        """It returns when the daemon is ready, with 0, and leaves nothing of the terminal open."""
        # Written by a daemon in the foreground, which keeps the directory and has another socket.
        guard = self.start()
        path = os.path.join(guard.run_directory, "background.sock")
        code, out, err = daemon.run("-c", guard.config_path, "-p", "unix:" + path, env=daemon.environment(guard.run_directory))
        try:
            self.assertEqual((code, out, err), (0, "", ""))  # run() came back, so nobody holds its pipes
            with open(path + ".lock", encoding="ascii") as file:
                pid = int(file.read())
            with milterclient.Client("unix:" + path) as mta:
                mta.connect("127.0.0.1")
                self.assertRejected(guardcase.send(mta, cc=policies.people(60)))
            self.assertEqual(len(daemon.children(pid)), 1)
            for process in (pid, daemon.children(pid)[0]):
                targets = [os.readlink("/proc/%d/fd/%d" % (process, number)) for number in (0, 1, 2)]
                self.assertEqual(targets, ["/dev/null"] * 3)
                self.assertEqual(os.readlink("/proc/%d/cwd" % process), "/")
            self.assertEqual(os.getsid(pid), pid)
        finally:
            started = with_argument("unix:" + path)
            for pid in started:
                with contextlib.suppress(ProcessLookupError):  # each ends when the other does
                    os.kill(pid, signal.SIGTERM)
            self.gone(*started)
        self.assertFalse(os.path.exists(path))
        reports = [name for name in os.listdir(guard.run_directory) if name.startswith("sanitizer")]
        self.assertEqual(reports, [])
        guard.stop()

    def test_a_start_in_the_background_that_fails(self):
        """Whoever starts it sees why, and the exit code."""
        guard = self.start()
        path = os.path.join(guard.run_directory, "background.sock")
        broken = daemon.write(os.path.join(guard.directory, "broken"), "version 1\nnonsense\ndefault accept\n")
        config = daemon.write_config(os.path.join(guard.directory, "broken.conf"), {("milter", "policy"): broken, ("milter", "user"): daemon.USER,
                                                                                                ("ledger", "path"): guard.ledger_path})
        code, out, err = daemon.run("-c", config, "-p", "unix:" + path)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("%s:2:1: error: " % broken, err)
        self.assertFalse(os.path.exists(path))
        guard.stop()

    assertRejected = guardcase.GuardCase.assertRejected


def with_argument(word):
    """The processes with that word, a path that only this test knows, on their command line."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%d/cmdline" % int(name), "rb") as file:
                if word.encode() in file.read().split(b"\0"):
                    found.append(int(name))
        except (ValueError, OSError):
            pass
    return found


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


if __name__ == "__main__":
    surroundings.enter()  # nobody else has its ports
    tap.main()
