"""A raw client of the milter protocol (version 6), as an MTA speaks it.

    with milterclient.Client(address) as mta:
        mta.connect(client="192.0.2.1")
        answer = mta.message("care@me.example", ["a@x.example"], [("To", "a@x.example")])

It keeps to what was negotiated: a stage that the milter switched off is not
sent, one that it does not answer is not waited for, and only the macros that it
asked for (or Postfix's own defaults) go out.  Every wait has a limit.
"""

import collections
import itertools
import socket
import struct

import privacy
import tap

# Actions that the MTA offers.
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (1 << bit for bit in range(9))
ALL_ACTIONS = 0x1FF

# Protocol bits: stages that are left out, and stages without an answer.
NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH, NR_HDR, NOUNKNOWN, NODATA, SKIP, RCPT_REJ = (1 << bit for bit in range(12))
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY, HDR_LEADSPC = (1 << bit for bit in range(12, 21))
ALL_PROTOCOL = 0x1FFFFF

# stage: command, the bit that leaves it out, the bit that makes it silent
_STAGES = {
    "connect": (b"C", NOCONNECT, NR_CONN),
    "helo": (b"H", NOHELO, NR_HELO),
    "mail": (b"M", NOMAIL, NR_MAIL),
    "rcpt": (b"R", NORCPT, NR_RCPT),
    "data": (b"T", NODATA, NR_DATA),
    "header": (b"L", NOHDRS, NR_HDR),
    "eoh": (b"N", NOEOH, NR_EOH),
    "body": (b"B", NOBODY, NR_BODY),
    "eom": (b"E", 0, 0),
}

# The number by which smfi_setsymlist names a stage.
_SYMLIST_STAGES = {0: "connect", 1: "helo", 2: "mail", 3: "rcpt", 4: "data", 5: "eom", 6: "eoh"}

# What Postfix sends by default (milter_*_macros).
_DEFAULT_MACROS = {
    "connect": ["j", "{daemon_name}", "{daemon_addr}", "v", "_"],
    "helo": ["{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"],
    "mail": ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}", "{mail_mailer}"],
    "rcpt": ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
    "data": ["i"],
    "header": ["i"],
    "eoh": ["i"],
    "body": ["i"],
    "eom": ["i"],
}

CONTINUE, ACCEPT, REJECT, TEMPFAIL, DISCARD = "continue", "accept", "reject", "tempfail", "discard"
_ANSWERS = {b"c": CONTINUE, b"a": ACCEPT, b"r": REJECT, b"t": TEMPFAIL, b"d": DISCARD, b"s": CONTINUE}

# What a milter may ask for at end of message before its answer.
_ACTIONS = {b"q": "quarantine", b"h": "add-header", b"i": "insert-header", b"m": "change-header", b"+": "add-recipient",
            b"-": "delete-recipient", b"b": "replace-body", b"e": "change-sender"}

Action = collections.namedtuple("Action", "name index header value")

_numbers = itertools.count(1)


def new_queue_id():
    """A long queue id, as Postfix writes them, that no other message of this run has."""
    return "4Xy%06dz" % next(_numbers)


class ProtocolError(Exception):
    """The milter broke the protocol, or was gone."""


class Answer:
    """What the milter said of one message: `verdict` at `stage`, its SMTP reply if it gave one, and its actions."""

    def __init__(self, stage, verdict, reply=None, actions=()):
        self.stage = stage
        self.verdict = verdict
        self.reply = reply
        self.actions = list(actions)
        self.queue_id = None

    def quarantine(self):
        """The reason for a hold, or None."""
        for action in self.actions:
            if action.name == "quarantine":
                return action.value
        return None

    def added(self):
        return [(a.header, a.value) for a in self.actions if a.name in ("add-header", "insert-header")]

    def __repr__(self):
        return "Answer(stage=%r, verdict=%r, reply=%r, actions=%r)" % (self.stage, self.verdict, self.reply, self.actions)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _text(raw):
    return raw.decode("utf-8", "surrogateescape")


def open_socket(address, timeout):
    """Connects to `unix:PATH` or `inet:PORT@HOST`, as libmilter writes them."""
    kind, _, rest = address.partition(":")
    if kind in ("unix", "local"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        target = rest
    else:
        port, _, host = rest.partition("@")
        sock = socket.socket(socket.AF_INET6 if kind == "inet6" else socket.AF_INET, socket.SOCK_STREAM)
        target = (host, int(port))
    sock.settimeout(timeout)
    try:
        sock.connect(target)
    except BaseException:
        sock.close()
        raise
    return sock


class Client:
    """One connection of an MTA to the milter."""

    def __init__(self, address, version=6, actions=ALL_ACTIONS, protocol=ALL_PROTOCOL, timeout=60, negotiate=True, mta="Postfix 3.7.11"):
        self.timeout = timeout * tap.SLOWNESS
        self.sock = open_socket(address, self.timeout)
        self.buffer = b""
        self.macros = {"v": mta, "j": "mail.me.example", "_": "client.example [192.0.2.1]"}
        self.asked = dict(_DEFAULT_MACROS)
        self.dead = None  # the final answer of a message or connection, after which the MTA says no more
        self.daemon_name = "smtpd"
        self.negotiated = None
        if negotiate:
            self.negotiate(version, actions, protocol)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # ---- packets

    def send(self, command, payload=b""):
        packet = struct.pack(">I", len(payload) + 1) + command + payload
        try:
            self.sock.sendall(packet)
        except OSError as failure:
            raise ProtocolError("the milter does not take %r: %s" % (command, failure)) from failure

    def _read(self, length):
        while len(self.buffer) < length:
            try:
                chunk = self.sock.recv(65536)
            except socket.timeout:
                raise ProtocolError("no answer within %d s" % self.timeout) from None
            except OSError as failure:
                raise ProtocolError("the milter hung up: %s" % failure) from failure
            if not chunk:
                raise ProtocolError("the milter closed the connection")
            self.buffer += chunk
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def receive(self):
        length = struct.unpack(">I", self._read(4))[0]
        if not 1 <= length <= 16 * 1024 * 1024:
            raise ProtocolError("a packet of %d bytes" % length)
        packet = self._read(length)
        return packet[:1], packet[1:]

    def silent(self, seconds=0.2):
        """Whether nothing more comes within a moment: nothing is left over from an earlier message."""
        if self.buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            chunk = self.sock.recv(65536)
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(self.timeout)
        self.buffer += chunk
        return not chunk

    # ---- the conversation

    def negotiate(self, version, actions, protocol):
        self.send(b"O", struct.pack(">III", version, actions, protocol))
        command, payload = self.receive()
        if command != b"O" or len(payload) < 12:
            raise ProtocolError("negotiation answered with %r" % command)
        self.version, self.actions, self.protocol = struct.unpack(">III", payload[:12])
        self.negotiated = (self.version, self.actions, self.protocol)
        if self.version > version or self.actions & ~actions or (self.protocol & 0x0FFFFFFF) & ~protocol:
            raise ProtocolError("asked for more than was offered: %r of %r" % (self.negotiated, (version, actions, protocol)))
        rest = payload[12:]
        while len(rest) > 4:
            stage = struct.unpack(">I", rest[:4])[0]
            names, _, rest = rest[4:].partition(b"\0")
            if stage in _SYMLIST_STAGES:
                self.asked[_SYMLIST_STAGES[stage]] = _text(names).replace(",", " ").split()

    def send_macros(self, stage, values):
        names = self.asked.get(stage, [])
        pairs = b""
        for name in names:
            value = values.get(name)
            if value is None:
                value = values.get(name.strip("{}") if name.startswith("{") else "{%s}" % name)
            if value is not None:
                pairs += _bytes(name) + b"\0" + _bytes(value) + b"\0"
        self.send(b"D", _STAGES[stage][0] + pairs)

    def _stage(self, stage, payload, macros=None):
        """Sends one stage and gives the milter's answer; None if it was left out or is not answered."""
        command, left_out, no_reply = _STAGES[stage]
        if left_out and self.protocol & left_out:
            return None
        values = dict(self.macros)
        values.update(macros or {})
        self.send_macros(stage, values)
        self.send(command, payload)
        if no_reply and self.protocol & no_reply:
            return None
        return self._answer(stage)

    def _answer(self, stage):
        actions = []
        while True:
            command, payload = self.receive()
            if command == b"p":
                continue
            if command in _ACTIONS:
                if stage != "eom":
                    raise ProtocolError("the action %r at %s" % (command, stage))
                actions.append(self._action(command, payload))
                continue
            if command == b"y":
                reply = payload.rstrip(b"\0").decode("utf-8", "surrogateescape")
                return Answer(stage, REJECT if reply.startswith("5") else TEMPFAIL, reply, actions)
            if command not in _ANSWERS:
                raise ProtocolError("the answer %r at %s" % (command, stage))
            return Answer(stage, _ANSWERS[command], None, actions)

    def _action(self, command, payload):
        name = _ACTIONS[command]
        if name == "quarantine" and not self.actions & QUARANTINE:
            raise ProtocolError("a quarantine that was not negotiated")
        if name in ("change-header", "insert-header"):
            if not self.actions & (CHGHDRS if name == "change-header" else ADDHDRS):
                raise ProtocolError("a %s that was not negotiated" % name)
            index = struct.unpack(">I", payload[:4])[0]
            header, value = payload[4:].split(b"\0")[:2]
            return Action(name, index, _text(header), _text(value))
        if name == "add-header":
            if not self.actions & ADDHDRS:
                raise ProtocolError("an add-header that was not negotiated")
            header, value = payload.split(b"\0")[:2]
            return Action(name, 0, _text(header), _text(value))
        return Action(name, 0, "", _text(payload.rstrip(b"\0")))

    def connect(self, client="192.0.2.1", port=40000, host="client.example", daemon_name="smtpd", helo="client.example"):
        """The connection and the greeting.  Gives the answer if it is final, else None."""
        self.macros["{daemon_name}"] = daemon_name
        self.macros["{daemon_addr}"] = "127.0.0.1"
        if client is None:
            payload = _bytes(host) + b"\0U"
        else:
            family = b"6" if ":" in client else b"4"
            text = "IPv6:" + client if ":" in client else client
            payload = _bytes(host) + b"\0" + family + struct.pack(">H", port) + _bytes(text) + b"\0"
        for stage, data in (("connect", payload), ("helo", _bytes(helo) + b"\0")):
            answer = self._stage(stage, data)
            if answer is not None and answer.verdict != CONTINUE:
                self.dead = answer
                return answer
        return None

    def connect_sendmail(self):
        """As cleanup(8) tells of mail from sendmail(1): localhost, 127.0.0.1, port 0."""
        return self.connect("127.0.0.1", 0, "localhost", daemon_name="mail.me.example", helo="localhost")

    def mail(self, sender, user=None, arguments=(), queue_id=None):
        """MAIL FROM.  `sender` comes without its angle brackets, unless `queue_id` says that it is mail from sendmail(1)."""
        privacy.sender(sender)
        macros = {"{mail_addr}": sender, "{mail_mailer}": "smtp", "{mail_host}": "me.example"}
        if user is not None:
            macros.update({"{auth_type}": "PLAIN", "{auth_authen}": user})
        path = sender if queue_id is not None else "<%s>" % sender
        if queue_id is not None:
            macros["i"] = queue_id
        payload = b"\0".join(_bytes(word) for word in [path, *arguments]) + b"\0"
        return self._final(self._stage("mail", payload, macros))

    def rcpt(self, recipient, bare=False):
        privacy.recipient(recipient)
        path = recipient if bare else "<%s>" % recipient
        return self._final(self._stage("rcpt", _bytes(path) + b"\0", {"{rcpt_addr}": recipient, "{rcpt_mailer}": "smtp", "{rcpt_host}": "x.example"}))

    def data(self, queue_id):
        return self._final(self._stage("data", b"", {"i": queue_id}))

    def header(self, name, value, queue_id="-"):
        privacy.header(name, value)
        space = b" " if self.protocol & HDR_LEADSPC else b""
        return self._final(self._stage("header", _bytes(name) + b"\0" + space + _bytes(value) + b"\0", {"i": queue_id}))

    def eoh(self, queue_id="-"):
        return self._final(self._stage("eoh", b"", {"i": queue_id}))

    def body(self, text, queue_id="-"):
        return self._final(self._stage("body", _bytes(text), {"i": queue_id}))

    def eom(self, queue_id):
        return self._stage("eom", b"", {"i": queue_id})

    @staticmethod
    def _final(answer):
        return None if answer is None or answer.verdict == CONTINUE else answer

    def abort(self):
        """RSET, or a client that went away inside a message."""
        self.send(b"A")

    def quit(self):
        self.send(b"Q")

    def quit_new_connection(self):
        """The end of one SMTP connection; the next one comes on the same socket."""
        self.send(b"K")
        self.dead = None

    def envelope(self, sender, recipients, user=None, arguments=(), queue_id=None):
        """MAIL and RCPT.  Gives the answer if it is final, else None."""
        answer = self.mail(sender, user, arguments, queue_id)
        if answer is not None:
            return answer
        for recipient in recipients:
            answer = self.rcpt(recipient, bare=queue_id is not None)
            if answer is not None:
                return answer
        return None

    def message(self, sender, recipients, headers, queue_id=None, **options):
        """A whole message.  Gives the final answer, at whatever stage it came, with the message's queue id."""
        queue_id = queue_id or new_queue_id()
        answer = self.dead or self._message(sender, recipients, headers, queue_id, **options)
        answer.queue_id = queue_id
        return answer

    def _message(self, sender, recipients, headers, queue_id, user=None, body="Hello.\r\n", arguments=(), sendmail=False):
        for recipient in recipients:
            privacy.recipient(recipient)
        for name, value in headers:
            privacy.header(name, value)
        answer = self.envelope(sender, recipients, user, arguments, queue_id if sendmail else None)
        if answer is None:
            answer = self.data(queue_id)
        for name, value in headers:
            if answer is not None:
                return answer
            answer = self.header(name, value, queue_id)
        if answer is None:
            answer = self.eoh(queue_id)
        if answer is None and body:
            answer = self.body(body, queue_id)
        return answer if answer is not None else self.eom(queue_id)
