"""The command line, and every kind of bad input: one clear line that names the file, and the exit code."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import unittest

import daemon
import policies
import tap

# Nothing in it is warned of.
SOUND = policies.FIELD.replace('class partner { domain "partner.example" }\n', "")


class Startup(unittest.TestCase):
    def setUp(self):
        self.directory = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.run_directory = os.path.join(self.directory, "run")
        os.mkdir(self.run_directory)
        daemon.own(self.run_directory)
        self.state_directory = os.path.join(self.directory, "state")
        os.mkdir(self.state_directory, 0o700)
        daemon.own(self.state_directory)
        self.policy = daemon.write(self.path("policy"), SOUND)
        self.ledger = os.path.join(self.state_directory, "ledger.db")
        self.values = {("milter", "socket"): "unix:" + os.path.join(self.run_directory, "s.sock"), ("milter", "policy"): self.policy,
                       ("ledger", "path"): self.ledger}
        if daemon.ROOT:
            self.values["milter", "user"] = daemon.USER

    def path(self, name):
        return os.path.join(self.directory, name)

    def config(self, values=None, text=None):
        if text is not None:
            return daemon.write(self.path("rcptguard.conf"), text)
        return daemon.write_config(self.path("rcptguard.conf"), {**self.values, **(values or {})})

    def refused(self, code, *words, config=None, arguments=(), lines=1, starts=True):
        """Both the check and the start end with that code, with so many messages (None: some), and say each of the words."""
        config = config or self.config()
        for options in (["-n"], ["-f"]) if starts else (["-n"],):
            with self.subTest(options):
                found, out, err = daemon.run(*options, "-c", config, *arguments)
                self.assertEqual((found, out), (code, ""), err)
                self.assertNotRegex(err, daemon.SANITIZER_REPORT)
                # A diagnostic may show the source line and a caret below it, indented.
                messages = [line for line in err.splitlines() if re.search(r"error: |^rcptguardd: |^/", line)]
                self.assertEqual(len(messages), lines or len(messages), err)
                self.assertGreater(len(messages), 0, err)
                for word in words:
                    self.assertIn(word, err)
                for line in err.splitlines():
                    self.assertLess(len(line), 1000, "a line that nobody reads")

    # ---- options

    def test_check_of_what_is_right(self):
        code, out, err = daemon.run("-n", "-c", self.config())
        self.assertEqual((code, err), (0, ""))
        self.assertIn(self.policy, out)
        self.assertEqual(os.listdir(self.run_directory), [], "a check makes no socket")
        self.assertEqual(os.listdir(self.state_directory), [], "a check makes no ledger")

    def test_check_warns(self):
        """of what is no error, and finds the policy sound"""
        daemon.write(self.policy, policies.FIELD)
        code, out, err = daemon.run("-n", "-c", self.config())
        self.assertEqual(code, 0)
        self.assertIn(self.policy, out)
        self.assertRegex(err, r"(?m)\A%s:\d+:\d+: warning: class `partner` .* \[class-unused\]$" % re.escape(self.policy))
        self.assertEqual(err.count("warning: "), 1)

    def test_check_while_a_daemon_runs(self):
        with daemon.Daemon(policies.FIELD) as guard:
            self.assertEqual(daemon.run("-n", "-c", guard.config_path)[0], 0)
            guard.set_policy(policies.FIELD + "nonsense\n")
            code, _, err = daemon.run("-n", "-c", guard.config_path)
            self.assertEqual(code, 1)
            self.assertIn(guard.policy_path + ":", err)

    def test_check_finds_a_failed_assertion(self):
        daemon.write(self.policy, SOUND.replace('expect "mail.me.example" is internal', 'expect "mail.me.example" is freemail'))
        self.refused(1, self.policy + ":", "mail.me.example", starts=False)

    def test_check_of_a_notice(self):
        """its template is read as the daemon's user; a start does without it, since the daemon sends none"""
        path = daemon.write(self.path("notice.txt"), "Subject: Held: {subject}\n\n{text}\n")
        config = self.config({("review", "notice"): path})
        self.assertEqual(daemon.run("-n", "-c", config)[0], 0)
        daemon.write(path, "Subject: Held: {subjct}\n\n{text\n")
        self.refused(1, path + ":1:16: error: there is no {subjct}; did you mean {subject}?", path + ":3:1: error: this `{` is not closed", config=config, lines=2, starts=False)
        os.chmod(path, 0)
        if daemon.ROOT:
            self.refused(1, path + ": error: cannot be read: permission denied", config=config, starts=False)
        os.unlink(path)
        self.refused(1, path + ": error: does not exist; expected the template of a notice", config=config, starts=False)
        with daemon.Daemon(policies.FIELD, config={("review", "notice"): path}) as guard, guard.client() as client:
            self.assertIsNotNone(client)

    def test_usage(self):
        for arguments in (["-x"], ["-c"], ["-p"], ["operand"], ["--unknown"], ["-c", self.config(), "operand"]):
            with self.subTest(arguments):
                code, out, err = daemon.run(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("usage: rcptguardd [-c CONF] [-f] [-n] [-p SOCKET]", err)

    def test_a_socket_that_is_none_is_usage(self):
        code, _, err = daemon.run("-n", "-c", self.config(), "-p", "nonsense")
        self.assertEqual(code, 2)
        self.assertIn("nonsense", err)

    # ---- the configuration

    def test_no_configuration(self):
        self.refused(1, self.path("missing.conf"), config=self.path("missing.conf"))

    def test_a_directory_for_a_configuration(self):
        self.refused(1, self.directory, "directory", config=self.directory)

    def test_an_unreadable_configuration(self):
        path = self.config()
        os.chmod(path, 0)
        if not daemon.ROOT:  # root reads it
            self.refused(1, path, "ermission", config=path)
            return
        # As another user, who is told of the file and not of something else.
        done = subprocess.run([daemon.program_for_everybody(), "-n", "-c", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, user=daemon.USER,
                              env=daemon.environment(), timeout=daemon.LIMIT)
        self.assertEqual(done.returncode, 1)
        self.assertIn(path, done.stderr.decode())
        self.assertIn("ermission denied", done.stderr.decode())

    def test_an_unknown_key(self):
        path = self.config(text="[milter]\npolicy = %s\nsockett = unix:/x\n" % self.policy)
        self.refused(1, "%s:3:1: error: " % path, "`sockett`", "`socket`", config=path)

    def test_an_unknown_group(self):
        path = self.config(text="[miltr]\npolicy = %s\n" % self.policy)
        self.refused(1, "%s:1:" % path, "miltr", "`milter`", config=path)

    def test_every_error_of_a_configuration(self):
        path = self.config(text="[milter]\npolicy = %s\nuser = a b\ntimeout = soon\non-fault = pass\n[log]\naccepted = perhaps\n" % self.policy)
        self.refused(1, "%s:3:" % path, "%s:4:" % path, "%s:5:" % path, "%s:7:" % path, config=path, lines=4)

    def test_a_key_twice(self):
        path = self.config(text="[milter]\npolicy = %s\npolicy = /x\n" % self.policy)
        self.refused(1, "%s:3:" % path, "line 2", config=path)

    def test_a_comment_behind_a_value(self):
        path = self.config(text="[milter]\npolicy = %s # the policy\n" % self.policy)
        self.refused(1, "%s:2:" % path, "comment", config=path)

    def test_a_configuration_of_10_mb(self):
        path = self.config(text="# comment\n" * 1000000)
        self.refused(1, path, config=path)

    def test_a_configuration_of_nothing_readable(self):
        path = daemon.write(self.path("rcptguard.conf"), bytes(range(256)) * 20)
        self.refused(1, path, config=path)

    # ---- the policy

    def test_no_policy(self):
        os.unlink(self.policy)
        self.refused(1, self.policy)

    def test_a_directory_for_a_policy(self):
        os.unlink(self.policy)
        os.mkdir(self.policy)
        self.refused(1, self.policy, "directory")

    @unittest.skipUnless(daemon.ROOT, "needs a user who may not read it")
    def test_an_unreadable_policy(self):
        """Read as the daemon's user, so root is told the truth too."""
        os.chmod(self.policy, 0o600)
        self.refused(1, self.policy, "ermission denied")

    @unittest.skipUnless(daemon.ROOT, "needs a user who may not enter it")
    def test_a_policy_in_a_closed_directory(self):
        closed = self.path("closed")
        os.mkdir(closed, 0o700)
        path = daemon.write(os.path.join(closed, "policy"), policies.FIELD)
        self.refused(1, path, "ermission denied", config=self.config({("milter", "policy"): path}))

    def test_a_fifo_for_a_policy(self):
        """It does not wait for somebody to write into it."""
        os.unlink(self.policy)
        os.mkfifo(self.policy, 0o644)
        os.chmod(self.policy, 0o644)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.policy).st_mode))
        self.refused(1, self.policy)

    def test_a_policy_of_10_mb(self):
        daemon.write(self.policy, policies.FIELD + "# comment\n" * 1000000)
        self.refused(1, self.policy)

    def test_an_empty_policy(self):
        daemon.write(self.policy, "")
        self.refused(1, self.policy + ":1:1: error: ", "version 1", lines=None)

    def test_a_policy_that_is_no_text(self):
        daemon.write(self.policy, bytes(range(256)) * 100)
        self.refused(1, self.policy)

    def test_every_error_of_a_policy(self):
        daemon.write(self.policy, policies.FIELD.replace("visible(external) >= 40", "visable(external) >= 40").replace("quarantine \"would", "hold \"would"))
        lines = policies.FIELD.splitlines()
        first = next(number for number, line in enumerate(lines, 1) if ">= 40" in line)
        second = next(number for number, line in enumerate(lines, 1) if "would hold" in line)
        self.refused(1, "%s:%d:" % (self.policy, first), "%s:%d:" % (self.policy, second), "visable", "hold", "^", lines=2)

    # ---- tables

    def table(self):
        daemon.write(self.policy, policies.FIELD.replace('domain "partner.example"', 'domains from "partners"'))
        return self.path("partners")

    def test_a_table(self):
        daemon.write(self.table(), "partner.example\n")
        self.assertEqual(daemon.run("-n", "-c", self.config())[0], 0)

    def test_no_table(self):
        self.refused(1, self.policy + ":5:", self.table() + " does not exist")  # where it is named, and the file

    def test_a_directory_for_a_table(self):
        path = self.table()
        os.mkdir(path)
        self.refused(1, self.policy + ":5:", path + " is a directory")

    @unittest.skipUnless(daemon.ROOT, "needs a user who may not read it")
    def test_an_unreadable_table(self):
        path = daemon.write(self.table(), "partner.example\n")
        os.chmod(path, 0o600)
        self.refused(1, self.policy + ":5:", path, "ermission denied")

    def test_a_table_with_what_is_no_domain(self):
        path = daemon.write(self.table(), "partner.example\nno domain here\n")
        self.refused(1, "%s:2:" % path, lines=None)

    # ---- the ledger

    def test_no_folder_for_the_ledger(self):
        """The line names the folder, and the command that makes it."""
        path = self.path("missing/ledger.db")
        self.refused(1, path, "install -d -m 750 -o ", os.path.dirname(path), config=self.config({("ledger", "path"): path}))

    def test_a_folder_that_others_may_write(self):
        os.chmod(self.state_directory, 0o777)
        self.refused(1, self.state_directory, "can be written by others")

    @unittest.skipUnless(daemon.ROOT, "needs a directory of another user")
    def test_a_folder_of_another_user(self):
        os.chmod(self.state_directory, 0o755)
        os.chown(self.state_directory, 0, 0)
        self.refused(1, self.state_directory, "ermission denied")
        os.chown(self.state_directory, 1234, 1234)
        self.refused(1, self.state_directory, "belongs to")

    def test_a_link_for_a_ledger(self):
        os.symlink("/etc/passwd", self.ledger)
        self.refused(1, self.ledger, "no regular file")

    def test_a_ledger_of_a_newer_version(self):
        self.put_ledger("CREATE TABLE held (x); PRAGMA application_id = 0x52634764; PRAGMA user_version = 99")
        self.start_refused(1, self.ledger, "version 99")

    def test_a_database_of_another_program(self):
        self.put_ledger("CREATE TABLE bookmarks (x)")
        self.start_refused(1, self.ledger, "another program")

    def put_ledger(self, sql):
        database = sqlite3.connect(self.ledger)
        database.executescript(sql)
        database.close()
        daemon.own(self.ledger)

    # ---- the socket and the user

    def test_a_socket_path_that_is_too_long(self):
        path = "/tmp/" + "x" * 120
        config = self.config({("milter", "socket"): "unix:" + path})
        self.refused(1, "%s:" % config, "106", config=config)

    def test_a_relative_socket_path(self):
        config = self.config({("milter", "socket"): "unix:rcptguard/rcptguard.sock"})
        self.refused(1, "%s:2:" % config, "rcptguard/rcptguard.sock", config=config)

    def start_refused(self, code, *words, config=None):
        """What only a start can find."""
        found, out, err = daemon.run("-f", "-c", config or self.config())
        self.assertEqual((found, out), (code, ""), err)
        self.assertEqual(len(err.splitlines()), 1, err)
        for word in words:
            self.assertIn(word, err)

    def test_no_directory_for_the_socket(self):
        path = self.path("missing/s.sock")
        self.start_refused(1, os.path.dirname(path), "not there", config=self.config({("milter", "socket"): "unix:" + path}))

    @unittest.skipUnless(daemon.ROOT, "needs a directory of another user")
    def test_no_right_to_make_the_socket(self):
        os.chown(self.run_directory, 0, 0)
        self.start_refused(1, self.run_directory, "ermission denied")

    @unittest.skipUnless(daemon.ROOT, "only root can become another user")
    def test_no_such_user(self):
        config = self.config({("milter", "user"): "no-such-user"})
        self.refused(1, config, "no-such-user", config=config)

    @unittest.skipUnless(daemon.ROOT, "only root can become another user")
    def test_the_user_root(self):
        config = self.config({("milter", "user"): "root"})
        self.refused(1, config, "root", config=config)

    @unittest.skipUnless(daemon.ROOT, "needs root to become somebody first")
    def test_another_user_without_root(self):
        """Somebody who is not root cannot become the user of the configuration."""
        config = self.config({("milter", "user"): "mail"})
        done = subprocess.run([daemon.program_for_everybody(), "-f", "-c", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, user=daemon.USER,
                              env=daemon.environment(), timeout=daemon.LIMIT)
        err = done.stderr.decode()
        self.assertEqual(done.returncode, 1, err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn(config, err)
        self.assertIn("`mail`", err)

    def test_a_port_that_is_not_ours(self):
        """A port that no program here may have: not this host's address."""
        self.start_refused(1, "192.0.2.1", config=self.config({("milter", "socket"): "inet:12345@192.0.2.1"}))


if __name__ == "__main__":
    tap.main()
