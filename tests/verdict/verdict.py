"""What `rcptguard explain` says of messages: the mail that this program is for, its options, its JSON.

A case has a message, a policy, a command line, and golden files: golden/NAME.expected
for people, golden/NAME.json with sorted keys.  Large messages are made here.
`make update-golden` writes the golden files anew; read the difference before you keep it.
"""

import gzip
import hashlib
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import policies
import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("top_builddir") or SOURCE)
PROGRAM = BUILD / "rcptguard"
HERE = SOURCE / "tests" / "verdict"
GOLDEN = HERE / "golden"
UPDATE = "--update" in sys.argv

TIME = ["--time", "2027-06-30T12:00:00Z"]
RECIPIENTS_KEPT = 25  # of more, a golden file keeps their number and a sum


def environment():
    env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC")
    env["LSAN_OPTIONS"] = "suppressions=%s:print_suppressions=0:exitcode=99" % (SOURCE / "tests" / "lsan.supp")
    env["ASAN_OPTIONS"] = "exitcode=99"
    return env


def eml(to=(), cc=(), headers=(), sender="care@me.example", body="Hello.\n"):
    """A message; To and Cc are lists of addresses, or the text of the header."""
    lines = ["From: <%s>" % sender] if sender is not None else []
    for name, value in [("To", to), ("Cc", cc), *headers]:
        if value or name not in ("To", "Cc"):
            lines.append("%s: %s" % (name, value if isinstance(value, str) else policies.folded(value)))
    return ("\n".join(lines) + "\nSubject: a test\n\n" + body).encode("utf-8", "surrogateescape")


def envelope(addresses):
    return [word for address in addresses for word in ("--recipient", address)]


def one_customer(count):
    return policies.people(count, "p", "customer.example")


BOUNDARY = "From care@me.example Mon Nov 23 18:34:00 2026\n"
PATCH = eml(to=policies.people(6, "maintainer"), cc=policies.people(140, "list"), headers=[("List-Id", "<kernel.me.example>")])
TWELVE_SPELLINGS = ("ann@b\u00fccher.example, ANN@b\u00fccher.example, Ann@B\u00dcCHER.example, ann@xn--bcher-kva.example,"
                    " ann@XN--BCHER-KVA.EXAMPLE, <ann@xn--bcher-kva.example>, Ann <ann@b\u00fccher.example>, \"Ann\" <aNN@b\u00fccher.example>,"
                    " ann@b\u00fccher.example., 'ann@xn--bcher-kva.example', \"ann\"@b\u00fccher.example, ann@bu\u0308cher.example")

# The field: name, message, what is right; then the rule, options, policy.
FIELD = {
    "field-450-in-cc": (eml(to=["care@me.example"], cc=policies.people(450)), "reject", "mass-disclosure"),
    "field-clinic-37": (eml(to=policies.private(37), sender="clinic@me.example"), "quarantine", "sensitive"),
    "field-clinic-2": (eml(to=["a@x.example", "b@y.example"], sender="clinic@me.example"), "quarantine", "sensitive"),
    "field-clinic-1": (eml(to=["a@x.example", "b@x.example"], sender="clinic@me.example"), "accept", "default"),
    "field-37-patients": (eml(to=policies.private(37)), "quarantine", "wide-cc"),
    "field-bcc-450": (eml(to=["care@me.example"]), "accept", "default", envelope(policies.people(450))),
    "field-merge": (eml(to=["c1@cust1.example"]), "accept", "default"),
    "field-30-at-one": (eml(cc=one_customer(30)), "accept", "default"),
    "field-40-at-one": (eml(cc=one_customer(40)), "quarantine", "wide-cc"),
    "field-9-parties": (eml(cc=policies.people(9)), "accept", "default"),
    "field-10-parties": (eml(cc=policies.people(10)), "quarantine", "wide-cc"),
    "field-49-parties": (eml(cc=policies.people(49)), "quarantine", "wide-cc"),
    "field-50-parties": (eml(cc=policies.people(50)), "reject", "mass-disclosure"),
    "field-800-colleagues": (eml(to=policies.colleagues(800)), "accept", "default"),
    "field-auditor": (eml(to=policies.colleagues(800), cc=["auditor@audit.example"]), "quarantine", "staff-list", [], "auditor"),
    "field-no-auditor": (eml(to=policies.colleagues(800)), "accept", "default", [], "auditor"),
    "field-ways": (eml(to=["%s!%s" % tuple(reversed(one.split("@"))) if n % 2 else one.replace("@", "%") for n, one in enumerate(policies.people(60))]), "reject", "mass-disclosure"),
    "field-semicolons": (eml(to="; ".join(policies.people(200))), "reject", "mass-disclosure"),
    "field-group": (eml(to="Customers: %s;" % policies.folded(policies.people(60))), "reject", "mass-disclosure"),
    "field-undisclosed": (eml(to="undisclosed-recipients:;"), "accept", "default", envelope(policies.people(60))),
    "field-resent-60": (eml(to=["care@me.example"], headers=[("Resent-To", policies.people(60))]), "reject", "mass-disclosure"),
    "field-three-to": (eml(headers=[("To", policies.people(60)[start:start + 20]) for start in (0, 20, 40)]), "reject", "mass-disclosure"),
    "field-one-mailbox": (eml(to=TWELVE_SPELLINGS), "accept", "default"),
    "field-look-alikes": (eml(to=["a@notme.example", "a@me.example.evil.test", "a@me-example.example", "a@xme.example", "a@me.example2.test", "a@mee.example",
                                  "a@me.examples.test", "a@example.test", "a@me.test", "a@me.example.test", "a@mail-me.example", "a@them.example"]),
                          "quarantine", "wide-cc"),
    "field-100-kb": (eml(to=policies.people(2300, "a-rather-long-name-of-a-recipient-", "some-customer-{n}.example")), "reject", "mass-disclosure"),
    "field-patch-exempt": (PATCH, "accept", "developer", ["--user", "developer"]),
    "field-patch": (PATCH, "reject", "mass-disclosure"),
    "field-display-name": (eml(to="\"%s\" <news@me.example>" % ", ".join(policies.people(20))), "quarantine", "wide-cc"),
    "field-from-60": (eml(to=["c0@cust0.example"], headers=[("From", ["care@me.example", *policies.people(60)])], sender=None), "reject", "mass-disclosure"),
    "field-from-name": (eml(to=["c0@cust0.example"], headers=[("From", "\"%s\" <care@me.example>" % ", ".join(policies.people(20)))], sender=None), "quarantine", "wide-cc"),
    "field-inbound": (eml(to=["care@me.example"], cc=policies.people(60), sender="ann@x.example"), "accept", None, ["--inbound"]),
    "field-unreadable": (eml(to="(" * 200 + " ann@x.example"), "quarantine", "unreadable"),
}

def sample(name):
    return (SOURCE / "tests" / "parts" / "samples" / (name + ".eml")).read_bytes()


def many_parts(count):
    """A message with that many others in it."""
    return eml(to=["a@x.example"], headers=[("Content-Type", "multipart/digest; boundary=b")],
               body="".join("--b\n\nTo: p%d@cust%d.example\n\nx\n" % (n, n) for n in range(count)) + "--b--\n")


TWO = eml(to=["a@x.example", "b@y.example"])
CASES = {
    # Options.
    "sender": (TWO, "tag", "wide", ["--sender", "<Boss@Me.example>"], "facts"),
    "sender-null": (TWO, "tag", "wide", ["--sender", ""], "facts"),
    "recipient": (eml(to=["a@x.example"]), "quarantine", "hidden-many", envelope(["a@x.example", "h@x.example", "i@y.example", "root"]), "facts"),
    "user": (TWO, "accept", "over", ["--user", "newsletter"], "facts"),
    "user-later": (TWO, "tag", "wide", ["--user", "newsletter", "--time", "2027-07-01T00:00:00Z"], "facts"),
    "user-last-second": (TWO, "accept", "over", ["--user", "newsletter", "--time", "2027-07-01T01:59:59+02:00"], "facts"),
    "client": (TWO, "tempfail", "office", ["--client", "10.1.2.3"], "facts"),
    "client-outside": (TWO, "accept", None, ["--client", "192.0.2.1"], "facts"),
    "listener": (TWO, "tag", "wide", ["--listener", "originating"], "facts"),
    "listener-other": (TWO, "accept", None, ["--listener", "smtpd"], "facts"),
    "local": (TWO, "tag", "wide", ["--local"], "facts"),
    "local-default": (TWO, "accept", "default", ["--local"]),
    "local-stranger": (TWO, "accept", None, ["--local", "--sender", "ann@x.example"]),
    "inbound": (TWO, "accept", None, ["--inbound"], "facts"),
    "bcc": (eml(to=["a@x.example"], headers=[("Bcc", "h@x.example, i@y.example")]), "quarantine", "hidden-many", [], "facts"),
    "bcc-visible": (eml(to=["a@x.example"], headers=[("Bcc", "h@x.example, i@y.example")]), "tag", "wide", ["--bcc-visible"], "facts"),
    "fault": (TWO, "quarantine", "fault:fault", ["--user", "a" * 45], "facts"),
    "fault-class": (eml(to=["x@" + "a" * 45]), "quarantine", "fault:hidden-many", [], "facts"),
    "monitor": (eml(to=policies.people(5)), "accept", "default"),
    "contains-subject": (eml(to=["a@x.example"], headers=[("Subject", "=?utf-8?q?Re=3A_=EF=BC=A3onfidential?=")]), "quarantine", "words", [], "matching"),
    "contains-not": (eml(to=["a@x.example"], headers=[("Subject", "confidentiality")]), "accept", "default", [], "matching"),
    "contains-sentence": (eml(to=["a@x.example"], headers=[("Subject", "\u3053\u308c\u306f\u6a5f\u5bc6\u3067\u3059")]), "quarantine", "words", [], "matching"),
    "earlier-few": (eml(to=policies.people(9)), "accept", "default", [], "earlier"),
    "earlier-one": (eml(to=policies.people(1)), "accept", "default", [], "earlier"),
    "earlier-strangers": (eml(to=policies.people(12)), "quarantine", "circle", [], "earlier"),
    "earlier-many": (eml(to=policies.people(30)), "quarantine", "split", [], "earlier"),
    "earlier-refused": (eml(to=policies.people(60)), "reject", "refuse", [], "earlier"),
    "extension": (eml(to=["a@x.example"], sender="clinic+tag@me.example"), "tag", "mailboxes", [], "matching"),
    "extension-exact": (eml(to=["a@x.example"], sender="hr+tag@me.example"), "accept", "default", [], "matching"),
    "realm": (eml(to=["a@x.example"]), "tag", "robots", ["--user", "robot@me.example"], "matching"),
    "realm-other": (eml(to=["a@x.example"]), "accept", "default", ["--user", "robot@x.example"], "matching"),
    "contains-user": (eml(to=["a@x.example"]), "tag", "logins", ["--user", "news-robot@me.example"], "matching"),
    # Parts of a body, as programs write them.
    "inside-invitation": (sample("invitation-outlook"), "quarantine", "invite", ["--recipient", "ann@first.example"], "inside"),
    "inside-bcc": (sample("invitation-google"), "quarantine", "invite", ["--recipient", "ann@first.example", "--recipient", "bob@first.example"], "inside"),
    "inside-forward": (sample("forward-outlook-german"), "quarantine", "forward", [], "inside"),
    "inside-attached": (sample("forward-attached"), "quarantine", "forward", ["--all"], "inside"),
    "inside-table": (sample("table-utf16"), "quarantine", "customer-list", [], "inside"),
    "inside-contacts": (sample("contacts-vcard21"), "quarantine", "customer-list", ["--all"], "inside"),
    "inside-opaque": (sample("opaque"), "tag", "unread", ["--all"], "inside"),
    "inside-field": (eml(to=["a@x.example"], headers=[("X-Envelope-Rcpt", policies.people(6)), ("Reply-To", "r@r.example")]), "quarantine", "filter", [], "inside"),
    "inside-many-parts": (many_parts(30), "quarantine", "forward", [], "inside"),
    "inside-plain": (TWO, "accept", "default", [], "inside"),
    "inside-not-needed": (eml(to=policies.people(12)), "reject", "wide", [], "inside"),
    # Messages.
    "empty-headers": (b"Subject:\n\nbody\n", "accept", "default"),
    "no-from": (eml(to=["a@x.example"], sender=None), "accept", "default"),
    "mbox": ((BOUNDARY + eml(to=["a@x.example"]).decode() + "\n" + BOUNDARY + eml(to=policies.people(12)).decode() + "\n" + BOUNDARY + "Subject: none\n").encode(), "accept", "default"),
    "idn": (eml(to="ann@m\u00fcller.example, bob@XN--BCHER-KVA.example"), "accept", "default"),
    # A ticket system's sender: whose ticket it is can be seen, so two outside parties see each other.
    "from-ticket": (eml(to=["a@x.example"], headers=[("From", "\"ann@y.example via Support\" <clinic@me.example>")], sender=None), "quarantine", "sensitive"),
    # A list that rewrites From names somebody, but no address; bulk mail has another envelope sender.
    "from-list": (eml(to=["a@x.example"], headers=[("From", "Ann via Clinic <clinic@me.example>")], sender=None), "accept", "default"),
    "from-bulk": (eml(to=["a@x.example"], headers=[("From", "\"news@news.example\" <news@news.example>")], sender=None), "accept", "default",
                        ["--sender", "bounce+17@me.example"]),
    "cut": (eml(to=["a@x.example"], cc="x" * 59000), "quarantine", "unreadable"),
    # Nothing that moves a cursor or hides text reaches the terminal.
    "terminal": (eml(to="\"a\x1b[2Jb\"@x.example, \"\u202egnp.exe\" <b@y.example>, \"c\x07d\" <c@z.example>, \"e\x7ff\"@w.example,"
                        " g\u0085h@v.example", sender="\"\x1b]0;x\x07\"@me.example"), "accept", "default"),
    "forged": (eml(to=["a@x.example", "b@y.example"], sender="\"x verdict=accept\"@me.example"), "tempfail", "office", ["--client", "10.1.2.3"], "facts"),
}
CASES.update(FIELD)


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rcptguard-verdict-")
        for path in HERE.glob("*.policy"):
            shutil.copyfile(path, os.path.join(cls.folder, path.name))
        for name, case in CASES.items():
            pathlib.Path(cls.folder, name + ".eml").write_bytes(case[0])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_tool(self, *arguments, stdin=b""):
        return subprocess.run([str(PROGRAM), *arguments], cwd=self.folder, input=stdin, capture_output=True, env=environment(), timeout=60 * tap.SLOWNESS)

    def explain(self, *arguments, stdin=b""):
        done = self.run_tool("explain", *arguments, stdin=stdin)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def arguments(self, name):
        case = CASES[name]
        options = case[3] if len(case) > 3 else []
        policy = case[4] if len(case) > 4 else "field"
        return ["-p", policy + ".policy", *([] if "--time" in options else TIME), *options, name + ".eml"]

    def objects(self, name):
        return [json.loads(line) for line in self.explain("--json", *self.arguments(name)).decode().splitlines()]

    def compare(self, path, got):
        if UPDATE:
            path.write_text(got, encoding="utf-8")
        self.assertEqual(got, path.read_text(encoding="utf-8") if path.exists() else "", path.name)


class Verdicts(Case):
    def test_verdict(self):
        """What is right, said here and not only in a golden file."""
        for name, case in CASES.items():
            with self.subTest(name):
                first = self.objects(name)[0]
                self.assertEqual((first["verdict"], first["rule"]), case[1:3])

    def test_text(self):
        for name in CASES:
            with self.subTest(name):
                self.compare(GOLDEN / (name + ".expected"), self.explain(*self.arguments(name)).decode())

    def test_json(self):
        for name in CASES:
            with self.subTest(name):
                found = self.objects(name)
                for each in found:
                    each["policy"] = "DIGEST"  # the Public Suffix List of this machine is a part of it
                    if len(each["recipients"]) > RECIPIENTS_KEPT:
                        each["recipients"] = {"number": len(each["recipients"]),
                                              "sum": hashlib.sha256(json.dumps(each["recipients"], sort_keys=True).encode()).hexdigest()[:16]}
                self.compare(GOLDEN / (name + ".json"), "".join(json.dumps(each, indent=1, sort_keys=True, ensure_ascii=False) + "\n" for each in found))

    def test_golden_files_have_cases(self):
        for path in [*GOLDEN.glob("*.expected"), *GOLDEN.glob("*.json")]:
            self.assertIn(path.stem, CASES)

    def test_terminal_safe(self):
        for name in CASES:
            for arguments in ([], ["--json"]):
                out = self.explain(*arguments, *self.arguments(name)).decode()
                with self.subTest(name):
                    self.assertNotRegex(out, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]" if not arguments
                                        else "[\x00-\x08\x0b-\x1f]")


class Contract(Case):
    """The keys and types of the JSON that others build on."""

    COUNTS = ["visible", "parties", "domains", "recipients", "hidden"]

    def test_keys_and_types(self):
        for name in CASES:
            for index, each in enumerate(self.objects(name)):
                with self.subTest(name):
                    self.check(each, index, name)

    def check(self, each, index, name):
        self.assertLessEqual({"file", "index", "verdict", "rule", "line", "text", "outbound", "sender", "would", "counts", "defects", "malformed",
                              "truncated", "recipients", "rules", "policy"}, set(each))
        self.assertEqual((each["file"], each["index"]), (name + ".eml", index))
        self.assertIn(each["verdict"], ("accept", "tag", "quarantine", "reject", "tempfail"))
        for key, kind in (("outbound", bool), ("malformed", bool), ("truncated", bool), ("sender", str), ("policy", str), ("would", list),
                          ("defects", list), ("recipients", list), ("rules", list), ("counts", dict)):
            self.assertIs(type(each[key]), kind, key)
        self.assertRegex(each["policy"], r"\A[0-9a-f]{12}\Z")
        if each["outbound"]:
            self.assertIs(type(each["rule"]), str)
            self.assertIs(type(each["line"]), int)
        else:
            self.assertEqual((each["verdict"], each["rule"]), ("accept", None))
        self.assertEqual(each["text"] is None, each["verdict"] == "accept")
        self.assertLessEqual(set(each["defects"]), {"syntax", "limit", "unparsed", "cut"})
        self.assertEqual(each["malformed"], bool({"limit", "unparsed"} & set(each["defects"])))
        self.assertEqual(each["truncated"], "cut" in each["defects"])
        for would in each["would"]:
            self.assertRegex(would, r"\A(tag|quarantine|reject|tempfail|accept|fault):[a-z][a-z0-9-]*\Z")
        self.check_counts(each)
        for rule in each["rules"]:
            self.assertLessEqual({"rule", "line", "matched", "monitor", "tests"}, set(rule))
            for test in rule["tests"]:
                self.assertEqual(set(test), {"test", "value", "result"})
                self.assertIn(type(test["value"]), (str, type(None)))
                self.assertIn(test["result"], (True, False, None))

    def check_counts(self, each):
        counts, recipients = each["counts"], each["recipients"]
        self.assertEqual(sorted(counts), sorted(self.COUNTS))
        for kind in self.COUNTS:
            members = counts[kind]
            self.assertLessEqual({"external", "internal", "other", "all"}, set(members))
            self.assertTrue(all(type(number) is int and number >= 0 for number in members.values()))
            self.assertLessEqual(members["all"], sum(number for name, number in members.items() if name not in ("all", "external")))
        # The recipients are what is counted.
        self.assertEqual(counts["visible"]["all"], len(recipients))
        self.assertEqual(counts["visible"]["external"], len([one for one in recipients if one["class"] != "internal"]))
        self.assertEqual(counts["parties"]["all"], len({one["party"] for one in recipients}))
        self.assertEqual(counts["domains"]["all"], len({one["address"].rpartition("@")[2] for one in recipients}))
        self.assertEqual(len({one["address"] for one in recipients}), len(recipients))
        self.assertLessEqual(counts["hidden"]["all"], counts["recipients"]["all"])
        for one in recipients:
            self.assertEqual(set(one), {"address", "class", "party", "fields"})
            self.assertNotIn("xn--", one["address"].rpartition("@")[2])
            self.assertNotIn("xn--", one["party"].rpartition("@")[2], "the party's domain in U-labels, like the address's")
            self.assertTrue(one["fields"])
            self.assertLessEqual(set(one["fields"]), {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc", "Apparently-To", "From"})

    def test_several_files(self):
        lines = self.explain("--json", "-p", "field.policy", *TIME, "user.eml", "mbox.eml", "bcc.eml").decode().splitlines()
        self.assertEqual([(each["file"], each["index"]) for each in map(json.loads, lines)],
                         [("user.eml", 0), ("mbox.eml", 0), ("mbox.eml", 1), ("mbox.eml", 2), ("bcc.eml", 0)])

    def test_standard_input(self):
        for arguments in ([], ["-"]):
            each = json.loads(self.explain("--json", "-p", "field.policy", *arguments, stdin=CASES["field-450-in-cc"][0]))
            self.assertEqual((each["file"], each["verdict"]), ("-", "reject"))

    def test_folder(self):
        os.makedirs(os.path.join(self.folder, "maildir", "cur"), exist_ok=True)
        shutil.copyfile(os.path.join(self.folder, "user.eml"), os.path.join(self.folder, "maildir", "cur", "1:2,S"))
        each = json.loads(self.explain("--json", "-p", "field.policy", "maildir"))
        self.assertEqual(each["file"], "maildir/cur/1:2,S")

    def test_packed(self):
        """Packed, by whatever name, and by standard input; what is cut is explained as far as it goes, and told."""
        box = pathlib.Path(self.folder, "mbox.eml").read_bytes()
        verdicts = self.explain("--json", "-p", "field.policy", *TIME, "mbox.eml").replace(b'"mbox.eml"', b'"packed"')
        for name, packed in (("gzip", gzip.compress(box)), ("xz", lzma.compress(box))):
            pathlib.Path(self.folder, "packed").write_bytes(packed)
            self.assertEqual(self.explain("--json", "-p", "field.policy", *TIME, "packed"), verdicts)
            self.assertEqual(self.explain("--json", "-p", "field.policy", *TIME, stdin=packed), verdicts.replace(b'"packed"', b'"-"'))
            pathlib.Path(self.folder, "packed").write_bytes(packed[:-4])
            done = self.run_tool("explain", "--json", "-p", "field.policy", *TIME, "packed")
            self.assertEqual((done.returncode, done.stdout), (1, verdicts))
            self.assertEqual(done.stderr.decode(), "packed: error: ends early: what %s packed is cut\n" % name)

    def test_exit_codes(self):
        def code(*arguments):
            done = self.run_tool(*arguments)
            return done.returncode, done.stdout, done.stderr.decode()
        status, out, error = code("explain", "-p", "field.policy", "missing.eml")
        self.assertEqual((status, out, error), (1, b"", "missing.eml: error: does not exist; expected a message or a mailbox\n"))
        # What can be read is told all the same.
        status, out, error = code("explain", "-p", "field.policy", "missing.eml", "user.eml")
        self.assertEqual(status, 1)
        self.assertIn(b"user.eml: ", out)
        status, out, error = code("explain", "-p", "missing.policy", "user.eml")
        self.assertEqual((status, out, error), (1, b"", "missing.policy: error: does not exist; expected a policy\n"))
        for arguments in (["explain", "--time", "yesterday"], ["explain", "--client", "localhost"], ["explain", "--nonsense"], ["exlpain"], [],
                          ["check", "-p", "field.policy", "more"]):
            status, out, error = code(*arguments)
            self.assertEqual(status, 2, arguments)
        self.assertIn("did you mean `explain`?", code("exlain")[2])
        self.assertEqual(code("--help")[0], 0)
        self.assertEqual(code("--version")[0], 0)


if __name__ == "__main__":
    if UPDATE:
        sys.argv.remove("--update")
    tap.main(limit=120)
