"""Many connections: idle, slow and half-open ones, and thousands in a row; and no descriptor left for another one.

A new message waits at most three times as long as with the milter that does nothing (tests/bench/null-milter.c) beside the same
idle connections.  That one has no slow and half-open ones: in libmilter as it comes, each waits in a thread of the pool for the rest of its packet,
and a new message has no answer at all.

Without descriptors a message has no answer, and so the MTA's 451, and is served again within a second of the first one that is free.
"""

import contextlib
import os
import resource
import socket
import subprocess
import threading
import time
import unittest

import daemon
import guardcase
import milterclient
import policies
import soak
import tap

IDLE, SLOW, HALF = soak.pick((100, 100, 50), (1000, 1000, 500))
IN_A_ROW = soak.pick(300, 10000)
MESSAGES = soak.pick(200, 500)
TIMES, NOISE = 3, soak.pick(10, 0.01) * tap.SLOWNESS  # of the null milter's p99, in seconds
RSS = 64 * 1024  # kB
RECOVERY = soak.pick(60, 1) * tap.SLOWNESS
NULL = os.path.join(daemon.BUILD, "tests", "bench", "null-milter")


class Crowd:
    """Connections to a milter that are there and do little: slow ones send one byte after the other, in turn."""

    def __init__(self, address, slow, half):
        self.sockets = []
        self.slow = []
        self.stop = threading.Event()
        for _ in range(IDLE):
            client = milterclient.Client(address)
            client.connect("127.0.0.1")
            self.sockets.append(client.sock)
        for _ in range(slow):
            client = milterclient.Client(address)
            client.connect("127.0.0.1")
            self.slow.append(client.sock)
        self.sockets += self.slow
        for number in range(half):
            sock = milterclient.open_socket(address, daemon.LIMIT)
            sock.send(b"\0\0\0\r"[:number % 5])
            self.sockets.append(sock)
        self.thread = threading.Thread(target=self._drip, daemon=True)

    def _drip(self):
        packet = b"\0\0\0\x14M<care@me.example>\0\0"[:-1]
        for at in range(len(packet) - 1):
            for sock in self.slow:
                if self.stop.wait(0.001):
                    return
                with contextlib.suppress(OSError):
                    sock.send(packet[at:at + 1])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        for sock in self.sockets:
            sock.close()


@contextlib.contextmanager
def null_milter():
    """Its address."""
    folder = daemon.temporary_directory()
    path = os.path.join(folder, "null.sock")
    process = subprocess.Popen([NULL, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        daemon.wait_until(lambda: listens(path), what="the null milter's socket")
        yield "unix:" + path
    finally:
        process.terminate()
        process.wait()
        daemon.shutil.rmtree(folder, ignore_errors=True)


def listens(path):
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(path) == 0


def message(address):
    """One message on a connection of its own."""
    with milterclient.Client(address) as client:
        client.connect("127.0.0.1")
        return guardcase.send(client, cc=policies.people(3))


class Descriptors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for this side of the connections

    def p99(self, address, count=MESSAGES):
        times = []
        for _ in range(count):
            answer, took = soak.timed(lambda: message(address))
            self.assertIn(answer.verdict, (milterclient.ACCEPT, milterclient.CONTINUE))
            times.append(took)
        return soak.percentile(times, 99)

    def test_crowd(self):
        """beside idle, slow and half-open connections"""
        with daemon.Daemon(policies.FIELD) as guard, null_milter() as null:
            with Crowd(null, slow=0, half=0):
                other = self.p99(null)
            with Crowd(guard.socket, SLOW, HALF):
                ours = self.p99(guard.socket)
                memory = soak.rss(guard.child())
            soak.measured("%d idle, %d slow and %d half-open connections: p99 of a new message %.1f ms, of the null milter with the idle ones alone %.1f ms; RSS %.1f MB", IDLE, SLOW, HALF, 1000 * ours, 1000 * other,
                          memory / 1024)
            self.assertLess(ours, TIMES * other + NOISE)
            self.assertLess(memory, RSS)

    def test_in_a_row(self):
        with daemon.Daemon(policies.FIELD) as guard, null_milter() as null:
            other = self.p99(null, IN_A_ROW)
            before = soak.descriptors(guard.child())
            ours = self.p99(guard.socket, IN_A_ROW)
            memory = soak.rss(guard.child())
            soak.measured("%d connections in a row: p99 of a message %.1f ms, of the null milter %.1f ms; RSS %.1f MB", IN_A_ROW, 1000 * ours, 1000 * other, memory / 1024)
            self.assertLess(ours, TIMES * other + NOISE)
            self.assertLess(memory, RSS)
            daemon.wait_until(lambda: soak.descriptors(guard.child()) <= before + 2, what="the end of the connections")

    def test_none_left(self):
        """no answer, one line, no spin; and back at once"""
        with daemon.Daemon(policies.FIELD, descriptors=64) as guard:
            child = guard.child()
            crowd = [milterclient.open_socket(guard.socket, daemon.LIMIT) for _ in range(80)]
            guard.wait_for_line("connections: none can be taken")
            with self.assertRaises(milterclient.ProtocolError):
                milterclient.Client(guard.socket, timeout=1).connect("127.0.0.1")
            before, began = daemon.cpu_seconds(child), time.monotonic()
            with self.assertRaises(milterclient.ProtocolError):
                milterclient.Client(guard.socket, timeout=1).connect("127.0.0.1")
            share = (daemon.cpu_seconds(child) - before) / (time.monotonic() - began)
            for sock in crowd:
                sock.close()
            answer, took = soak.timed(lambda: message(guard.socket))
            self.assertEqual(answer.verdict, milterclient.ACCEPT)
            soak.measured("no descriptor left: %.0f %% of a processor; a message %.2f s after there are some", 100 * share, took)
            self.assertLess(share, 0.3)
            self.assertLess(took, RECOVERY)
            self.assertEqual(len([line for line in guard.lines if "none can be taken" in line]), 1)


if __name__ == "__main__":
    tap.main(soak.LIMIT)
