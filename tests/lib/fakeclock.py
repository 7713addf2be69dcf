"""A review case whose daemon and reviewers have a clock of their own, which the test sets; the MTA's is the machine's.

    class Leaps(fakeclock.FakeClock, review.ReviewCase):
        def test_leap(self):
            self.set(86400)     # a day ahead
            self.boot(20)       # and for them the machine started 20 seconds ago

tests/soak/fake_clock.c is what is loaded.
"""

import mmap
import os
import struct
import time

import daemon

LIBRARY = os.path.join(daemon.BUILD, "tests", "soak", "fake_clock.so")


class FakeClock:
    @classmethod
    def setUpClass(cls):
        cls.folder = daemon.temporary_directory()
        cls.addClassCleanup(daemon.shutil.rmtree, cls.folder, True)
        path = daemon.write(os.path.join(cls.folder, "clock"), bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            cls.clock = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        cls.shim = {"LD_PRELOAD": LIBRARY, "FAKE_CLOCK": path}
        os.environ.update(cls.shim)  # of all that is started from here on, but the MTA
        try:
            super().setUpClass()
        finally:
            for name in cls.shim:
                del os.environ[name]

    def setUp(self):
        super().setUp()
        self.set(0)
        self.clock[8:16] = bytes(8)

    def set(self, seconds):
        """So far ahead is their clock."""
        self.clock[:8] = struct.pack("=q", seconds)

    def boot(self, seconds):
        """So long ago the machine started, for what is started from here on."""
        self.clock[8:16] = struct.pack("=q", seconds - int(time.monotonic()))

    def environment(self):
        return dict(daemon.environment(), **self.shim)

    def ask(self, *arguments, **options):
        options.setdefault("env", self.environment())
        return super().ask(*arguments, **options)
