"""Runs `rcptguard replay` on a mailbox whose truth is known."""

import json
import os
import subprocess
import unittest

import daemon
import mailbox
import tool

COUNT = 1500
DISPOSITIONS = ["accept", "tag", "quarantine", "reject", "tempfail"]


class ReplayCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.made = mailbox.messages(COUNT)
        cls.folder = tool.Folder({"policy": mailbox.POLICY, "other": mailbox.OTHER, "sent": mailbox.mbox(cls.made)})

    @classmethod
    def tearDownClass(cls):
        cls.folder.__exit__()

    def path(self, name):
        return os.path.join(self.folder.path, name)

    def replay(self, *arguments, status=0, policy="policy"):
        """What it prints; whatever it says besides is an error of the test."""
        code, output, errors = self.folder.run("replay", "-p", policy, *arguments)
        self.assertEqual((code, errors), (status, ""))
        return output

    def objects(self, *arguments, **options):
        """([an object for each message], the last object)"""
        found = [json.loads(line) for line in self.replay("--json", *arguments, **options).splitlines()]
        return found[:-1], found[-1]

    def page(self, *arguments, **options):
        self.replay("--html", "page.html", *arguments, **options)
        with open(self.path("page.html"), encoding="utf-8") as file:
            return file.read()

    def start(self, *arguments, **options):
        return subprocess.Popen([tool.PROGRAM, "replay", "-p", "policy", *arguments], cwd=self.folder.path, env=tool.environment(), **options)

    LIMIT = daemon.LIMIT
