"""A private Postfix on loopback ports, with an SMTP sink behind it.

    with postfix.Postfix(milter="unix") as mta:
        reply = mta.send("plain", "care@me.example", ["a@x.example"], message)
        mta.wait_gone(reply.queue_id)

It has its own configuration, queue, data directory and log in a temporary
directory and never touches another Postfix.  The ways in:

    plain     smtpd; it believes XCLIENT, so that a test can come from any address
    chroot    the same, chrooted to the queue directory
    auth      smtpd with a real SASL login (PLAIN), named ORIGINATING to milters
    filtered  smtpd that hands all mail to a content filter, which is the next:
    reinject  smtpd for what comes back
    sendmail  sendmail(1), with non_smtpd_milters

All mail, bounces too, goes to smtp-sink, which writes a file for each delivery.
"""

import contextlib
import grp
import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import subprocess

import daemon
import mta
import privacy
import surroundings
from mta import DOMAIN, LIMIT, LOGIN, PASSWORD

SOCKET_DIRECTORY = "rcptguard"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = {command_directory}
daemon_directory = {daemon_directory}
meta_directory = {meta_directory}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}
syslog_name = postfix
myhostname = mail.{domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
default_transport = smtp:[127.0.0.1]:{sink}
relay_transport = smtp:[127.0.0.1]:{sink}
smtp_dns_support_level = disabled
notify_classes =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, check_client_access static:permit, reject
smtpd_recipient_restrictions =
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_recipient_limit = 2000
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain =
cyrus_sasl_config_path = {etc}/sasl
enable_long_queue_ids = yes
smtp_destination_concurrency_limit = 5
default_destination_recipient_limit = 50
smtpd_milters = {milter}
non_smtpd_milters = {milter}
milter_default_action = tempfail
milter_protocol = 6
{extra}
"""

_MASTER = """\
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{chroot} inet n - y - - smtpd
127.0.0.1:{auth} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
127.0.0.1:{filtered} inet n - n - - smtpd
  -o content_filter=smtp:[127.0.0.1]:{reinject}
127.0.0.1:{reinject} inet n - n - - smtpd
  -o myhostname=reinject.{domain}
  -o content_filter=
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

LISTENERS = ("plain", "chroot", "auth", "filtered", "reinject")

_CHROOT_FILES = ["/etc/hosts", "/etc/services", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/localtime"]


def _default(name):
    return subprocess.run(["postconf", "-d", "-h", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().strip()


class Postfix(mta.Mta):
    """
    milter  the socket's kind, "unix" or "inet", or "" for no milter; or another Postfix, whose socket it is
    extra   more lines for main.cf
    etc     the directory of its configuration; by default one of its own
    """

    NAME = "postfix"
    WAYS = ("plain", "chroot", "auth", "sendmail")

    # The domain of an address without one, where a deferred message is, and what rcptguardq says while it is halted.
    ORIGIN = DOMAIN
    DEFERRED = "deferred"
    RELEASED_WHILE_HALTED = "it leaves when the queue manager looks next"

    # In the log: a message of root's own; a message is returned.  And the words of that to its sender.
    SUBMITTED = r"pickup\[\d+\]: .*from=<>"
    RETURNED = r": %s: .*force-expired"
    RETURN_WORDS = "administratively expired"

    def __init__(self, milter="", extra="", etc=None):
        super().__init__()
        self.etc = etc or self._path("etc")
        self.started = False
        self.copies = 0
        try:
            self._create(milter, extra)
            self._start()
        except BaseException:
            self.close()
            raise

    # ---- set-up

    def _create(self, milter, extra):
        for path in self.etc, os.path.join(self.etc, "sasl"), self._path("queue"), self._path("data"), self._path("log"):
            os.makedirs(path, exist_ok=True)  # Debian's own has files that every Postfix needs
            os.chmod(path, 0o755)
        postfix = pwd.getpwnam("postfix")
        os.chown(self._path("data"), postfix.pw_uid, postfix.pw_gid)
        self.ports = dict(zip((*LISTENERS, "sink", "milter"), mta.free_ports(len(LISTENERS) + 2)))
        self._name_socket(milter)
        values = dict(self.ports, root=self.root, etc=self.etc, domain=DOMAIN, milter=self.milter, extra=extra, command_directory=_default("command_directory"),
                      daemon_directory=_default("daemon_directory"), meta_directory=_default("meta_directory"))
        daemon.write(os.path.join(self.etc, "main.cf"), _MAIN.format(**values))
        daemon.write(os.path.join(self.etc, "master.cf"), _MASTER.format(**values))
        self._settle(self.etc)
        self._create_chroot()
        self._create_login()
        # As the installation notes say: owned by the daemon's user, group postfix, setgid.
        self.socket_directory = self._path("queue", SOCKET_DIRECTORY)
        os.mkdir(self.socket_directory)
        os.chown(self.socket_directory, pwd.getpwnam(daemon.USER).pw_uid, grp.getgrnam("postfix").gr_gid)
        os.chmod(self.socket_directory, 0o2750)

    def _name_socket(self, milter):
        if isinstance(milter, Postfix):
            self.milter, self.socket = milter.milter, milter.socket
        elif milter == "inet":
            self.milter = "inet:127.0.0.1:%d" % self.ports["milter"]
            self.socket = "inet:%d@127.0.0.1" % self.ports["milter"]
        else:
            # Relative to the queue directory: found by a chrooted smtpd and by one that is not.
            self.milter = "unix:%s/rcptguard.sock" % SOCKET_DIRECTORY if milter else ""
            self.socket = "unix:" + self._path("queue", SOCKET_DIRECTORY, "rcptguard.sock")

    def _create_chroot(self):
        os.mkdir(self._path("queue", "etc"), 0o755)
        for name in _CHROOT_FILES:
            if os.path.exists(name):
                shutil.copyfile(name, self._path("queue", "etc", os.path.basename(name)))

    def _create_login(self):
        # Debian's Postfix looks in the configuration's own directory, whatever cyrus_sasl_config_path says.
        database = os.path.join(self.etc, "sasl", "sasldb2")
        daemon.write(os.path.join(self.etc, "sasl", "smtpd.conf"),
                     "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\nsasldb_path: %s\n" % database)
        self.add_login(LOGIN)
        os.chmod(database, 0o644)

    def add_login(self, login):
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", os.path.join(self.etc, "sasl", "sasldb2"), "-u", "mail." + DOMAIN, login], input=PASSWORD.encode(), check=True)

    def environment(self):
        return dict(os.environ, MAIL_CONFIG=self.etc)

    def _start(self):
        self._start_sink()
        self._run()

    def _run(self):
        """A master that hangs at its start, which a loaded machine shows now and then, is ended, and another one started."""
        self.started = True
        # Or its master may wait for room in the socket of its log, whose reader it has yet to start.
        with surroundings.wide_logs() if surroundings.entered() else contextlib.nullcontext():
            self._run_tried_again()

    def _run_tried_again(self):
        for limit in mta.LIMIT / 3, mta.LIMIT / 3, mta.LIMIT:
            try:
                self._run_once(limit)
                return
            except (AssertionError, subprocess.TimeoutExpired):
                pid = self.master()
                if limit == mta.LIMIT:
                    raise
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    daemon.wait_until(lambda pid=pid: not daemon.alive(pid), LIMIT, "the end of Postfix")

    def _run_once(self, limit):
        done = self._command("postfix", "-c", self.etc, "start", timeout=limit)
        if done.returncode != 0:
            raise AssertionError("postfix start: %s\n%s" % (done.stdout.decode("utf-8", "replace"), "\n".join(self.lines())))
        self._wait_listening((*LISTENERS, "sink"), limit)

    def _stop(self):
        if not self.started:
            return
        pid = self.master()
        self._command("postfix", "-c", self.etc, "stop")
        if pid is None:
            return
        try:
            daemon.wait_until(lambda: not daemon.alive(pid), LIMIT, "the end of Postfix")
        except AssertionError:
            os.kill(pid, signal.SIGKILL)
            raise

    def master(self):
        """The id of the master process, which wrote it down; None if it does not run."""
        try:
            with open(self._path("queue", "pid", "master.pid"), encoding="ascii") as file:
                pid = int(file.read().strip())
        except (OSError, ValueError):
            return None
        return pid if daemon.alive(pid) else None

    def reload(self):
        """Has it read its configuration anew."""
        before = self.serving()
        done = self._command("postfix", "-c", self.etc, "reload")
        assert done.returncode == 0, done.stdout
        self.wait_ended(before)

    def serving(self):
        """The processes that take mail with the configuration as it was when they began."""
        found = {}
        for pid in daemon.children(self.master()):
            with contextlib.suppress(OSError), open("/proc/%d/comm" % pid, encoding="ascii") as file:
                found[pid] = file.read().strip()
        return [pid for pid, name in found.items() if name in ("smtpd", "cleanup", "pickup")]

    @staticmethod
    def wait_ended(serving):
        """A reload ends them, in their own time, once they have nothing to do: no session may be open."""
        daemon.wait_until(lambda: not any(daemon.alive(pid) for pid in serving), LIMIT, "the end of what had the configuration before")

    # ---- sending

    def connect(self, way, client=None, login=None):
        """XCLIENT stands for a client elsewhere, and for a login where the way in has none."""
        session = smtplib.SMTP("127.0.0.1", self.ports[way], local_hostname="client.test", timeout=LIMIT)
        try:
            session.ehlo()
            said = []
            if client is not None:
                said.append("ADDR=%s NAME=client.test" % (("IPV6:" + client) if ":" in client else client))
            if login is not None and way != "auth":
                said.append("LOGIN=" + login)
            if said:
                code, text = session.docmd("XCLIENT", " ".join(said))
                if code != 220:
                    raise smtplib.SMTPResponseException(code, text)
                session.ehlo()
            if way == "auth":
                session.login(login or LOGIN, PASSWORD)
            return session
        except BaseException:
            session.close()
            raise

    def submit(self, sender, recipients, message, wait=True):
        """Hands a message to sendmail(1).  Gives its queue id, from the log (None without `wait`)."""
        privacy.sender(sender)
        for recipient in recipients:
            privacy.recipient(recipient)
        privacy.message(message)
        mark = len(self.lines())
        done = subprocess.run(["sendmail", "-i", "-f", sender, "--", *recipients], input=message.encode("utf-8"), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT, check=False, env=self.environment())
        assert done.returncode == 0, "sendmail(1) ended with %d: %s" % (done.returncode, done.stdout)
        if not wait:
            return None
        line = self.wait_for_line(r"postfix/pickup\[\d+\]: \S+: uid=0 from=<%s>" % re.escape(sender), mark)
        return re.search(r"pickup\[\d+\]: (\S+): uid=", line).group(1)

    # ---- what became of it

    def queue(self):
        """`postqueue -j`: a list of dictionaries."""
        done = subprocess.run(["postqueue", "-c", self.etc, "-j"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines() if line.strip()]

    def review_keys(self):
        """What rcptguardq has to know of this MTA: keys of [review]."""
        return {"mta": "postfix", "postfix-config": self.etc}

    def broken_keys(self):
        """Keys of [review] with which its commands fail, and what rcptguardq says then."""
        return {"postfix_config": "/nonexistent"}, "postqueue: fatal: open /nonexistent/main.cf"

    def keys_without_submission(self):
        """Keys of [review] with which nothing can be handed in, though the queue can be worked on."""
        return {"postfix_config": self.copy_configuration("authorized_submit_users = !root")}

    def copy_configuration(self, *lines):
        """Another directory of the same configuration with more lines.  Gives its path."""
        self.copies += 1
        path = self._path("etc%d" % self.copies)
        shutil.copytree(self.etc, path)
        with open(os.path.join(path, "main.cf"), "a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        self._settle(path)
        return path

    @staticmethod
    def _settle(etc):
        daemon.settle(os.path.join(etc, "main.cf"), os.path.join(etc, "master.cf"))

    def halt(self):
        """Stops it; what is queued stays.  Its commands write the log themselves then, as its user."""
        for path in self._path("log"), self._path("log", "mail.log"):
            daemon.own(path, "postfix")
        self._stop()

    def resume(self):
        self._run()

    def drop(self, queue_id):
        """Deletes a message from the queue, by hand."""
        self._command("postsuper", "-c", self.etc, "-d", queue_id)

    def flush(self, queue_id):
        """Has a message tried again, as soon as the attempt before has let go of it: what is active is passed over."""
        def waiting():
            looks = [[entry["queue_name"] for entry in self.queue() if entry["queue_id"] == queue_id] for _ in range(2)]  # one may miss what is moved meanwhile
            return looks[0] in ([], ["deferred"]) and looks[1] in ([], ["deferred"])
        daemon.wait_until(waiting, LIMIT, "the end of the attempt at %s" % queue_id)
        self._command("postqueue", "-c", self.etc, "-i", queue_id)

    def age(self, queue_id, seconds):
        """Makes a message on hold older: in the records of its queue file, which hold times as decimal digits."""
        path = self._path("queue", "hold", queue_id)
        with open(path, "rb") as file:
            data = file.read()
        times = set(re.findall(rb"T.(\d{10}) \d{1,6}", data[:2000]) + re.findall(rb"create_time=(\d{10})", data[:2000]))
        assert times, "no time in the queue file"
        for time in times:
            data = data.replace(time, b"%d" % (int(time) - seconds), 2)
        with open(path, "r+b") as file:
            file.write(data)

    # ---- on hold, by hand

    def leaves(self):
        """Ways in which a person lets a held message go, beside our own."""
        def requeue(*words):
            self._command("postsuper", "-c", self.etc, "-r", *words)
            self.kick_pickup()
        return [self.release, lambda queue_id: requeue(queue_id, "hold"), lambda queue_id: requeue("ALL", "hold"), lambda queue_id: requeue("ALL")]

    def _held_file(self, queue_id):
        return self._path("queue", "hold", queue_id)

    def hide(self, queue_id):
        os.rename(self._held_file(queue_id), self._path("hidden"))

    def unhide(self, queue_id):
        os.rename(self._path("hidden"), self._held_file(queue_id))

    def copy_held(self, queue_id):
        """Copies a message on hold, as a backup does.  For restore_held."""
        return shutil.copy2(self._held_file(queue_id), self._path("copy-" + queue_id))

    def restore_held(self, queue_id, copy):
        """Puts it back."""
        shutil.copy2(copy, self._held_file(queue_id))
        postfix = pwd.getpwnam("postfix")
        os.chown(self._held_file(queue_id), postfix.pw_uid, postfix.pw_gid)

    def rename(self, queue_id):
        """Restores a message on hold from a copy: Postfix gives a short queue id anew, by its file.  Gives the new id."""
        before = set(self.held()) - {queue_id}
        copy = self.copy_held(queue_id)
        os.rename(self._held_file(queue_id), self._path("hidden"))  # so that the copy is another file
        self.restore_held(queue_id, copy)
        self._command("postsuper", "-c", self.etc, "-s")
        os.unlink(self._path("hidden"))
        new, = set(self.held()) - before
        return new

    def release(self, queue_id):
        """Lets a held message go."""
        done = self._command("postsuper", "-c", self.etc, "-H", queue_id)
        assert b"Released from hold: 1 message" in done.stdout, done.stdout
        self._command("postqueue", "-c", self.etc, "-i", queue_id)

    def kick_pickup(self):
        """Has pickup look at once and not at its next round."""
        self._command("postkick", "-c", self.etc, "public", "pickup", "W")

    def maildrop(self):
        """The files that sendmail(1) left and pickup could not hand on."""
        return os.listdir(self._path("queue", "maildrop"))

    def lines(self):
        try:
            with open(self._path("log", "mail.log"), encoding="utf-8", errors="backslashreplace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def wait_gone(self, queue_id):
        """Waits until a message has left the queue: delivered, bounced or dropped."""
        return self.wait_for_line(r": %s: removed" % re.escape(queue_id))

    def id_of(self, msgid, mark=0):
        """The queue id of a message, or what it was for a moment if the message was rejected."""
        line = self.wait_for_line(r"cleanup\[\d+\]: \S+: message-id=<%s>" % re.escape(msgid), mark)
        return re.search(r"cleanup\[\d+\]: (\S+): message-id=", line).group(1)

    def wait_deferred(self, mark):
        """Waits until a message of sendmail(1) was kept for later, since the milter is away."""
        self.wait_for_line(r"postfix/cleanup\[\d+\]: \S+: milter-reject: .* 4\.7\.1 ", mark)

    def wait_bounced(self, queue_id):
        """Waits until the sender was told that the message could not be sent."""
        # cleanup(8) drops the message itself, so the log tells of the notification only.
        line = self.wait_for_line(r": %s: sender non-delivery notification: " % queue_id)
        self.wait_gone(line.rsplit(": ", 1)[1])
