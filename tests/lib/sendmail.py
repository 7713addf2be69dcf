"""A private Sendmail on loopback ports, with an SMTP sink behind it.

    with sendmail.Sendmail(milter="unix") as mta:
        reply = mta.send("plain", "care@me.example", ["a@x.example"], message)
        mta.wait_gone(reply.queue_id)

Debian's package cannot stand beside Postfix, so it is unpacked and not
installed: ROOT is where.  It has its own sendmail.cf, queue, log and names in a
directory of its own.  The test program must run in surroundings of its own (see
surroundings.py): Sendmail wants a host name with a dot in it, and /dev/log.

    plain     the MTA; who connects from another address is another client
    auth      the submission daemon (MSA) with a real SASL login (PLAIN)
    sendmail  sendmail -bm through submit.cf: the MSP and its queue, then SMTP to the MTA

All mail, bounces too, goes to smtp-sink.
"""

import atexit
import contextlib
import fcntl
import functools
import glob
import os
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile

import daemon
import devlog
import mta
import privacy
import surroundings
from mta import DEVELOPER, DOMAIN, LIMIT, LOGIN, PASSWORD

ROOT = os.environ.get("SENDMAIL_ROOT") or os.path.join(daemon.SOURCE, "build-sendmail")
SOCKET = "run/rcptguard.sock"

# Without F=T, mail passes while the filter is away.
_FILTER = "INPUT_MAIL_FILTER(`rcptguard', `S=%s, F=T, T=C:30s;S:30s;R:30s;E:2m')dnl"

LISTENERS = ("plain", "auth")

# Its lines in the log: of the MTA, of the MSP.
_OURS = re.compile(r"\w{3} [ \d]\d [\d:]{8} (sendmail|sm-\w+)\[")

_COMMON = """\
divert(0)dnl
VERSIONID(`private')
OSTYPE(`linux')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
define(`confDOMAIN_NAME', `{host}')dnl
define(`confPID_FILE', `{root}/{kind}.pid')dnl
define(`STATUS_FILE', `{root}/{kind}.status')dnl
define(`ALIAS_FILE', `')dnl
define(`confCW_FILE', `-o {root}/names')dnl
define(`confCT_FILE', `{root}/trusted')dnl
define(`confCR_FILE', `-o {root}/relays')dnl
define(`confDEF_USER_ID', `{user}')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confTO_IDENT', `0')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confPRIVACY_FLAGS', `')dnl
define(`confSERVICE_SWITCH_FILE', `{root}/service.switch')dnl
define(`confCONNECTION_RATE_THROTTLE', `0')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `1000')dnl
"""

_MTA = _COMMON + """\
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
define(`QUEUE_DIR', `{root}/queue')dnl
define(`SMART_HOST', `smtp:[127.0.0.1]')dnl
define(`SMTP_MAILER_ARGS', `TCP $h {sink}')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink}')dnl
define(`LOCAL_RELAY', `smtp:[127.0.0.1]')dnl
define(`MAIL_HUB', `smtp:[127.0.0.1]')dnl
define(`confAUTH_MECHANISMS', `PLAIN')dnl
define(`confAUTH_OPTIONS', `')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=0.0.0.0, Port={plain}')dnl
DAEMON_OPTIONS(`Name=MSA, Addr=0.0.0.0, Port={auth}, M=Ea')dnl
{milter}
{extra}
LOCAL_CONFIG
ESASL_CONF_PATH={root}/sasl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""

_MSP = _COMMON + """\
define(`__OSTYPE__', `')dnl
define(`MSP_QUEUE_DIR', `{root}/client')dnl
define(`confRUN_AS_USER', `{user}')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {plain}')dnl
define(`SMTP_MAILER_MAXRCPTS', `1000')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""


@functools.lru_cache(None)
def program():
    """Without the package's set-group-id bit, so that it reads SASL_CONF_PATH; under a name that the log shows."""
    assert os.path.isdir(ROOT), "no Sendmail at %s: `packaging/quickstart test` unpacks it there, or set SENDMAIL_ROOT" % ROOT
    directory = tempfile.mkdtemp(prefix="rcptguard-test-", dir="/run")
    atexit.register(shutil.rmtree, directory, True)
    path = shutil.copy(os.path.join(ROOT, "usr/libexec/sendmail/sendmail"), os.path.join(directory, "sendmail"))
    os.chmod(path, 0o755)
    return path


def cf(source):
    """What m4 makes of a .mc file."""
    macros = os.path.join(ROOT, "usr/share/sendmail/cf/")
    done = subprocess.run(["m4", "-D_CF_DIR_=" + macros, os.path.join(macros, "m4", "cf.m4"), "-"], input=source.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True)
    return done.stdout


class Sendmail(mta.Mta):
    """
    milter  the socket's kind, "unix" or "inet", or "" for no milter
    extra   more lines for the .mc file; {socket} in them is the daemon's
    """

    NAME = "sendmail"
    WAYS = ("plain", "auth", "sendmail")

    # The domain of an address without one, where a deferred message is, and what rcptguardq says while it is halted.
    ORIGIN = surroundings.HOST
    DEFERRED = "queue"
    RELEASED_WHILE_HALTED = r": released\n$"

    # In the log: a message of root's own; a message is returned.  And the words of that to its sender.
    SUBMITTED = r": from=<>, .* relay=root@localhost"
    RETURNED = r": %s: \S+: DSN: Cannot send message for too long"
    RETURN_WORDS = "Message could not be delivered for too long"

    def __init__(self, milter="", extra=""):
        super().__init__()
        self.process = None
        self.mark = len(devlog.lines())
        try:
            self._create(milter, extra)
            self._start()
        except BaseException:
            self.close()
            raise

    def _make_root(self):
        """Below a directory that nobody but root can write to: Sendmail refuses sockets elsewhere."""
        path = tempfile.mkdtemp(prefix="rcptguard-test-", dir="/run")
        os.chmod(path, 0o755)
        return path

    # ---- set-up

    def _create(self, milter, extra):
        assert surroundings.entered(), "Sendmail wants surroundings of its own: call surroundings.enter()"
        for name, mode in (("queue", 0o700), ("client", 0o770), ("run", 0o755), ("sasl", 0o755)):
            os.mkdir(self._path(name))
            os.chmod(self._path(name), mode)
        daemon.own(self._path("run"))
        daemon.own(self._path("client"))
        self.ports = dict(zip((*LISTENERS, "sink", "milter"), mta.free_ports(len(LISTENERS) + 2)))
        self.socket = "inet:%d@127.0.0.1" % self.ports["milter"] if milter == "inet" else "unix:" + self._path(SOCKET)
        self.milter = _FILTER % self.socket if milter else ""
        values = dict(self.ports, root=self.root, host=surroundings.HOST, user=daemon.USER, milter=self.milter, extra=extra.replace("{socket}", self.socket))
        self.mc = daemon.write(self._path("sendmail.mc"), _MTA.format(kind="sendmail", **values))
        macros = os.path.join(ROOT, "usr/share/sendmail/cf/")
        daemon.write(self._path("Makefile"), "sendmail.cf: sendmail.mc\n\tm4 -D_CF_DIR_=%s %sm4/cf.m4 sendmail.mc >$@\n" % (macros, macros))
        daemon.write(self._path("sendmail.cf"), cf(_MTA.format(kind="sendmail", **values)))
        daemon.write(self._path("submit.cf"), cf(_MSP.format(kind="submit", **values)))
        for name, text in (("names", ""), ("trusted", "root\n"), ("relays", ""), ("sendmail.status", ""), ("submit.status", ""), ("service.switch", "hosts files\n")):
            daemon.write(self._path(name), text)
        daemon.own(self._path("submit.status"))
        self._create_logins()

    def _create_logins(self):
        database = self._path("sasl", "sasldb2")
        daemon.write(self._path("sasl", "Sendmail.conf"), "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\nsasldb_path: %s\n" % database)
        for login in (LOGIN, DEVELOPER):
            self.add_login(login)
        os.chmod(database, 0o600)  # Sendmail refuses it otherwise

    def add_login(self, login):
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", self._path("sasl", "sasldb2"), "-u", surroundings.HOST, login], input=PASSWORD.encode(), check=True)

    def _start(self):
        self._start_sink()
        self.resume()

    def resume(self):
        self.process = subprocess.Popen([program(), "-C", self._path("sendmail.cf"), "-bD", "-q1h"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")
        self._wait_listening((*LISTENERS, "sink"))

    def restart(self):
        """As an administrator does after a change of sendmail.cf: by its process id, which stays."""
        self.process.send_signal(signal.SIGHUP)

    def halt(self):
        """Stops its daemon; what is queued stays."""
        self._stop()

    def _stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LIMIT)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    # ---- sending

    def connect(self, way, client=None, login=None):
        """A client elsewhere has an address elsewhere; a login is a real one, so its way in is `auth`."""
        if login is not None:
            way = "auth"
        session = smtplib.SMTP(client or "127.0.0.1", self.ports[way], local_hostname="client.test", timeout=LIMIT,
                               source_address=(client, 0) if client else None)
        try:
            session.ehlo()
            if way == "auth":
                session.login(login or LOGIN, PASSWORD)
            return session
        except BaseException:
            session.close()
            raise

    def submit(self, sender, recipients, message, wait=True):
        """Hands a message to the MSP.  Gives the queue id that the MTA gave it (None without `wait`)."""
        privacy.sender(sender)
        for recipient in recipients:
            privacy.recipient(recipient)
        privacy.message(message)
        done = self._command(program(), "-C", self._path("submit.cf"), "-Ac", "-bm", "-i", "-f", sender, "--", *recipients, input=message.encode("utf-8"))
        # It hands on at once: EX_UNAVAILABLE says that it was refused, and that the sender is told.
        assert done.returncode in (os.EX_OK, os.EX_UNAVAILABLE), "sendmail ended with %d: %s" % (done.returncode, done.stdout)
        return self.id_of(re.search(r"(?mi)^message-id: <(.*)>", message).group(1)) if wait else None

    # ---- what became of it

    def queue(self):
        """From the control files: qf... for what waits, hf... for what is quarantined."""
        found = []
        for path in glob.glob(self._path("queue", "[qh]f*")):
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    lines = file.read().split("\n")
            except FileNotFoundError:
                continue
            found.append({"queue_name": "hold" if os.path.basename(path).startswith("h") else "queue", "queue_id": os.path.basename(path)[2:],
                          "sender": next((line[1:].strip("<>") for line in lines if line.startswith("S")), ""),
                          "recipients": [{"address": line.partition(":")[2].strip("<>")} for line in lines if line.startswith("R")]})
        return found

    def review_keys(self):
        """What rcptguardq has to know of this MTA: keys of [review]."""
        return {"mta": "sendmail", "sendmail-config": self._path("sendmail.cf"), "sendmail-command": program()}

    def broken_keys(self):
        """Keys of [review] with which its commands fail, and what rcptguardq says then."""
        return {"sendmail_config": "/nonexistent/sendmail.cf"}, "/nonexistent/sendmail.cf.*No such file"

    def keys_without_submission(self):
        """Keys of [review] with which nothing can be handed in, though the queue can be worked on."""
        path = self._path("refusing")
        daemon.write(path, '#!/bin/sh\ncase " $* " in *" -Am "*) echo "not allowed" >&2; exit 77;; esac\nexec %s "$@"\n' % program())
        os.chmod(path, 0o755)
        return {"sendmail_command": path}

    def lets_go(self, queue_id):
        """
        The process that took a message answers, unlocks the control file and forks; the child locks it again, writes a line for
        each recipient, and unlocks it at its end. So it is at its end when there is such a line and neither kind of lock.
        """
        if not any(queue_id + ": to=" in line and "stat=quarantined" in line for line in self.lines()):
            return False
        try:
            with open(self.control_file(queue_id), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:  # it has left
            return True
        except BlockingIOError:
            return False
        return True

    def control_file(self, queue_id):
        return self._path("queue", "hf" + queue_id)

    @contextlib.contextmanager
    def locked(self, queue_id):
        """As if another sendmail were at a message on hold: it stays in the queue until this is over."""
        with open(self.control_file(queue_id), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def drop(self, queue_id):
        """Deletes a message from the queue, by hand."""
        for path in glob.glob(self._path("queue", "[qhdx]f" + queue_id)):
            os.unlink(path)

    def flush(self, queue_id):
        """Has a deferred message tried again, as soon as the attempt before has let go of it: a queue run passes over what is locked."""
        mark = len(self.lines())

        def tried():
            self._command(program(), "-C", self._path("sendmail.cf"), "-qI" + queue_id)
            return any(queue_id + ": to=" in line for line in self.lines()[mark:])
        daemon.wait_until(tried, LIMIT, "another attempt at %s" % queue_id)

    def age(self, queue_id, seconds):
        """Makes a message on hold older: in its control file."""
        with open(self.control_file(queue_id), "r+b") as file:
            data = file.read()
            found = re.search(rb"^T(\d{10})$", data, re.M)
            file.seek(found.start(1))
            file.write(b"%010d" % (int(found.group(1)) - seconds))

    # ---- on hold, by hand

    def leaves(self):
        """Ways in which a person lets a held message go, beside our own."""
        def release_all(_queue_id):
            self._command(program(), "-C", self._path("sendmail.cf"), "-Q", "-qQ")
            self._command(program(), "-C", self._path("sendmail.cf"), "-q")
        return [self.release, release_all]

    def _held_files(self, queue_id):
        return [self._path("queue", kind + queue_id) for kind in ("hf", "df")]

    def hide(self, queue_id):
        for path in self._held_files(queue_id):
            os.rename(path, self._path("hidden-" + os.path.basename(path)[:2]))

    def unhide(self, queue_id):
        for path in self._held_files(queue_id):
            os.rename(self._path("hidden-" + os.path.basename(path)[:2]), path)

    def copy_held(self, queue_id):
        """Copies a message on hold, as a backup does.  For restore_held."""
        return [shutil.copy2(path, self._path("copy-" + os.path.basename(path))) for path in self._held_files(queue_id)]

    def restore_held(self, queue_id, copy):
        """Puts it back."""
        for path, kept in zip(self._held_files(queue_id), copy):
            shutil.copy2(kept, path)

    def rename(self, queue_id):
        """Gives a message on hold another queue id: by hand, for Sendmail never does so.  Gives the new id."""
        new = queue_id[:-1] + str((int(queue_id[-1]) + 1) % 10)
        for path, there in zip(self._held_files(queue_id), self._held_files(new)):
            os.rename(path, there)
        return new

    def release(self, queue_id):
        """Lets a quarantined message go."""
        self._command(program(), "-C", self._path("sendmail.cf"), "-qQ", "-qI" + queue_id, "-Q")
        self.flush(queue_id)

    def kick_pickup(self):
        """Has the MSP's queue run at once."""
        self._command(program(), "-C", self._path("submit.cf"), "-Ac", "-q")

    def maildrop(self):
        """The messages that the MSP could not hand on."""
        return [name for name in os.listdir(self._path("client")) if name.startswith("qf")]

    def lines(self):
        return [line for line in devlog.lines()[self.mark:] if _OURS.match(line)]

    def wait_gone(self, queue_id):
        daemon.wait_until(lambda: not glob.glob(self._path("queue", "[qhtTxd]f" + queue_id)), LIMIT, "the end of %s in the queue" % queue_id)

    def id_of(self, msgid, mark=0):
        line = self.wait_for_line(r"\]: \S+: from=.* msgid=<%s>,.* daemon=M" % re.escape(msgid), mark)
        return re.search(r"\]: (\S+): from=", line).group(1)

    def wait_deferred(self, mark):
        """Waits until the MSP kept a message for later, since the MTA's milter is away."""
        self.wait_for_line(r"\]: \S+: to=.*, stat=Deferred: 451 4\.3\.2 ", mark)

    def wait_bounced(self, queue_id):
        """Waits until the sender was told.  The MTA refused what the MSP has under another id, so it is the MSP that tells."""
        refused = re.search(r"msgid=(<\S+>),", self.wait_for_line(r"\]: %s: from=" % queue_id)).group(1)
        mine = re.search(r"\]: (\S+): from=", self.wait_for_line(r"msgid=%s, relay=root@" % re.escape(refused))).group(1)
        notification = self.wait_for_line(r"\]: %s: \S+: DSN: " % mine).split(": ")[2]
        line = self.wait_for_line(r"\]: %s: to=.* stat=Sent \(\S+ Message accepted" % notification)
        self.wait_gone(re.search(r"stat=Sent \((\S+) ", line).group(1))
