"""The memory that all messages may have together, and what one sender may have of it.

The connections of a flood are of a process of their own, so that the messages beside it wait for nothing but the daemon.
"""

import contextlib
import multiprocessing
import os
import re
import struct
import time
import unittest

import daemon
import guardcase
import milterclient
import policies
import tap

MEGABYTE = 10**6
LIMIT = 64  # mebibytes, and 16 of them for one sender
BASE = 64  # mebibytes that the daemon may have beside what messages have: threads, and what the C library keeps

SENDER_TEXT = "451 4.3.1 too much mail of yours is being received at once; send fewer or shorter messages at a time, and try again later"
ALL_TEXT = "451 4.3.1 the mail filter has no memory for this message now; try again later"


def packet(name, length):
    payload = name.encode() + b"\0" + b"x" * length + b"\0"
    return struct.pack(">I", len(payload) + 1) + b"L" + payload


def fields(total, each):
    """`total` bytes of header fields, as packets."""
    return packet("X-Long", each) * (total // each)


def begin(guard, client, data, user=None):
    """A connection with a message whose header has come, and not its end."""
    mta = guard.client(timeout=120)
    mta.connect(client)
    mta.envelope("care@me.example", ["one@cust1.example"], user=user)
    mta.data("-")
    mta.sock.sendall(data)
    return mta


def collected(guard, *where):
    """The same; the daemon has all of it, and answers eom() next."""
    mta = begin(guard, *where)
    mta.eoh("BIG")
    return mta


def finish(mta, queue_id="BIG"):
    mta.eoh(queue_id)
    return mta.eom(queue_id)


def flood(guard, count, data, queue_id, hold, results):
    """Many connections with long messages, all of them open at once; `hold` keeps them until it is set.  All have one queue id."""
    with contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(begin(guard, "192.0.2.%d" % (number + 1), data)) for number in range(count)]
        results.put("collected")
        hold.wait(60)
        for mta in open_ones:
            answer = finish(mta, queue_id)
            results.put((answer.verdict, answer.reply))


class Memory(guardcase.GuardCase):
    POLICY = policies.policy(outbound='outbound when client in "0.0.0.0/0", "::/0"')
    CONFIG = {("milter", "memory"): "%dM" % LIMIT}

    def setUp(self):
        self.child = self.guard.child()

    def resident(self, name="VmRSS"):
        """Mebibytes; VmHWM is the most there ever was."""
        return int(daemon.status(self.child)[name].split()[0]) // 1024

    def deferrals(self):
        """Lines of the last flood, which may come after its answers."""
        lines = [daemon.parse(line) for line in self.guard.lines]
        return len([line for line in lines if line is not None and line.queue_id == self.flood and line.rule == "error:memory"])

    def flooded(self, count, data):
        """The answers to the messages of a flood, while which others are served."""
        context = multiprocessing.get_context("fork")
        hold, results = context.Event(), context.Queue()
        self.flood = milterclient.new_queue_id()
        process = context.Process(target=flood, args=(self.guard, count, data, self.flood, hold, results))
        process.start()
        try:
            while results.empty():
                self.assertPassed(self.send(self.mta("198.51.100.7"), sender="care@me.example", to=["one@cust1.example"]))
                time.sleep(0.05)  # the flood has the processors
            self.assertEqual(results.get(timeout=120), "collected")
            for _ in range(20):
                self.assertPassed(self.send(self.mta("198.51.100.7"), to=["one@cust1.example"]))
            hold.set()
            return [results.get(timeout=120) for _ in range(count)]
        finally:
            hold.set()
            process.join(60)
            process.kill()
            process.join()

    def assertBounded(self, answers):
        self.assertEqual(set(answers), {("accept", None), ("tempfail", ALL_TEXT)})
        deferred = sum(verdict == "tempfail" for verdict, _ in answers)
        daemon.wait_until(lambda: self.deferrals() == deferred, what=lambda: "a line for each of %d deferrals (there are %d)" % (deferred, self.deferrals()))
        if tap.SANITIZERS != "no":  # it keeps what is freed, and a shadow of all
            return
        self.assertLess(self.resident("VmHWM"), LIMIT * 3 // 2 + BASE)
        daemon.wait_until(lambda: self.resident() < BASE, what=lambda: "memory given back: there are still %d MiB" % self.resident())

    def test_many_connections_of_15_mb(self):
        self.assertBounded(self.flooded(30, fields(15 * MEGABYTE, 60000)))

    def test_many_connections_of_short_fields(self):
        self.assertBounded(self.flooded(60, fields(3 * MEGABYTE, 70)))

    def test_one_sender_has_a_quarter(self):
        """The others are served, with long messages, too, and so is he in the end."""
        data = fields(10 * MEGABYTE, 60000)
        here = "192.0.2.1"
        with collected(self.guard, here, data, "hog") as first, begin(self.guard, here, data, "hog") as second, begin(self.guard, here, data, "ann") as other:
            queue_id = milterclient.new_queue_id()
            answer = finish(second, queue_id)
            self.assertEqual((answer.verdict, answer.reply), ("tempfail", SENDER_TEXT))
            self.assertEqual(finish(other).verdict, "accept")
            self.assertEqual(first.eom("BIG").verdict, "accept")
            # The same connection, now that there is room.
            answer = second.message("care@me.example", ["one@cust1.example"], [("To", "one@cust1.example")] + [("X-Long", "x" * 60000)] * 166, user="hog")
            self.assertEqual(answer.verdict, "accept")
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="tempfail", rule="error:memory", user="hog", defects="limit",
                        text="memory: the messages of this login or client would need more than their quarter (16M)")

    def test_addresses_of_one_network_are_one_client(self):
        data = fields(10 * MEGABYTE, 60000)
        with collected(self.guard, "2001:db8::1", data) as first, begin(self.guard, "2001:db8::2", data) as second, \
                begin(self.guard, "2001:db8:0:1::1", data) as third:
            self.assertEqual([first.eom("BIG").verdict, finish(second).verdict, finish(third).verdict], ["accept", "tempfail", "accept"])

    def test_recipients_count(self):
        """A message of nothing but recipients."""
        mta = self.mta()
        rcpt = b"R<one@cust1.example>\0"
        mta.mail("care@me.example")
        mta.sock.sendall((struct.pack(">I", len(rcpt)) + rcpt) * 300000)
        answer = mta.eom("RCPT")
        self.assertEqual((answer.verdict, answer.reply), ("tempfail", SENDER_TEXT))

    def test_what_would_be_rejected_is_not_accepted(self):
        """What was collected is gone; that it showed sixty people must not be lost with it."""
        with collected(self.guard, "192.0.2.1", fields(10 * MEGABYTE, 60000), "hog") as first:
            mta = self.mta()
            more = [("X-Long", "x" * 60000)] * 120
            answer, line = self.judge(mta, cc=policies.people(60), headers=more, user="hog")
            self.assertDeferred(answer)
            self.assertLine(line, rule="error:memory")
            first.eom("BIG")


class LongPackets(Memory):
    """One field of 15 MB: the library has memory for a packet before the milter sees it."""

    def test_many_connections_of_15_mb(self):
        self.assertBounded(self.flooded(30, packet("X-Long", 15 * MEGABYTE)))

    def test_the_next_message(self):
        """One that was not handed over leaves the connection as it was."""
        data = packet("X-Long", 15 * MEGABYTE)
        with contextlib.ExitStack() as stack:
            half = [stack.enter_context(begin(self.guard, "192.0.2.1", data[:MEGABYTE])) for _ in range(2)]
            mta = stack.enter_context(begin(self.guard, "192.0.2.1", data))
            deferred = finish(mta)
            self.assertEqual((deferred.verdict, deferred.reply), ("tempfail", ALL_TEXT))
            for other in half:
                other.close()
            self.assertPassed(self.send(mta, to=["one@cust1.example"]))
            answer = self.send(mta, to=["one@cust1.example"], headers=[("X-Long", "x" * (15 * MEGABYTE))])
            self.assertPassed(answer)

    test_many_connections_of_short_fields = test_one_sender_has_a_quarter = test_addresses_of_one_network_are_one_client = None
    test_recipients_count = test_what_would_be_rejected_is_not_accepted = None


class Metrics(guardcase.GuardCase):
    CONFIG = {("milter", "memory"): "16M"}

    def test_a_message_of_more_than_a_quarter(self):
        mta = self.mta()
        answer, line = self.judge(mta, to=["one@cust1.example"], headers=[("X-Long", "x" * 60000)] * 80)
        self.assertDeferred(answer)
        self.assertLine(line, rule="error:memory", text="memory: the messages of this login or client would need more than their quarter (4M)")
        answer, _ = self.judge(mta, to=["one@cust1.example"], headers=[("X-Long", "x" * 60000)] * 50)
        self.assertPassed(answer)


def cgroup_root():
    """Where groups with a limit of memory can be made, and the file of the limit; or a test is skipped."""
    for root, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        if os.access(os.path.join(root, "cgroup.procs"), os.W_OK) and (file != "memory.max" or "memory" in words(root + "/cgroup.subtree_control")):
            return root, file
    raise unittest.SkipTest("no control group with a limit of memory can be made here")


def words(path):
    with open(path, encoding="ascii") as file:
        return file.read().split()


class ServiceLimit(unittest.TestCase):
    """A limit as MemoryMax sets it; 96M are enough for 10,000 domains and a flood."""

    MOST = 96  # mebibytes

    def setUp(self):
        root, file = cgroup_root()
        self.group = os.path.join(root, "rcptguard-test-%d" % os.getpid())
        try:
            os.mkdir(self.group)
            self.addCleanup(daemon.wait_until, self.remove_group, what="the end of all in the group")
            daemon.write(os.path.join(self.group, file), "%dM" % self.MOST, os.stat(os.path.join(self.group, file)).st_mode)
        except OSError as failure:
            self.skipTest("no limit of memory can be set here: %s" % failure)

    def remove_group(self):
        try:
            os.rmdir(self.group)
        except OSError:
            return False
        return True

    def start(self, config=None):
        """In the group; this process itself leaves no memory in it."""
        classes = policies.CLASSES + 'class big { domains from "big" }\n'
        table = "".join("customer-%d.example\n" % number for number in range(10000))
        guard = daemon.Daemon(policies.policy(classes=classes, outbound='outbound when client in "0.0.0.0/0"'), files={"big": table}, config=config,
                              control_group=self.group)
        self.addCleanup(guard._clean)
        return guard

    def test_it_says_what_it_needs(self):
        guard = self.start()
        line = guard.wait_for_line("memory: ")
        needed, allowed, kept = (int(number) for number in re.search(r"(\d+)M may be needed, and (\d+)M are allowed, so messages have (\d+)M of", line).groups())
        self.assertEqual(allowed, self.MOST)
        self.assertGreater(needed, 256 * 3 // 2)
        self.assertLess(kept * 3 // 2, self.MOST)
        guard.stop()

    def test_enough_is_silent(self):
        guard = self.start({("milter", "memory"): "16M"})
        guard.stop()
        self.assertEqual([line for line in guard.lines if "memory: " in line], [])

    @unittest.skipUnless(tap.SANITIZERS == "no", "a sanitizer needs more than the limit")
    def test_a_flood_does_not_kill_it(self):
        guard = self.start()
        child = guard.child()
        data = fields(6 * MEGABYTE, 60000)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(begin(guard, "192.0.2.%d" % number, data)) for number in range(1, 60)]
            verdicts = [finish(mta).verdict for mta in clients]
            self.assertEqual(set(verdicts), {"accept", "tempfail"})
        self.assertEqual(guard.child(), child)
        guard.stop()


if __name__ == "__main__":
    tap.main(300)
