"""The alerts for Prometheus: sound by its own tool, each with cases in which it fires and does not, and about metrics that there are."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import daemon
import guardcase
import policies
import prometheus
import tap

SOURCE = pathlib.Path(daemon.SOURCE)
RULES = SOURCE / "packaging/metrics/rcptguard.rules.yml"
CASES = [SOURCE / "tests/packaging/alerts-minutes.yml", SOURCE / "tests/packaging/alerts-days.yml"]

# Functions, words and labels of PromQL, which look like names of metrics.
_NAME = re.compile(r"\brcptguard_[a-z_]+")


def without_comments(path):
    return re.sub(r"(?m)^ *#.*\n", "", path.read_text(encoding="utf-8"))


def alerts():
    """{name: text of the alert}"""
    parts = re.split(r"(?m)^ +- alert: (\w+)\n", without_comments(RULES))
    return dict(zip(parts[1::2], parts[2::2]))


def expression(text):
    """What stands behind `expr:`, the lines below it included."""
    return re.search(r"(?ms)^        expr: (.*?)(?=^        \w)", text).group(1)


def annotation(text, name):
    return " ".join(re.search(r"(?ms)^          %s: (?:>-\n)?(.*?)(?=^          \w|\Z)" % name, text).group(1).split())


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """What a daemon writes that holds a message and defers another."""
        rules = policies.RULES + policies.rule("later", "visible(external) >= 1", 'tempfail "later"')
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            daemon.own(folder)
            path = os.path.join(folder, "rcptguard.prom")
            with daemon.Daemon(policies.policy(rules=rules), config={("metrics", "path"): path}) as guard, guard.client() as mta:
                mta.connect("127.0.0.1")
                for count in (1, 12):
                    guardcase.send(mta, to=policies.people(count))
                guard.stop()
                # What exchanges with a fleet's database is another process; it writes even if there is none.
                config = daemon.write_config(os.path.join(folder, "fleet.conf"), {
                    ("milter", "user"): daemon.USER, ("ledger", "path"): guard.ledger_path, ("metrics", "path"): path, ("fleet", "database"): "host=/nonexistent"})
                done = subprocess.run([os.path.join(daemon.BUILD, "rcptguardq"), "agent", "--fleet", "-c", config], env=daemon.environment(), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False, timeout=daemon.LIMIT)
                assert done.returncode == 75, done.stdout
            cls.found = prometheus.read(path)
            cls.found_of_fleet = prometheus.read(path.replace(".prom", "-fleet.prom"))

    def test_the_rules_are_sound(self):
        code, said = prometheus.promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
        self.assertEqual(code, 0, said)
        self.assertIn("%d rules found" % len(alerts()), said)
        self.assertGreaterEqual(len(alerts()), 8)

    def test_the_cases(self):
        code, said = prometheus.promtool("test", "rules", *map(str, CASES))
        self.assertEqual(code, 0, said)

    def test_each_alert_has_both_cases(self):
        """One that never fires fails the cases, and so does one that always does."""
        text = RULES.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            rules_path, *cases_paths = (pathlib.Path(folder, path.name) for path in (RULES, *CASES))
            for path, source in zip(cases_paths, CASES):
                path.write_text(re.sub(r"(?m)^  - \.\./.*/", "  - ", source.read_text(encoding="utf-8")), encoding="utf-8")
            for what, wrong in (("never", "vector(1) > 2"), ("always", "(%s) or vector(1)")):
                changed = text
                for name, alert in alerts().items():
                    other = wrong.replace("%s", " ".join(expression(alert).replace(">-", "").split()))
                    changed = re.sub(r"(?ms)(- alert: %s\n        expr: ).*?(?=^        \w)" % name, lambda match, other=other: match.group(1) + other + "\n", changed)
                rules_path.write_text(changed, encoding="utf-8")
                code, said = prometheus.promtool("test", "rules", *map(str, cases_paths))
                self.assertNotEqual(code, 0)
                self.assertEqual(set(re.findall(r"alertname: (\w+), time:", said)), set(alerts()), what)
            rules_path.write_text(text, encoding="utf-8")
            self.assertEqual(prometheus.promtool("test", "rules", *map(str, cases_paths))[0], 0)

    def test_the_metrics_are_there(self):
        """Every metric of the rules and of their cases is written by the daemon, or by what exchanges with a fleet's database, and is in its manual."""
        for page, found in (("milter/daemon/rcptguardd.8", self.found), ("milter/fleet/rcptguard-fleet.7", self.found_of_fleet)):
            manual = set(re.findall(r"(?m)^\.It Cm (rcptguard_[a-z_]+)$", (SOURCE / page).read_text(encoding="utf-8")))
            self.assertEqual(manual, set(found.types), page)
        written = {**self.found.types, **self.found_of_fleet.types}
        for path in (RULES, *CASES):
            names = set(_NAME.findall(without_comments(path))) - {"rcptguard_instance"}  # a label
            self.assertGreaterEqual(len(names), 4)
            self.assertEqual(names - set(written), set(), path.name)

    def test_the_labels_are_there(self):
        labels = {**self.found.labels(), **self.found_of_fleet.labels()}
        samples = [*self.found.samples, *self.found_of_fleet.samples]
        for name, alert in alerts().items():
            with self.subTest(name):
                used = _NAME.findall(expression(alert))
                there = set().union(*(labels.get(one, ()) for one in used)) | {"instance", "rcptguard_instance"}
                asked = set(re.findall(r"\$labels\.(\w+)", alert)) | {one for found in re.findall(r"\(([a-z, ]+)\) \(", expression(alert)) for one in found.split(", ")}
                self.assertEqual(asked - there, set())
                for label, value in re.findall(r'(\w+)="(\w+)"', expression(alert)):
                    self.assertTrue(any(key[0] in used and (label, value) in zip(key[1::2], key[2::2]) for key in samples), "%s=%s" % (label, value))

    def test_each_says_what_to_do(self):
        """A summary of one line, and a description that names a command that there is."""
        commands = {}
        for program in ("rcptguard", "rcptguardq"):
            output = subprocess.run([os.path.join(daemon.BUILD, program), "--help"], env=daemon.environment(), stdout=subprocess.PIPE, text=True,
                                               check=True).stdout
            commands[program] = set(re.findall(r"(?m)^ +(?:%s )?([a-z]+)\b" % program, output))
        for name, alert in alerts().items():
            with self.subTest(name):
                self.assertRegex(name, r"^Rcptguard[A-Z]")
                self.assertIn(re.search(r"severity: (\w+)", alert).group(1), ("critical", "warning"))
                self.assertLess(len(annotation(alert, "summary").replace("{{ with $labels.rcptguard_instance }} ({{ . }}){{ end }}", "")), 120)
                told = re.findall(r"`(rcptguardq?) (\w+)", annotation(alert, "description"))
                self.assertTrue(told or "`rcptguardd -n`" in annotation(alert, "description"))
                for program, command in told:
                    self.assertIn(command, commands[program])

    def test_the_limit_is_longer_than_the_interval(self):
        """A daemon that is busy once is not down."""
        header = (SOURCE / "milter/metrics/metrics_file.h").read_text(encoding="utf-8")
        interval = int(re.search(r"#define METRICS_INTERVAL (\d+)", header).group(1))
        limits = {int(number) for number in re.findall(r"rcptguard_metrics_timestamp_seconds [<>] (\d+)", RULES.read_text(encoding="utf-8"))}
        self.assertEqual(limits, {8 * interval})


if __name__ == "__main__":
    tap.main()
