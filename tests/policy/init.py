"""`rcptguard init`: a first policy from a real Postfix's own answers, from names, and never in the place of a file."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import unittest

import daemon
import policies
import surroundings
import tap
import tool

FREEMAIL = os.path.join(daemon.SOURCE, "packaging", "examples", "freemail.domains")
DECIDE = "/^ *monitor$/d; /# for now$/d; s/^# later: //"

MAIN = """\
compatibility_level = 3.6
myhostname = mail.corp.example
mydestination = $myhostname, localhost.$mydomain, localhost, corp.example
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
"""


def as_nobody():
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class InitCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tool.Folder()
        self.addCleanup(self.folder.__exit__)
        self.path = self.folder.path
        os.mkdir(self.at("etc"))
        os.mkdir(self.at("out"))

    def at(self, *names):
        return os.path.join(self.path, *names)

    def postfix(self, main=MAIN, master="", maps=()):
        """Writes a configuration of Postfix; `maps` are (type, name, text)."""
        for name, text in (("main.cf", main), ("master.cf", master)):
            os.utime(self.folder.write("etc/" + name, text), (1, 1))  # Postfix waits for a second if it has just been written
        for kind, name, text in maps:
            os.utime(self.folder.write("etc/" + name, text), (1, 1))
            if kind == "hash":
                subprocess.run(["postmap", "-c", self.at("etc"), "hash:" + self.at("etc", name)], check=True, timeout=daemon.LIMIT)

    def init(self, *options, output="out/policy", freemail=True, prefix=()):
        """(exit code, standard output, standard error)"""
        arguments = ["init", "-p", output, *options] + (["--freemail", FREEMAIL] if freemail else [])
        if not prefix:
            return self.folder.run(*arguments)
        done = subprocess.run([*prefix, tool.PROGRAM, *arguments], cwd=self.path, env=tool.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=daemon.LIMIT, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def ask(self, *options):
        """Asks the Postfix of this test; gives the JSON."""
        code, output, errors = self.init("--postfix-config", self.at("etc"), "--json", *options)
        self.assertEqual((code, errors), (0, ""))
        self.assertGood()
        return json.loads(output)

    def files(self, folder="out"):
        return sorted(os.listdir(self.at(folder)))

    def assertGood(self, policy="out/policy"):
        """check --strict has nothing to say, on trial and decided"""
        decided = policy + ".decided"
        code, output, errors = self.folder.run("check", "--strict", "-p", policy)
        self.assertEqual((code, errors), (0, ""), output)
        self.assertGreaterEqual(int(re.search(r"expectations that hold (\d+)", output).group(1)), 12)
        done = subprocess.run(["sed", DECIDE, self.at(policy)], stdout=subprocess.PIPE, check=True)
        self.folder.write(decided, done.stdout)
        with open(self.at(policy), encoding="utf-8") as file:
            self.assertIn("sed '%s' " % DECIDE, file.read(), "the policy does not say how it is made to decide")
        self.assertNotRegex(done.stdout.decode(), "(?i)on trial|monitor|for now|# later", "what was true on trial alone")
        code, output, errors = self.folder.run("check", "--strict", "-p", decided)
        self.assertEqual((code, errors), (0, ""), output)

    def judge(self, sender, to, *options, policy="out/policy"):
        message = "From: <%s>\nTo: %s\n\n" % (sender, policies.folded(to))
        self.folder.write("m.eml", message)
        said, = self.folder.json("explain", "--json", "-p", policy, *options, "m.eml")
        return said

    def assertNothingWritten(self):
        self.assertEqual(self.files(), [])


class Postfix(InitCase):
    """What a real postconf says, of a configuration of its own."""

    def test_a_plain_one(self):
        self.postfix()
        code, output, errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(output, "out/freemail.domains: written\nout/policy: written\nInternal domains: 2, networks that may relay: 0.  All rules are on trial.\n"
                                 "Look through it, then:  rcptguard check -p out/policy\nPostfix has no rcptguard in smtpd_milters yet: see rcptguardd(8).\n")
        self.assertEqual(self.files(), ["freemail.domains", "policy"])
        for name in self.files():
            self.assertEqual(stat.S_IMODE(os.stat(self.at("out", name)).st_mode), 0o644)
        self.assertGood()
        with open(self.at("out/policy"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn('\ncontact "postmaster@corp.example"\n', text)
        self.assertRegex(text, r'\n    domain "mail\.corp\.example" +# mydestination, myorigin\n    domain "corp\.example" +# mydestination\n')
        self.assertIn("\n# Left out, since they mean this machine alone: localhost.corp.example, localhost\n", text)
        self.assertNotRegex(text, re.compile("^outbound", re.MULTILINE))
        self.assertRegex(text, re.compile('^expect "notcorp.example" +is other$', re.MULTILINE))
        self.assertRegex(text, re.compile('^expect "gmail.com" +is freemail$', re.MULTILINE))

    def test_what_it_says_of_mail(self):
        """on trial it passes all; decided, it holds and refuses; colleagues are internal and look-alikes are not"""
        self.postfix()
        self.ask()
        crowd = policies.people(450)
        said = self.judge("care@corp.example", crowd)
        self.assertEqual((said["verdict"], said["rule"], said["would"]), ("accept", "default", ["reject:mass-disclosure", "quarantine:wide-cc", "quarantine:split"]))
        for to, verdict, rule in ((crowd, "reject", "mass-disclosure"), (policies.people(12), "quarantine", "wide-cc"), (policies.people(9), "accept", "default"),
                                  (["patient%d@gmail.com" % n for n in range(10)], "quarantine", "wide-cc"),
                                  (policies.people(800, "staff", "corp.example"), "accept", "default"),
                                  (policies.people(800, "staff", "mail.corp.example"), "accept", "default"),
                                  (policies.people(40, "staff", "notcorp.example"), "quarantine", "wide-cc"),
                                  (policies.people(40, "staff", "lab.corp.example"), "quarantine", "wide-cc")):
            said = self.judge("care@corp.example", to, policy="out/policy.decided")
            self.assertEqual((said["verdict"], said["rule"]), (verdict, rule), to[:2])
        self.assertTrue(self.judge("care@corp.example", crowd, "--client", "127.0.0.1")["outbound"])
        self.assertTrue(self.judge("care@corp.example", crowd, "--local")["outbound"])
        self.assertFalse(self.judge("ann@outside.example", crowd, "--client", "127.0.0.1")["outbound"])
        self.assertFalse(self.judge("care@corp.example", crowd, "--client", "192.0.2.1")["outbound"])

    def test_each_list(self):
        self.postfix(MAIN + "relay_domains = relayed.example\nvirtual_mailbox_domains = boxes.example\nvirtual_alias_domains = aliases.example\n"
                            "myorigin = origin.example\n")
        said = self.ask()
        self.assertEqual(said["domains"], ["mail.corp.example", "corp.example", ".relayed.example", "boxes.example", "aliases.example", "origin.example"])
        self.assertEqual((said["mta"], said["networks"], said["notes"]), ("Postfix", [], []))

    def test_below_relay_domains(self):
        """they stand for what is below as Postfix says"""
        self.postfix(MAIN + "relay_domains = relayed.example\nparent_domain_matches_subdomains =\n")
        self.assertIn("relayed.example", self.ask()["domains"])

    def test_a_suffix_covers(self):
        self.postfix(MAIN + "relay_domains = corp.example\n")
        said = self.ask()
        self.assertEqual(said["domains"], [".corp.example"])

    def test_forms_of_names(self):
        """case, a trailing dot, IDN, repetition; what is no domain is left out"""
        self.postfix(MAIN.replace("localhost, corp.example", "localhost, CORP.example., Corp.Example,\n  b\u00fccher.example xn--bcher-kva.example,,"
                                  " [192.0.2.1] mailhost localhost.localdomain under_score.example"))
        said = self.ask()
        self.assertEqual(said["domains"], ["mail.corp.example", "corp.example", "xn--bcher-kva.example", "under_score.example"])
        self.assertEqual(said["notes"], [])

    def test_strange_names(self):
        self.postfix(MAIN.replace("localhost, corp.example", "corp.example co.uk a..b.example ann@corp.example x\"};\\example * a(b).example"))
        code, _output, errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual(code, 0)
        self.assertEqual(errors.splitlines(), ["rcptguard: warning: mydestination: co.uk is a public suffix, below which everybody can have a domain"] + [
            "rcptguard: warning: mydestination: `%s` is no domain" % name for name in ("a..b.example", "ann@corp.example", 'x"};\\x5Cexample', "*", "a(b).example")])
        self.assertGood()

    def test_nothing_strange_becomes_policy(self):
        """no word of the configuration can end a comment or a string, or run"""
        touched = self.at("touched")
        self.postfix(MAIN + 'relay_domains = "quoted.example" } version $$(touch$$IFS%s) `touch %s` ;touch%s /etc/none%%0Arule mysql:/x\x1b[2Jy\u2028z\n' % (touched, touched, touched)
                     + "virtual_mailbox_domains = hash:/none;touch$$IFS%s |touch%s\n" % (touched, touched))
        code, _output, errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual(code, 0, errors)
        self.assertFalse(os.path.exists(touched))
        self.assertGood()
        with open(self.at("out/policy"), "rb") as file:
            text = file.read()
        self.assertEqual(set(text) - set(range(32, 127)), {10})
        code, output, _errors = self.folder.run("print", "-p", "out/policy")
        self.assertEqual(code, 0)
        self.assertEqual(re.findall(r"^class internal \{\n(.*?)^\}", output, re.MULTILINE | re.DOTALL), ['    domain "mail.corp.example"\n    domain "corp.example"\n'])

    def test_tables(self):
        """those that postmap lists; the keys are the domains"""
        self.postfix(MAIN + "relay_domains = hash:%s\nvirtual_mailbox_domains = texthash:%s, inline:{{c.example=x}, {d.example = y}} proxy:hash:%s\n"
                     % (self.at("etc/relay"), self.at("etc/boxes"), self.at("etc/more")),
                     maps=(("hash", "relay", "a.example OK\n.b.example OK\n"), ("texthash", "boxes", "# boxes\ne.example anything at all\n"),
                           ("hash", "more", "f.example x\n")))
        said = self.ask()
        self.assertEqual(sorted(said["domains"]), sorted(["mail.corp.example", "corp.example", ".a.example", ".b.example", "c.example", "d.example", "e.example", "f.example"]))
        self.assertEqual(said["notes"], [])

    def test_virtual_aliases(self):
        """Postfix's default: domains among addresses and bare names"""
        self.postfix(MAIN + "virtual_alias_maps = hash:%s\n" % self.at("etc/virtual"),
                     maps=(("hash", "virtual", "v.example anything\njoe@v.example bob\nroot admin@corp.example\n@w.example x@corp.example\n"),))
        said = self.ask()
        self.assertEqual((said["domains"], said["notes"]), (["mail.corp.example", "corp.example", "v.example"], []))

    def test_tables_that_cannot_be_listed(self):
        self.postfix(MAIN + "relay_domains = mysql:%s, ldap:%s pcre:%s\nvirtual_mailbox_domains = hash:%s\nvirtual_alias_domains = proxy:pgsql:/etc/x\n"
                     % (*(self.at("etc", name) for name in ("my.cf", "ldap.cf", "re", "gone")),))
        code, output, errors = self.init("--postfix-config", self.at("etc"), "--json")
        self.assertEqual((code, errors), (0, ""))
        notes = json.loads(output)["notes"]
        self.assertEqual(notes[:3], ["relay_domains: %s:%s cannot be listed; add its domains by hand" % (kind, self.at("etc", name))
                                     for kind, name in (("mysql", "my.cf"), ("ldap", "ldap.cf"), ("pcre", "re"))])
        self.assertRegex(notes[3], r"^virtual_mailbox_domains: \S+/postmap: .*open database %s\.db: No such file or directory$" % re.escape(self.at("etc/gone")))
        self.assertEqual(notes[4:], ["virtual_alias_domains: proxy:pgsql:/etc/x cannot be listed; add its domains by hand"])
        self.assertGood()
        with open(self.at("out/policy"), encoding="utf-8") as file:
            self.assertIn("\n# To be looked at by hand:\n" + "".join("# - %s\n" % note for note in notes) + "\n", file.read())

    def test_files(self):
        """a list in a file, with comments, and a file in it; one that is not there"""
        self.postfix(MAIN + "relay_domains = %s /none\n" % self.at("etc/list"))
        self.folder.write("etc/list", "# ours\na.example, b.example\n  c.example\n%s\n" % self.at("etc/more"))
        self.folder.write("etc/more", "d.example\n")
        said = self.ask()
        self.assertEqual(said["domains"][2:], [".a.example", ".b.example", ".c.example", ".d.example"])
        self.assertEqual(said["notes"], ["relay_domains: /none does not exist; expected a list"])

    def test_a_file_that_names_itself(self):
        self.postfix(MAIN + "relay_domains = %s\n" % self.at("etc/list"))
        self.folder.write("etc/list", "a.example\n%s\n" % self.at("etc/list"))
        said = self.ask()
        self.assertIn(".a.example", said["domains"])
        self.assertEqual(said["notes"], ["relay_domains: %s is a file in a file in a file; add what it holds by hand" % self.at("etc/list")])

    def test_exclusions(self):
        """nothing that is excluded becomes internal"""
        self.postfix(MAIN + "relay_domains = !lab.r.example, r.example, s.example, !t.example t.example, x.t.example !hash:/etc/not\n")
        said = self.ask()
        self.assertEqual(said["domains"][2:], ["r.example", ".s.example"])
        self.assertEqual(said["notes"], ["relay_domains: !lab.r.example: left out, with what is below it", "relay_domains: !t.example: left out, with what is below it",
                                         "relay_domains: !hash:/etc/not is not looked at; take out by hand what is not yours"])
        self.assertEqual(self.judge("a@corp.example", ["a@lab.r.example"])["counts"]["visible"]["external"], 1)

    def test_networks(self):
        """loopback is what it is by default; IPv4 in IPv6 is IPv4; single addresses; each once"""
        self.postfix(MAIN.replace("[::1]/128", "[::1]/128, 10.0.0.0/8 [2001:db8:1::]/48 192.0.2.7 [2001:db8:2::9] [::ffff:198.51.100.0]/120 10.0.0.0/8"))
        said = self.ask()
        self.assertEqual((said["networks"], said["notes"]), (["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7", "2001:db8:2::9", "198.51.100.0/24"], []))
        for client, judged in (("10.200.0.1", True), ("2001:db8:1::5", True), ("2001:db8:2::9", True), ("2001:db8:2::8", False), ("192.0.2.7", True), ("192.0.2.8", False),
                               ("198.51.100.9", True), ("203.0.113.1", False), ("::1", True)):
            self.assertEqual(self.judge("care@corp.example", ["a@x.example"], "--client", client)["outbound"], judged, client)
            self.assertFalse(self.judge("ann@outside.example", ["a@x.example"], "--client", client)["outbound"], client)

    def test_strange_networks(self):
        self.postfix(MAIN.replace("[::1]/128", "[::1]/128, 10.1.2.3/8 0.0.0.0/0 [::]/0 x/8 10.0.0.0/33 !10.9.0.0/16 cidr:%s 10.9.0.0/16 hash:%s" %
                                  (self.at("etc/cidr"), self.at("etc/clients"))), maps=(("hash", "clients", "192.0.2.9 OK\nhost.corp.example OK\n"),))
        said = self.ask()
        self.assertEqual(said["networks"], ["10.9.0.0/16", "192.0.2.9"])
        self.assertEqual(sorted(said["notes"]), sorted([
            "mynetworks: !10.9.0.0/16: what comes from there is judged as from the other networks", "mynetworks: cidr:%s cannot be listed; add its networks by hand" % self.at("etc/cidr"),
            "mynetworks: `10.1.2.3/8` has bits set beyond its length", "mynetworks: 0.0.0.0/0 is everybody; nobody is trusted for that here",
            "mynetworks: [::]/0 is everybody; nobody is trusted for that here", "mynetworks: `x/8` is no network", "mynetworks: `10.0.0.0/33` is no network",
            "mynetworks: `host.corp.example` is no network"]))

    def test_every_documentation_network_is_taken(self):
        """the assertion of a stranger needs one that is none"""
        self.postfix(MAIN.replace("[::1]/128", "[::1]/128, 192.0.2.0/24 198.51.100.0/24"))
        self.ask()
        self.postfix(MAIN.replace("[::1]/128", "[::1]/128, 192.0.0.0/3"))
        shutil.rmtree(self.at("out"))
        os.mkdir(self.at("out"))
        self.ask()

    def test_content_filter(self):
        """what comes back from one is not judged again, if the listener has a name; else a note says what to do"""
        self.postfix(MAIN, """\
smtp inet n - y - - smtpd
  -o content_filter=
submission inet n - y - - smtpd
  -o milter_macro_daemon_name=ORIGINATING
127.0.0.1:10025 inet n - n - - smtpd
  -o content_filter=
  -o milter_macro_daemon_name=REINJECT
127.0.0.1:10026 inet n - n - - smtpd
  -o content_filter=
  -o receive_override_options=no_header_body_checks,no_milters
localhost:10027 inet n - n - - smtpd
  -o content_filter=
  -o smtpd_milters=
[::1]:10028 inet n - n - - smtpd
  -o content_filter=
127.0.0.1:10029 inet n - n - - smtpd
  -o content_filter=
  -o milter_macro_daemon_name=REINJECT
127.0.0.1:10030 inet n - n - - smtpd
  -o content_filter=smtp:[127.0.0.1]:10030
""")
        said = self.ask()
        self.assertEqual(said["notes"], ["master.cf: [::1]:10028 takes mail back from a content filter and shows it to milters again; `rcptguardq setup postfix` keeps it from "
                                         "rcptguard, or its mail is evaluated twice"])
        self.assertEqual(said["policy"].count("and not listener"), 1)
        for listener, judged in (("REINJECT", False), ("smtpd", True)):
            self.assertEqual(self.judge("care@corp.example", ["a@x.example"], "--client", "127.0.0.1", "--listener", listener)["outbound"], judged)

    def test_content_filter_with_the_name_of_another_listener(self):
        """where people hand in mail: that is judged"""
        self.postfix(MAIN, """\
submission inet n - y - - smtpd
  -o milter_macro_daemon_name=ORIGINATING
127.0.0.1:10025 inet n - n - - smtpd
  -o content_filter=
  -o milter_macro_daemon_name=ORIGINATING
""")
        said = self.ask()
        self.assertEqual(len(said["notes"]), 1)
        self.assertNotIn("not listener", said["policy"])
        self.assertTrue(self.judge("care@corp.example", ["a@x.example"], "--user", "care", "--listener", "ORIGINATING")["outbound"])

    def test_a_null_client(self):
        """no domain of its own but its origin, and the domain above it that people may have"""
        self.postfix("compatibility_level = 3.6\nmyhostname = web1.corp.example\nmydestination =\nmynetworks = 127.0.0.0/8\n")
        said = self.ask()
        self.assertEqual(said["domains"], ["web1.corp.example"])
        self.assertEqual(said["notes"], ["mydomain: corp.example is in none of Postfix's lists; add it to the class if its addresses are yours"])
        self.assertIn('contact "postmaster@web1.corp.example"', said["policy"])

    def test_origin_in_a_file(self):
        self.folder.write("etc/mailname", "corp.example\n")
        self.postfix("compatibility_level = 3.6\nmyhostname = web1.corp.example\nmydestination =\nmyorigin = %s\n" % self.at("etc/mailname"))
        self.assertEqual(self.ask()["domains"], ["corp.example"])

    def test_empty(self):
        """no domain at all"""
        self.postfix("compatibility_level = 3.6\nmyhostname = vm\nmydomain = localdomain\nmydestination = localhost\nrelay_domains = co.uk\n")
        code, output, errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual((code, output), (1, ""))
        self.assertEqual(errors, "rcptguard: warning: relay_domains: co.uk is a public suffix, below which everybody can have a domain\n"
                                 "rcptguard: Postfix names no domain that mail from elsewhere could have; name yours with --domain\n")
        self.assertNothingWritten()
        code, _output, errors = self.init("--postfix-config", self.at("etc"), "--domain", "corp.example")
        self.assertEqual(code, 0, errors)

    def test_a_guarded_one(self):
        self.postfix(MAIN + "smtpd_milters = unix:opendkim/opendkim.sock unix:rcptguard/rcptguard.sock\n")
        code, output, _errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual(code, 0)
        self.assertNotIn("smtpd_milters", output)

    def test_its_own_configuration(self):
        """without an option it is the one that Postfix itself would take"""
        self.postfix()
        done = subprocess.run([tool.PROGRAM, "init", "-p", "-", "--freemail", FREEMAIL], cwd=self.path, env=dict(tool.environment(), MAIL_CONFIG=self.at("etc")),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=daemon.LIMIT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"from what Postfix says", done.stdout)
        self.assertIn(b'domain "corp.example"', done.stdout)

    def test_many_domains(self):
        """a hoster's go into a table"""
        self.postfix(MAIN + "virtual_mailbox_domains = texthash:%s\n" % self.at("etc/boxes"),
                     maps=(("texthash", "boxes", "".join("tenant%d.example x\n" % n for n in range(1, 3001))),))
        code, output, errors = self.init("--postfix-config", self.at("etc"), output="out/policy")
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(self.files(), ["freemail.domains", "internal.domains", "policy"])
        self.assertIn("out/internal.domains: written\n", output)
        self.assertGood()
        self.assertEqual(self.judge("a@corp.example", ["a@tenant3000.example", "b@tenant1.example"])["counts"]["visible"]["internal"], 2)
        os.unlink(self.at("out/policy"))
        before = self.files()
        code, _output, errors = self.init("--postfix-config", self.at("etc"))
        self.assertEqual((code, errors), (1, "rcptguard: cannot write out/internal.domains: File exists; nothing was written\n"))
        self.assertEqual(self.files(), before)


class Names(InitCase):
    """Without an MTA."""

    def test_domains(self):
        code, output, errors = self.init("--domain", "corp.example", "--domain", ".B\u00fccher.example")
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(output, "out/freemail.domains: written\nout/policy: written\nInternal domains: 2, networks that may relay: 0.  All rules are on trial.\n"
                                 "Look through it, then:  rcptguard check -p out/policy\n")
        self.assertGood()
        self.assertEqual(self.judge("a@corp.example", ["a@x.b\u00fccher.example", "a@corp.example", "a@x.corp.example"])["counts"]["visible"]["internal"], 2)

    def test_both(self):
        """what a person names comes first"""
        self.postfix()
        said = self.ask("--domain", "boss.example")
        self.assertEqual(said["domains"], ["boss.example", "mail.corp.example", "corp.example"])
        self.assertIn('contact "postmaster@boss.example"', said["policy"])

    def test_printed(self):
        """`-p -` writes nothing"""
        code, output, errors = self.init("--domain", "corp.example", output="-")
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(output.startswith("# A first policy, written by `rcptguard init` for the domains that it was given.\n"))
        self.assertTrue(output.endswith("\ndefault accept\n"))
        self.assertNothingWritten()
        self.folder.write("out/policy", output)
        shutil.copyfile(FREEMAIL, self.at("out/freemail.domains"))
        self.assertGood()

    def test_json(self):
        code, output, errors = self.init("--domain", "corp.example", "--json")
        self.assertEqual((code, errors), (0, ""))
        said = json.loads(output)
        with open(self.at("out/policy"), encoding="utf-8") as file:
            self.assertEqual(said.pop("policy"), file.read())
        self.assertEqual(said, {"written": ["out/freemail.domains", "out/policy"], "mta": None, "domains": ["corp.example"], "networks": [], "notes": []})

    def test_usage(self):
        for options, text in ((["--domain", "localhost"], "`localhost` is no domain of an organisation"), (["--domain", "co.uk"], "`co.uk` is no domain of an organisation"),
                              (["--domain", "a b"], "`a b` is no domain of an organisation"), (["--domain", ""], "`` is no domain of an organisation"),
                              (["--mta", "exim"], "`exim` is no MTA that can be asked; expected postfix or sendmail"),
                              (["--mta", "postfix", "--sendmail-config", "x"], "only one MTA can be asked"),
                              (["--postfix-config", "x", "--sendmail-config", "x"], "only one MTA can be asked")):
            with self.subTest(options):
                code, output, errors = self.init(*options)
                self.assertEqual((code, output), (2, ""))
                self.assertEqual(errors, "rcptguard: %s\nTry `rcptguard --help`.\n" % text)
        self.assertNothingWritten()

    def test_a_freemail_domain_of_ones_own(self):
        """who runs one of the list: its own domain is internal, and another one is in the assertions"""
        code, _output, errors = self.init("--domain", "gmail.com")
        self.assertEqual((code, errors), (0, ""))
        with open(self.at("out/policy"), encoding="utf-8") as file:
            self.assertRegex(file.read(), re.compile(r'^expect "outlook\.com" +is freemail$', re.MULTILINE))
        self.assertEqual(self.folder.run("check", "-p", "out/policy")[0], 0)


class Files(InitCase):
    """Nothing is overwritten, and nothing half-made is left."""

    def refused(self, text, *options, **named):
        code, output, errors = self.init(*(options or ("--domain", "corp.example")), **named)
        self.assertEqual((code, output), (1, ""))
        self.assertIn(text, errors)
        self.assertEqual([name for name in self.files() if name.startswith(".")], [])
        return errors

    def test_a_policy_is_there(self):
        self.folder.write("out/policy", "mine")
        self.assertEqual(self.refused("is there already"), "rcptguard: out/policy is there already, and nothing is ever overwritten; move it away, or name another file with -p\n")
        with open(self.at("out/policy"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.assertEqual(self.files(), ["policy"])

    def test_anything_of_that_name(self):
        os.symlink("nowhere", self.at("out/policy"))
        self.refused("is there already")
        self.assertEqual(self.files(), ["policy"])
        os.unlink(self.at("out/policy"))
        os.mkdir(self.at("out/policy"))
        self.refused("is there already")

    def test_no_folder(self):
        self.assertEqual(self.refused("there is no directory", output="none/policy"), "rcptguard: there is no directory none; create it, or name a file elsewhere with -p\n")
        self.folder.write("file", "")
        self.refused("there is no directory file", output="file/policy")

    def test_the_table_beside(self):
        """a table that is there is used, and not touched"""
        self.folder.write("out/freemail.domains", "# mine\n.nothing.example\nfree1.example # x\n")
        code, output, errors = self.init("--domain", "corp.example", freemail=False)
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(output.startswith("out/policy: written\nout/freemail.domains: was there, and is used as it is\n"), output)
        with open(self.at("out/freemail.domains"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "# mine\n.nothing.example\nfree1.example # x\n")
        with open(self.at("out/policy"), encoding="utf-8") as file:
            self.assertRegex(file.read(), re.compile(r'^expect "free1\.example" +is freemail$', re.MULTILINE))
        self.assertGood()

    def test_an_empty_table_beside(self):
        self.folder.write("out/freemail.domains", "")
        code, _output, errors = self.init("--domain", "corp.example", freemail=False)
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(self.folder.run("check", "-p", "out/policy")[0], 0)

    def test_no_table(self):
        errors = self.refused("the policy needs that table; name where it is with --freemail", "--domain", "corp.example", "--freemail", "none", freemail=False)
        self.assertIn("none: error: does not exist; expected a table of freemail domains\n", errors)
        self.assertNothingWritten()

    def test_a_wrong_table(self):
        """the policy is tried before it is written"""
        self.folder.write("wrong", "free1.example\nno domain!\n")
        errors = self.refused("what was found does not make a policy that holds; nothing was written", "--domain", "corp.example", "--freemail", "wrong", freemail=False)
        self.assertIn("freemail.domains:2:1: error: ", errors)
        self.assertNothingWritten()

    def test_an_assertion_that_fails(self):
        """the policy's own assertions are tried before it is written"""
        errors = self.refused("nothing was written", "--domain", "customer.example")
        self.assertIn("this expectation fails", errors)
        self.assertNothingWritten()

    def test_may_not_write(self):
        if not daemon.ROOT:
            os.chmod(self.at("out"), 0o555)
            self.refused("cannot write in out: Permission denied")
            return
        program = shutil.copy(tool.PROGRAM, self.at("rcptguard"))
        shutil.copyfile(FREEMAIL, self.at("list"))
        done = subprocess.run([*as_nobody(), program, "init", "-p", "out/policy", "--domain", "corp.example", "--freemail", "list"], cwd=self.path, env=tool.environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=daemon.LIMIT, check=False)
        self.assertEqual((done.returncode, done.stdout.decode(), done.stderr.decode()), (1, "", "rcptguard: cannot write in out: Permission denied; nothing was written\n"))

    def test_umask(self):
        """the daemon's user can read it whatever the umask"""
        code, _output, errors = self.init("--domain", "corp.example", prefix=["sh", "-c", 'umask 077; exec "$@"', "sh"])
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual({stat.S_IMODE(os.stat(self.at("out", name)).st_mode) for name in self.files()}, {0o644})

    def test_many_at_once(self):
        """of many that begin together one writes, and its files are whole"""
        processes = [subprocess.Popen([tool.PROGRAM, "init", "-p", "out/policy", "--domain", "corp%d.example" % n, "--freemail", FREEMAIL], cwd=self.path,
                                      env=tool.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(12)]
        codes = []
        for process in processes:
            output, errors = process.communicate(timeout=daemon.LIMIT)
            codes.append(process.returncode)
            self.assertEqual(process.returncode, 0 if b"out/policy: written" in output else 1, errors)
        self.assertEqual(sorted(codes), [0] + [1] * 11)
        self.assertEqual(self.files(), ["freemail.domains", "policy"])
        self.assertGood()


class Trouble(InitCase):
    """An MTA that is not there, or does not answer as one."""

    def program(self, name, text):
        """A program of that name, first in PATH."""
        os.makedirs(self.at("bin"), exist_ok=True)
        path = self.folder.write("bin/" + name, text)
        os.chmod(path, 0o755)
        return path

    def run_with(self, *options, prefix=()):
        env = dict(tool.environment(), PATH=self.at("bin") + os.pathsep + os.environ["PATH"])
        done = subprocess.run([*prefix, tool.PROGRAM, "init", "-p", "out/policy", "--freemail", FREEMAIL, *options], cwd=self.path, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=daemon.LIMIT * 2, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertNothingWritten()
        return done.stderr.decode()

    def test_no_configuration(self):
        self.assertRegex(self.run_with("--postfix-config", self.at("none")),
                         r"^rcptguard: Postfix does not answer: \S+/postconf: fatal: open %s/main\.cf: No such file or directory; "
                         r"name your domains with --domain\n$" % re.escape(self.at("none")))

    def test_hangs(self):
        """a program that does not end is stopped, and nothing waits for what it started, which keeps its outputs open"""
        path = self.program("postconf", "#!/bin/sh\nsleep 1000 &\necho $! $$ > %s\nwait\n" % self.at("ids"))
        self.assertEqual(self.run_with(), "rcptguard: Postfix does not answer: %s did not end within 10 s; name your domains with --domain\n" % path)
        with open(self.at("ids"), encoding="ascii") as file:
            child, program = (int(word) for word in file.read().split())
        os.kill(child, signal.SIGKILL)
        daemon.wait_until(lambda: not daemon.alive(program), what="the end of the program that hangs")

    def test_fails(self):
        path = self.program("postconf", "#!/bin/sh\nprintf 'a\\n\\033[2Jb\\302\\233\\n' >&2\nexit 3\n")
        self.assertEqual(self.run_with(), "rcptguard: Postfix does not answer: %s: \\x1B[2Jb\\xC2\\x9B; name your domains with --domain\n" % path)
        self.program("postconf", "#!/bin/sh\nexit 3\n")
        self.assertIn("%s ended with exit code 3;" % path, self.run_with())
        self.program("postconf", "#!/bin/sh\nkill -9 $$\n")
        self.assertIn("%s was ended by signal 9;" % path, self.run_with())

    def test_says_nothing(self):
        self.program("postconf", "#!/bin/sh\nexit 0\n")
        self.assertIn("Postfix names no domain", self.run_with())

    def test_cannot_be_started(self):
        path = self.program("postconf", "#!/nowhere/at/all\n")
        self.assertIn("%s cannot be started: " % path, self.run_with())

    def test_another_sendmail(self):
        """Postfix's sendmail(1), and what Exim's does: an answer without the test mode"""
        self.postfix()
        env = dict(os.environ, MAIL_CONFIG=self.at("etc"))
        os.environ["MAIL_CONFIG"] = env["MAIL_CONFIG"]
        self.addCleanup(os.environ.pop, "MAIL_CONFIG")
        self.assertRegex(self.run_with("--mta", "sendmail"), r"^rcptguard: Sendmail does not answer: \S+/sendmail: sendmail: fatal: ")
        path = self.program("sendmail", "#!/bin/sh\necho '> syntax error'\n")
        self.assertEqual(self.run_with("--mta", "sendmail"), "rcptguard: Sendmail does not answer: %s has no test mode: it is another MTA's; name your domains with --domain\n" % path)

    @unittest.skipUnless(daemon.ROOT, "needs root to take the MTA's programs out of sight")
    def test_no_mta(self):
        """neither is there: it says what it looked for, and works with names"""
        hide = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", "for name in postconf sendmail; do for folder in /usr/sbin /usr/local/sbin /sbin /usr/bin /usr/lib; do\n"
                "[ ! -e $folder/$name ] || mount --bind /dev/null $(readlink -f $folder/$name) || exit 9; done; done; exec \"$@\"", "sh"]
        self.assertEqual(self.run_with(prefix=hide), "rcptguard: there is neither Postfix (postconf) nor Sendmail (sendmail) in PATH or in "
                                                     "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin; name your domains with --domain\n")
        self.assertEqual(self.run_with("--mta", "sendmail", prefix=hide), "rcptguard: Sendmail does not answer: there is no sendmail in PATH or "
                                                                          "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin; name your domains with --domain\n")
        code, _output, errors = self.init("--domain", "corp.example", prefix=hide)
        self.assertEqual((code, errors), (0, ""))


if __name__ == "__main__":
    surroundings.enter(["/run"])  # a root of its own, in which programs can be taken out of sight
    tap.main(limit=120)
