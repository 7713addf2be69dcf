"""A hostile peer of the socket: mutated sessions, and sessions cut at every byte.  No crash, no hang, neighbours are served, memory is bounded."""

import itertools
import socket
import struct
import threading
import unittest

import daemon
import guardcase
import milterclient
import policies
import soak
import tap

SESSIONS = soak.pick(600, 100000)
PEERS = 2  # at once
NEIGHBOURS = soak.pick(150, 2000)  # messages that are measured
HANG = soak.pick(60, 10) * tap.SLOWNESS
SLOWER = 3  # times, a neighbour's p99
NOISE = soak.pick(10, 0.02) * tap.SLOWNESS  # seconds by which a p99 may differ on a machine with other work
GROWTH = 24 * 1024  # kB of resident memory after a warm-up


def packet(command, payload=b""):
    return struct.pack(">I", len(payload) + 1) + command + payload


def macros(stage, *pairs):
    return packet(b"D", stage + b"".join(word + b"\0" for pair in pairs for word in pair))


def conversation():
    """The packets of a session of two messages."""
    people = b", ".join(address.encode() for address in policies.people(12))
    first = [packet(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)), macros(b"C", (b"j", b"mail.me.example"), (b"{daemon_name}", b"smtpd"), (b"v", b"Postfix 3.7.11")),
             packet(b"C", b"client.example\0004" + struct.pack(">H", 25) + b"127.0.0.1\0"), packet(b"H", b"client.example\0")]
    message = [macros(b"M", (b"i", b"4XyHOSTz"), (b"{auth_type}", b"PLAIN"), (b"{auth_authen}", b"care")), packet(b"M", b"<care@me.example>\0SIZE=100\0"),
               macros(b"R", (b"i", b"4XyHOSTz")), packet(b"R", b"<one@else.example>\0"), macros(b"T", (b"i", b"4XyHOSTz")), packet(b"T"), packet(b"L", b"From\0<care@me.example>\0"),
               packet(b"L", b"Cc\0" + people + b"\0"), packet(b"L", b"Subject\0=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\0"), packet(b"N"), packet(b"B", b"Hello.\r\n"),
               macros(b"E", (b"i", b"4XyHOSTz")), packet(b"E")]
    return first + message + [packet(b"A")] + message + [packet(b"K"), packet(b"Q")]


WHOLE = conversation()
NUMBERS = 0, 1, 2, 5, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x100000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF


def mutated(chance):
    """One session in which something is wrong, in one way or in several."""
    packets = list(WHOLE)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(packets))
        one = packets[place]
        way = chance.randrange(9)
        if way == 0:
            del packets[place]
        elif way == 1:
            packets.insert(place, chance.choice(packets))
        elif way == 2:
            other = chance.randrange(len(packets))
            packets[place], packets[other] = packets[other], packets[place]
        elif way == 3 and len(one) > 0:
            at = chance.randrange(len(one))
            packets[place] = one[:at] + bytes([chance.randrange(256)]) + one[at + 1:]
        elif way == 4:
            packets[place] = struct.pack(">I", chance.choice(NUMBERS)) + one[4:]
        elif way == 5:
            packets[place] = packet(bytes([chance.randrange(256)]), one[5:])
        elif way == 6:
            packets[place] = packet(one[4:5], one[5:].replace(b"\0", chance.choice((b"", b"\0\0", b"\1"))))
        elif way == 7:
            packets[place] = packet(one[4:5], chance.randbytes(chance.choice((0, 1, 3, 200, 70000))))
        else:
            packets[place] = one[:chance.randrange(len(one) + 1)]
        if not packets:
            break
    return b"".join(packets)


@unittest.skipUnless(daemon.ROOT, "as the other rows")
class Hostile(guardcase.GuardCase):
    def talk(self, data):
        """Sends all of it, reads whatever comes, and waits for the end: the daemon closes when there is nothing more to read."""
        with milterclient.open_socket(self.guard.socket, HANG) as peer:
            try:
                for at in range(0, len(data), 60000):
                    peer.sendall(data[at:at + 60000])
                peer.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                return
            try:
                while peer.recv(65536):
                    pass
            except ConnectionResetError:
                pass

    def neighbour(self, count=NEIGHBOURS):
        """Seconds that each message of a well-behaved neighbour took, on one connection."""
        times = []
        with self.guard.client(timeout=HANG) as client:
            client.connect("127.0.0.1")
            for _ in range(count):
                answer, took = soak.timed(lambda: guardcase.send(client, cc=policies.people(3)))
                self.assertPassed(answer)
                times.append(took)
        return times

    def under(self, sessions):
        """Sends them from several peers, with a neighbour beside them; gives the neighbour's p99 before and meanwhile, and the sessions in all."""
        source = iter(sessions)
        sent = itertools.count()

        def peer(_number):
            data = next(source, None)
            if data is None:
                workers.stop.set()
            else:
                self.talk(data)
                next(sent)

        for _ in range(100):  # warm-up
            self.talk(b"".join(WHOLE))
        alone = soak.percentile(self.neighbour(), 99)
        memory, times = soak.rss(self.guard.child()), []
        child = self.guard.child()
        with soak.Workers(PEERS, peer) as workers:
            while not workers.stop.is_set() and workers.alive():
                times.extend(self.neighbour(20))
        self.assertEqual(self.guard.child(), child, "it was started anew")
        grown = soak.rss(child) - memory
        p99 = soak.percentile(times, 99)
        count = next(sent)
        soak.measured("%s: %d sessions; a neighbour's p99 %.1f ms, before %.1f ms; RSS grew by %d kB", self.id().rpartition(".")[2], count, 1000 * p99, 1000 * alone, grown)
        self.assertLess(p99, SLOWER * alone + NOISE)
        self.assertLess(grown, GROWTH)
        daemon.wait_until(lambda: soak.descriptors(child) < 64, what="the end of the connections")
        return count

    def test_mutated(self):
        chance = soak.chance("hostile")
        self.assertEqual(self.under(Locked(mutated(chance) for _ in range(SESSIONS))), SESSIONS)

    def test_every_truncation(self):
        whole = b"".join(WHOLE)
        step = soak.pick(len(whole) // 400 + 1, 1)
        cuts = range(0, len(whole) + 1, step)
        self.assertEqual(self.under(Locked(whole[:cut] for cut in cuts)), len(cuts))


class Locked:
    """An iterator that several threads may ask."""

    def __init__(self, values):
        self.values = iter(values)
        self.lock = threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.values)


if __name__ == "__main__":
    tap.main(soak.LIMIT)
