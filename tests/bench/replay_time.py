"""Runs a program and says how long it took, and how much memory; for the benchmarks of replay."""

import os
import subprocess
import time


class Failure(Exception):
    """The benchmark cannot run, or the programs do not agree."""


def timed(command, **options):
    """(seconds, output, peak memory in MB) of a program that must succeed."""
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, **options)
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failure(f"{command[0]} exited with {process.returncode}")
    return seconds, output, usage.ru_maxrss / 1024
