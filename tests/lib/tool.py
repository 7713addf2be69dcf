"""Runs rcptguard in a directory of its own."""

import json
import os
import re
import shutil
import subprocess

import daemon

PROGRAM = os.path.join(daemon.BUILD, "rcptguard")
DIGEST = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b")


class Folder:
    """A temporary directory with files; `with tool.Folder(files) as folder`."""

    def __init__(self, files=None):
        self.path = daemon.temporary_directory()
        for name, text in (files or {}).items():
            self.write(name, text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return daemon.write(path, text)

    def run(self, *arguments, program=PROGRAM):
        """(exit code, standard output, standard error)"""
        done = subprocess.run([program, *arguments], cwd=self.path, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=daemon.LIMIT, check=False)
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")

    def shell(self, command):
        """What a person sees on the terminal, the digests as x: they depend on the Public Suffix List."""
        done = subprocess.run(["sh", "-c", command], cwd=self.path, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=daemon.LIMIT, check=False)
        return done.stdout.decode("utf-8", "replace")

    def json(self, *arguments):
        """One object for each line that the program printed."""
        code, output, errors = self.run(*arguments)
        assert output, "no output, exit code %d: %s" % (code, errors)
        return [json.loads(line) for line in output.splitlines()]


def environment():
    """The sanitizers' options, and the build's programs first."""
    env = daemon.environment()
    env["PATH"] = daemon.BUILD + os.pathsep + env["PATH"]
    env["LC_ALL"] = "C.UTF-8"
    return env


def without_digest(text):
    return DIGEST.sub("x", text)


def options(text):
    """{--name: argument or None} of a --help text; a short form counts as an option of its own."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s+(-\w)?(?:, )?(--[\w-]+)?(?:[= ]([A-Z][\w-]*))?(?:\s{2,}\S|$)", line)
        if match is None or not (match.group(1) or match.group(2)):
            continue
        for name in match.group(1), match.group(2):
            if name:
                found[name] = match.group(3)
    return found
