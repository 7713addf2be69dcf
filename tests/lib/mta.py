"""What the tests want of an MTA, whichever it is: ways in, its queue, its log, and an SMTP sink behind it.

All mail, bounces too, goes to smtp-sink, which writes a file for each delivery.
See postfix.py and sendmail.py for the two that there are.
"""

import os
import re
import shutil
import smtplib
import socket
import subprocess
import time

import daemon
import privacy
import tap

DOMAIN = "me.example"
LOGIN = "care"
DEVELOPER = "developer"
PASSWORD = "correct horse battery"

LIMIT = 90 * tap.SLOWNESS  # on a loaded machine an MTA takes its time to start


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


class Reply:
    """What the MTA said at last, at `stage`: connect, helo, mail, rcpt, data."""

    def __init__(self, stage, code, text):
        self.stage = stage
        self.code = code
        self.text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        match = re.search(r"queued as (?P<id>\S+)|(?P<id2>\S+) Message accepted", self.text)
        self.queue_id = (match.group("id") or match.group("id2")) if match else None

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

    def as_sent(self):
        """Header and body without what each host on the way, the sink too, adds on top."""
        fields = re.split(r"\n(?![ \t])", self.header)
        own = next(number for number, field in enumerate(fields) if not re.match(r"(?i)(X-(Client|Helo|Mail|Rcpt)-\w+|Received|Return-Path):", field))
        return "\n".join(fields[own:]) + "\n\n" + self.message

    def __repr__(self):
        return "Delivery(%s -> %d)" % (self.sender, len(self.recipients))


class Mta:
    """Its private directory, the sink, and what can be asked of every MTA.

    NAME    "postfix", "sendmail"
    WAYS    the ways by which mail comes in; `sendmail` is sendmail(1)
    """

    NAME = None
    WAYS = ()

    # What the daemon's socket is called by libmilter, and by the MTA's configuration.
    socket = None
    milter = None

    def __init__(self):
        self.root = self._make_root()
        self.sink_process = None
        self.subjects = 0
        self.ports = {}
        tap.on_failure(self.report)

    def _make_root(self):
        return daemon.temporary_directory()

    def _path(self, *names):
        return os.path.join(self.root, *names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start_sink(self):
        os.mkdir(self._path("sink"))
        daemon.own(self._path("sink"))
        self._run_sink()

    def _run_sink(self, *options):
        self.sink_process = subprocess.Popen(
            ["smtp-sink", *options, "-u", daemon.USER, "-d", self._path("sink", "m."), "127.0.0.1:%d" % self.ports["sink"], "100"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)

    def stop_sink(self):
        """From here on nothing can be delivered."""
        self.sink_process.kill()
        self.sink_process.wait()
        self.sink_process.stderr.close()

    def refuse_in_sink(self):
        """From here on each recipient is refused for good."""
        self.stop_sink()
        self._run_sink("-f", "RCPT")
        self._wait_listening(["sink"])

    def start_sink(self):
        """It takes mail again; what it took before stays."""
        self._run_sink()
        self._wait_listening(["sink"])

    def _wait_listening(self, names, limit=LIMIT):
        for name in names:
            daemon.wait_until(lambda port=self.ports[name]: _answers(port), limit, lambda: "a listener at %s" % name)

    def close(self):
        tap.forget(self.report)
        try:
            self._stop()
        finally:
            if self.sink_process is not None:
                self.sink_process.kill()
                self.sink_process.wait()
                self.sink_process.stderr.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def _command(self, *arguments, timeout=LIMIT, **options):
        return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False, env=self.environment(), **options)

    def environment(self):
        return dict(os.environ)

    # ---- sending

    def connect(self, way, client=None, login=None):
        """An SMTP session after EHLO.  `client` is the address that it comes from; `login` who logs in."""
        raise NotImplementedError

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
            # smtplib ends the lines of a string as SMTP wants it, and takes ASCII only.
            code, text = session.data(message if isinstance(message, bytes) else message.encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n"))
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

    # ---- the daemon beside it

    def guard(self, policy, **options):
        """A rcptguardd at the socket where the MTA looks for it."""
        return daemon.Daemon(policy, socket=self.socket, **options)

    # ---- what became of it

    def held(self):
        """The queue ids of the held messages."""
        return [entry["queue_id"] for entry in self.queue() if entry["queue_name"] == "hold"]

    def lets_go(self, _queue_id):
        """Whether the MTA does nothing more with a message that it has put on hold."""
        return True

    def queue(self):
        """A list of dictionaries with queue_name, queue_id, sender and recipients, as `postqueue -j` has them."""
        raise NotImplementedError

    def lines(self):
        """The mail log."""
        raise NotImplementedError

    def wait_for_line(self, pattern, mark=0, limit=LIMIT):
        regex = re.compile(pattern)
        return daemon.wait_until(lambda: next((line for line in self.lines()[mark:] if regex.search(line)), None), limit,
                                 "the line %r in the mail log" % pattern)

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


def _answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
            return sock.recv(4)[:3] in (b"220", b"451", b"421", b"554")
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
