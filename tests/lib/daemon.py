"""Starts and stops rcptguardd for a test, and reads its log.

    with daemon.Daemon(policy=POLICY) as guard:
        with guard.client() as mta:
            ...
        line = guard.verdict(answer)

Each daemon has a temporary directory with its configuration, policy, socket and
ledger, readable for the user that it drops to.  Leaving the block stops it with SIGTERM
and asserts what every test wants: it exits with 0, no sanitizer complained, and
no log line holds a recipient's address.
"""

import atexit
import contextlib
import functools
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time

import milterclient
import privacy
import tap

SOURCE = os.environ.get("top_srcdir") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("top_builddir") or SOURCE
PROGRAM = os.path.join(BUILD, "rcptguardd")
ROOT = os.geteuid() == 0
USER = "nobody"

LIMIT = 60 * tap.SLOWNESS

# What a sanitizer writes when it has found something.
SANITIZER_REPORT = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:")

# The fields of the log line, always in this order.
FIELDS = ["verdict", "rule", "would", "visible", "parties", "domains", "internal", "hidden", "defects", "policy", "client", "user", "sender",
          "msgid", "text"]
STATE_FIELDS = ["within", "known", "override", "inside", "opaque"]  # of a policy that remembers, or counts inside messages, behind the others
_NUMBERS = {"visible", "parties", "domains", "internal", "hidden"}
_LINE = re.compile(r"(?:^|\s)(?P<queue>\S+): " + " ".join(
    r'text="(?P<text>(?:[^"\\]|\\x[0-9A-F]{2})*)"' if field == "text" else r'%s=(?P<%s>(?:[^\s"<>,=\\]|\\x[0-9A-F]{2}|,|=)+)' % (field, field)
    for field in FIELDS) + "".join(r"(?: %s=(?P<%s>[a-z0-9:/,.-]+))?" % (field, field) for field in STATE_FIELDS) + "$")


def environment(directory=None):
    """The sanitizers' options: halt at the first finding, with the project's own suppressions."""
    env = dict(os.environ)
    common = "halt_on_error=1:exitcode=99"
    if directory is not None:  # standard error is gone once it is in the background
        common += ":log_path=%s/sanitizer" % directory
    if tap.SANITIZERS != "no":
        env["G_SLICE"] = "always-malloc"  # GLib's own allocator hides who freed what, and its locks, from the sanitizers
    env["ASAN_OPTIONS"] = common + ":detect_stack_use_after_return=1:verify_asan_link_order=0"  # a library of ours may come first
    env["UBSAN_OPTIONS"] = common + ":print_stacktrace=1"
    env["TSAN_OPTIONS"] = common + _suppressions("tests/tsan.supp", "tests/lib/tsan.supp") + ":print_suppressions=0"
    env["LSAN_OPTIONS"] = common + _suppressions("tests/lsan.supp") + ":print_suppressions=0"
    if "thread" in tap.SANITIZERS:
        env["LD_PRELOAD"] = _glib_locks()
    return env


@functools.lru_cache(None)
def _scratch():
    """A directory for this run."""
    path = temporary_directory()
    atexit.register(shutil.rmtree, path, True)
    return path


@functools.lru_cache(None)
def program_for_everybody():
    """A copy of the daemon's program that every user may run: a checkout may lie where root alone may look."""
    return shutil.copy(PROGRAM, os.path.join(_scratch(), "rcptguardd"))


@functools.lru_cache(None)
def _suppressions(*names):
    """One option for those of the files that are there."""
    found = [os.path.join(SOURCE, name) for name in names if os.path.exists(os.path.join(SOURCE, name))]
    if not found:
        return ""
    path = os.path.join(_scratch(), os.path.basename(names[0]))
    return ":suppressions=" + write(path, b"\n".join(pathlib.Path(name).read_bytes() for name in found))


@functools.lru_cache(None)
def _glib_locks():
    """The library that tells ThreadSanitizer of GLib's locks."""
    path = os.path.join(_scratch(), "tsan-glib.so")
    compiler = (os.environ.get("CC") or "cc").split()
    subprocess.run([*compiler, "-shared", "-fPIC", "-O1", "-w", "-o", path, os.path.join(SOURCE, "tests", "lib", "tsan-glib.c"), "-ldl"], check=True)
    return path


def temporary_directory():
    """A directory that every user may enter."""
    path = tempfile.mkdtemp(prefix="rcptguard-test-")
    os.chmod(path, 0o755)
    return path


def own(path, user=USER):
    if ROOT:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def write(path, text, mode=0o644):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    return path


def settle(*paths):
    """Lets them be a minute old.  Postfix reads a main.cf or master.cf that changed within the last second again and again."""
    for path in paths:
        status = os.stat(path)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 60 * 10**9))


def wait_until(condition, limit=LIMIT, what="it"):
    """Asks until `condition()` is true and gives its value; after `limit` seconds it is a failure."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s did not happen within %d s" % (what() if callable(what) else what, limit))
        time.sleep(0.01)


def children(pid):
    """The ids of the processes whose parent is `pid`, from /proc."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def cpu_seconds(pid):
    """Processor time of a process, of all its threads."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid):
    """/proc/PID/status as a dictionary."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def run(*arguments, limit=LIMIT, **options):
    """Runs the daemon's program to its end.  Gives (exit code, standard output, standard error)."""
    options.setdefault("env", environment())
    program = program_for_everybody() if "user" in options else PROGRAM
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit,
                          check=False, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def _kill_with_child(pid):
    """A daemon that still runs, and its child, which has a group of its own."""
    for process in [*children(pid), pid]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Line:
    """One verdict of the log: every field as an attribute; counts are numbers, and a field of the state that is not there is None."""

    def __init__(self, match, raw):
        self.raw = raw
        self.queue_id = match.group("queue")
        for field in FIELDS + STATE_FIELDS:
            value = match.group(field)
            setattr(self, field, int(value) if field in _NUMBERS else value)
        for field in STATE_FIELDS:
            setattr(self, field, match.group(field))

    def __repr__(self):
        return self.raw


def parse(raw):
    match = _LINE.search(raw)
    return Line(match, raw) if match else None


class Exited(AssertionError):
    """The daemon ended although it should run."""


class Daemon:
    """One rcptguardd in the foreground.

    policy    text of the policy
    files     {name: text} beside it, such as tables
    config    {(group, key): value} over the defaults; None leaves a key out
    socket    libmilter's name of the socket; by default unix: in `directory`/run
    groups    supplementary groups that it is started with
    descriptors   the limit of open files that it cannot raise
    control_group   the directory of a control group that it is started in
    config_path     where its configuration is; by default in `directory`
    """

    def __init__(self, policy, files=None, config=None, socket=None, arguments=(), user=USER, wait=True, groups=None, descriptors=None, control_group=None, config_path=None):
        self.directory = temporary_directory()
        self.process = None
        self.lines = []
        self.changed = threading.Condition()
        self.ended = False
        self.expected_exit = 0
        try:
            self.run_directory = os.path.join(self.directory, "run")
            os.mkdir(self.run_directory, 0o755)
            own(self.run_directory)
            self.state_directory = os.path.join(self.directory, "state")
            os.mkdir(self.state_directory, 0o700)
            own(self.state_directory, user)
            self.ledger_path = os.path.join(self.state_directory, "ledger.db")
            self.socket = socket or "unix:" + os.path.join(self.run_directory, "rcptguard.sock")
            self.policy_path = os.path.join(self.directory, "policy")
            for name, text in (files or {}).items():
                write(os.path.join(self.directory, name), text)
            self.set_policy(policy)
            values = {("milter", "socket"): self.socket, ("milter", "policy"): self.policy_path, ("ledger", "path"): self.ledger_path}
            if ROOT:
                values["milter", "user"] = user
            values.update(config or {})
            self.ledger_path = values["ledger", "path"] or self.ledger_path
            self.config_path = write_config(config_path or os.path.join(self.directory, "rcptguard.conf"), values)
            self._start(arguments, groups, descriptors, control_group)
            if wait:
                self.wait_ready()
        except BaseException:
            self._clean()
            raise

    def _start(self, arguments, groups, descriptors, control_group):
        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            if control_group is not None:
                pathlib.Path(control_group, "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

        self.process = subprocess.Popen([PROGRAM, "-f", "-c", self.config_path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=environment(), start_new_session=True, cwd="/", extra_groups=groups,
                                        preexec_fn=None if descriptors is None and control_group is None else limit)
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        tap.on_failure(self.report)

    def _read(self, stream):
        for raw in stream:
            with self.changed:
                self.lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def report(self):
        return ["the daemon's log ended with:"] + ["    " + line for line in self.lines[-30:]]

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self._clean()

    def _clean(self):
        tap.forget(self.report)
        if self.process is not None:
            if self.process.returncode is None:
                _kill_with_child(self.process.pid)
            self.process.wait()
            self.reader.join(5)
            self.process.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- life

    @property
    def pid(self):
        return self.process.pid

    def child(self):
        """The id of the milter process."""
        found = wait_until(lambda: children(self.pid), what="the start of the child")
        assert len(found) == 1, "one child, not %r" % found
        return found[0]

    def wait_ready(self):
        """Ready is who negotiates."""
        end = time.monotonic() + LIMIT
        while True:
            if self.process.poll() is not None:
                self.reader.join(5)
                raise Exited("rcptguardd ended with %d:\n%s" % (self.process.returncode, "\n".join(self.lines)))
            try:
                with self.client() as mta:
                    mta.quit()
                return
            except (OSError, milterclient.ProtocolError):  # it may end while it is asked
                if time.monotonic() > end:
                    raise AssertionError("rcptguardd did not listen within %d s:\n%s" % (LIMIT, "\n".join(self.lines))) from None
                time.sleep(0.01)

    def stop(self):
        """SIGTERM, and what is asserted of every daemon."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait_exit()
        text = "\n".join(self.lines)
        report = SANITIZER_REPORT.search(text)
        assert not report, "a sanitizer complained:\n" + text
        assert code == self.expected_exit, "exit code %d, not %d:\n%s" % (code, self.expected_exit, text)
        self.check_privacy()

    def wait_exit(self, limit=LIMIT):
        """Its exit code, once it and all that held its standard error have ended."""
        code = self.process.wait(limit)
        self.reader.join(limit)
        return code

    def check_privacy(self):
        found = privacy.leaks(self.lines)
        assert not found, "recipients in the log: %r" % found[:5]

    def state_files(self):
        """The paths of the state: the database with the files beside it."""
        return sorted(str(path) for path in pathlib.Path(self.ledger_path).parent.glob("state.db*"))

    def signal(self, number):
        self.process.send_signal(number)

    def thread_names(self):
        """The names of the worker's threads; one that ends meanwhile has none."""
        names = set()
        for thread in os.listdir("/proc/%d/task" % self.child()):
            with contextlib.suppress(OSError), open("/proc/%d/task/%s/comm" % (self.child(), thread), encoding="ascii") as file:
                names.add(file.read().strip())
        return names

    # ---- what it reads

    def set_policy(self, text):
        """Writes the policy anew, as an editor does: another file takes its place."""
        new = write(self.policy_path + ".new", text)
        os.rename(new, self.policy_path)

    def reload(self):
        """SIGHUP, and waits for the line that says what came of it."""
        mark = self.mark()
        self.signal(signal.SIGHUP)
        return self.wait_for_line(r"\breload (done|failed)\b", mark=mark)

    # ---- what it writes

    def mark(self):
        """A place in the log: pass it to wait_for_line to look behind it only."""
        with self.changed:
            return len(self.lines)

    def wait_for_line(self, pattern, timeout=None, mark=0):
        """The first line from `mark` on that the regex finds something in."""
        regex = re.compile(pattern)
        end = time.monotonic() + (LIMIT if timeout is None else timeout)
        seen = mark
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    if regex.search(line):
                        return line
                seen = len(self.lines)
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise AssertionError("no line %r in the log:\n%s" % (pattern, "\n".join(self.lines[mark:])))
                self.changed.wait(left)

    def verdict(self, answer, timeout=None):
        """The verdict line of a message, given its queue id or the answer to it."""
        queue_id = answer if isinstance(answer, str) else answer.queue_id
        raw = self.wait_for_line(r"(^|\s)%s: verdict=" % re.escape(queue_id), timeout)
        line = parse(raw)
        assert line is not None, "the fields of this line are not as they should be: %s" % raw
        return line

    def verdicts(self, queue_id=None):
        """Every verdict line so far, of one message or of all."""
        with self.changed:
            lines = [line for line in self.lines if " verdict=" in line or ":verdict=" in line]
        parsed = [parse(line) for line in lines]
        assert None not in parsed, "a verdict line that cannot be read: %r" % [l for l, p in zip(lines, parsed) if p is None]
        return [line for line in parsed if queue_id is None or line.queue_id == queue_id]

    # ---- the MTA's side

    def client(self, **options):
        return milterclient.Client(self.socket, **options)

    def socket_path(self):
        return self.socket.partition(":")[2]

    def socket_exists(self):
        try:
            return stat.S_ISSOCK(os.lstat(self.socket_path()).st_mode)
        except FileNotFoundError:
            return False


def write_config(path, values):
    groups = {}
    for (group, key), value in values.items():
        if value is not None:
            groups.setdefault(group, []).append("%s = %s" % (key, value))
    text = "".join("[%s]\n%s\n\n" % (group, "\n".join(lines)) for group, lines in groups.items())
    return write(path, text)
