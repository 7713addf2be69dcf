"""`rcptguard init` asks a real Sendmail, which is unpacked and not installed: see tests/lib/sendmail.py."""

import json
import os
import re
import shutil
import subprocess
import unittest

import daemon
import policies
import sendmail
import surroundings
import tap
import tool

FREEMAIL = os.path.join(daemon.SOURCE, "packaging", "examples", "freemail.domains")
DECIDE = "/^ *monitor$/d; /# for now$/d; s/^# later: //"

SOURCE = """\
divert(0)dnl
VERSIONID(`private')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mail.corp.example')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confTO_IDENT', `0')dnl
FEATURE(`use_cw_file')dnl
define(`confCW_FILE', `{root}/local-host-names')dnl
{extra}
MAILER(`local')dnl
MAILER(`smtp')dnl
"""

EXTRA = """\
LOCAL_DOMAIN(`corp.example corp-old.example co.uk')dnl
MASQUERADE_AS(`corp.example')dnl
MASQUERADE_DOMAIN(`lab.example')dnl
VIRTUSER_DOMAIN(`virtual.example')dnl
RELAY_DOMAIN(`relayed.example 10.1 192.168.10 198.51.100.7 IPv6:2001:db8:7 127.0.0.1')dnl
"""


class Sendmail(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertTrue(os.path.exists(os.path.join(sendmail.ROOT, "usr/libexec/sendmail/sendmail")),
                        "%s is missing; packaging/quickstart test makes it" % sendmail.ROOT)
        # Sendmail reads no file that lies where others may write.
        self.folder = tool.Folder()
        shutil.rmtree(self.folder.path)
        self.folder.path = subprocess.run(["mktemp", "-d", "/run/rcptguard-test-XXXXXX"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        os.chmod(self.folder.path, 0o755)
        self.addCleanup(self.folder.__exit__)
        self.folder.write("local-host-names", "# ours\nExtra.Example\nmailhost\n")
        os.mkdir(os.path.join(self.folder.path, "bin"))
        os.symlink(sendmail.program(), os.path.join(self.folder.path, "bin", "sendmail"))

    def configure(self, extra=EXTRA):
        self.folder.write("sendmail.cf", sendmail.cf(SOURCE.format(root=self.folder.path, extra=extra)))

    def run_init(self, *options, output="policy"):
        env = dict(tool.environment(), PATH=os.path.join(self.folder.path, "bin") + os.pathsep + os.environ["PATH"])
        arguments = ["init", "-p", output, "--sendmail-config", os.path.join(self.folder.path, "sendmail.cf"), "--freemail", FREEMAIL, *options]
        done = subprocess.run([tool.PROGRAM, *arguments], cwd=self.folder.path, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=daemon.LIMIT * 5, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def assertGood(self, policy="policy"):
        for name in (policy, policy + ".decided"):
            code, output, errors = self.folder.run("check", "--strict", "-p", name)
            self.assertEqual((code, errors), (0, ""))
            self.assertGreaterEqual(int(re.search(r"expectations that hold (\d+)", output).group(1)), 12)

    def made(self, *options):
        code, output, errors = self.run_init("--json", *options)
        self.assertEqual((code, errors), (0, ""))
        decided = subprocess.run(["sed", DECIDE, os.path.join(self.folder.path, "policy")], stdout=subprocess.PIPE, check=True).stdout
        self.folder.write("policy.decided", decided)
        self.assertGood()
        return json.loads(output)

    def judge(self, policy, sender, to, *options):
        self.folder.write("m.eml", "From: <%s>\nTo: %s\n\n" % (sender, policies.folded(to)))
        said, = self.folder.json("explain", "--json", "-p", policy, *options, "m.eml")
        return said

    def test_classes(self):
        self.configure()
        said = self.made()
        self.assertEqual(said["mta"], "Sendmail")
        # The order is that of Sendmail's own table.
        self.assertEqual(sorted(said["domains"]), sorted(["mail.corp.example", "corp.example", "corp-old.example", "extra.example", surroundings.HOST, "lab.example",
                                                          ".virtual.example", ".relayed.example"]))
        self.assertEqual(sorted(said["networks"]), ["10.1.0.0/16", "192.168.10.0/24", "198.51.100.7", "2001:db8:7::/48"])
        self.assertEqual(said["notes"], ["class w: co.uk is a public suffix, below which everybody can have a domain",
                                         "access map: the hosts that it lets relay are not looked at; add their networks to `outbound` by hand"])
        self.assertIn('contact "postmaster@corp.example"', said["policy"])
        self.assertRegex(said["policy"], r"\n# Left out, since they mean this machine alone: [^\n]*\bmailhost\b")

    def test_what_it_says_of_mail(self):
        self.configure()
        self.made()
        crowd = policies.people(450)
        self.assertEqual(self.judge("policy", "care@corp.example", crowd)["would"], ["reject:mass-disclosure", "quarantine:wide-cc", "quarantine:split"])
        self.assertEqual(self.judge("policy.decided", "care@corp.example", crowd)["verdict"], "reject")
        self.assertEqual(self.judge("policy.decided", "care@corp.example", policies.people(12))["verdict"], "quarantine")
        self.assertEqual(self.judge("policy.decided", "care@corp.example", policies.people(800, "staff", "x.relayed.example"))["verdict"], "accept")
        for client, outbound in (("10.1.255.1", True), ("10.2.0.1", False), ("2001:db8:7:1::1", True), ("2001:db8:8::1", False), ("198.51.100.7", True)):
            self.assertEqual(self.judge("policy", "care@corp.example", crowd, "--client", client)["outbound"], outbound, client)

    def test_the_least(self):
        """nothing but its own name: classes that are empty, a macro that is not set"""
        self.configure("")
        said = self.made()
        self.assertEqual(sorted(said["domains"]), sorted(["mail.corp.example", "extra.example", surroundings.HOST]))
        self.assertEqual(said["networks"], [])
        self.assertNotRegex(said["policy"], re.compile("^outbound", re.MULTILINE))

    def test_for_people(self):
        self.configure()
        code, output, errors = self.run_init()
        self.assertEqual(code, 0, errors)
        self.assertEqual(output, "freemail.domains: written\npolicy: written\nInternal domains: 8, networks that may relay: 4.  All rules are on trial.\n"
                                 "Look through it, then:  rcptguard check -p policy\n")
        self.assertEqual(len(errors.splitlines()), 2)

    def test_no_configuration(self):
        code, output, errors = self.run_init()
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, r"^rcptguard: Sendmail does not answer: \S+/sendmail: .*sendmail\.cf.*; name your domains with --domain\n$")
        self.assertEqual([name for name in os.listdir(self.folder.path) if "policy" in name or "domains" in name or name.startswith(".")], [])


if __name__ == "__main__":
    surroundings.enter()
    tap.main(limit=120)
