"""The policies in packaging/examples do what they are there for.

Each is checked with its own assertions, each assertion that should fail without its
rules does, and the mail of the field (tests/verdict) is judged by each.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import unittest

import daemon
import policies
import tap
import tool

EXAMPLES = os.path.join(daemon.SOURCE, "packaging", "examples")
POLICIES = ["policy"] + sorted(name for name in os.listdir(EXAMPLES) if name.endswith(".policy"))

# Whose mail server the example is for, instead of me.example in the mail of the field.
DOMAINS = {"policy": "corp.example", "first.policy": "corp.example", "observe.policy": "corp.example", "batches.policy": "corp.example", "attachments.policy": "corp.example", "clinic.policy": "hospital.example",
           "university.policy": "uni.example", "hosting.policy": "bakery.example"}

# The field's freemail providers, by real names that the list has.
PROVIDERS = dict(zip(("free1.test", "free2.test", "free3.test", "free4.test", "free5.test"), ("gmail.com", "web.de", "orange.fr", "qq.com", "mail.ru")))

TRIALS = ("first.policy", "observe.policy")

# What to say to sed, as the files' own heads do.
DECIDE = r"/^ *monitor$/d; /# for now$/d; s/^# later: //"


def field():
    """tests/verdict's table: {name: (message, verdict, rule, options, policy)}."""
    path = os.path.join(daemon.SOURCE, "tests", "verdict", "verdict.py")
    spec = importlib.util.spec_from_file_location("verdict", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: (case[0], case[1], case[2], case[3] if len(case) > 3 else [], case[4] if len(case) > 4 else "field")
            for name, case in module.FIELD.items()}


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def sed(script, text):
    return subprocess.run(["sed", script], input=text.encode(), stdout=subprocess.PIPE, check=True, timeout=daemon.LIMIT).stdout.decode()


def without_expectations(text):
    """The canonical policy's rules alone."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("expect "))


class ExampleCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tool.Folder()
        shutil.rmtree(cls.folder.path)
        shutil.copytree(EXAMPLES, cls.folder.path)
        os.chmod(cls.folder.path, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.folder.__exit__(None, None, None)

    def check(self, name, text=None):
        """(whether --strict finds it good, what it says)"""
        if text is not None:
            self.folder.write(name, text)
        code, output, errors = self.folder.run("check", "--strict", "-p", name)
        self.assertIn(code, (0, 1))
        return code == 0, output + errors

    def assertGood(self, name, text=None):
        good, said = self.check(name, text)
        self.assertTrue(good, said)
        return said

    def decided(self, name):
        """The policy as the commands at its head make it."""
        text = sed(DECIDE, read(name))
        self.assertNotIn("monitor", re.sub("#.*", "", text))
        return text


class Checks(ExampleCase):
    def test_all_are_known(self):
        """each file in packaging/examples is installed, and each policy is in the tests"""
        self.assertEqual(set(POLICIES), set(DOMAINS))
        makefile = read(os.path.join(daemon.SOURCE, "Makefile.am"))
        installed = re.search(r"^dist_examples_DATA = (.*?[^\\])$", makefile, re.DOTALL | re.MULTILINE).group(1)
        self.assertEqual({os.path.basename(word) for word in installed.split() if word != "\\"}, set(os.listdir(EXAMPLES)))
        for name in os.listdir(EXAMPLES):
            with self.subTest(name):
                self.assertTrue(name in POLICIES or name == "notice.txt" or any(words % name in read(policy) for policy in POLICIES for words in ('from "%s"', 'expect file "%s"')), "no policy uses it")

    def test_good(self):
        """check --strict finds nothing, and there are enough assertions"""
        for name in POLICIES:
            with self.subTest(name):
                said = self.assertGood(name)
                self.assertGreaterEqual(int(re.search(r"expectations that hold (\d+), warnings 0", said).group(1)), 12)

    def test_both_sides_of_each_threshold(self):
        """the assertions name each threshold of the rules, and the number before it"""
        for name in POLICIES:
            text = self.decided(name) if name in TRIALS else read(name)
            rules = text[re.search(r"^rule ", text, re.MULTILINE).start():]
            with self.subTest(name):
                for subject, number in re.findall(r"\b(visible|parties)\(\w+(?:, \w+)*\) >= (\d+)", re.sub(r"rule unreadable.*?^}", "", rules, flags=re.DOTALL | re.MULTILINE)):
                    for wanted in (int(number), int(number) - 1):
                        with self.subTest("%s %d" % (subject, wanted)):
                            self.assertTrue(self.has_message_to(text, wanted), "no assertion with %d" % wanted)

    @staticmethod
    def has_message_to(text, count):
        """Whether an assertion's message goes to so many, written as `N of` or one by one."""
        for people in re.findall(r'^expect message from "[^"]*"(?: user "[^"]*")?\s+to (.*?)(?: bcc .*?)?\s+(?:at \S+\s+)?gives', text, re.DOTALL | re.MULTILINE):
            written = sum(int(number or 1) for number in re.findall(r'(?:(\d+) of )?"[^"]*"', people))
            if count in (written, *(int(number) for number in re.findall(r"(\d+) of", people))):
                return True
        return False

    def test_kinds_of_assertions(self):
        """classes with look-alikes, what is outbound and what is not, messages that pass and that do not"""
        for name in POLICIES:
            text = self.decided(name) if name in TRIALS else read(name)
            with self.subTest(name):
                for pattern in (r'^expect "\S+" +is internal', r'^expect "[\w.]+\.(evil\.)?test" +is other', r'^expect "gmail.com" +is freemail',
                                r"^expect outbound ", r"^expect not outbound ", r"^expect message .* gives accept", r"gives quarantine by ",
                                r"gives reject by "):
                    self.assertRegex(text, re.compile(pattern, re.MULTILINE))

    def test_each_rule_is_tried(self):
        """if any one of its rules did something else, an assertion would fail; the one for what cannot be read has no assertion so short"""
        for name in POLICIES:
            text = self.decided(name) if name in TRIALS else read(name)
            rules = re.findall(r"(?ms)^rule \S+ \{\n.*?^\}\n", text)
            self.assertGreaterEqual(len(rules), 3)
            for rule in rules:
                title = rule.split()[1]
                if title == "unreadable":
                    continue
                other = re.sub(r"(?m)^    (accept|(?:reject|quarantine) .*)$", lambda match: '    reject "x"' if match[1] == "accept" else "    accept", rule)
                self.assertNotEqual(other, rule)
                with self.subTest("%s %s" % (name, title)):
                    good, said = self.check("other", text.replace(rule, other))
                    self.assertFalse(good)
                    self.assertIn("this expectation fails", said)

    def test_manual(self):
        """rcptguard-policy(5) names each policy, and no other"""
        page = read(os.path.join(daemon.SOURCE, "policy", "rcptguard", "rcptguard-policy.5"))
        listed = page[page.index("\n.Sh FILES\n"):page.index("\n.Sh EXAMPLES\n")]
        self.assertEqual(set(re.findall(r"^\.It Pa (\S+)$", listed, re.MULTILINE)) - {"/etc/rcptguard/policy", "/usr/share/doc/rcptguard/examples/"},
                         set(POLICIES) | {"freemail.domains"})

    def test_installed(self):
        """in the folder that `make install` fills, each finds its tables"""
        with tool.Folder() as folder:
            done = subprocess.run(["make", "-s", "-C", daemon.BUILD, "install-dist_examplesDATA", "install-pkgdataDATA", "DESTDIR=" + folder.path, "MAKEFLAGS="],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=daemon.LIMIT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            found = [path for path, _folders, files in os.walk(folder.path) if "first.policy" in files]
            self.assertEqual(len(found), 1)
            self.assertTrue(found[0].endswith("/doc/rcptguard/examples"), found)
            for name in POLICIES:
                self.assertEqual(folder.run("check", "--strict", "-p", os.path.join(found[0], name))[0], 0, name)
            self.assertEqual(len([path for path, _folders, files in os.walk(folder.path)
                                  if path.endswith("/share/rcptguard") and files == ["freemail.domains"]]), 1)


class Trials(ExampleCase):
    def test_only_monitor(self):
        """each rule is on trial, so nothing is ever stopped"""
        for name in TRIALS:
            rules = re.findall(r"(?ms)^rule .*?^\}", read(name))
            self.assertGreaterEqual(len(rules), 3)
            self.assertEqual([rule for rule in rules if not re.search(r"(?m)^    monitor$", rule)], [])
            self.assertRegex(read(name), r"\ndefault accept\n\Z")

    def test_the_commands_are_in_the_file(self):
        """what the tests do is what the file says"""
        for name in TRIALS:
            self.assertIn("sed '%s' %s > policy" % (DECIDE, name), read(name))

    def test_decided(self):
        """with `monitor` gone the policy is good, and holds and refuses"""
        for name in TRIALS:
            with self.subTest(name):
                said = self.assertGood("decided", self.decided(name))
                self.assertGreaterEqual(int(re.search(r"expectations that hold (\d+)", said).group(1)), 12)

    def test_only_monitor_gone(self):
        """with `monitor` gone and the assertions left, check names each that was for now, and no other"""
        for name in TRIALS:
            with self.subTest(name):
                good, said = self.check("half", sed("/^ *monitor$/d", read(name)))
                self.assertFalse(good)
                self.assertEqual(said.count("this expectation fails"), len(re.findall(r"(?m)# for now$", read(name))))

    def test_the_first_becomes_the_policy(self):
        """the first policy, decided, is the example `policy`"""
        self.assertGood("decided", self.decided("first.policy"))
        made, there = (self.folder.run("print", "-p", name)[1] for name in ("decided", "policy"))
        self.assertEqual(sorted(made.splitlines()), sorted(there.splitlines()))
        self.assertEqual(without_expectations(made), without_expectations(there))

    def test_one_rule_decides(self):
        """the command for one rule of the roll-out makes that rule decide"""
        command = re.search(r"sed '(/\^rule at-50 .*?)' observe.policy > policy", read("observe.policy")).group(1)
        good, said = self.check("one", sed(command, read("observe.policy")))
        self.assertFalse(good)
        self.assertEqual(said.count("this expectation fails"), 1)
        self.assertIn("it gives reject by at-50", said)

    def test_log_commands(self):
        """what the head says to ask the log gives the counts"""
        log = "".join("x rcptguardd[1]: Q%d: verdict=accept rule=default would=%s visible=1 parties=1 sender=%s msgid=-\n" % each for each in
                      ((1, "reject:at-50,quarantine:at-25,quarantine:at-10", "care@corp.example"), (2, "quarantine:at-10", "care@corp.example"),
                       (3, "-", "hr@corp.example"), (4, "quarantine:at-10", "ann@corp.example")))
        self.folder.write("mail.log", log)
        for name, expected in (("first.policy", ["1 would=reject:at-50,quarantine:at-25,quarantine:at-10", "2 would=quarantine:at-10"]),
                               ("observe.policy", ["3 quarantine:at-10", "1 quarantine:at-25", "1 reject:at-50"])):
            command = re.search(r"(?m)^#\s+(journalctl -t rcptguardd \| grep -o ' would=.*)$", read(name)).group(1)
            said = self.folder.shell(command.replace("journalctl -t rcptguardd", "cat mail.log"))
            self.assertEqual(sorted(" ".join(line.split()) for line in said.splitlines()), sorted(expected), name)
        command = re.search(r"(?m)^#\s+(journalctl -t rcptguardd \| grep ' would=\[\^ \]\*:at-10'.*)$", read("observe.policy")).group(1)
        said = self.folder.shell(command.replace("journalctl -t rcptguardd", "cat mail.log"))
        self.assertEqual([" ".join(line.split()) for line in said.splitlines()], ["2 sender=care@corp.example", "1 sender=ann@corp.example"])


class Field(ExampleCase):
    """The mail of the field, as if it were of the example's own organisation."""

    # What another policy than the field's says, by its own rules: {policy: {message: (verdict, rule)}}.
    OTHERWISE = {
        "clinic.policy": {},
        "policy": {"field-clinic-37": ("quarantine", "wide-cc"), "field-clinic-2": ("accept", "default")},
        "university.policy": {"field-clinic-37": ("quarantine", "wide-cc"), "field-clinic-2": ("accept", "default")},
        "attachments.policy": {"field-clinic-37": ("quarantine", "wide-cc"), "field-clinic-2": ("accept", "default")},
        "hosting.policy": {"field-clinic-37": ("quarantine", "wide-cc"), "field-clinic-2": ("accept", "default")},
    }

    # The field's policy exempts a login; only the university's does so too.
    EXEMPT = {"university.policy": ("accept", "exempt")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cases = {name: case for name, case in field().items() if case[4] == "field"}

    def message(self, name, domain):
        data = self.cases[name][0]
        for old, new in PROVIDERS.items():
            data = data.replace(old.encode(), new.encode())
        return re.sub(rb"(?<![\w-])me\.example(?![\w-])", domain.encode(), data)

    def judge(self, policy, domain):
        """{message: (verdict, rule, would)}"""
        found = {}
        for name, (_data, _verdict, _rule, options, _policy) in self.cases.items():
            self.folder.write("m.eml", self.message(name, domain))
            said, = self.folder.json("explain", "--json", "-p", policy, *options, "m.eml")
            found[name] = (said["verdict"], said["rule"], said["would"])
        return found

    def expected(self, policy):
        exempt = self.EXEMPT.get(policy, ("reject", "mass-disclosure"))
        wanted = {name: (case[1], case[2]) for name, case in self.cases.items()}
        wanted["field-patch-exempt"] = exempt
        wanted.update(self.OTHERWISE[policy])
        return wanted

    def test_there_is_mail(self):
        self.assertGreater(len(self.cases), 20)
        self.assertEqual(len(policies.private(37)), 37)

    def test_decided_policies(self):
        for policy in self.OTHERWISE:
            with self.subTest(policy):
                found = {name: each[:2] for name, each in self.judge(policy, DOMAINS[policy]).items()}
                self.assertEqual(found, self.expected(policy))

    def test_the_first_policy(self):
        """on trial it accepts all of it and says in the log what `policy` does"""
        decided = self.judge("policy", "corp.example")
        for name, (verdict, rule, would) in self.judge("first.policy", "corp.example").items():
            with self.subTest(name):
                self.assertEqual((verdict, rule), ("accept", "default" if rule else None))
                self.assertEqual(would[0] if would else None, "%s:%s" % decided[name][:2] if decided[name][0] != "accept" else None)

    def test_the_roll_out(self):
        """it accepts all of it; decided, it stops what the field wants stopped"""
        for name, (verdict, _rule, would) in self.judge("observe.policy", "corp.example").items():
            with self.subTest(name):
                self.assertEqual(verdict, "accept")
                wanted = self.cases[name][1]
                if wanted != "accept":
                    self.assertIn(wanted, [each.split(":")[0] for each in would])
        self.assertGood("decided", self.decided("observe.policy"))
        for name, (verdict, _rule, _would) in self.judge("decided", "corp.example").items():
            with self.subTest("decided " + name):
                wanted = "reject" if name == "field-patch-exempt" else "quarantine" if name == "field-9-parties" else self.cases[name][1]
                self.assertEqual(verdict, wanted)


if __name__ == "__main__":
    tap.main(limit=120)
