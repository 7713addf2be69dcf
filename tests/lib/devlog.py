"""What goes to syslog in this test's own /dev (see surroundings.py): the lines, in order."""

import functools
import os
import re
import socket
import threading


class _Log:
    """Reads /dev/log from the first question on, to the end of the program."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            text = self.socket.recv(65536)
            if not text:
                return
            self.lines.append(re.sub(r"^<\d+>", "", text.decode("utf-8", "backslashreplace")).rstrip("\0\n"))


@functools.lru_cache(None)
def _log():
    return _Log()


def lines():
    return _log().lines
