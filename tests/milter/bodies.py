"""Bodies: asked for only where the policy needs them, to a limit, in memory and in files, and what happens where they cannot be kept.

It takes 20 s and more under load: some messages have 10 MB, and each of its daemons is of its own.
"""

import contextlib
import os
import subprocess
import threading
import unittest

import bodymail
import daemon
import guardcase
import milterclient
import policies
import surroundings
import tap

MEBIBYTE = 1 << 20
CHUNK = 65535  # what an MTA sends at once
MEMORY = 256 * 1024  # of one body

EVERYBODY = 'outbound when client in "0.0.0.0/0", "::/0"'
INVITE = policies.rule("invite", "visible(external) inside calendar >= 10", 'quarantine "{inside} people outside in an invitation"')
LIMITS = policies.rule("unread", "opaque(limits)", 'quarantine "not all of it was read"')
ASKS = policies.policy(rules=policies.rule("boss", 'user = "boss"', "accept") + INVITE + LIMITS, outbound=EVERYBODY)
FIELDS = policies.policy(rules=policies.rule("fields", 'visible(external) inside header("X-All") >= 3', 'quarantine "{inside} inside"'), outbound=EVERYBODY)
WITHOUT = policies.policy(outbound=EVERYBODY)

# What is asked of a Postfix where no body is needed.
STEPS = milterclient.NOHELO | milterclient.NOUNKNOWN | milterclient.NODATA | milterclient.NR_CONN | milterclient.NR_RCPT | milterclient.NR_HDR | milterclient.NR_EOH

SKIPPED = "skipped"


def send_part(mta, data):
    """A part of a body, and its answer: None to go on, SKIPPED, or another one."""
    mta.send_macros("body", {"i": "-"})
    mta.send(b"B", data)
    command, payload = mta.receive()
    return {b"c": None, b"s": SKIPPED}.get(command, (command, payload))


def send_body(mta, body):
    """As MTAs do.  How many parts were sent until the milter had enough; all of them if it never had."""
    data = body.encode() if isinstance(body, str) else body
    parts = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)]
    for number, part in enumerate(parts, 1):
        answer = send_part(mta, part)
        if answer == SKIPPED:
            return number
        assert answer is None, answer
    return len(parts)


def start(mta, fields=(), to=("one@cust1.example",), user=None):
    """A message up to its body; an answer that came before, or None."""
    answer = mta.envelope(guardcase.SENDER, list(to), user=user) or mta.data("-")
    for name, value in guardcase.headers(to=list(to), more=fields):
        answer = answer or mta.header(name, value)
    return answer or mta.eoh()


def finish(mta):
    queue_id = milterclient.new_queue_id()
    answer = mta.eom(queue_id)
    answer.queue_id = queue_id
    return answer


class BodyCase(guardcase.GuardCase):
    POLICY = ASKS

    def message(self, mta, fields, body, **options):
        def send():
            self.assertIsNone(start(mta, fields, **options))
            send_body(mta, body)
            return finish(mta)
        answer = guardcase.in_time(self.guard, send)
        return answer, self.guard.verdict(answer)

    def one(self, mta=None, count=12, **options):
        """An invitation to that many people outside."""
        fields, body = bodymail.invitation(policies.people(count))
        return self.message(mta or self.mta("192.0.2.1"), fields, body, **options)

    def body_files(self, guard=None):
        """The files of bodies that the daemon has open."""
        folder = "/proc/%d/fd" % (guard or self.guard).child()
        found = []
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(os.path.join(folder, name))
                if target.startswith(os.path.dirname((guard or self.guard).ledger_path)) and target.endswith(" (deleted)"):
                    found.append(target)
        return found

    def wait_no_file(self):
        daemon.wait_until(lambda: not self.body_files(), what="the end of every file of a body")

    def guarded(self, policy=ASKS, **options):
        guard = daemon.Daemon(policy, **options)
        self.addCleanup(guard._clean)
        return guard


class Asked(BodyCase):
    """One daemon, whose policy is another one in some tests: each ends with that of the class."""

    def tearDown(self):
        self.guard.set_policy(self.POLICY)
        self.assertIn("reload done", self.guard.reload())

    def in_force(self, policy):
        self.guard.set_policy(policy)
        self.assertIn("reload done", self.guard.reload())

    def test_a_policy_that_needs_none(self):
        """to the bit what is asked for without such a rule"""
        for policy in WITHOUT, FIELDS:
            self.in_force(policy)
            self.assertEqual(self.mta().protocol, STEPS | milterclient.NOBODY)

    def test_a_policy_that_needs_them(self):
        for condition in "parties(external) inside table, text >= 1", "opaque(types)", "not opaque(types)":
            self.in_force(policies.policy(rules=policies.rule("a", condition, 'quarantine "x"')))
            self.assertEqual(self.mta().protocol, STEPS | milterclient.SKIP, condition)

    def test_header_fields_need_none(self):
        self.in_force(FIELDS)
        answer = self.send(to=policies.people(1), headers=[("X-All", ", ".join(policies.people(5)))])
        line = self.guard.verdict(answer)
        self.assertEqual((line.verdict, line.rule, line.text), ("quarantine", "fields", "4 inside"))

    def test_an_older_mta(self):
        """one that cannot be told to leave something out, or to send no more"""
        for options in {"protocol": 0x7F}, {"protocol": 0x7FF & ~milterclient.SKIP}, {"version": 2, "protocol": 0x7F, "actions": 0x3F}, {"protocol": milterclient.HDR_LEADSPC}:
            for policy, rule in (ASKS, "invite"), (WITHOUT, "default"):
                self.in_force(policy)
                mta = self.mta("192.0.2.1", **options)
                answer, line = self.one(mta)
                self.assertEqual((line.rule, answer.quarantine() is not None), (rule, rule == "invite"), options)
                self.assertPassed(self.message(mta, *bodymail.attachment(200000))[0])
                self.assertTrue(mta.silent(), "an answer too many")

    def test_reload_to_one_that_needs_them(self):
        """421 on the old connection, so that the MTA makes a new one; what the policy does not look at passes"""
        self.in_force(policies.policy(rules="", outbound='outbound when client in "192.0.2.0/24"'))
        mta, other = self.mta("192.0.2.1"), self.mta("198.51.100.1")
        self.assertPassed(self.one(mta)[0])
        self.in_force(policies.policy(rules=INVITE, outbound='outbound when client in "192.0.2.0/24"'))
        for _ in range(2):
            mark = self.guard.mark()
            answer = start(mta)
            self.assertEqual((answer.stage, answer.reply), ("mail", "421 4.3.2 the mail filter has a new policy; connect and try again"))
            self.guard.wait_for_line("^body: the policy needs it since a reload", mark=mark)
        self.assertEqual(start(other).verdict, milterclient.ACCEPT)
        answer, line = self.one()
        self.assertHeld(answer, "12 people outside in an invitation")
        self.assertLine(line, rule="invite")

    def test_reload_to_one_that_needs_none(self):
        """what the old connection sends is passed over, and soon not sent any more"""
        mta = self.mta("192.0.2.1")
        self.assertHeld(self.one(mta)[0])
        self.in_force(WITHOUT)
        answer, line = self.one(mta)
        self.assertPassed(answer)
        self.assertLine(line, rule="default")
        fields, body = bodymail.attachment(5 * MEBIBYTE)
        self.assertIsNone(start(mta, fields))
        self.assertEqual(send_body(mta, body), 1)
        self.assertEqual(self.body_files(), [])
        self.assertPassed(finish(mta))

    def test_a_message_keeps_its_policy(self):
        fields, body = bodymail.invitation(policies.people(12))
        for before, after, rule in (ASKS, WITHOUT, "invite"), (WITHOUT, ASKS, "default"):
            self.in_force(before)
            mta = self.mta("192.0.2.1")
            self.assertIsNone(start(mta, fields))
            self.in_force(after)
            if not mta.protocol & milterclient.NOBODY:
                send_body(mta, body)
            answer = finish(mta)
            self.assertLine(self.guard.verdict(answer), rule=rule)


class Kept(BodyCase):
    CONFIG = {("milter", "body"): "2M"}

    def test_what_counts(self):
        """people in the header do not count inside; a body that is empty, or does not come, shows nobody"""
        self.assertHeld(self.one()[0], "12 people outside in an invitation")
        self.assertPassed(self.one(count=9)[0])
        self.assertPassed(self.one(count=12, to=policies.people(5))[0])
        for body in "", "\r\n":
            answer, line = self.message(self.mta("192.0.2.1"), [], body)
            self.assertPassed(answer)
            self.assertLine(line, rule="default")

    def test_a_rule_before(self):
        answer, line = self.one(user="boss")
        self.assertPassed(answer)
        self.assertLine(line, rule="boss")

    def test_several_messages(self):
        """nothing of one is left in the next, however it ended"""
        mta = self.mta("192.0.2.1")
        for count, passes in (12, False), (3, True), (12, False), (0, True):
            answer, _ = self.one(mta, count)
            self.assertEqual(answer.quarantine() is None, passes)
        fields, body = bodymail.invitation(policies.people(12))
        for _ in range(2):
            self.assertIsNone(start(mta, fields))
            send_body(mta, body)
            mta.abort()
            self.assertPassed(self.one(mta, 3)[0])
        self.assertIsNone(start(mta, fields))
        send_body(mta, body)  # MAIL again, without a word
        self.assertPassed(self.one(mta, 3)[0])
        self.assertTrue(mta.silent())

    def test_in_parts(self):
        """an address that two parts share is found; a part may be of one byte"""
        fields, body = bodymail.invitation(policies.people(12))
        data, mta = body.encode(), self.mta("192.0.2.1")
        for length in 1, 7, len(data) // 2:
            self.assertIsNone(start(mta, fields))
            for at in range(0, len(data), length):
                self.assertIsNone(send_part(mta, data[at:at + length]))
            self.assertHeld(finish(mta))

    def test_the_last_part_with_the_end(self):
        """as the protocol allows"""
        fields, body = bodymail.invitation(policies.people(12))
        mta = self.mta("192.0.2.1")
        for filler, reason in (0, "12 people"), (3 * MEBIBYTE, "not all of it was read"):
            self.assertIsNone(start(mta, fields))
            send_body(mta, b"x" * filler)
            mta.send_macros("eom", {"i": "END"})
            mta.send(b"E", body.encode())
            self.assertIn(reason, mta._answer("eom").quarantine())
            self.assertTrue(mta.silent(), "an answer too many")

    def test_limit(self):
        """beyond it the MTA is told to send no more, and `opaque(limits)` is true, whatever was there"""
        mta = self.mta("192.0.2.1")
        fields, body = bodymail.attachment(5 * MEBIBYTE)
        self.assertIsNone(start(mta, fields))
        self.assertEqual(send_body(mta, body), 2 * MEBIBYTE // CHUNK + 1)
        answer = finish(mta)
        self.assertHeld(answer, "not all of it was read")
        self.assertLine(self.guard.verdict(answer), rule="unread")
        self.assertPassed(self.one(mta, 3)[0])

    def test_at_the_limit(self):
        for length, rule in (2 * MEBIBYTE, "default"), (2 * MEBIBYTE + 1, "unread"):
            _answer, line = self.message(self.mta("192.0.2.1"), [], ("x" * 70 + "\r\n") * (length // 72) + "y" * (length % 72))
            self.assertLine(line, rule=rule)

    def test_an_mta_that_goes_on(self):
        """one that cannot skip sends all of it: the same verdict"""
        mta = self.mta("192.0.2.1", protocol=milterclient.ALL_PROTOCOL & ~milterclient.SKIP)
        fields, body = bodymail.attachment(3 * MEBIBYTE)
        self.assertIsNone(start(mta, fields))
        self.assertEqual(send_body(mta, body), len(body) // CHUNK + 1)
        self.assertHeld(finish(mta), "not all of it was read")

    def test_memory_and_file(self):
        """A short one is in memory, a long one in a file without a name in the state's directory, and what is at its end is read."""
        mta = self.mta("192.0.2.1")
        self.assertIsNone(start(mta))
        self.assertIsNone(send_part(mta, b"x" * CHUNK))
        self.assertEqual(self.body_files(), [])
        mta.abort()
        fields, body = bodymail.invitation(policies.people(12), "a line of text\r\n" * 30000)
        self.assertGreater(len(body), MEMORY)
        self.assertIsNone(start(mta, fields))
        send_body(mta, body)
        self.assertEqual(len(self.body_files()), 1)
        self.assertEqual([name for name in os.listdir(self.guard.state_directory) if name.startswith("body")], [])
        self.assertHeld(finish(mta), "12 people")
        self.wait_no_file()

    def long_one(self):
        """A connection in a message whose body is in a file."""
        mta = self.mta("192.0.2.1")
        self.assertIsNone(start(mta))
        send_body(mta, b"x" * (5 * CHUNK))
        self.assertEqual(len(self.body_files()), 1)
        return mta

    def test_an_abort_frees_the_file(self):
        mta = self.long_one()
        mta.abort()
        self.wait_no_file()
        self.assertPassed(self.one(mta, 3)[0])

    def test_the_end_of_the_connection_frees_it(self):
        self.long_one().close()
        self.wait_no_file()
        self.long_one().quit()
        self.wait_no_file()

    def test_the_next_message_frees_it(self):
        mta = self.long_one()
        self.assertPassed(self.one(mta, 3)[0])
        self.assertEqual(self.body_files(), [])


class Timeout(BodyCase):
    CONFIG = {("milter", "timeout"): "5s"}

    def test_it_frees_the_file(self):
        """of an MTA that stops within a part"""
        mta = self.mta("192.0.2.1")
        self.assertIsNone(start(mta))
        send_body(mta, b"x" * (5 * CHUNK))
        self.assertEqual(len(self.body_files()), 1)
        mta.sock.sendall(b"\0\0\xff\xffBxxx")
        self.wait_no_file()


class Memory(BodyCase):
    """16M: a quarter of it for one sender, and four times as much for bodies in files."""

    CONFIG = {("milter", "memory"): "16M"}
    SENDER = "too much mail of yours is being received at once"

    def collecting(self, stack, length, client="192.0.2.1", user=None):
        """A message whose body has come."""
        mta = stack.enter_context(self.guard.client())
        mta.connect(client)
        self.assertIsNone(start(mta, user=user))
        send_body(mta, b"x" * length)
        return mta

    def check(self, mtas, text):
        """The deferred ones, which say this; the others pass.  Then there is room again."""
        deferred = []
        for mta in mtas:
            answer = finish(mta)
            if answer.verdict == milterclient.TEMPFAIL:
                deferred.append(mta)
                self.assertLine(self.guard.verdict(answer), rule="error:memory", verdict="tempfail", defects="limit", text=text)
            else:
                self.assertPassed(answer)
        for mta in deferred:
            self.assertPassed(self.one(mta, 3)[0])
        return len(deferred)

    def test_bodies_in_memory(self):
        """what a short body needs is of the memory of all messages: 32 of 256 kB are 8M, and a sender has 4M"""
        with contextlib.ExitStack() as stack:
            mtas = [self.collecting(stack, 3 * CHUNK, user="hog") for _ in range(32)]
            other = self.collecting(stack, 3 * CHUNK, user="ann")
            self.assertPassed(finish(other))
            self.assertIn(self.check(mtas, "memory: the messages of this login or client would need more than their quarter (4M)"), range(16, 20))

    def test_all_together(self):
        with contextlib.ExitStack() as stack:
            mtas = [self.collecting(stack, 3 * CHUNK, "192.0.2.%d" % (number + 1)) for number in range(80)]
            self.assertIn(self.check(mtas, "memory: all messages together would need more than 16M; see [milter] memory"), range(16, 24))

    def test_bodies_in_files(self):
        with contextlib.ExitStack() as stack:
            mtas = [self.collecting(stack, 9 * MEBIBYTE) for _ in range(2)]
            other = self.collecting(stack, 9 * MEBIBYTE, "192.0.2.2")
            self.assertEqual(self.check(mtas, "memory: the bodies in files of this login or client would need more than their quarter (16M)"), 1)
            self.assertPassed(finish(other))
        self.wait_no_file()

    def test_all_files_together(self):
        with contextlib.ExitStack() as stack:
            mtas = [self.collecting(stack, 9 * MEBIBYTE, "192.0.2.%d" % (number + 1)) for number in range(8)]
            self.assertEqual(self.check(mtas, "memory: all bodies in files together would need more than 64M; see [milter] memory"), 1)
        self.wait_no_file()

    def test_what_was_in_memory_is_given_back(self):
        """a body that went into a file has nothing of the memory: 100 of them leave it to the others"""
        mta = self.mta("192.0.2.1")
        for _ in range(100):
            self.assertIsNone(start(mta))
            send_body(mta, b"x" * (MEMORY + 1))
            mta.abort()
        with contextlib.ExitStack() as stack:
            open_ones = [self.collecting(stack, MEMORY + 1, user="hog") for _ in range(40)]
            self.assertEqual(self.check(open_ones, None), 0)

    @unittest.skipUnless(tap.SANITIZERS == "no", "a sanitizer keeps what is freed")
    def test_the_process(self):
        """Twenty long invitations at once, evaluated together: it keeps its bounds, and gives all of it back."""
        fields, body = bodymail.invitation(policies.people(12), "a line of text\r\n" * (2 * MEBIBYTE // 16))
        answers = []

        def run(number):
            with self.guard.client() as mta:
                mta.connect("192.0.2.%d" % number)
                answers.append(self.message(mta, fields, body)[0].quarantine())

        threads = [threading.Thread(target=run, args=(number,)) for number in range(1, 21)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 20)
        self.assertTrue(all(answer is not None and "12 people" in answer for answer in answers), answers)
        daemon.wait_until(lambda: int(daemon.status(self.guard.child())["VmRSS"].split()[0]) < 64 * 1024, what="memory given back")


@unittest.skipUnless(daemon.ROOT, "only root can mount a small disk")
class Disk(BodyCase):
    """A disk that takes no body: on-error decides if a rule needs it, and never `not there`."""

    SIZE = MEBIBYTE

    def small(self, config=None):
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        owner = daemon.pwd.getpwnam(daemon.USER).pw_uid
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=700,uid=%d" % (self.SIZE, owner), "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return self.guarded(config={("ledger", "path"): os.path.join(folder, "ledger.db"), **(config or {})})

    def ask(self, guard, length=2 * MEBIBYTE, **options):
        fields, body = bodymail.attachment(length)
        with guard.client() as mta:
            mta.connect("192.0.2.1")
            self.assertIsNone(start(mta, fields, **options))
            sent = send_body(mta, body)
            answer = finish(mta)
        return answer, guard.verdict(answer), sent

    def test_full(self):
        guard = self.small()
        mark = guard.mark()
        answer, line, sent = self.ask(guard)
        self.assertDeferred(answer)
        self.assertEqual(answer.reply, "451 4.7.1 the mail system could not act on this message; try again later")
        self.assertLine(line, verdict="tempfail", rule="error:invite")
        self.assertLess(sent, self.SIZE // CHUNK + 1)  # it is told that it need not go on
        said = guard.wait_for_line("^body: ", mark=mark)
        self.assertRegex(said, "no file can be written in %s, and on-error decides of messages whose body is needed: No space left" % os.path.dirname(guard.ledger_path))
        self.assertPassed(self.ask(guard, 100000)[0])  # of which no file is needed
        answer, line, _ = self.ask(guard, user="boss")  # a rule before those that need it
        self.assertPassed(answer)
        self.assertLine(line, rule="boss")
        guard.stop()

    def test_accept_on_error(self):
        """as it was configured, and the line says so"""
        guard = self.small({("milter", "on-error"): "accept"})
        answer, line, _ = self.ask(guard)
        self.assertPassed(answer)
        self.assertLine(line, verdict="accept", rule="error:invite")
        guard.stop()

    def test_no_directory(self):
        """gone while the daemon runs; it is there again"""
        guard = self.guarded(config={})
        folder = os.path.dirname(guard.ledger_path)
        os.rename(folder, folder + ".away")
        mark = guard.mark()
        answer, line, _ = self.ask(guard)
        self.assertDeferred(answer)
        self.assertLine(line, rule="error:invite")
        guard.wait_for_line("^body: .*No such file", mark=mark)
        os.rename(folder + ".away", folder)
        self.assertPassed(self.ask(guard)[0])
        guard.stop()


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
