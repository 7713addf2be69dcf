"""A terminal with a program in it, driven by keys and read as a person reads it: tmux.

    with screen.Screen(command, columns=80, lines=24) as terminal:
        terminal.wait_for("1 of 3")
        terminal.keys("s")
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

import daemon
import mta


class Screen:
    def __init__(self, command, columns=80, lines=24, term="screen", environment=()):
        assert shutil.which("tmux"), "tmux is missing; install the package tmux"
        self.folder = tempfile.mkdtemp(prefix="rcptguard-screen-")
        self.status = os.path.join(self.folder, "status")
        self.errors = os.path.join(self.folder, "errors")
        settings = daemon.write(os.path.join(self.folder, "settings"), "set -g default-terminal %s\nset -g status off\nset -g escape-time 0\nset -g remain-on-exit on\n" % term)
        script = 'trap : INT HUP QUIT; printf "before\\n"; stty -a >%s/before; "$@" 2>%s; echo $? >%s.new; stty -a >%s/after; mv %s.new %s; exec sleep 1000' % (
            self.folder, self.errors, self.status, self.folder, self.status, self.status)
        self.run("-f", settings, "new-session", "-d", "-x", str(columns), "-y", str(lines), "env", "-u", "TMUX", *environment, "sh", "-c", script, "sh", *command)
        self.columns, self.lines = columns, lines

    def run(self, *arguments):
        done = subprocess.run(["tmux", "-S", os.path.join(self.folder, "socket"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=mta.LIMIT, check=False, env=dict(daemon.environment(), LC_ALL="C.UTF-8", TERM="xterm", SHELL="/bin/sh"))
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode("utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("kill-server")
        with open(self.errors, encoding="utf-8") as file:
            report = file.read()
        daemon.wait_until(self._removed, mta.LIMIT, "the end of what writes to %s" % self.folder)
        assert not daemon.SANITIZER_REPORT.search(report), report

    def _removed(self):
        """What ran in the terminal may write its last word while the folder goes."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return not os.path.exists(self.folder)

    # ---- eyes

    def text(self, escapes=False):
        return self.run("capture-pane", "-p", *(["-e"] if escapes else []))

    def rows(self):
        return self.text().split("\n")[:self.lines]

    def wait_for(self, words):
        """Until these words are there; what is there then."""
        try:
            daemon.wait_until(lambda: words in self.text(), mta.LIMIT, words)
        except AssertionError as error:
            raise AssertionError("%s; the terminal shows:\n%s" % (error, self.text())) from None
        return self.text()

    def cursor(self):
        return self.run("display-message", "-p", "#{cursor_flag}").strip()

    def whole_screen(self):
        """Whether the program has the terminal's other screen, as those do that give it back as it was."""
        return self.run("display-message", "-p", "#{alternate_on}").strip() == "1"

    # ---- hands

    def keys(self, *keys):
        """By tmux's names: "s", "Enter", "Escape"."""
        self.run("send-keys", *keys)

    def type(self, text):
        self.run("send-keys", "-l", text)

    def resize(self, columns, lines):
        self.run("resize-window", "-x", str(columns), "-y", str(lines))
        self.columns, self.lines = columns, lines

    def kill(self, number=signal.SIGTERM):
        """Sends the program a signal."""
        shell = int(self.run("display-message", "-p", "#{pane_pid}"))
        child, = daemon.children(shell)
        os.kill(child, number)

    def wait_end(self):
        """The exit code."""
        daemon.wait_until(lambda: os.path.exists(self.status), mta.LIMIT, "the end of the program")
        with open(self.status, encoding="ascii") as file:
            return int(file.read())

    def is_restored(self):
        """Whether the terminal is as it was before, and shows what it showed, once tmux has read the program's last words."""
        with open(os.path.join(self.folder, "before"), encoding="ascii") as before, open(os.path.join(self.folder, "after"), encoding="ascii") as after:
            same = before.read() == after.read()
        with contextlib.suppress(AssertionError):
            daemon.wait_until(lambda: not self.whole_screen() and self.cursor() == "1", mta.LIMIT)
            return same
        return False
