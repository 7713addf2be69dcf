"""The database of the state is killed, silent, read-only or full, and comes back: `on-error` decides, or with `on-away = local` each server's own file answers, and nothing is missing afterwards."""

import os
import re
import time

import daemon
import ledgerfile
import policies
import postgres
import prometheus
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

    def assertSaidOnce(self, guard, mark, words):
        """In one line a minute, until the database can be used again."""
        back = "state: the database of [state] can be used again"
        guard.wait_for_line(re.escape(back), mark=mark)
        said = self.failures(guard, mark)
        before = said[:next(number for number, line in enumerate(said) if back in line)]
        self.assertEqual(len([line for line in before if words in line]), 1, said)

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
        path, began = os.path.join(self.folder, "rcptguard.prom"), time.monotonic()
        guard, other = self.node(1, more={("metrics", "path"): path}), self.node(2)
        self.assertEqual([self.again(guard), self.again(other)], [9, 18])
        mark = guard.mark()
        give_back = take_away()
        try:
            for _ in range(12):
                self.assertIsNone(self.ask(guard))
            self.assertOthersPass(guard)
        finally:
            give_back()
        self.assertEqual(self.again(guard), 27, "what was deferred is not withdrawn, or something is lost")
        self.assertEqual(self.again(other), 36)
        self.assertSaidOnce(guard, mark, "deferred")
        guard.stop()
        other.stop()
        # Who waited in vain counts, and the thread that was at it; those to whom nothing was asked do not.
        asked = 1 + (time.monotonic() - began) // statecase.PAUSE
        self.assertLessEqual(prometheus.read(path).get("rcptguard_state_errors_total", "operation", "window"), 2 * asked)

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
        guard = daemon.wait_until(lambda: self.in_time(self.node(1, more={("metrics", "path"): path})), 120 * tap.SLOWNESS, "a start without a failure")
        with self.stopped():
            self.assertIsNone(self.ask(guard))
        guard.stop()
        with open(path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r'rcptguard_state_errors_total\{operation="window"\} [12]\n')

    def in_time(self, guard):
        """The daemon, if its first message was not deferred, as it may be on a loaded machine."""
        if self.ask(guard) is not None:
            return guard
        guard.stop()
        return None

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
        guards = one, other = self.nodes(2, MANY, on_away="local")
        self.assertTogether(guards, one, other, one)
        mark = one.mark()
        give_back = take_away()
        try:
            self.assertAlone(one, 5)
            self.assertAlone(other, 2)
        finally:
            give_back()
        self.assertTogether(guards, one, other)
        self.assertSaidOnce(one, mark, "; until it can be used, this server's own file answers")
        for guard in guards:
            guard.stop()

    def test_no_more_mail(self):
        """a server that gets no message any more gives the database what its file has, also after it was started anew"""
        guards = one, other = self.nodes(2, MANY, on_away="local")
        self.assertTogether(guards, one, other)
        give_back = self.kill()
        try:
            self.assertAlone(one, 3)
        finally:
            give_back()
        daemon.wait_until(lambda: self.shown_by_all() == self.sent(*guards), 120 * tap.SLOWNESS, "what the file has")
        self.assertTogether(guards, other)
        for guard in guards:
            guard.stop()

    def value(self, guard):
        """On a loaded machine the file may be too late for the message that has waited for the database: it is deferred, and comes again."""
        return self.again(guard, self.people())

    @staticmethod
    def sent(*guards):
        """How many people the messages of these servers have shown that passed."""
        return 9 * len([line for guard in guards for line in guard.verdicts() if line.within])

    def assertAlone(self, guard, count):
        """Each message has what its own server has seen."""
        before = self.sent(guard)
        self.assertEqual([self.value(guard) for _ in range(count)], [before + 9 * number for number in range(1, count + 1)])

    def assertTogether(self, guards, *turns):
        """In each turn a message of that server has what all have seen, once the database has answered, which a loaded machine can be too late for, and has what the files have."""
        def all_is_there():
            found = [(self.value(guard), self.sent(*guards)) for guard in turns]
            if all(value == sent for value, sent in found):
                return True
            time.sleep(0.3)  # or they are too many for a window
            return False
        daemon.wait_until(all_is_there, 120 * tap.SLOWNESS, "what all servers have seen")
        self.assertEqual(self.shown_by_all(), self.sent(*guards))

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
        guards = one, other = self.nodes(2, MANY, on_away="local")
        self.assertTogether(guards, one, one, other, other)
        self.server.psql("TRUNCATE " + ", ".join("rcptguard." + table for table in sharedstate.TABLES))
        self.server.restart()
        self.assertTogether(guards, one, other)
        for guard in guards:
            guard.stop()

    def test_known(self):
        """a circle is known while it is away; the same permits hold"""
        guard = self.node(1, statecase.BOTH, on_away="local")
        circle, others = self.people(), self.people()
        self.learned(guard, circle)
        daemon.wait_until(lambda: ledgerfile.query(guard.state, "SELECT * FROM circle"), what="learning")
        with Stopped(self.server):
            for people, known in (circle, "yes"), (others, "no"):
                self.assertEqual(guard.verdict(self.answered(lambda people=people: self.send(guard, people))).known, known)
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
