"""Lets the Nth write, fsync, rename, open, fcntl or fork of rcptguardd or rcptguardq fail, or ends the program there.

    shim = faultshim.Shim()
    with shim.loaded():
        guard = daemon.Daemon(...)
    shim.arm("write", 3, errno.ENOSPC)
    ...
    place = shim.disarm()    # "pwrite /.../ledger.db-wal", or None if there was no third one

tests/soak/fail_once.c is what is loaded.
"""

import contextlib
import errno
import mmap
import os
import shutil
import struct

import daemon

LIBRARY = os.path.join(daemon.BUILD, "tests", "soak", "fail_once.so")

# Each kind with the error that a loaded machine gives.
KINDS = {"write": (1, errno.ENOSPC), "fsync": (2, errno.EIO), "rename": (4, errno.EACCES), "open": (8, errno.EMFILE), "fcntl": (16, errno.ENOLCK), "fork": (32, errno.EAGAIN)}

FAIL, FAIL_ALWAYS, KILL = range(3)
_ORDER = struct.Struct("=5i6i256s")


class Shim:
    def __init__(self):
        self.directory = daemon.temporary_directory()
        self.path = daemon.write(os.path.join(self.directory, "order"), bytes(mmap.PAGESIZE), 0o666)
        with open(self.path, "r+b") as file:
            self.order = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def close(self):
        self.order.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def environment(self, values):
        """These, so that a program which is started with them has the shim."""
        return dict(values, LD_PRELOAD=LIBRARY, FAIL_ONCE=self.path)

    @contextlib.contextmanager
    def loaded(self):
        """What is started within has the shim."""
        before = dict(os.environ)
        os.environ.update(self.environment({}))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def arm(self, kinds, number, error=None, action=FAIL):
        """From now on; `kinds` are words of KINDS."""
        words = kinds.split()
        self.order[:_ORDER.size] = _ORDER.pack(0, number, error or KINDS[words[0]][1], action, 0, *[0] * 6, b"")
        self.order[:4] = struct.pack("=i", sum(KINDS[word][0] for word in words))

    def count(self, kinds):
        """Nothing fails, but seen() says how many calls there were."""
        self.arm(kinds, 2**30)

    def seen(self):
        """{kind: calls since it was armed}"""
        return dict(zip(KINDS, _ORDER.unpack(self.order[:_ORDER.size])[5:11]))

    def disarm(self):
        """Where it failed, or None."""
        self.order[:4] = bytes(4)
        values = _ORDER.unpack(self.order[:_ORDER.size])
        fired, place = values[4], values[-1]
        return place.rstrip(b"\0").decode("utf-8", "replace") if fired else None
