"""Three daemons with one PostgreSQL: what they have seen adds up by the database's time, and what one lets pass or refuses the others know."""

import json
import os
import struct
import subprocess

import daemon
import fakeclock
import guardcase
import policies
import privacy
import sharedstate
import statecase
import surroundings
import tap

THIRD = policies.policy(rules=policies.rule("split", "parties(external) within 10m >= 27", 'quarantine "{within}"'))


class Windows(sharedstate.SharedStateCase):
    def test_twenty_over_three(self):
        """20 mails of 9, each to the next of three servers: held from the third on"""
        guards = self.nodes(policy=THIRD)
        for number in range(20):
            guard, people = guards[number % 3], self.people()
            answer = self.answered(lambda guard=guard, people=people: self.send(guard, people))
            self.assertEqual(guard.verdict(answer).within, "split:%d" % (9 * (number + 1)))
            (self.assertHeld if number >= 2 else self.assertPassed)(answer)
        for guard in guards:
            guard.stop()
        self.assertEqual(glob_of_files(guards), [], "a file of [state] beside the database")
        self.assertEqual(self.shown_by_all(), 180)

    def test_no_address(self):
        """the database has hashes, and no address or domain"""
        guard = self.node(1, statecase.BOTH)
        self.learned(guard, *(self.people() for _ in range(3)))
        guard.stop()
        dump = "\n".join(self.server.psql("TABLE rcptguard." + table) for table in sharedstate.TABLES if table != "state_need")  # it has the servers' names
        self.assertEqual(privacy.leaks([dump]), [])
        self.assertNotIn("example", dump)

    def test_clocks(self):
        """five seconds apart, and an hour: each sees what the others have just seen"""
        for ahead in 5, 3600:
            with self.subTest(seconds=ahead):
                guards = [self.shifted(number, seconds) for number, seconds in ((1, -ahead), (2, 0), (3, ahead))]
                before = self.again(guards[0])
                self.assertEqual([self.again(guard) for guard in (guards[2], guards[0], guards[1], guards[2])], [before + 9 * n for n in range(1, 5)])
                spread = self.server.psql("SELECT max(at) - min(at) < 1800 AND abs(max(at) - extract(epoch FROM clock_timestamp())) < 1800 FROM rcptguard.state_record")
                self.assertEqual(spread, "t", "a time that is not the database's")
                for guard in guards:
                    guard.stop()

    def shifted(self, number, seconds):
        path = daemon.write(os.path.join(self.folder, "clock%d" % number), struct.pack("=qq", seconds, 0))
        shim = {"LD_PRELOAD": fakeclock.LIBRARY, "FAKE_CLOCK": path}
        os.environ.update(shim)
        try:
            return self.node(number)
        finally:
            for name in shim:
                del os.environ[name]

    def test_race(self):
        """of two at once on two servers one is held, or deferred"""
        guards = self.nodes(2, statecase.RACE)
        self.check_race(guards)
        for guard in guards:
            guard.stop()

    def test_restart(self):
        """a new process, and a new server, know what was seen"""
        one, other = self.nodes(2)
        self.again(one)
        one.stop()
        self.assertEqual(self.again(other), 18)
        self.assertTrue([found for found in [self.restarted(other) for _ in range(5)] if found], "a connection that has broken is made again at once")
        self.assertEqual(self.again(self.node(1), self.people()), 9 * 8)
        other.stop()

    def restarted(self, guard):
        """What the message has that finds a connection of before; None if it was too late on a loaded machine, and came again."""
        people = self.people()
        self.server.restart()
        found = self.ask(guard, people)
        self.again(guard, people)
        return found


class Others(sharedstate.SharedStateCase):
    def test_known(self):
        """what one has let pass another knows"""
        one, other = self.nodes(2, statecase.BOTH)
        circle = self.people()
        self.learned(one, circle)
        answer = self.answered(lambda: self.send(other, circle))
        self.assertEqual(other.verdict(answer).known, "yes")
        for guard in one, other:
            guard.stop()

    def test_slow_to_learn(self):
        """a database that is too late for what is learned: no message waits for that, and none is deferred"""
        guard = self.node(1, statecase.BOTH)
        self.server.psql("CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
                         "CREATE TRIGGER slow BEFORE INSERT ON rcptguard.state_circle FOR EACH ROW EXECUTE FUNCTION public.slow()")
        try:
            self.again(guard)
            mark = len(guard.lines)
            guard.wait_for_line("state: .*; what was to be learned is lost")
            self.assertEqual([line for line in self.failures(guard, mark) if "deferred" in line], [])
            self.again(guard)
        finally:
            self.server.psql("DROP FUNCTION public.slow CASCADE")
        self.again(guard)
        daemon.wait_until(lambda: self.count("state_circle") >= 1, what="learning")
        guard.stop()

    def test_permits(self):
        """what one refuses another lets pass, once"""
        guards = [self.node(number, statecase.OVERRIDE, more=statecase.ANSWERS) for number in (1, 2, 3)]
        address = self.refused(guards[0])
        self.assertEqual(self.overrides(guards[1], address), "yes")
        self.assertEqual(self.overrides(guards[2], address), "override:used")
        for guard in guards:
            guard.stop()

    def test_another_key(self):
        """a server with another key does not start, and says whose key the database has"""
        one = self.node(1)
        self.again(one)
        self.assertRegex(self.refused_start(2, key=self.new_key("other.key")), "the database has another key than \\[state\\] of this server: .* logged in as relay1 at ")
        one.stop()

    def test_no_tables(self):
        """they are made later, or the database is being restored: a start says it, defers what needs them, and finds them when they are there"""
        self.server.psql("ALTER SCHEMA rcptguard RENAME TO elsewhere")
        try:
            guard = self.node(1)
            guard.wait_for_line("no tables for \\[state\\]: an owner makes them with `rcptguardq fleet init`.*deferred")
            self.assertIsNone(self.ask(guard))
            self.assertOthersPass(guard)
        finally:
            self.server.psql("ALTER SCHEMA elsewhere RENAME TO rcptguard")
        self.assertEqual(self.again(guard, self.people()), 9)
        guard.stop()

    def test_no_right(self):
        self.server.create_role("stranger", system_user=daemon.USER if daemon.ROOT else None)
        self.assertRegex(self.refused_start(1, database=self.server.conninfo("stranger")), "permission denied")

    def refused_start(self, number, **keys):
        """What a daemon says that does not start; where the database was too late for it, it starts, and another one is tried."""
        def ended():
            try:
                guard = self.node(number, **keys)
            except daemon.Exited as found:
                return str(found)
            self.assertIn("in time", " ".join(self.failures(guard)))
            guard.stop()
            return None
        return daemon.wait_until(ended, 120 * tap.SLOWNESS, "a refusal")


class Tools(sharedstate.SharedStateCase):
    def run_tool(self, program, *arguments):
        return subprocess.run([os.path.join(daemon.BUILD, program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=daemon.environment(), check=False, text=True)

    def explain(self, guard, people):
        message = daemon.write(os.path.join(guard.directory, "message.eml"),
                               "From: <%s>\nCc: %s\nSubject: a test\n\nHello.\n" % (guardcase.SENDER, ", ".join(people)))
        return self.run_tool("rcptguard", "explain", "-p", guard.policy_path, "--json", "--state", "-c", guard.config_path, message)

    def test_explain(self):
        """on one server, of what another has seen; nothing is kept"""
        one, other = self.nodes(2, statecase.BOTH)
        met = self.people()
        self.learned(one, met)
        records = self.count("state_record")
        done = self.explain(other, self.people())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)["state"]
        self.assertEqual((found["away"], found["known"], found["windows"][0]["value"]), (False, False, 18))
        self.assertEqual(json.loads(self.explain(other, met).stdout)["state"]["known"], True)
        self.assertEqual(self.count("state_record"), records)
        self.server.pause()
        done = self.explain(other, met)
        self.server.resume()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the database of [state]: ", done.stderr)
        for guard in one, other:
            guard.stop()

    def test_forget(self):
        """on one server, what all have seen"""
        one, other = self.nodes(2, statecase.BOTH)
        met = self.people()
        self.learned(one, met)
        entries = self.count("state_record") + 1
        done = self.run_tool("rcptguardq", "forget", "-c", other.config_path, "--party", met[0].partition("@")[2])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "forgotten: %d entries\n" % entries, ""))
        self.assertEqual(self.again(other), 17)
        for guard in one, other:
            guard.stop()
        self.server.stop()
        done = self.run_tool("rcptguardq", "forget", "-c", other.config_path, "--party", "else.example")
        self.server.start()
        self.assertEqual((done.returncode, done.stdout), (75, ""))
        self.assertIn("the database of [state]: ", done.stderr)


class Doctor(sharedstate.SharedStateCase):
    def state_of(self, guard):
        """The severity of the check `state`, and what it says."""
        done = subprocess.run([os.path.join(daemon.BUILD, "rcptguardq"), "doctor", "--json", "--verbose", "-c", guard.config_path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment(), check=False, text=True)
        finding, = [finding for finding in map(json.loads, done.stdout.splitlines()) if finding["check"] == "state"]
        return finding["severity"], json.dumps(finding)

    def test_doctor(self):
        guard = self.node(1)
        local = self.node(2, on_away="local")
        for each in guard, local:
            self.again(each)
            severity, text = self.state_of(each)
            self.assertEqual(severity, "ok")
            self.assertIn("the database answers, and has the same key", text)
        self.server.psql("UPDATE rcptguard.state_key SET digest = digest + 1")
        severity, text = self.state_of(guard)
        self.assertEqual(severity, "error")
        self.assertIn("the database has another key", text)
        self.server.kill()
        try:
            severity, text = self.state_of(guard)
            self.assertEqual(severity, "error")
            self.assertIn("the database of [state]: ", text)
            severity, text = self.state_of(local)
            self.assertEqual(severity, "warning")
            self.assertIn("own file answers", text)
        finally:
            self.server.start()
        for each in guard, local:
            each.stop()


def glob_of_files(guards):
    return [path for guard in guards for path in guard.state_files()]


if __name__ == "__main__":
    surroundings.enter()
    tap.main(600)
