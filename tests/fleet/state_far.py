"""The database of the state is far away: a connection needs many round trips, and more time than a message has."""

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


if __name__ == "__main__":
    surroundings.enter()
    tap.main(900)
