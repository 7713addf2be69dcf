"""Many connections at once: each message gets the verdict that is its own."""

import functools
import os
import queue
import re
import struct
import threading
import time

import daemon
import guardcase
import milterclient
import policies
import tap

KINDS = [
    ("reject", "mass-disclosure", 60, 0),
    ("quarantine", "wide-cc", 12, 0),
    ("accept", "default", 3, 0),
    ("accept", "default", 0, 60),
    ("unjudged", None, 60, 0),
]


class Load(guardcase.GuardCase):
    def session(self, number, results):
        try:
            with self.guard.client() as mta:
                mta.connect("127.0.0.1")
                for count in range(10):
                    kind = KINDS[(number + count) % len(KINDS)]
                    verdict, _, visible, hidden = kind
                    seen = policies.people(visible, "s%dm%dv" % (number, count))
                    blind = policies.people(hidden, "s%dm%dh" % (number, count))
                    sender = "list@outside.test" if verdict == "unjudged" else "care@me.example"
                    message = functools.partial(guardcase.send, mta, sender, ["self@me.example"], seen, envelope=seen + blind + ["self@me.example"])
                    results.put((kind, guardcase.in_time(self.guard, message)))
                    if count % 3 == 0:
                        mta.abort()
                mta.quit()
        except BaseException as failure:  # told in the test's own thread
            results.put((None, failure))

    def test_200_messages_over_20_connections(self):
        results = queue.Queue()
        threads = [threading.Thread(target=self.session, args=(number, results)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [results.get() for _ in range(results.qsize())]
        failures = [answer for kind, answer in found if kind is None]
        self.assertEqual(failures, [])
        self.assertEqual(len(found), 200)
        for (verdict, rule, visible, hidden), answer in found:
            if verdict == "unjudged":
                self.assertEqual((answer.stage, answer.verdict), ("mail", milterclient.ACCEPT))
                continue
            self.assertLine(self.guard.verdict(answer), verdict=verdict, rule=rule, visible=visible, parties=visible, internal=1, hidden=hidden,
                            defects="none")
            if verdict == "reject":
                self.assertRejected(answer, policies.REJECT_TEXT % 60)
            elif verdict == "quarantine":
                self.assertHeld(answer, "12 parties")
            else:
                self.assertPassed(answer)
        self.assertEqual(len([line for line in self.guard.verdicts() if not re.search(guardcase.SLOW, line.text)]), 160)


class HalfOpen(guardcase.GuardCase):
    """Connections that stop within a packet: no thread waits for the rest, so nobody waits for a thread."""

    def test_300_of_them(self):
        half = struct.pack(">I", 100) + b"L" + b"X-Long\0"
        for _ in range(300):
            mta = self.mta(connected=False)
            mta.sock.sendall(half)
        child = self.guard.child()
        daemon.wait_until(lambda: len(os.listdir("/proc/%d/task" % child)) < 30, what="threads that have nothing to wait for")
        for _ in range(100):
            began = time.monotonic()
            self.assertPassed(self.send(to=["one@cust1.example"]))
            self.assertLess(time.monotonic() - began, 20 * tap.SLOWNESS)

    def test_a_packet_that_comes_byte_by_byte(self):
        mta = self.mta()
        mta.mail("care@me.example")
        mta.rcpt("one@cust1.example")
        mta.data("SLOW")
        payload = b"To\0" + policies.folded(policies.people(60)).encode() + b"\0"
        for place, byte in enumerate(struct.pack(">I", len(payload) + 1) + b"L" + payload):
            mta.sock.sendall(bytes([byte]))
            if place % 100 == 0:
                time.sleep(0.01)  # so that the pool has the connection back
        mta.eoh("SLOW")
        self.assertRejected(mta.eom("SLOW"), policies.REJECT_TEXT % 60)


if __name__ == "__main__":
    tap.main()
