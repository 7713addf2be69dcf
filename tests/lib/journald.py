"""A real systemd-journald in this test's own /run and /dev (see surroundings.py), and what it hands on to a syslog daemon.

    with journald.Journal() as journal:
        ...
        journal.entries(RCPTGUARD_QUEUE_ID="4XyZ1234")

/dev/log is a link to its socket, as on a machine that systemd has booted.  The socket that a
syslog daemon would read (systemd's syslog.socket) is read here: `handed_on` has those lines.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import daemon
import surroundings

PROGRAM = next((path for path in ("/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald") if os.path.exists(path)), None)
FOLDER = "/run/systemd/journal"
CONFIG = "[Journal]\nStorage=volatile\nForwardToSyslog=yes\nReadKMsg=no\nRateLimitIntervalSec=0\nAudit=no\n"


def available():
    """Whether there are journald, and journalctl(1), to start."""
    return PROGRAM is not None and shutil.which("journalctl") is not None


def enter():
    """Once in a program, in surroundings with a root of their own: an empty /run, and a /dev/log that leads to the journal."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    # A chroot may not have what journald asks for the unit of a sender.
    for kind, path in (("sysfs", "/sys"), ("cgroup2", "/sys/fs/cgroup")):
        if not os.path.ismount(path) and not os.path.exists(path + "/cgroup.procs"):
            subprocess.run(["mount", "-t", kind, kind, path], check=True)
    os.makedirs(FOLDER)
    os.makedirs("/run/systemd/system")
    os.makedirs("/run/systemd/journald.conf.d")
    daemon.write("/run/systemd/journald.conf.d/test.conf", CONFIG)
    os.symlink(FOLDER + "/dev-log", "/dev/log")
    surroundings.set_log_length("512\n")


class Journal:
    def __init__(self):
        self.process = None
        self.handed_on = []
        self.log = tempfile.TemporaryFile()
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(FOLDER + "/syslog")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = self.syslog.recv(65536)
            except OSError:
                return
            self.handed_on.append(data.decode("utf-8", "backslashreplace").rstrip("\0\n"))

    def __enter__(self):
        shutil.rmtree("/run/log/journal", ignore_errors=True)
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.syslog.close()
        os.unlink(FOLDER + "/syslog")
        self.log.close()

    def start(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        daemon.wait_until(lambda: all(os.path.exists(FOLDER + "/" + name) for name in ("socket", "dev-log", "stdout")) or self.process.poll() is not None,
                          what="the start of journald")
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError("journald ended: " + self.log.read().decode("utf-8", "replace"))

    def stop(self):
        """Ends it, and takes its sockets away: systemd does not hold them here."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(daemon.LIMIT)
        for name in ("socket", "dev-log", "stdout"):
            try:
                os.unlink(FOLDER + "/" + name)
            except FileNotFoundError:
                pass

    def entries(self, *options, **fields):
        """Those that match, the oldest first, each as the dictionary that `journalctl -o json` prints."""
        matches = ["%s=%s" % pair for pair in fields.items()]
        result = subprocess.run(["journalctl", "--directory=/run/log/journal", "--quiet", "--no-pager", "--output=json", "--all", *options, *matches],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def wait_for(self, *options, **fields):
        return daemon.wait_until(lambda: self.entries(*options, **fields), what="an entry of the journal with %r" % (fields,))

    def handed_on_with(self, words):
        """The lines that the syslog daemon gets with these words: (priority, text behind the head)."""
        found = []
        for line in list(self.handed_on):
            match = re.match(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (\w+)\[(\d+)\]: (.*)", line, re.DOTALL)
            if match and words in match.group(4):
                found.append((int(match.group(1)), match.group(2), int(match.group(3)), match.group(4)))
        return found
