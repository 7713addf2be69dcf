"""Every order of steps in which Postfix and Sendmail may send a session: each step that wants an answer has it within a limit.

Over unix sockets and TCP, since what waits for the peer's next packet shows itself by one of them alone.  A message may lack every
header field, or its body; it may end after any step, by RSET, by the next MAIL, by another session on the same connection, or by a
hang-up.  What comes after is evaluated as if nothing had been before.
"""

import itertools
import socket

import daemon
import guardcase
import milterclient
import mta as ports
import policies
import surroundings
import tap

LIMIT = 30  # seconds for an answer

# The header fields of a message, how many people they show, and its verdict.
HEADERS = {
    "no header": ([], 0, "accept"),
    "one field": ([("Cc", policies.folded(policies.people(12)))], 12, "quarantine"),
    "three fields": ([("From", "<care@me.example>"), ("To", policies.folded(policies.people(3))), ("Subject", "")], 3, "accept"),
}
BODIES = {"no body": [], "a body": ["Hello.\r\n"], "two pieces": ["Hello.\r\n", "x" * 60000]}
STEPS = "mail", "rcpt", "data", "header", "eoh", "body"
AFTERWARDS = "RSET", "RSET twice", "nothing", "another session", "hang-up"

# What the two are, in version and macros; Sendmail keeps the blank at the begin of a value, and both keep to what was negotiated.
MTAS = {
    "Postfix": {"mta": "Postfix 3.7.11"},
    "Sendmail": {"mta": "8.17.1.9"},
    "a Sendmail without new steps": {"mta": "8.13.8", "version": 2, "protocol": 0x7F, "actions": 0x3F},
    "a Postfix without new steps": {"mta": "Postfix 2.3.0", "version": 2, "protocol": 0x7F, "actions": 0x3F},
    "steps that all want a reply": {"mta": "Postfix 3.7.11", "protocol": milterclient.ALL_PROTOCOL & 0xFFF},
    "all steps": {"mta": "8.17.1.9", "protocol": milterclient.HDR_LEADSPC},
}


class Session:
    """One connection to the daemon, and what an MTA does on it."""

    def __init__(self, guard, options):
        self.guard = guard
        self.options = options
        self.client = None

    def begin(self, helo=0):
        if self.client is None:
            self.client = self.guard.client(timeout=LIMIT, **self.options)
            if self.client.sock.family == socket.AF_INET:  # an MTA sends a step and its macros at once; this client does not
                self.client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert self.client.connect("127.0.0.1") is None
        for _ in range(helo):  # once more after STARTTLS or AUTH
            answer = self.client._stage("helo", b"client.example\0")
            assert answer is None or answer.verdict == milterclient.CONTINUE

    def message(self, header, body, cut=None):
        """Sends a message, or what comes of it until a step.  Gives (answer, queue id)."""
        queue_id = milterclient.new_queue_id()
        client = self.client
        steps = [("mail", lambda: client.mail("care@me.example", queue_id=None)), ("rcpt", lambda: client.rcpt("one@else.example")),
                 ("rcpt", lambda: client.rcpt("two@else.example")), ("data", lambda: client.data(queue_id))]
        steps += [("header", lambda name=name, value=value: client.header(name, value, queue_id)) for name, value in HEADERS[header][0]]
        steps += [("eoh", lambda: client.eoh(queue_id))]
        steps += [("body", lambda piece=piece: client.body(piece, queue_id)) for piece in BODIES[body]]
        last = None if cut is None else max(index for index, (name, _) in enumerate(steps) if STEPS.index(name) <= STEPS.index(cut))
        for _, step in steps[:None if last is None else last + 1]:
            answer = step()
            assert answer is None, "%r before the end of the message" % answer
        return (None if cut is not None else client.eom(queue_id)), queue_id

    def afterwards(self, what):
        if what in ("RSET", "RSET twice"):
            for _ in range(what.count(" ") + 1):
                self.client.abort()
        elif what == "another session":
            self.client.quit_new_connection()
            self.begin()
        elif what == "hang-up":
            self.close()
            self.begin()

    def close(self):
        if self.client is not None:
            self.client.close()
            self.client = None


class Orders(guardcase.GuardCase):
    def evaluated(self, session, header, body):
        def message():
            answer, answer.queue_id = session.message(header, body)
            return answer
        answer = guardcase.in_time(self.guard, message)
        _, people, verdict = HEADERS[header]
        if verdict == "quarantine" and not session.client.actions & milterclient.QUARANTINE:
            verdict = "tempfail"
        self.assertEqual(answer.verdict, milterclient.TEMPFAIL if verdict == "tempfail" else milterclient.ACCEPT)
        self.assertEqual(answer.quarantine() is not None, verdict == "quarantine")
        self.assertLine(self.guard.verdict(answer), verdict=verdict, visible=people, hidden=2, sender="care@me.example")

    AFTERWARDS = AFTERWARDS

    def each(self, name, afterwards=None):
        whole = [(header, body, None) for header, body in itertools.product(HEADERS, BODIES)]
        parts = [("three fields", "a body", cut) for cut in STEPS] + [("no header", "a body", "eoh"), ("no header", "a body", "body")]
        for (header, body, cut), what in itertools.product(whole + parts, afterwards or self.AFTERWARDS):
            session = Session(self.guard, MTAS[name])
            with self.subTest("%s: %s, %s, %s, then %s" % (name, header, body, "to its end" if cut is None else "until " + cut, what)):
                try:
                    session.begin()
                    if cut is None:
                        self.evaluated(session, header, body)
                    else:
                        session.message(header, body, cut)
                    session.afterwards(what)
                    self.evaluated(session, "no header", "a body")
                    session.afterwards("nothing")
                    self.evaluated(session, "one field", "no body")
                finally:
                    session.close()

    def test_postfix(self):
        self.each("Postfix")

    def test_sendmail(self):
        self.each("Sendmail")

    def test_old_ones(self):
        for name in MTAS:
            if name not in ("Postfix", "Sendmail"):
                self.each(name, ("RSET", "nothing"))  # another session: libmilter answers its begin only if no answer is wanted

    def test_greetings(self):
        """HELO more than once"""
        for name, greetings in itertools.product(MTAS, range(1, 3)):
            with self.subTest("%s, %d" % (name, greetings)):
                session = Session(self.guard, MTAS[name])
                try:
                    session.begin(greetings)
                    self.evaluated(session, "three fields", "a body")
                finally:
                    session.close()

    def test_many_sessions(self):
        """on one connection of an MTA that caches it"""
        session = Session(self.guard, MTAS["Postfix"])
        try:
            session.begin()
            for header, body in itertools.product(HEADERS, BODIES):
                self.evaluated(session, header, body)
                session.afterwards("another session")
        finally:
            session.close()


class OrdersOverTcp(Orders):
    AFTERWARDS = "nothing", "hang-up"

    @classmethod
    def setUpClass(cls):
        port, = ports.free_ports(1)
        cls.guard = daemon.Daemon(cls.POLICY, socket="inet:%d@127.0.0.1" % port)


if __name__ == "__main__":
    surroundings.enter()  # nobody else has its ports
    tap.main()
