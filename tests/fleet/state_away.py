"""The database of the state is killed, silent, read-only or full, and comes back: `on-error` decides, or with `on-away = local` each server's own file answers, and nothing is missing afterwards."""

import os
import time

import daemon
import ledgerfile
import policies
import postgres
import sharedstate
import statecase
import surroundings
import tap

# More than all messages of a test show together.
HELD_FROM = 4000
MANY = policies.policy(rules=policies.rule("split", "parties(external) within 10m >= %d" % HELD_FROM, 'quarantine "{within}"'))


class AwayCase(sharedstate.SharedStateCase):
    def kill(self):
        """A crash loses what was not written to the log yet, which is the last moment: here nothing is to be lost."""
        daemon.wait_until(lambda: self.server.psql("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()") == "t", what="the log of PostgreSQL")
        self.server.kill()
        return self.server.start

    def silence(self):
        self.server.pause()
        return self.server.resume

    def refuse_writes(self):
        """Sessions that are there go on reading alone, and new ones too."""
        self.server.psql("ALTER DATABASE rcptguard SET default_transaction_read_only = on")
        self.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'relay%'")
        return lambda: self.server.psql("ALTER DATABASE rcptguard RESET default_transaction_read_only", database="postgres")

    def refuse_logins(self):
        self.server.psql("ALTER DATABASE rcptguard CONNECTION LIMIT 0")
        self.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'relay%'")
        return lambda: self.server.psql("ALTER DATABASE rcptguard CONNECTION LIMIT -1", database="postgres")

    WAYS = kill, silence, refuse_writes, refuse_logins

    def each_way(self, check):
        for way in self.WAYS:
            with self.subTest(way=way.__name__):
                self.setUp()
                check(lambda way=way: way(self))


class OnError(AwayCase):
    def test_away(self):
        """deferred within the time, then at once for 5 s; the window goes on where it was"""
        self.each_way(self.check_away)

    def check_away(self, take_away):
        guard, other = self.nodes(2)
        self.assertEqual([self.again(guard), self.again(other)], [9, 18])
        give_back = take_away()
        took = []
        try:
            for _ in range(12):
                began = time.monotonic()
                self.assertIsNone(self.ask(guard))
                took.append(time.monotonic() - began)
            self.assertOthersPass(guard)
        finally:
            give_back()
        self.assertLess(sorted(took)[len(took) // 2], statecase.WAIT * tap.SLOWNESS, took)
        self.assertEqual(self.again(guard), 27, "what was deferred is not withdrawn, or something is lost")
        self.assertEqual(self.again(other), 36)
        self.assertEqual(len([line for line in self.failures(guard) if "deferred" in line]), 1, "logged once a minute")
        guard.wait_for_line("state: the database of \\[state\\] can be used again")
        guard.stop()
        other.stop()

    def test_start(self):
        """a daemon starts while it is away"""
        self.server.kill()
        try:
            guard = self.node(1)
            self.assertIsNone(self.ask(guard))
        finally:
            self.server.start()
        self.assertEqual(self.again(guard), 9)
        guard.stop()

    def test_failover(self):
        """another server takes over: its connection is found again, and the window goes on where it was"""
        with postgres.Server(hba=self.HBA, standby_of=self.server) as standby:
            servers = self.server, standby
            database = postgres.conninfo(host=",".join(server.sockets for server in servers), port=",".join(str(server.port) for server in servers),
                                         user="relay1", dbname=postgres.DATABASE)
            guard = self.node(1, database=database)
            self.assertEqual([self.again(guard) for _ in range(2)], [9, 18])
            daemon.wait_until(lambda: standby.psql("SELECT count(*) FROM rcptguard.state_record") == "2", what="the standby")
            self.server.kill()
            try:
                self.assertIsNone(self.ask(guard), "a standby has answered")
                standby.promote()
                self.assertEqual(self.again(guard), 27)
                self.assertEqual(standby.psql("SELECT count(*) FROM rcptguard.state_record"), "3")
            finally:
                self.server.start()
            guard.stop()

    def test_counted(self):
        path = os.path.join(self.folder, "rcptguard.prom")
        guard = self.node(1, more={("metrics", "path"): path})
        self.again(guard)
        with self.stopped():
            self.assertIsNone(self.ask(guard))
        guard.stop()
        with open(path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r'rcptguard_state_errors_total\{operation="window"\} [12]\n')

    def stopped(self):
        return Stopped(self.server)


class Stopped:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.server.kill()

    def __exit__(self, *_):
        self.server.start()


class Local(AwayCase):
    held_from = HELD_FROM

    def test_away(self):
        """nothing is deferred: the file has what this server has seen; when the database is back, it has what both have seen"""
        self.each_way(self.check_away)

    def check_away(self, take_away):
        one, other = self.nodes(2, MANY, on_away="local")
        self.assertEqual([self.value(one), self.value(other), self.value(one)], [9, 18, 27])
        give_back = take_away()
        try:
            self.assertEqual([self.value(one) for _ in range(5)], [27, 36, 45, 54, 63])
            self.assertEqual([self.value(other) for _ in range(2)], [18, 27])
        finally:
            give_back()
        self.assertBoth(one, other)
        one.wait_for_line("state: .*; until it can be used, this server's own file answers")
        self.assertEqual(len([line for line in self.failures(one) if "own file answers" in line]), 1, "logged once a minute")
        one.wait_for_line("state: the database of \\[state\\] can be used again")
        for guard in one, other:
            guard.stop()

    def test_no_more_mail(self):
        """a server that gets no message any more gives the database what its file has, also after it was started anew"""
        one, other = self.nodes(2, MANY, on_away="local")
        self.assertEqual([self.value(one), self.value(other)], [9, 18])
        give_back = self.kill()
        try:
            self.assertEqual([self.value(one) for _ in range(3)], [18, 27, 36])
        finally:
            give_back()
        daemon.wait_until(lambda: self.shown_by_all() == 45, 120 * tap.SLOWNESS, "what the file has")
        self.assertEqual(self.value(other), 54)
        for guard in one, other:
            guard.stop()

    def value(self, guard):
        """On a loaded machine the file may be too late for the message that has waited for the database: it is deferred, and comes again."""
        return self.again(guard, self.people())

    def assertBoth(self, one, other):
        """Each message of both is in the database, which is written when the next message has found it."""
        sent = [9 * len([line for line in guard.verdicts() if line.within]) for guard in (one, other)]

        def all_is_there():
            for index, guard in enumerate((one, other)):
                self.value(guard)
                sent[index] += 9
            return self.shown_by_all() == sum(sent)
        daemon.wait_until(all_is_there, 120 * tap.SLOWNESS, "the records of both servers")
        self.assertEqual(self.value(one), sum(sent) + 9)
        self.assertEqual(self.value(other), sum(sent) + 18)

    def test_start(self):
        """a daemon that starts while it is away has its file, and the database gets what is in that"""
        path = os.path.join(self.folder, "state.db")
        self.server.kill()
        try:
            for number in range(2):
                guard = self.node(1, MANY, on_away="local", path=path)
                self.assertEqual([self.value(guard), self.value(guard)], [18 * number + 9, 18 * number + 18])
                guard.stop()
        finally:
            self.server.start()
        guard = self.node(1, MANY, on_away="local", path=path)
        self.assertEqual(self.value(guard), 45)
        daemon.wait_until(lambda: self.shown_by_all() == 45, what="the records of before")
        guard.stop()

    def test_lost(self):
        """a database that was lost and made anew is filled from the files"""
        one, other = self.nodes(2, MANY, on_away="local")
        self.assertEqual([self.value(guard) for guard in (one, one, other, other)], [9, 18, 27, 36])
        self.server.psql("TRUNCATE " + ", ".join("rcptguard." + table for table in sharedstate.TABLES))
        self.server.restart()
        self.assertBoth(one, other)
        for guard in one, other:
            guard.stop()

    def test_known(self):
        """a circle is known while it is away; the same permits hold"""
        guard = self.node(1, statecase.BOTH, on_away="local")
        circle = self.people()
        self.assertPassed(self.send(guard, circle))
        daemon.wait_until(lambda: self.count("state_circle") == 1 and ledgerfile.query(guard.state, "SELECT * FROM circle"), what="learning")
        with Stopped(self.server):
            self.assertEqual(guard.verdict(self.send(guard, circle)).known, "yes")
            self.assertEqual(guard.verdict(self.send(guard)).known, "no")
        guard.stop()

    def test_restored(self):
        """a daemon that starts while the database does not exist has its file, too"""
        path = os.path.join(self.folder, "state.db")
        guard = self.node(1, MANY, on_away="local", path=path)
        self.assertEqual(self.value(guard), 9)
        guard.stop()
        self.server.psql("ALTER DATABASE rcptguard RENAME TO elsewhere", database="postgres")
        try:
            guard = self.node(1, MANY, on_away="local", path=path)
            guard.wait_for_line('database "rcptguard" does not exist; until it can be used, this server\'s own file answers')
            self.assertEqual(self.value(guard), 18)
        finally:
            self.server.psql("ALTER DATABASE elsewhere RENAME TO rcptguard", database="postgres")
        daemon.wait_until(lambda: self.shown_by_all() == 18, 120 * tap.SLOWNESS, "what the file has")
        guard.stop()

    def test_file_fails(self):
        """while the database answers: it is said and counted, and nothing is deferred"""
        path = os.path.join(self.folder, "rcptguard.prom")
        guard = self.node(1, MANY, on_away="local", more={("metrics", "path"): path})
        self.assertEqual(self.value(guard), 9)
        ledgerfile.execute(guard.state, "ALTER TABLE record RENAME TO gone")
        self.assertEqual([self.value(guard) for _ in range(2)], [18, 27])
        guard.wait_for_line("state: .*state.db: .*; the database answers, but the file will lack this if that is away")
        guard.stop()
        self.assertEqual(len([line for line in self.failures(guard) if "will lack this" in line]), 1, "logged once a minute")
        with open(path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r'rcptguard_state_errors_total\{operation="window"\} [23]\n')

    def test_permit_of_another(self):
        """one that another server gave cannot be known while the database is away: deferred, and taken afterwards"""
        one, other = [self.node(number, statecase.OVERRIDE, more=statecase.ANSWERS, on_away="local") for number in (1, 2)]
        address = self.refused(one)
        with Stopped(self.server):
            people = policies.people(6)
            answer = self.mass_once(other, people, people + [address])
            self.assertDeferred(answer)
            self.assertEqual(other.verdict(answer).rule, "error:override")
            self.refused(other, sender="third@me.example")
        self.back(other)
        self.assertEqual(self.overrides(other, address), "yes")
        for guard in one, other:
            guard.stop()

    def test_permits(self):
        """one that was given while it is away is taken afterwards, and one that was taken then is used"""
        guard = self.node(1, statecase.OVERRIDE, more=statecase.ANSWERS, on_away="local")
        before = self.refused(guard)
        with Stopped(self.server):
            meanwhile = self.refused(guard)
            self.assertEqual(self.overrides(guard, before), "yes")
        self.back(guard)
        self.assertEqual(self.overrides(guard, before), "override:used")
        self.assertEqual(self.overrides(guard, meanwhile), "yes")
        guard.stop()

    def back(self, guard):
        """The database answers again, after the time in which it is not asked."""
        def answers():
            self.refused(guard, sender="other@me.example")  # an author has so many permits at most
            return any("can be used again" in line for line in self.failures(guard))
        daemon.wait_until(answers, 60 * tap.SLOWNESS, "the database")


if __name__ == "__main__":
    surroundings.enter()
    tap.main(900)
