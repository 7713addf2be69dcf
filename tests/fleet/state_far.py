"""The database of the state is far away: a connection needs many round trips, or the lookup of its host's name, and more time than a message has."""

import socket
import threading
import time
import unittest

import daemon
import postgres
import sharedstate
import surroundings
import tap
import tcplink


class Far(sharedstate.SharedStateCase):
    HBA = sharedstate.TRUST + "host all all 127.0.0.1/32 trust\n"

    def far(self, delay, **keys):
        """A node whose database is so many seconds away, each way."""
        link = tcplink.Link(self.server.port, delay)
        self.addCleanup(link.close)
        database = postgres.conninfo(hostaddr="127.0.0.1", port=link.port, user="relay1", dbname=postgres.DATABASE, sslmode="disable", gssencmode="disable")
        return self.node(1, database=database, **keys)

    def break_connections(self):
        self.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'relay%'")

    def test_broken(self):
        """a connection that has broken is made again beside the messages, however long that takes"""
        guard = self.far(0.025)
        self.assertEqual(self.again(guard, self.people()), 9)
        self.break_connections()
        self.assertEqual(self.again(guard, self.people()), 18)
        guard.stop()

    def test_broken_local(self):
        """with the own file, too: the database gets what the file has had meanwhile"""
        guard = self.far(0.016, on_away="local")
        self.assertEqual(self.again(guard, self.people()), 9)
        self.break_connections()
        self.assertEqual(self.again(guard, self.people()), 18)
        guard.wait_for_line("state: .*; until it can be used, this server's own file answers")
        daemon.wait_until(lambda: self.shown_by_all() == 18, 120 * tap.SLOWNESS, "what the file has")
        guard.stop()


# A lookup by the resolver takes LOOKUP seconds if nobody answers; all that must not wait for it is done before.
RESOLVER = "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n"
LOOKUP = 150


class Resolver:
    """A name server that is silent until `speaks` is set, and then says of each name, after `delay` seconds, that it is 127.0.0.1."""

    def __init__(self):
        self.asked, self.speaks, self.delay = threading.Event(), threading.Event(), 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            self.asked.set()
            self.speaks.wait()
            time.sleep(self.delay)
            self._socket.sendto(self.answer(query), client)

    @staticmethod
    def answer(query):
        """RFC 1035, section 4.1: the question again, and one address if it asks for one of IPv4."""
        end = query.index(b"\0", 12) + 5
        count = int(query[end - 4:end - 2] == b"\0\1")
        return query[:2] + b"\x81\x80\0\1" + bytes([0, count]) + bytes(4) + query[12:end] + count * (b"\xc0\x0c\0\1\0\1" + bytes(4) + b"\0\4" + socket.inet_aton("127.0.0.1"))


@unittest.skipUnless(daemon.ROOT, "without root there is no network whose names are ours")
class Named(sharedstate.SharedStateCase):
    HBA = sharedstate.TRUST + "host all all 127.0.0.1/32 trust\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        daemon.write("/etc/resolv.conf", RESOLVER)
        daemon.write("/etc/nsswitch.conf", "hosts: files dns\n")
        cls.resolver = Resolver()

    def setUp(self):
        super().setUp()
        self.resolver.delay = 0
        self.resolver.speaks.clear()
        self.resolver.asked.clear()
        self.begin = time.monotonic()
        self.guard = self.node(1, database=postgres.conninfo(host="db.me.example", port=self.server.port, user="relay1", dbname=postgres.DATABASE, sslmode="disable"), on_away="local")

    def assertDuringLookup(self):
        self.assertTrue(self.resolver.asked.is_set())
        self.assertLess(time.monotonic() - self.begin, LOOKUP)

    def test_lookup(self):
        """a name that is looked up for long delays neither the start nor messages, and the database gets what the file has had when it is found out"""
        self.assertEqual([self.again(self.guard, self.people()) for _ in range(2)], [9, 18])
        self.assertDuringLookup()
        self.resolver.speaks.set()
        daemon.wait_until(lambda: self.shown_by_all() == 18, 120 * tap.SLOWNESS, "what the file has")
        self.guard.stop()

    def test_slow_lookup(self):
        """a name that takes seconds each time is found out: that is not the time of the server"""
        self.resolver.delay = 3
        self.resolver.speaks.set()
        self.assertEqual(self.again(self.guard, self.people()), 9)
        daemon.wait_until(lambda: self.shown_by_all() == 9, 120 * tap.SLOWNESS, "what the file has")
        self.guard.stop()

    def test_stop(self):
        """nor the end of the daemon"""
        self.assertEqual(self.again(self.guard, self.people()), 9)
        self.guard.stop()
        self.assertDuringLookup()


if __name__ == "__main__":
    surroundings.enter(["/etc"])
    tap.main(900)
