"""The metrics: what is counted, how it is written, who could do mischief with it, and what happens when it cannot be written."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import daemon
import guardcase
import ledgerfile
import milterclient
import policies
import prometheus
import surroundings
import tap

EVIL = policies.rule("evil", 'header("Subject") =~ /(a+)+/', 'reject "never said"')
TRAP = [("Subject", "a" * 60 + "!")]
WIDE = policies.people(12)
OLD = policies.rule("old-rule", "parties(external) >= 10", 'tag "old"') + policies.rule("both", "parties(external) >= 5", 'tag "both"')
NEW = policies.rule("new-rule", "parties(external) >= 10", 'tag "new"') + policies.rule("both", "parties(external) >= 5", 'tag "both"')


def version():
    return re.search(r"^rcptguardd (\S+)", daemon.run("--version")[1]).group(1)


class MetricsCase(unittest.TestCase):
    POLICY = policies.FIELD

    def start(self, policy=None, config=None, **options):
        """A daemon that writes metrics; its folder is the daemon's user's."""
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        daemon.own(self.folder)
        self.path = os.path.join(self.folder, "rcptguard.prom")
        self.guard = daemon.Daemon(policy or self.POLICY, config={("metrics", "path"): self.path, **(config or {})}, **options)
        self.addCleanup(self.guard.__exit__, None, None, None)
        return self.guard

    def mta(self, client="127.0.0.1", **options):
        mta = self.guard.client(**options)
        self.addCleanup(mta.close)
        mta.connect(client)
        return mta

    def send(self, mta=None, **options):
        return guardcase.send(mta or self.mta(), **options)

    def metrics(self):
        """What was counted until now: a reload has it written, and the one behind that is not older."""
        reloads = self.file().get("rcptguard_reloads_total", "result", "ok")
        self.assertIn("reload done", self.guard.reload())
        return daemon.wait_until(lambda: self.file_with(reloads + 1), what="the metrics behind a reload")

    def file(self):
        return prometheus.read(self.path)

    def file_with(self, reloads):
        found = self.file()
        return found if found.get("rcptguard_reloads_total", "result", "ok") >= reloads else None

    def assertCounts(self, found, name, wanted):
        """{labels' values: number}; what is not named is 0."""
        counted = {key[2::2]: value for key, value in found.samples.items() if key[0] == name and value}
        self.assertEqual(counted, {(key if isinstance(key, tuple) else (key,)): value for key, value in wanted.items()})

    def histogram(self, found, name):
        """{bound: how many in the bucket}, without empty ones."""
        below, counts = 0, {}
        for key, value in found.samples.items():
            if key[0] == name + "_bucket":
                self.assertGreaterEqual(value, below)
                if value > below:
                    counts[key[2]] = value - below
                below = value
        self.assertEqual(found.get(name + "_count"), below)
        return counts


class Counts(MetricsCase):
    def test_messages(self):
        self.start()
        mta = self.mta()
        for count in (0, 1, 2, 6, 9, 10, 12, 60):
            self.send(mta, to=policies.people(count) or ["x@me.example"])
        self.send(mta, sender="clinic@me.example", to=policies.people(2))
        outside = self.mta("192.0.2.7")
        for _ in range(3):
            self.send(outside, sender="list@outside.test", to=["care@me.example"])
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {
            ("accept", "default"): 5, ("quarantine", "wide-cc"): 2, ("quarantine", "sensitive"): 1, ("reject", "mass-disclosure"): 1})
        self.assertEqual(found.get("rcptguard_judged_messages_total"), 9)
        self.assertEqual(found.get("rcptguard_not_outbound_messages_total"), 3)
        self.assertCounts(found, "rcptguard_monitor_matches_total", {("quarantine", "trial"): 2})
        parties = self.histogram(found, "rcptguard_message_parties")
        self.assertEqual(parties, {"0": 1, "1": 1, "2": 2, "9": 2, "19": 2, "99": 1})
        self.assertEqual(found.get("rcptguard_message_parties_sum"), 0 + 1 + 2 + 6 + 9 + 10 + 12 + 60 + 2)
        self.assertEqual(sum(self.histogram(found, "rcptguard_judging_duration_seconds").values()), 9)
        self.assertEqual(sum(self.histogram(found, "rcptguard_ledger_commit_duration_seconds").values()), 3)
        for name in "judging", "ledger_commit":
            took = found.get("rcptguard_%s_duration_seconds_sum" % name)
            self.assertTrue(0 < took < daemon.LIMIT, took)

    def test_zeroes_stand_there_from_the_start(self):
        """An alert on a rise needs a value to rise from."""
        self.start()
        found = self.file()  # who is ready has written it
        for rule, verdict in (("developer", "accept"), ("mass-disclosure", "reject"), ("wide-cc", "quarantine"), ("default", "accept"),
                              ("fault", "quarantine"), ("error", "tempfail")):
            self.assertEqual(found.get("rcptguard_messages_total", "verdict", verdict, "rule", rule), 0)
        self.assertIsNone(found.get("rcptguard_messages_total", "verdict", "quarantine", "rule", "trial"))
        self.assertEqual(found.get("rcptguard_monitor_matches_total", "verdict", "quarantine", "rule", "trial"), 0)
        self.assertEqual(found.get("rcptguard_faults_total", "rule", "outbound"), 0)
        self.assertEqual(found.get("rcptguard_errors_total", "rule", "default"), 0)
        self.assertEqual({key[2] for key in found.samples if key[0] == "rcptguard_defects_total"}, {"syntax", "limit", "unparsed", "cut"})
        self.assertEqual(found.get("rcptguard_held_messages"), 0)
        self.assertIsNone(found.get("rcptguard_oldest_held_timestamp_seconds"))

    def test_defects(self):
        self.start()
        self.send(to="a@cust1.example, " * 6000 + "b@cust2.example")
        line = self.guard.verdict(self.send(to="a@cust1.example, " * 6000 + "b@cust2.example"))
        self.assertEqual(line.defects, "limit,cut")
        self.send(to=["a@cust1.example"])
        self.assertCounts(self.metrics(), "rcptguard_defects_total", {"limit": 2, "cut": 2})

    def test_faults(self):
        self.start(policies.policy(rules=EVIL))
        answer = self.send(to=WIDE, more=TRAP)
        self.assertEqual(self.guard.verdict(answer).rule, "fault:evil")
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("quarantine", "fault"): 1})
        self.assertCounts(found, "rcptguard_faults_total", {"evil": 1})
        self.assertCounts(found, "rcptguard_errors_total", {})

    def test_a_fault_of_a_monitor_rule(self):
        self.start(policies.policy(rules=policies.rule("watched", 'header("Subject") =~ /(a+)+/', 'tag "x"', monitor=True)))
        answer = self.send(to=WIDE, more=TRAP)
        self.assertEqual(self.guard.verdict(answer).would, "fault:watched")
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("accept", "default"): 1})
        self.assertCounts(found, "rcptguard_faults_total", {"watched": 1})
        self.assertCounts(found, "rcptguard_monitor_matches_total", {})

    def test_errors(self):
        """The MTA takes no quarantine; a fault that cannot be held either is both."""
        self.start(policies.policy(rules=EVIL + policies.RULES))
        mta = self.mta(actions=milterclient.ALL_ACTIONS & ~milterclient.QUARANTINE)
        self.send(mta, to=WIDE)
        self.send(mta, to=WIDE, more=TRAP)
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("tempfail", "error"): 2})
        self.assertCounts(found, "rcptguard_errors_total", {"wide-cc": 1, "evil": 1})
        self.assertCounts(found, "rcptguard_faults_total", {"evil": 1})
        self.assertCounts(found, "rcptguard_ledger_errors_total", {})

    def test_rules_that_are_called_as_our_words_are(self):
        """They share the figure, and no sample is there twice."""
        self.start(policies.policy(rules=policies.rule("fault", "visible(external) >= 10", 'quarantine "x"') + policies.rule("error", "visible(external) >= 5", 'tag "x"')))
        for count in (12, 6):
            self.send(to=policies.people(count))
        self.assertCounts(self.metrics(), "rcptguard_messages_total", {("quarantine", "fault"): 1, ("tag", "error"): 1})

    def test_many_threads(self):
        self.start()
        each, failures = 40, []

        def session():
            try:
                mta = self.mta()
                for count in range(each):
                    self.send(mta, to=policies.people(count % 3 + 1))
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=session) for _ in range(6)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.metrics()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("accept", "default"): 6 * each})
        self.assertEqual(found.get("rcptguard_message_parties_count"), 6 * each)


class Reloads(MetricsCase):
    def one(self, mta, count, queue_id):
        mta.rcpt("x@cust1.example")
        mta.data(queue_id)
        mta.header("To", policies.folded(policies.people(count)))
        mta.eoh(queue_id)
        mta.eom(queue_id)

    def test_rules_that_come_and_go(self):
        """What stays goes on; what is gone is forgotten; a message under way is counted all the same."""
        self.start(policies.policy(rules=OLD))
        for count in (12, 12, 6):
            self.send(to=policies.people(count))
        late = self.mta()
        self.assertIsNone(late.mail("care@me.example"))
        self.assertCounts(self.metrics(), "rcptguard_messages_total", {("tag", "old-rule"): 2, ("tag", "both"): 1})
        self.guard.set_policy(policies.policy(rules=NEW))
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("tag", "both"): 1})
        self.assertNotIn("old-rule", found.text)
        self.one(late, 12, "4XyLATEz")
        self.assertEqual(self.guard.verdict("4XyLATEz").rule, "old-rule")
        self.send(to=policies.people(12))
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("tag", "both"): 1, ("tag", "-"): 1, ("tag", "new-rule"): 1})
        self.assertEqual(found.get("rcptguard_judged_messages_total"), 5)
        self.guard.set_policy(policies.policy(rules=OLD))
        self.assertCounts(self.metrics(), "rcptguard_messages_total", {("tag", "both"): 1, ("tag", "-"): 1})

    def test_good_and_bad(self):
        self.start()
        first = self.file()
        digest = first.labels()["rcptguard_policy_info"] and next(key[2] for key in first.samples if key[0] == "rcptguard_policy_info")
        self.assertIn(digest, self.guard.wait_for_line("started: "))
        self.assertEqual((first.get("rcptguard_last_reload_successful"), first.get("rcptguard_policy_rules")), (1, 6))
        again = self.metrics()
        loaded, changed = "rcptguard_policy_loaded_timestamp_seconds", "rcptguard_policy_changed_timestamp_seconds"
        self.assertGreater(again.get(loaded), first.get(loaded))
        self.assertEqual(again.get(changed), first.get(changed))

        self.guard.set_policy("nonsense")
        self.assertIn("reload failed", self.guard.reload())
        bad = daemon.wait_until(lambda: self.file() if self.file().get("rcptguard_reloads_total", "result", "failed") else None, what="the failed reload")
        self.assertEqual(bad.get("rcptguard_last_reload_successful"), 0)
        self.assertEqual(bad.get(loaded), again.get(loaded))
        self.assertEqual(bad.get("rcptguard_policy_info", "digest", digest), 1)

        self.guard.set_policy(policies.policy(rules=NEW))
        good = self.metrics()
        self.assertEqual(good.get("rcptguard_last_reload_successful"), 1)
        self.assertEqual(good.get(changed), good.get(loaded))
        self.assertEqual((good.get("rcptguard_policy_info", "digest", digest), good.get("rcptguard_policy_rules")), (None, 2))
        self.assertEqual((good.get("rcptguard_reloads_total", "result", "ok"), good.get("rcptguard_reloads_total", "result", "failed")), (2, 1))

    def test_times(self):
        before = daemon.time.time()
        self.start()
        found = self.file()
        for name in ("rcptguard_start_time_seconds", "rcptguard_policy_loaded_timestamp_seconds", "rcptguard_metrics_timestamp_seconds"):
            self.assertTrue(before - 0.001 <= found.get(name) <= daemon.time.time(), name)
        self.assertEqual(found.get("rcptguard_build_info", "version", version()), 1)


class Held(MetricsCase):
    def test_held(self):
        """As the ledger says, whoever changes it."""
        self.start()
        for _ in range(3):
            self.send(to=WIDE)
        rows = ledgerfile.rows(self.guard.ledger_path)
        found = self.metrics()
        self.assertEqual(found.get("rcptguard_held_messages"), 3)
        self.assertAlmostEqual(found.get("rcptguard_oldest_held_timestamp_seconds"), rows[0]["judged"] / 1e6, 5)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'released' WHERE id = ?", rows[0]["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'releasing' WHERE id = ?", rows[1]["id"])
        found = self.metrics()
        self.assertEqual(found.get("rcptguard_held_messages"), 2)
        self.assertAlmostEqual(found.get("rcptguard_oldest_held_timestamp_seconds"), rows[1]["judged"] / 1e6, 5)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'deleted'")
        found = self.metrics()
        self.assertEqual(found.get("rcptguard_held_messages"), 0)
        self.assertIsNone(found.get("rcptguard_oldest_held_timestamp_seconds"))

    def test_decisions(self):
        """Counted as they come into the ledger, whoever writes them: not those before the start, each once, also of a ledger that is begun anew."""
        self.start()
        for _ in range(3):
            self.send(to=WIDE)
        path = self.guard.ledger_path
        def note(*events):
            for way, action in events:
                ledgerfile.execute(path, "INSERT INTO history (held, at, action, way) SELECT min(id), judged, ?, ? FROM held", action, way)
        note(("command", "release"), ("command", "release"), ("delay", "release"), ("expiry", "return"), ("author", "refuse"), (None, "left"))
        wanted = {("command", "release"): 2, ("delay", "release"): 1, ("expiry", "return"): 1, ("author", "refuse"): 1}
        self.assertCounts(self.metrics(), "rcptguard_decisions_total", wanted)
        note(("command", "release"))
        self.guard.stop()
        self.start(config={("ledger", "path"): path})
        self.assertCounts(self.metrics(), "rcptguard_decisions_total", {})
        note(("reviewer", "approve"))
        for _ in 1, 2:
            self.assertCounts(self.metrics(), "rcptguard_decisions_total", {("reviewer", "approve"): 1})
        ledgerfile.execute(path, "DELETE FROM history")
        ledgerfile.execute(path, "DELETE FROM sqlite_sequence WHERE name = 'history'")
        note(("reviewer", "delete"))
        self.assertCounts(self.metrics(), "rcptguard_decisions_total", {("reviewer", "approve"): 1, ("reviewer", "delete"): 1})

    def test_delays(self):
        self.start()
        for _ in range(3):
            self.send(to=WIDE)
        found = self.metrics()
        self.assertCounts(found, "rcptguard_delayed_messages", {})
        self.assertEqual(found.get("rcptguard_agent_timestamp_seconds"), 0)
        rows = ledgerfile.rows(self.guard.ledger_path)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET leaves = judged WHERE id <> ?", rows[0]["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'released' WHERE id = ?", rows[1]["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET stopped = 'split' WHERE id = ?", rows[0]["id"])
        ledgerfile.execute(self.guard.ledger_path, "UPDATE agent SET last = 1700000000500000")
        found = self.metrics()
        self.assertCounts(found, "rcptguard_delayed_messages", {"running": 1, "ended": 1})
        self.assertEqual(found.get("rcptguard_agent_timestamp_seconds"), 1700000000.5)

    def test_a_ledger_that_is_gone(self):
        """Not known is not none; it is said once, and known again when there is one again."""
        self.start()
        self.send(to=WIDE)
        self.assertEqual(self.metrics().get("rcptguard_held_messages"), 1)
        os.rename(self.guard.state_directory, self.guard.state_directory + ".away")
        for times in (1, 2):
            found = self.metrics()
            self.assertIsNone(found.get("rcptguard_held_messages"))
            self.assertIsNone(found.get("rcptguard_oldest_held_timestamp_seconds"))
            self.assertGreaterEqual(found.get("rcptguard_ledger_errors_total", "operation", "count"), times)
        self.assertEqual(len([line for line in self.guard.lines if "metrics: how many messages are held is left out: " in line]), 1)
        self.send(to=WIDE)
        found = self.metrics()
        self.assertCounts(found, "rcptguard_messages_total", {("quarantine", "wide-cc"): 1, ("tempfail", "error"): 1})
        self.assertEqual(found.get("rcptguard_ledger_errors_total", "operation", "hold"), 1)
        self.assertEqual(found.get("rcptguard_errors_total", "rule", "wide-cc"), 1)
        os.rename(self.guard.state_directory + ".away", self.guard.state_directory)
        self.assertEqual(self.metrics().get("rcptguard_held_messages"), 1)


class Hostile(MetricsCase):
    """Whatever a message brings, it makes no sample and no value of a label."""

    MARK = "zq7mark"

    def test_nothing_of_a_message(self):
        self.start(policies.policy(rules=EVIL + policies.RULES))
        calm = set(self.metrics().samples)
        for number, evil in enumerate(('"', "\\", "\n", "{le=\"1\"}", "} 1\n# EOF\nx 1", "%s%n", "\u202e", "\udcff", "rule", "é")):
            mark = self.MARK + str(number)
            mta = self.mta()
            mta.daemon_name = mark
            people = ["%s%d@%s%d.example" % (mark, n, mark, n) for n in range(12)] + ["%s%s@%s.example" % (mark, evil.replace("\n", ""), mark)]
            more = [("Subject", mark + evil.replace("\n", "\n ")), ("X-Rcptguard", mark + "wide-cc"), ("Message-ID", "<%s@%s>" % (mark, mark)), ("Bcc", mark + "b@bcc.example")]
            sender = "%s%s@me.example" % (mark, evil.replace("\n", "").replace("\udcff", ""))
            self.send(mta, sender=sender, to=policies.folded(people), more=more, envelope=people, user=mark)
        self.send(to=WIDE, more=TRAP)
        found = self.metrics()
        self.assertEqual(found.get("rcptguard_judged_messages_total"), 11)
        self.assertNotIn(self.MARK, found.text)
        self.assertNotIn("@", found.text)
        self.assertNotRegex(found.text, r"example|cust1|192\.0\.2|127\.0\.0")
        self.assertEqual(set(found.samples) - calm, {("rcptguard_oldest_held_timestamp_seconds",)})
        rules = {"evil", "developer", "sensitive", "mass-disclosure", "wide-cc", "trial", "unreadable", "default", "fault", "error", "outbound"}
        words = {"accept", "tag", "quarantine", "reject", "tempfail", "syntax", "limit", "unparsed", "cut", "ok", "failed", "hold", "tidy", "count", "share", "yes", "no", "window", "known", "withdraw", "learn", "expire", "permit", "claim", "given", "taken", "refused", "deferred", "all", "sender",
                 "calendar", "forwarded", "contacts", "table", "text", "header", "none", "away", "encrypted", "limits", "broken", "types",
                 "command", "author", "reviewer", "expiry", "delay", "approve", "release", "return", "delete", "refuse", "running", "ended", version()}
        others = {value for value in found.values() - rules - words if not re.fullmatch(r"[0-9.]+|\+Inf|[0-9a-f]{12}", value)}
        self.assertEqual(others, set())

    def test_promtool_and_node_exporter(self):
        """Prometheus's programs take it, as it is behind mail of every kind, and find nothing to complain of."""
        self.start(policies.policy(rules=EVIL + policies.RULES))
        for count in (1, 6, 12, 60):
            self.send(to=policies.people(count), more=TRAP if count == 12 else ())
        found = self.metrics()
        self.assertEqual(prometheus.promtool("check", "metrics", text=found.text), (0, ""))
        self.assertNotEqual(prometheus.promtool("check", "metrics", text=found.text.replace("# HELP rcptguard_faults_total", "# NO"))[0], 0)

        # As the manual has it: a link in the folder that the collector reads.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            os.symlink(self.path, os.path.join(folder, "rcptguard.prom"))
            text = self.exporter(folder)
        self.assertIn("\nnode_textfile_scrape_error 0\n", text)
        self.assertIn('\nnode_scrape_collector_success{collector="textfile"} 1\n', text)
        self.assertIn('\nrcptguard_messages_total{rule="mass-disclosure",verdict="reject"} 1\n', text)
        self.assertEqual(set(re.findall(r"^# TYPE (rcptguard_\S+ \S+)$", text, re.M)), {"%s %s" % one for one in found.types.items()})

    def test_two_daemons_of_one_host(self):
        """each figure has the instance as a label, so node_exporter shows those of both; without it it drops some"""
        def shown(*names):
            with tempfile.TemporaryDirectory() as folder:
                os.chmod(folder, 0o755)
                for number, name in enumerate(names):
                    self.start(config={("metrics", "instance"): name})
                    for _ in range(number + 1):
                        self.send()
                    self.assertIn("reload done", self.guard.reload())
                    line = re.compile(r"(?m)^rcptguard_judged_messages_total\S* %d$" % (number + 1))
                    daemon.wait_until(lambda line=line: line.search(self.file().text), what="the metrics behind a reload")
                    found = self.file()
                    self.assertEqual(prometheus.promtool("check", "metrics", text=found.text), (0, ""))
                    self.assertEqual({key[1:3] for key in found.samples if "rcptguard_instance" in key}, {("rcptguard_instance", name)} if name else set())
                    self.assertEqual(all("rcptguard_instance" in key for key in found.samples), name is not None)
                    os.symlink(self.path, os.path.join(folder, "%d.prom" % number))
                return re.findall(r"(?m)^rcptguard_judged_messages_total(.*)$", self.exporter(folder))
        self.assertEqual(sorted(shown("in", "out.2_b-c")), ['{rcptguard_instance="in"} 1', '{rcptguard_instance="out.2_b-c"} 2'])
        self.assertLess(len(shown(None, None)), 2)

    def exporter(self, folder):
        """What node_exporter makes of a folder, as a user who has no rights in it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        program = prometheus.needed("prometheus-node-exporter", "node_exporter")
        options = {"user": daemon.USER} if daemon.ROOT else {}
        process = subprocess.Popen([program, "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory=" + folder,
                                    "--web.listen-address=" + address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

        def ask():
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://%s/metrics" % address, timeout=daemon.LIMIT) as answer:
                    return answer.read().decode()
            except OSError:
                self.assertIsNone(process.poll(), "node_exporter ended")
                return None

        try:
            return daemon.wait_until(ask, what="node_exporter's answer")
        finally:
            process.kill()
            process.wait()


class File(MetricsCase):
    def test_mode_and_neighbours(self):
        """Readable for all, whatever the umask, and nothing is left beside it."""
        self.start()
        for _ in range(3):
            self.metrics()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o644)
        daemon.wait_until(lambda: os.listdir(self.folder) == ["rcptguard.prom"], what="the folder with one file")
        if daemon.ROOT:
            self.assertEqual(os.stat(self.path).st_uid, daemon.pwd.getpwnam(daemon.USER).pw_uid)

    def test_a_reader_always_finds_a_whole_one(self):
        self.start(policies.policy(rules="".join(policies.rule("rule-%d" % n, "parties(external) >= %d" % (n + 100), 'tag "x"') for n in range(200))))
        stop, failures, seen = threading.Event(), [], set()

        def look():
            try:
                while not stop.is_set():
                    seen.add(self.file().get("rcptguard_metrics_timestamp_seconds"))
            except BaseException as failure:
                failures.append(failure)

        reader = threading.Thread(target=look)
        reader.start()
        try:
            for _ in range(15):
                before = len(seen)
                self.metrics()
                daemon.wait_until(lambda before=before: failures or len(seen) > before, what="the reader to find a new one")
        finally:
            stop.set()
            reader.join()
        self.assertEqual(failures, [])

    def test_the_interval(self):
        """Written anew without being asked, as often as the manual says."""
        self.start()
        header = daemon.pathlib.Path(daemon.SOURCE, "milter/metrics/metrics_file.h").read_text(encoding="utf-8")
        seconds = int(re.search(r"#define METRICS_INTERVAL (\d+)", header).group(1))
        first = self.file().get("rcptguard_metrics_timestamp_seconds")
        second = daemon.wait_until(lambda: self.file().get("rcptguard_metrics_timestamp_seconds") - first, seconds + daemon.LIMIT, "the next writing")
        # The start asks for one, and another may be under way when it does.
        if second < 1:
            first += second
            second = daemon.wait_until(lambda: self.file().get("rcptguard_metrics_timestamp_seconds") - first, seconds + daemon.LIMIT, "the next writing")
        self.assertTrue(seconds / 2 < second < seconds * 2, second)  # a loaded machine is not punctual

    def test_it_stays_at_a_stop_with_the_last_figures(self):
        self.start()
        self.send(to=WIDE)
        self.guard.stop()
        self.assertEqual(self.file().get("rcptguard_judged_messages_total"), 1)
        self.assertEqual(os.listdir(self.folder), ["rcptguard.prom"])

    def test_none_by_default(self):
        with daemon.Daemon(self.POLICY) as guard:
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                guardcase.send(mta, to=WIDE)
            daemon.wait_until(lambda: "house" in guard.thread_names(), what="a thread with the housekeeper's name")
            self.assertNotIn("metrics", guard.thread_names())
            self.assertEqual([line for line in guard.lines if "metrics" in line], [])

    def test_what_lies_in_its_place(self):
        """A link is replaced and not followed; what a crash left is no hindrance."""
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        victim = daemon.write(os.path.join(folder, "victim"), "mine")
        daemon.own(victim)
        self.start()
        for name in (self.path, self.path + ".new"):
            self.metrics()
            if os.path.lexists(name):
                os.unlink(name)
            os.symlink(victim, name)
            self.guard.reload()
            daemon.wait_until(lambda: not os.path.islink(self.path) and not os.path.lexists(self.path + ".new"), what="the file in its place")
        self.assertEqual(daemon.pathlib.Path(victim).read_text(), "mine")
        self.assertGreater(len(self.metrics().samples), 10)


class Troubles(MetricsCase):
    """Mail never waits for the metrics, and what stops them is said once."""

    def troubles(self):
        return [line for line in self.guard.lines if "metrics: " in line]

    def again(self):
        """Mail goes on, and another writing is asked for."""
        self.assertIn("reload done", self.guard.reload())
        self.send(to=["x@cust1.example"])

    @unittest.skipUnless(daemon.ROOT, "started by root, the daemon becomes another user, who may not write everywhere")
    def test_a_folder_that_is_not_the_daemons(self):
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        path = os.path.join(folder, "rcptguard.prom")
        self.start(config={("metrics", "path"): path})
        line = self.guard.wait_for_line("metrics: ")
        self.assertIn("%s: the directory %s cannot be written by the daemon's user: Permission denied; mail is evaluated as usual" % (path, folder), line)
        before = self.guard.mark()
        self.guard.wait_for_line("started: ")
        self.assertLess([n for n, text in enumerate(self.guard.lines) if "metrics: " in text][0], [n for n, text in enumerate(self.guard.lines) if "started: " in text][0])
        for _ in range(5):
            self.again()
        self.assertEqual(len(self.troubles()), 1)
        daemon.own(folder)
        self.guard.reload()
        self.guard.wait_for_line("metrics: %s is written again" % re.escape(path), mark=before)
        # What is written first may be of the reload before, and older than the last message.
        daemon.wait_until(lambda: prometheus.read(path).get("rcptguard_judged_messages_total") == 5, what="the five messages in the metrics")

    @unittest.skipUnless(daemon.ROOT, "started by root, the daemon becomes another user, who may not write everywhere")
    def test_it_is_said_once(self):
        """A start and a stop wait for a writing each, so there have been two that failed at least."""
        folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, folder, True)
        self.start(config={("metrics", "path"): os.path.join(folder, "rcptguard.prom")})
        self.again()
        self.guard.stop()
        self.assertEqual(len(self.troubles()), 1)
        self.assertEqual(os.listdir(folder), [])

    def test_a_folder_that_goes_and_comes(self):
        self.start()
        mark = self.guard.mark()
        away = self.folder + ".away"
        os.rename(self.folder, away)
        self.addCleanup(daemon.shutil.rmtree, away, True)
        self.guard.reload()
        self.guard.wait_for_line(r"metrics: .*No such file or directory; mail is evaluated as usual", mark=mark)
        for _ in range(3):
            self.again()
        self.assertEqual(len(self.troubles()), 1)
        os.rename(away, self.folder)
        self.guard.reload()
        self.guard.wait_for_line(r"metrics: .* is written again", mark=mark)
        self.metrics()
        said = self.troubles()
        self.assertEqual(len(set(said)), len(said), said)
        self.assertIn(len(said), (2, 3))  # a writing that the folder's return meets fails in another way, which is said too
        self.assertIn("is written again", said[-1])

    @unittest.skipUnless(daemon.ROOT, "only root can mount a small disk")
    def test_a_full_disk(self):
        """The old file stays, whole, and mail goes on."""
        self.start()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", self.folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)
        daemon.own(self.folder)
        self.guard.reload()
        daemon.wait_until(lambda: os.path.exists(self.path) and self.file_with(1), what="the file on the small disk")
        filler = os.path.join(self.folder, "filler")
        self.metrics()
        mark = self.guard.mark()
        with open(filler, "wb") as file:
            try:
                file.write(bytes(512 * 1024))
                file.flush()
            except OSError:
                pass  # so it is full
        before = self.file().get("rcptguard_metrics_timestamp_seconds")  # it is also written when its time has come, until now
        self.guard.reload()
        self.guard.wait_for_line("metrics: .*cannot be written: No space left on device", mark=mark)
        self.again()
        self.assertEqual(self.file().get("rcptguard_metrics_timestamp_seconds"), before)
        daemon.wait_until(lambda: sorted(os.listdir(self.folder)) == ["filler", "rcptguard.prom"], what="the folder without what could not be written")
        os.unlink(filler)
        self.guard.reload()
        self.guard.wait_for_line("metrics: .* is written again", mark=mark)
        self.assertEqual(self.metrics().get("rcptguard_judged_messages_total"), 1)

    def test_a_locked_ledger_does_not_stop_them(self):
        """Readers do not wait for who writes."""
        self.start()
        self.send(to=WIDE)
        with ledgerfile.contextlib.closing(ledgerfile.connect(self.guard.ledger_path)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.assertEqual(self.metrics().get("rcptguard_held_messages"), 1)
            other.execute("ROLLBACK")

    def test_a_stopped_reader(self):
        """Who opens the file and reads on for ever has the old one."""
        self.start()
        with open(self.path, encoding="utf-8") as reader:
            old = reader.read(10)
            self.metrics()
            self.assertTrue(prometheus.Metrics(old + reader.read()).samples)


class Check(unittest.TestCase):
    """rcptguardd -n"""

    def setUp(self):
        self.directory = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.directory, True)
        self.state = os.path.join(self.directory, "state")
        os.mkdir(self.state, 0o700)
        daemon.own(self.state)
        daemon.write(os.path.join(self.directory, "policy"), 'version 1\nclass internal { domain "me.example" }\nrule wide { when parties(external) >= 10 quarantine "wide" }\nexpect "me.example" is internal\ndefault accept\n')

    def check(self, path):
        values = {("milter", "policy"): "policy", ("ledger", "path"): "state/ledger.db", ("metrics", "path"): path}
        if daemon.ROOT:
            values["milter", "user"] = daemon.USER
        config = daemon.write_config(os.path.join(self.directory, "rcptguard.conf"), values)
        status, _output, errors = daemon.run("-n", "-c", config)
        return status, errors

    def test_a_good_folder(self):
        self.assertEqual(self.check("state/x.prom"), (0, ""))
        self.assertEqual(os.listdir(self.state), [])

    def test_a_bad_folder_is_a_warning(self):
        """A reload of the policy does not fail for it."""
        cases = [("nowhere/x.prom", "the directory %s/nowhere: No such file or directory" % self.directory),
                 ("policy/x.prom", "%s/policy is not a directory" % self.directory)]
        if daemon.ROOT:
            cases.append(("x.prom", "the directory %s cannot be written by the daemon's user: Permission denied" % self.directory))
        os.mkdir(os.path.join(self.state, "dir.prom"))
        cases.append(("state/dir.prom", "%s/dir.prom is a directory" % self.state))
        for path, text in cases:
            with self.subTest(path):
                status, errors = self.check(path)
                self.assertEqual(status, 0)
                self.assertIn("%s/%s: warning: the metrics cannot be there: %s" % (self.directory, path, text), errors)

    def test_another_name_is_an_error(self):
        for path in ("state/x.txt", "state/", "state/.prom", "state/x.prom.txt"):
            with self.subTest(path):
                status, errors = self.check(path)
                self.assertEqual(status, 1)
                self.assertRegex(errors, r"rcptguard\.conf:\d+:8: error: path: expected the path of a file whose name ends in \.prom")


class Packaged(unittest.TestCase):
    def test_the_lines_of_the_manual(self):
        """What the manual has typed makes the packaged configuration one with metrics."""
        manual = daemon.pathlib.Path(daemon.SOURCE, "milter/daemon/rcptguardd.8").read_text(encoding="utf-8")
        command, = re.findall(r"^sed -i .* /etc/rcptguard/rcptguard\.conf$", manual, re.M)
        target, = re.findall(r"^ln -s (\S+) /var/lib/prometheus/node-exporter/$", manual, re.M)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rcptguard.conf")
            packaged = daemon.pathlib.Path(daemon.SOURCE, "packaging/rcptguard.conf").read_text(encoding="utf-8")
            daemon.write(path, packaged)
            subprocess.run(["sh", "-c", command.replace("/etc/rcptguard/rcptguard.conf", path)], check=True)
            after = daemon.pathlib.Path(path).read_text(encoding="utf-8")
        changed = [(a, b) for a, b in zip(packaged.splitlines(), after.splitlines()) if a != b]
        self.assertEqual(changed, [("#path = " + target, "path = " + target)])
        tmpfiles = daemon.pathlib.Path(daemon.SOURCE, "packaging/systemd/rcptguard.tmpfiles.in").read_text(encoding="utf-8")
        self.assertIn("\nd %s 0755 rcptguard rcptguard -\n" % os.path.dirname(target), tmpfiles)
        unit = daemon.pathlib.Path(daemon.SOURCE, "packaging/systemd/rcptguardd.service.in").read_text(encoding="utf-8")
        self.assertRegex(unit, r"(?m)^ReadWritePaths=.* -%s( |$)" % re.escape(os.path.dirname(target)))


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
