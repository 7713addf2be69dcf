"""What the benchmarks share: milters that run, a syslog that counts their lines, load for them."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
WAIT = 15  # seconds for a daemon to start
LINES_WAIT = 5  # seconds for the last line to arrive
USER = "nobody"
RUNS = 10  # of one measurement, until no line was lost
PRIORITY = -15  # of who reads the log, as nice(2)


class Failure(Exception):
    """The benchmark cannot run, or measured something else than it should."""


class LinesLost(Failure):
    """On a machine that is too busy, rcptguardd does not wait for who reads the log."""


def repeated(run):
    """What `run` gives, which is measured again where lines were lost."""
    for _ in range(RUNS):
        try:
            return run()
        except LinesLost as error:
            lost = error
    raise lost


def wait_for(what, test, limit=WAIT):
    end = time.monotonic() + limit
    while not test():
        if time.monotonic() > end:
            raise Failure(f"waited {limit} seconds in vain for {what}")
        time.sleep(0.01)


# ---- processes


def descendants(root):
    """The process and all that came of it, from /proc."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                pass  # it is gone
    found = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found)
        found |= more


def cpu_clock(pid):
    """The clock of a process's CPU time, all threads together, in nanoseconds: clock_getcpuclockid(3)."""
    return (~pid << 3) | 2


class Daemon:
    """A milter under test: what it used, and whether it is still there."""

    def __init__(self, name, path, pid, limit=WAIT):
        self.name = name
        self.path = path
        self.pid = pid
        wait_for(f"{self.name} to listen", lambda: self.alive() and self.path.is_socket(), limit)
        self.find_processes()

    def find_processes(self):
        """All that it has by now."""
        self.pids = descendants(self.pid)

    def ended(self):
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    def alive(self):
        if self.ended():
            raise Failure(f"{self.name} has ended")
        return True

    def cpu(self):
        """Seconds of CPU time so far."""
        return sum(time.clock_gettime_ns(cpu_clock(pid)) for pid in self.pids) / 1e9

    def memory(self):
        """Resident memory in kB, shared pages counted once for each process."""
        text = "".join(pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.pids)
        return sum(int(size) for size in re.findall(r"^VmRSS:\s+(\d+) kB", text, re.M))

    def pss(self):
        """Memory in kB; what several of its processes share is divided among them: proc(5), smaps_rollup."""
        self.find_processes()
        text = "".join(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids)
        return sum(int(size) for size in re.findall(r"^Pss:\s+(\d+) kB", text, re.M))

    def stop(self, number=signal.SIGTERM):
        """With SIGKILL, of all its processes."""
        if self.ended():
            return
        for pid in descendants(self.pid) if number == signal.SIGKILL else [self.pid]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # it ended with its parent
        wait_for(f"{self.name} to end", self.ended)


# ---- syslog


LOST = re.compile(rb"rcptguardd\[\d+\]: log: \d+ lines? (is|are) lost before this one")


class Syslog:
    """Stands in for the syslog daemon, at `folder`/log, and counts the lines that are expected."""

    # Lines that may wait.  The kernel's own 10 would make the benchmark one of task switches; systemd sets 512, which
    # are not enough where the reader, which is this program, has to wait for a processor.
    LIMIT = pathlib.Path("/proc/sys/net/unix/max_dgram_qlen")
    WAITING = "20000"

    def __init__(self, folder):
        self.LIMIT.write_text(self.WAITING)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "log"))
        os.chmod(folder / "log", 0o666)
        self.expect(b"")
        threading.Thread(target=self.drain, daemon=True).start()

    def expect(self, expected):
        """From now on lines with that in them are counted, from 0."""
        self.expected = expected
        self.accepted = 0
        self.others = []

    def drain(self):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)  # of this thread alone: what waits in a socket is bounded by its bytes too
        while True:
            line = self.socket.recv(65536)
            if self.expected in line:
                self.accepted += 1
            else:
                self.others.append(line)

    def check(self, count):
        """Fails unless there are so many lines of those that are expected."""
        try:
            wait_for("the lines in syslog", lambda: self.accepted >= count, LINES_WAIT)
        except Failure:
            pass
        if self.accepted < count and any(LOST.search(line) for line in self.others):
            raise LinesLost(f"{count} messages, but {self.accepted} lines in syslog")
        if self.accepted != count:
            other = self.others[-1].decode(errors="replace") if self.others else "none"
            raise Failure(f"{count} messages, but {self.accepted} lines with {self.expected} in syslog; the last other line: {other}")


def take_dev_log(folder):
    """A small /dev whose /dev/log leads to our socket.  Only this program and its children see it."""
    subprocess.run(["mount", "--make-private", "/dev"], check=True)
    nodes = {name: os.stat(f"/dev/{name}") for name in ("null", "zero", "full", "random", "urandom")}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev"], check=True)
    for name, node in nodes.items():
        os.mknod(f"/dev/{name}", node.st_mode, node.st_rdev)
        os.chmod(f"/dev/{name}", 0o666)
    os.symlink(folder / "log", "/dev/log")


# ---- load


class Run:
    """What one run of milter-load cost: CPU seconds of the milter, seconds, latencies in microseconds, the protocol."""

    def __init__(self, cpu, text):
        self.cpu = cpu
        found = re.search(r"messages=(\d+) seconds=(\S+) p50=(\S+) p99=(\S+) p99.9=(\S+) (.*)", text)
        self.messages = int(found.group(1))
        self.seconds, self.p50, self.p99, self.p999 = (float(each) for each in found.groups()[1:5])
        self.protocol = found.group(6)

    def each(self):
        """Microseconds of CPU a message."""
        return self.cpu / self.messages * 1e6


def load(build, milter, *options):
    """Sends messages to a milter with milter-load; each must get the verdict that the options name."""
    command = [str(build / "tests/bench/milter-load"), *map(str, options), str(milter.path)]
    milter.find_processes()
    before = milter.cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    used = milter.cpu() - before
    milter.alive()
    if done.returncode != 0:
        raise Failure(f"{milter.name}: {done.stderr.strip()}")
    return Run(used, done.stdout)


def start_rcptguardd(build, folder, path, conf):
    """In the background, where it writes to syslog only; its lock holds its process id."""
    command = [build / "rcptguardd", "-c", conf]
    with open(folder / "rcptguardd.log", "w+b") as log:
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode != 0:
            log.seek(0)
            raise Failure(f"rcptguardd does not start:\n{log.read().decode(errors='replace')}")
    return int(pathlib.Path(f"{path}.lock").read_text())


def start_other(*command):
    """In a session of its own, as a daemon is: the kernel shares out its time by sessions."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True).pid


def figure(name, value, unit):
    print(f"{name} {value} {unit}", flush=True)
