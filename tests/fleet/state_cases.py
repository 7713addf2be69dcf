"""The state in a real PostgreSQL passes the cases of every implementation, and those of its own: tests/unit/test-state-database.c."""

import os
import pwd
import shutil
import subprocess
import unittest

import daemon
import postgres
import sharedstate
import surroundings
import tap

PROGRAM = os.path.join(daemon.BUILD, "tests/unit/test-state-database")


class Cases(unittest.TestCase):
    def run_cases(self, **variables):
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder, True)
        program = shutil.copy(PROGRAM, folder)  # a checkout may be where only root can read
        with postgres.Server(hba=sharedstate.TRUST) as server:
            env = dict(daemon.environment(), STATE_OWNER=server.conninfo(postgres.SUPERUSER), STATE_NODE=server.conninfo("node_a"), **variables)
            options = {"user": pwd.getpwnam(daemon.USER).pw_uid} if daemon.ROOT else {}
            done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd="/", text=True,
                                  timeout=600, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIsNone(daemon.SANITIZER_REPORT.search(done.stdout), done.stdout)
        return [line for line in done.stdout.splitlines() if line.startswith("ok ")]

    def test_cases(self):
        """with the times that are handed in"""
        self.assertGreater(len(self.run_cases()), 30)

    def test_clock_behind(self):
        """by a clock that is an hour behind that of the database"""
        self.assertGreater(len(self.run_cases(STATE_BEHIND="yes")), 30)


if __name__ == "__main__":
    surroundings.enter()
    tap.main(600)
