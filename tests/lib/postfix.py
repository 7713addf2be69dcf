"""A private Postfix on loopback ports, with an SMTP sink behind it.

    with postfix.Postfix(milter="unix:rcptguard/rcptguard.sock") as mta:
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

import grp
import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import time

import daemon
import privacy
import tap

DOMAIN = "me.example"
LOGIN = "care"
PASSWORD = "correct horse battery"
SOCKET_DIRECTORY = "rcptguard"

LIMIT = 30 * tap.SLOWNESS

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
disable_dns_lookups = yes
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
cyrus_sasl_config_path = {root}/etc/sasl
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

WAYS = ("plain", "chroot", "auth", "filtered", "reinject")

_CHROOT_FILES = ["/etc/hosts", "/etc/services", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/localtime"]


def free_ports(count):
    """Ports that were free a moment ago.  All are held together, so that they differ."""
    held = []
    try:
        for _ in range(count):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 0))
            held.append(sock)
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()


def _default(name):
    return subprocess.run(["postconf", "-d", "-h", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().strip()


class Reply:
    """What Postfix said at last, at `stage`: connect, helo, mail, rcpt, data."""

    def __init__(self, stage, code, text):
        self.stage = stage
        self.code = code
        self.text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        match = re.search(r"queued as (\S+)", self.text)
        self.queue_id = match.group(1) if match else None

    def __repr__(self):
        return "Reply(%s: %d %s)" % (self.stage, self.code, self.text)


class Delivery:
    """One transaction that the sink took: envelope sender and recipients, and the message."""

    def __init__(self, text):
        head, _, self.message = text.replace("\r\n", "\n").partition("\n\n")
        fields = [line.partition(": ") for line in head.split("\n")]
        # The sink writes the envelope in lines of its own before the message's header.
        self.sender = next((value.split(" ")[0].strip("<>") for name, _, value in fields if name == "X-Mail-Args"), None)
        self.recipients = [value.split(" ")[0].strip("<>") for name, _, value in fields if name == "X-Rcpt-Args"]
        self.header = head

    def __repr__(self):
        return "Delivery(%s -> %d)" % (self.sender, len(self.recipients))


class Postfix:
    """milter: what smtpd_milters and non_smtpd_milters say, or "" for none."""

    def __init__(self, milter="", extra=""):
        self.root = daemon.temporary_directory()
        self.sink_process = None
        self.started = False
        self.subjects = 0
        tap.on_failure(self.report)
        try:
            self._create(milter, extra)
            self._start()
        except BaseException:
            self.close()
            raise

    # ---- set-up

    def _path(self, *names):
        return os.path.join(self.root, *names)

    def _create(self, milter, extra):
        for name in ("etc", "etc/sasl", "queue", "data", "log", "sink"):
            os.mkdir(self._path(name))
            os.chmod(self._path(name), 0o755)
        postfix = pwd.getpwnam("postfix")
        os.chown(self._path("data"), postfix.pw_uid, postfix.pw_gid)
        daemon.own(self._path("sink"))
        ports = free_ports(len(WAYS) + 1)
        self.ports = dict(zip((*WAYS, "sink"), ports))
        values = dict(self.ports, root=self.root, domain=DOMAIN, milter=milter, extra=extra, command_directory=_default("command_directory"),
                      daemon_directory=_default("daemon_directory"), meta_directory=_default("meta_directory"))
        daemon.write(self._path("etc", "main.cf"), _MAIN.format(**values))
        daemon.write(self._path("etc", "master.cf"), _MASTER.format(**values))
        self._create_chroot()
        self._create_login()
        # As the installation notes say: owned by the daemon's user, group postfix, setgid.
        self.socket_directory = self._path("queue", SOCKET_DIRECTORY)
        os.mkdir(self.socket_directory)
        os.chown(self.socket_directory, pwd.getpwnam(daemon.USER).pw_uid, grp.getgrnam("postfix").gr_gid)
        os.chmod(self.socket_directory, 0o2750)

    def _create_chroot(self):
        os.mkdir(self._path("queue", "etc"), 0o755)
        for name in _CHROOT_FILES:
            if os.path.exists(name):
                shutil.copyfile(name, self._path("queue", "etc", os.path.basename(name)))

    def _create_login(self):
        # Debian's Postfix looks in the configuration's own directory, whatever cyrus_sasl_config_path says.
        database = self._path("etc", "sasl", "sasldb2")
        daemon.write(self._path("etc", "sasl", "smtpd.conf"),
                     "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\nsasldb_path: %s\n" % database)
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", "mail." + DOMAIN, LOGIN], input=PASSWORD.encode(), check=True)
        os.chmod(database, 0o644)

    def _command(self, *arguments, **options):
        return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False, env=self.environment(), **options)

    def environment(self):
        return dict(os.environ, MAIL_CONFIG=self._path("etc"))

    def _start(self):
        self.sink_process = subprocess.Popen(
            ["smtp-sink", "-u", daemon.USER, "-d", self._path("sink", "m."), "127.0.0.1:%d" % self.ports["sink"], "100"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self.started = True
        done = self._command("postfix", "-c", self._path("etc"), "start")
        if done.returncode != 0:
            raise AssertionError("postfix start: %s\n%s" % (done.stdout.decode("utf-8", "replace"), "\n".join(self.lines())))
        for name in (*WAYS, "sink"):
            daemon.wait_until(lambda port=self.ports[name]: _answers(port), LIMIT, lambda: "a listener at %s" % name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        tap.forget(self.report)
        try:
            if self.started:
                self._stop()
        finally:
            if self.sink_process is not None:
                self.sink_process.kill()
                self.sink_process.wait()
                self.sink_process.stderr.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def _stop(self):
        pid = self.master()
        self._command("postfix", "-c", self._path("etc"), "stop")
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

    # ---- sending

    def connect(self, way, client=None, login=False):
        """An SMTP session after EHLO.  `client` is the address that the milters and Postfix shall see."""
        session = smtplib.SMTP("127.0.0.1", self.ports[way], local_hostname="client.test", timeout=LIMIT)
        try:
            session.ehlo()
            if client is not None:
                code, text = session.docmd("XCLIENT", "ADDR=%s NAME=client.test" % (("IPV6:" + client) if ":" in client else client))
                if code != 220:
                    raise smtplib.SMTPResponseException(code, text)
                session.ehlo()
            if login or way == "auth":
                session.login(LOGIN, PASSWORD)
            return session
        except BaseException:
            session.close()
            raise

    @staticmethod
    def transaction(session, sender, recipients, message):
        """One message on an open session.  Gives the reply that decided."""
        privacy.sender(sender)
        for recipient in recipients:
            privacy.recipient(recipient)
        privacy.message(message)
        code, text = session.mail(sender)
        if code != 250:
            return Reply("mail", code, text)
        for recipient in recipients:
            code, text = session.rcpt(recipient)
            if code not in (250, 251):
                return Reply("rcpt", code, text)
        try:
            code, text = session.data(message if isinstance(message, bytes) else message.encode("utf-8"))
        except smtplib.SMTPDataError as failure:
            code, text = failure.smtp_code, failure.smtp_error
        return Reply("data", code, text)

    def send(self, way, sender, recipients, message, client=None):
        """One message on a connection of its own."""
        if way == "sendmail":
            raise ValueError("sendmail(1) gives no reply: use submit()")
        try:
            session = self.connect(way, client)
        except smtplib.SMTPResponseException as failure:
            return Reply("connect", failure.smtp_code, failure.smtp_error)
        with session:
            return self.transaction(session, sender, recipients, message)

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
        line = self.wait_for_line(r"postfix/pickup\[\d+\]: \S+: uid=0 from=", mark)
        return re.search(r"pickup\[\d+\]: (\S+): uid=", line).group(1)

    # ---- what became of it

    def queue(self):
        """`postqueue -j`: a list of dictionaries."""
        done = subprocess.run(["postqueue", "-c", self._path("etc"), "-j"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines() if line.strip()]

    def held(self):
        """The queue ids of the held messages."""
        return [entry["queue_id"] for entry in self.queue() if entry["queue_name"] == "hold"]

    def release(self, queue_id):
        """Lets a held message go."""
        done = self._command("postsuper", "-c", self._path("etc"), "-H", queue_id)
        assert b"Released from hold: 1 message" in done.stdout, done.stdout
        self._command("postqueue", "-c", self._path("etc"), "-i", queue_id)

    def kick_pickup(self):
        """Has pickup look at once and not at its next round."""
        self._command("postkick", "-c", self._path("etc"), "public", "pickup", "W")

    def maildrop(self):
        """The files that sendmail(1) left and pickup could not hand on."""
        return os.listdir(self._path("queue", "maildrop"))

    def lines(self):
        try:
            with open(self._path("log", "mail.log"), encoding="utf-8", errors="backslashreplace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def wait_for_line(self, pattern, mark=0, limit=LIMIT):
        regex = re.compile(pattern)
        return daemon.wait_until(lambda: next((line for line in self.lines()[mark:] if regex.search(line)), None), limit,
                                 "the line %r in the mail log" % pattern)

    def wait_gone(self, queue_id):
        """Waits until a message has left the queue: delivered, bounced or dropped."""
        return self.wait_for_line(r": %s: removed" % re.escape(queue_id))

    def deliveries(self, subject=None):
        """What the sink took so far; of one subject if given."""
        found = []
        for name in sorted(os.listdir(self._path("sink"))):
            try:
                with open(self._path("sink", name), encoding="utf-8", errors="surrogateescape", newline="") as file:
                    found.append(Delivery(file.read()))
            except FileNotFoundError:  # the sink takes back what was not finished
                pass
        return [delivery for delivery in found if subject is None or "Subject: %s\n" % subject in delivery.header + "\n"]

    def recipients(self, subject):
        """Everybody who got the message with that subject, sorted."""
        return sorted(recipient for delivery in self.deliveries(subject) for recipient in delivery.recipients)

    def new_subject(self):
        """A subject that no other message of this Postfix has."""
        self.subjects += 1
        return "test %d of %s" % (self.subjects, os.path.basename(self.root))

    def report(self):
        return ["the mail log ended with:"] + ["    " + line for line in self.lines()[-30:]]

    # ---- the daemon beside it

    def guard(self, policy, **options):
        """A rcptguardd whose socket is where `unix:rcptguard/rcptguard.sock` finds it, chrooted or not."""
        return daemon.Daemon(policy, socket="unix:" + os.path.join(self.socket_directory, "rcptguard.sock"), **options)


MILTER = "unix:%s/rcptguard.sock" % SOCKET_DIRECTORY


def _answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
            return sock.recv(4)[:3] in (b"220", b"451", b"421")
    except OSError:
        return False


def header_list(addresses):
    """A list of addresses as a mail program folds it."""
    return ",\n\t".join(addresses)


def message(subject, sender, to=(), cc=(), headers=(), body="Hello.\n"):
    """A small RFC 5322 message.  `headers` are more (name, value) pairs."""
    fields = [("From", "<%s>" % sender if sender else "<postmaster@%s>" % DOMAIN), ("Subject", subject), ("Message-ID", "<%s@%s>" % (subject.replace(" ", "."), DOMAIN)),
              ("Date", time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()))]
    if to:
        fields.append(("To", to if isinstance(to, str) else header_list(to)))
    if cc:
        fields.append(("Cc", cc if isinstance(cc, str) else header_list(cc)))
    fields.extend(headers)
    return "".join("%s: %s\n" % field for field in fields) + "\n" + body


def customers(count, prefix="customer", domain="mail{n}.example"):
    """customer1@mail1.example, customer2@mail2.example, ...: each a party of its own."""
    return ["%s%d@%s" % (prefix, n, domain.replace("{n}", str(n))) for n in range(1, count + 1)]
