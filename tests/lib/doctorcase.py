"""A unittest case that breaks a configuration, asks `rcptguardq doctor`, and does what its findings say.

    class Actions(doctorcase.DoctorCase):
        def test_accept(self):
            with self.broken() as site:
                site.set("milter_default_action = accept")
                self.check(site, ("error", "default-action"))

A site is a copy of a configuration that has nothing against it.
"""

import json
import os
import subprocess

import daemon
import review
import unittest

OK = "ok"


class Site:
    """What doctor looks at, and how a line that mends is applied.  Its classes say where lines go."""

    def arguments(self):
        """Those of rcptguardq that name it."""
        raise NotImplementedError

    def apply(self, place, line):
        raise NotImplementedError


class DoctorCase(unittest.TestCase):
    maxDiff = None

    # Checks of what is not the site's: another test has them.
    ELSEWHERE = frozenset()

    def ask(self, site, *arguments):
        done = subprocess.run([review.PROGRAM, "doctor", *site.arguments(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=daemon.LIMIT, check=False, env=daemon.environment())
        return review.Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def findings(self, site):
        """All of them, ok ones too."""
        answer = self.ask(site, "--json")
        self.assertEqual(answer.err, "")
        found = [one for one in answer.json() if one["check"] not in self.ELSEWHERE]
        errors = [one for one in answer.json() if one["severity"] == "error"]
        self.assertEqual(answer.code, review.WRONG if errors else review.DONE, answer)
        for one in found:
            self.assertEqual(one["why"] is None, one["severity"] == OK, one)
            self.assertRegex(one["text"], r"^\S.*[^.]$")
        return found

    def wrong(self, site):
        return [one for one in self.findings(site) if one["severity"] != OK]

    @staticmethod
    def names(findings):
        return sorted((one["severity"], one["check"]) for one in findings)

    def assertSound(self, site):
        self.assertEqual(self.wrong(site), [])

    def check(self, site, *wanted, text=None, mended=True):
        """Exactly these are found; what each says to do makes it go away.  Gives the findings."""
        found = self.wrong(site)
        self.assertEqual(self.names(found), sorted(wanted), found)
        if text is not None:
            self.assertRegex("\n".join(one["text"] for one in found), text)
        if mended:
            for one in found:
                self.assertNotEqual(one["mend"], [], one)
                for mend in one["mend"]:
                    site.apply(mend["place"], mend["line"])
            self.assertSound(site)
        return found


def shell(line, **services):
    """Does a line of the shell; `systemctl restart rcptguardd` is what the test says."""
    for part in line.split(" && "):
        words = part.split()
        if words[0] == "systemctl":
            services[words[1]]()
        else:
            subprocess.run(["sh", "-c", part], check=True, stdout=subprocess.DEVNULL)


def configuration(path, guard, **review_keys):
    """rcptguard.conf of a running daemon."""
    values = {("milter", "socket"): guard.socket, ("milter", "policy"): guard.policy_path, ("milter", "user"): daemon.USER, ("ledger", "path"): guard.ledger_path}
    for right in "list", "show", "release", "return", "delete":
        values["review", right] = "root"
    for key, value in review_keys.items():
        values["review", key.replace("_", "-")] = value
    return daemon.write_config(path, values)


def set_key(path, line):
    """A line of rcptguard.conf, into its group: those of [milter] alone."""
    key = line.partition("=")[0].strip()
    with open(path, encoding="utf-8") as file:
        lines = [each for each in file.read().splitlines() if each.partition("=")[0].strip() != key]
    lines.insert(lines.index("[milter]") + 1, line)
    daemon.write(path, "\n".join(lines) + "\n", os.stat(path).st_mode & 0o777)
