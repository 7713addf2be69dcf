"""A Debian of its own, booted with systemd-nspawn, with Debian's own chrooted Postfix, or its Sendmail.

    with machine.Machine(machine.debs(machine.version(), "trixie"), "trixie") as box:
        box.run("apt-get install -y ./rcptguard_*.deb")

The release is Debian 12 where none is named; `mta="sendmail"` gives Sendmail instead.  It has no network but its own loopback.  Each command
that it is given is printed, and what a script finds is printed behind `ok`.  The root's archive is
made once, in build-root/; it is unpacked for each machine and removed with it.  Needs root and the packages mmdebstrap
and systemd-container.
"""

import ast
import ctypes
import email.message
import glob
import os
import pathlib
import pty
import re
import select
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEBS = SOURCE / "build-deb"
RELEASES = ("bookworm", "trixie", "forky")
LIMIT = 90  # seconds, for whatever is waited for

# What is installed beside systemd, for each MTA.
MTAS = {"postfix": "postfix", "sendmail": "sendmail"}

# And where the page is looked at: a browser with its driver, the web server that is put before it, sshd, the shell of an ordinary Cockpit, and the
# database of several nodes.
WEB = "chromium,chromium-driver,python3-selenium,nginx-light,openssh-server,openssl,cockpit-system,postgresql"

PRESEED = "postfix postfix/main_mailer_type select Internet Site\\npostfix postfix/mailname string corp.example\\n"


class Failed(Exception):
    """What was expected did not come about."""


def say(text):
    print(text, flush=True)


def ok(text):
    say("ok: " + text)


def expect(condition, text):
    if not condition:
        raise Failed(text)
    ok(text)


def until(look, text, limit=LIMIT):
    """Waits until look() is true, and gives what it gave."""
    end = time.monotonic() + limit
    while True:
        found = look()
        if found:
            ok(text)
            return found
        if time.monotonic() > end:
            raise Failed("not within %d s: %s" % (limit, text))
        time.sleep(0.1)


def folder(release=None):
    """Where the packages of a release are; without one, those of this machine's own."""
    return DEBS / release if release else DEBS


def debs(version, release=None, web=False):
    """The two packages of a version, and with `web` the page's."""
    names = [folder(release) / ("%s_%s_%s.deb" % (name, version, _architecture())) for name in ("rcptguard", "rcptguard-milter")]
    if web:
        names.append(folder(release) / ("rcptguard-cockpit_%s_all.deb" % version))
    missing = [name for name in names if not name.exists()]
    if missing:
        raise Failed("%s is not there: %s makes it" % (missing[0], "packaging/try-suite " + release if release else "packaging/build-deb"))
    return names


def older(packages, version):
    """The same packages under a version before theirs, to be upgraded from."""
    made = []
    for package in packages:
        with tempfile.TemporaryDirectory(prefix="rcptguard-deb.") as place:
            subprocess.run(["dpkg-deb", "-R", str(package), place + "/tree"], check=True)
            control = pathlib.Path(place, "tree/DEBIAN/control")
            newer = re.search(r"(?m)^Version: (.*)$", control.read_text()).group(1)
            control.write_text(re.sub(r"(?<=Version: )%s$|(?<=\(= )%s(?=\))" % ((re.escape(newer),) * 2), version, control.read_text(), flags=re.M))
            made.append(package.parent / "old" / package.name.replace("_%s_" % newer, "_%s_" % version))
            made[-1].parent.mkdir(exist_ok=True)
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", place + "/tree", str(made[-1])], check=True, stdout=subprocess.DEVNULL)
    return made


def version():
    """The version that packaging/build-deb gives without being told one."""
    return re.match(r"rcptguard \(([^)]+)\)", (SOURCE / "packaging/debian/changelog").read_text()).group(1)


def _architecture():
    return subprocess.run(["dpkg", "--print-architecture"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def mmdebstrap(release, target, include, *options):
    """A minimal root of the release.  What is not released yet may have lists that are out of date."""
    if release == "forky":
        options += ("--aptopt=Acquire::Check-Valid-Until \"false\"",)
    done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + include, *options, release, str(target)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Failed("mmdebstrap %s: %s" % (release, done.stdout))


def remove(tree):
    """A folder and all below it, if it is there."""
    if tree.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(tree)], check=True)


def _archive(release, mta, web):
    archive = SOURCE / "build-root" / (release + ("" if mta == "postfix" else "-" + mta) + ("-web" if web else "") + ".tar")
    if not archive.exists():
        say("making %s with mmdebstrap; this is done once" % archive.relative_to(SOURCE))
        archive.parent.mkdir(exist_ok=True)
        new = archive.with_suffix(".new.tar")
        mmdebstrap(release, new, "systemd-sysv,dbus,rsyslog," + MTAS[mta] + ("," + WEB if web else ""), "--skip=cleanup/apt",
                   "--essential-hook=printf '%s' | chroot \"$1\" debconf-set-selections" % PRESEED)
        new.rename(archive)
    return archive


class Machine:
    def __init__(self, packages, release=None, download="", mta="postfix", web=False):
        """`packages` are the .deb files that it finds in its root's home; `download` names what else may be installed; with `web` it has a browser."""
        self.web = web
        self.mta = mta
        self.packages = packages
        self.release = release or RELEASES[0]
        self.download = download
        self.folder = self.root = self.boot = self.leader = None

    def __enter__(self):
        self.archive = _archive(self.release, self.mta, self.web)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rcptguard-root."))
        try:
            self._make()
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None and self.leader is not None:
            say("the journal's end:\n" + self.ask("journalctl -q --no-pager -n 25"))
        if self.boot is not None:
            self.boot.terminate()  # nspawn tells the machine to power off
            try:
                self.boot.wait(30)
            except subprocess.TimeoutExpired:
                self.boot.kill()
                self.boot.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self):
        self.root = self.folder / "root"
        self.root.mkdir()
        subprocess.run(["tar", "-xf", str(self.archive), "-C", str(self.root), "--numeric-owner"], check=True)
        for package in self.packages:
            shutil.copy(package, self.root / "root")
        (self.root / "etc/hostname").write_text("mail\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 mail.corp.example mail\n127.0.1.1 corp.example\n")
        if self.mta == "sendmail":
            (self.root / "etc/mail/local-host-names").write_text("localhost\ncorp.example\n")
            # Debian 13 has a unit, and leaves it disabled where it is installed into a root that is not booted.
            unit, wanted = "lib/systemd/system/sendmail.service", self.root / "etc/systemd/system/multi-user.target.wants/sendmail.service"
            if (self.root / "usr" / unit).exists() and not wanted.is_symlink():
                wanted.symlink_to("/usr/" + unit)
        # What the packages need is fetched while there is a network; the machine installs it without.
        self._outside("apt-get -q update")
        newest = ["./" + package.name for package in self.packages[-3 if self.web else -2:]]
        self._outside("cd && apt-get -q -y install --download-only %s %s" % (" ".join(newest), self.download))

    def _outside(self, command):
        """A command in the root before it is booted, with the network."""
        result = subprocess.run(["chroot", str(self.root), "sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False, env=_environment())
        if result.returncode != 0:
            raise Failed("%s: %s" % (command, result.stdout))

    def _start(self):
        log = open(self.folder / "boot.log", "wb")
        self.boot = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "-D", str(self.root), "-M", "rcptguard-%d" % os.getpid(), "--private-network", "--register=no", "--keep-unit",
             "--resolv-conf=off", "--kill-signal=SIGRTMIN+4", "--console=pipe", "-b"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.leader = until(self._leader, "the machine is there")
        begin = time.monotonic()
        until(lambda: self.ask("systemctl is-system-running") in ("running", "degraded"), "it is booted")
        self.expect_no_failed_unit("no unit failed while it booted (%.1f s)" % (time.monotonic() - begin))

    def _leader(self):
        if self.boot.poll() is not None:
            raise Failed("systemd-nspawn ended: " + (self.folder / "boot.log").read_text())
        for path in glob.glob("/proc/%d/task/*/children" % self.boot.pid):
            for child in pathlib.Path(path).read_text().split():
                if pathlib.Path("/proc/%s/comm" % child).read_text().strip() == "systemd":
                    return child
        return None

    # ---- commands

    def _enter(self, command, **options):
        return subprocess.run(["nsenter", "-t", self.leader, "-a", "sh", "-c", "cd && " + command], stdin=subprocess.DEVNULL, text=True,
                              env=_environment(), timeout=600, check=False, **options)

    def run(self, command, code=0, show=12):
        """What it prints, both streams; it has to end with the code.  The last lines are shown."""
        say("$ " + command)
        result = self._enter(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in [line for line in result.stdout.splitlines() if line.strip() and not line.startswith("(Reading database")][-show:] if show else []:
            say("    " + line)
        if code is not None and result.returncode != code:
            raise Failed("exit code %d, expected %d" % (result.returncode, code))
        return result.stdout

    def ask(self, command):
        """What it prints, without a word on the terminal; "" if it fails."""
        return self._enter(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()

    def follow(self, command, limit):
        """The same of a command that takes long, shown as it comes; what it has started may go on.  Gives its exit code, and what it printed."""
        say("$ " + command)
        process = subprocess.Popen(["nsenter", "-t", self.leader, "-a", "timeout", "-k", "10", str(limit), "sh", "-c", "cd && exec >followed 2>&1; " + command],
                                   stdin=subprocess.DEVNULL, env=_environment())
        until(lambda: (self.root / "root/followed").exists(), "it has begun")
        text = ""
        with open(self.root / "root/followed", encoding="utf-8", errors="backslashreplace") as file:
            while True:
                ended, piece = process.poll() is not None, file.read()
                text += piece
                sys.stdout.write(piece)
                sys.stdout.flush()
                if ended:
                    return process.returncode, text
                time.sleep(0.2)

    def converse(self, command, answers, code=0):
        """A command on a terminal, where debconf asks: for each (prompt, answer) the answer is typed when the prompt is there."""
        say("$ %s   [on a terminal]" % command)
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe("nsenter", ["nsenter", "-t", self.leader, "-a", "sh", "-c", "cd && " + command], dict(_environment(), DEBIAN_FRONTEND="teletype"))
        shown, begin, waiting, end = "", 0, list(answers), time.monotonic() + LIMIT
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                shown += os.read(terminal, 4096).decode("utf-8", "replace")
            except OSError:
                break  # it has ended
            if waiting and waiting[0][0] in shown[begin:]:
                begin = len(shown)
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        text = re.sub(r"[^\n]*\r(?!\n)", "", shown).replace("\r\n", "\n")
        for line in [line for line in text.splitlines() if line.strip()][-24:]:
            say("    " + line)
        if waiting or status != code:
            raise Failed("exit code %d, expected %d; not asked: %s" % (status, code, waiting))
        return text

    def expect_no_failed_unit(self, text):
        """Where there is one, its name and the end of its log are in the error."""
        failed = [line.split()[0] for line in self.ask("systemctl --failed --plain --no-legend").splitlines()]
        logs = "".join("\n%s:\n%s" % (unit, self.ask("journalctl -q --no-pager -n 8 -u '%s'" % unit)) for unit in failed)
        expect(not failed, text + logs)

    # ---- mail

    def send(self, visible, sender="care@corp.example", show=True, port=25):
        """One message over SMTP from within, to so many strangers in Cc: the last answer, as (code, text)."""
        answer = self.within_network(lambda: _send(visible, sender, port))
        if show:
            say("  a message with %d strangers in Cc: %d %s" % (visible, answer[0], answer[1]))
        return answer

    def within_network(self, function):
        """function() by a process of its own in the machine's network."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with open("/proc/%s/ns/net" % self.leader, "rb") as namespace:
                    _setns(namespace.fileno())
                os.write(writer, repr(function()).encode())
                os._exit(0)
            except BaseException as error:
                os.write(writer, repr((0, "%s: %s" % (type(error).__name__, error))).encode())
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read().decode()
        os.waitpid(child, 0)
        return ast.literal_eval(answer)

    def sink(self):
        """Somebody to deliver to: all mail for elsewhere goes there."""
        self.run("postconf -e 'relayhost = [127.0.0.1]:2525' && systemctl reload postfix")
        self.run("systemd-run --quiet --unit=sink smtp-sink -u postfix 127.0.0.1:2525 100")

    def sent(self, queue_id):
        return "status=sent" in self.ask("grep ' %s: to=' /var/log/mail.log" % queue_id)

    def log(self, words):
        return self.ask("grep -F -- '%s' /var/log/mail.log" % words)


def _environment():
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", "TERM": "dumb"}


def _setns(descriptor):
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _send(visible, sender, port):
    message = email.message.EmailMessage()
    message["From"] = sender
    message["To"] = sender
    people = ["customer%d@mail%d.example" % (number, number) for number in range(visible)]
    if people:
        message["Cc"] = ", ".join(people)
    message["Subject"] = "Your complaint"
    message.set_content("We are sorry.\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as server:
        server.ehlo()
        for line in ("MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % (people[0] if people else "root@corp.example")):
            code, text = server.docmd(line)
            if code != 250:
                return code, text.decode()
        code, text = server.data(message.as_string())
        return code, text.decode()


def as_root(why):
    if os.geteuid() != 0:
        sys.exit("needs root: " + why)


def main(script, words=None):
    """Runs script(RELEASE) with the release that the command line names, or None; ends the program with what came of it.
    With `words`, a name for the usage, the script also gets what follows the release."""
    release, rest = sys.argv[1] if sys.argv[1:] else None, sys.argv[2:]
    if (rest and words is None) or release not in (None, *RELEASES):
        sys.exit("usage: %s [%s%s]" % (os.path.basename(sys.argv[0]), "|".join(RELEASES), " [%s...]" % words if words else ""))
    as_root("it boots a machine with systemd-nspawn")
    begin = time.monotonic()
    try:
        script(release, *rest)
    except Failed as error:
        sys.exit("FAILED: %s" % error)
    say("all is well, %.0f s" % (time.monotonic() - begin))
