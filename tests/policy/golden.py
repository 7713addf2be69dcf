"""Policies and what the tool says of them, against golden files.

good/NAME.policy   loads; NAME.canon is its canonical text, NAME.stderr its warnings, if it has any
bad/NAME.policy    does not; NAME.stderr holds the exact diagnostics of `rcptguard check`
odd/NAME.policy    loads with warnings, which NAME.stderr holds

Of each lint, odd/lint-LINT.policy is warned of, and good/lint-LINT.policy looks much like it and is not.

Under sanitizers it takes about 40 s: the tool is started for each policy, several times.

`make update-golden` writes the golden files anew; read the difference before you keep it.
"""

import datetime
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import unittest

import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("top_builddir") or SOURCE)
PROGRAM = BUILD / "rcptguard"
HERE = SOURCE / "tests" / "policy"
UPDATE = "--update" in sys.argv

# What is said of `until` depends on the day.
NOW = "2026-11-23T12:00:00Z"

GOOD = sorted((HERE / "good").glob("*.policy"))
BAD = sorted((HERE / "bad").glob("*.policy"))
ODD = sorted((HERE / "odd").glob("*.policy"))

# Where a user other than root shall be refused.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def environment():
    env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC")
    env["LSAN_OPTIONS"] = "suppressions=%s:print_suppressions=0:exitcode=99" % (SOURCE / "tests" / "lsan.supp")
    env["ASAN_OPTIONS"] = "exitcode=99"
    return env


def run(*arguments, cwd=None, stdin=b"", prefix=(), limit=60):
    env = environment()
    if prefix:  # another user may not be able to read the suppressions, and a sanitizer dies of that
        for name in "LSAN_OPTIONS", "TSAN_OPTIONS":
            env.pop(name, None)
    return subprocess.run([*prefix, str(PROGRAM), *map(str, arguments)], cwd=cwd, input=stdin, capture_output=True,
                          env=env, timeout=limit * tap.SLOWNESS)


def check(path, *options):
    """Most of these policies are of one thing, and have nothing to expect."""
    allowed = [] if "no-expectation" in path.name else ["--allow", "no-expectation"]
    return run("check", "--time", NOW, *allowed, *options, "-p", path.name, cwd=path.parent)


def lints():
    """The names of the lints, as the code has them."""
    return re.findall(r'^    \[LINT_\w+\] = "([a-z-]+)",$', (SOURCE / "policy/lint/lint_warning.c").read_text(), re.M)


def compare(case, path, got):
    """Compares with a golden file, or writes it."""
    if UPDATE:
        path.write_bytes(got)
        return
    want = path.read_bytes() if path.exists() else b""
    case.assertEqual(got.decode(errors="backslashreplace"), want.decode(errors="backslashreplace"), str(path.relative_to(SOURCE)))


class Good(unittest.TestCase):
    maxDiff = None

    def test_there_are_some(self):
        self.assertGreater(len(GOOD), 5)

    def test_canonical_text(self):
        for path in GOOD:
            with self.subTest(path.name):
                done = run("print", "-p", path.name, cwd=path.parent)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                compare(self, path.with_suffix(".canon"), done.stdout)

    def test_it_checks(self):
        for path in GOOD:
            with self.subTest(path.name):
                done = check(path)
                self.assertEqual(done.returncode, 0, done.stderr)
                expected = path.with_suffix(".stderr")
                if expected.exists():
                    compare(self, expected, done.stderr)
                else:
                    self.assertEqual(done.stderr, b"")
                self.assertRegex(done.stdout.decode(), r"\A%s: good: rules \d+, expectations that hold \d+, warnings %d, digest [0-9a-f]{12}\n\Z"
                                 % (re.escape(path.name), done.stderr.count(b": warning: ")))


class Bad(unittest.TestCase):
    maxDiff = None

    def test_there_are_some(self):
        self.assertGreater(len(BAD), 20)

    def test_diagnostics(self):
        for path in BAD:
            with self.subTest(path.name):
                done = check(path)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                compare(self, path.with_suffix(".stderr"), done.stderr)

    def test_each_says_where(self):
        for path in BAD:
            with self.subTest(path.name):
                lines = path.with_suffix(".stderr").read_text().split("\n")
                heads = [line for line in lines if re.match(r"\S+?(:\d+:\d+)?: (error|warning): .+", line)]
                self.assertTrue(heads)
                self.assertFalse([line for line in lines if line and line not in heads and not line.startswith("    ")])

    def test_one_mistake_one_error(self):
        """A policy that says `# one mistake` gets one error."""
        for path in BAD:
            if "# one mistake" not in path.read_text(errors="replace"):
                continue
            with self.subTest(path.name):
                done = check(path)
                heads = re.findall(r"^\S+?: error: .*$", done.stderr.decode(), re.M)
                self.assertEqual(len(heads), 1, done.stderr.decode())

    def test_print_and_explain_say_the_same(self):
        for path in BAD:
            checked = check(path).stderr
            if b"this expectation fails" in checked or b": warning: " in checked:
                continue  # these are of `check` alone
            for command in ("print", "explain"):
                with self.subTest("%s %s" % (command, path.name)):
                    done = run(command, "-p", path.name, cwd=path.parent)
                    self.assertEqual((done.returncode, done.stdout), (1, b""))
                    self.assertEqual(done.stderr, checked)


class Odd(unittest.TestCase):
    """What is no error and surely not meant."""

    maxDiff = None

    def test_warnings(self):
        self.assertTrue(ODD)
        for path in ODD:
            with self.subTest(path.name):
                done = check(path)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b": good: ", done.stdout)
                compare(self, path.with_suffix(".stderr"), done.stderr)
                self.assertIn(b": warning: ", done.stderr)
                self.assertNotIn(b": error: ", done.stderr)

    def test_strict(self):
        for path in ODD:
            with self.subTest(path.name):
                done = check(path, "--strict")
                heads = re.findall(r"^\S+?:\d+:\d+: warning: .*$", path.with_suffix(".stderr").read_text(), re.M)
                want = path.with_suffix(".stderr").read_text()
                for head in heads:
                    if not head.endswith(" [until-soon]"):  # which a day brings along
                        want = want.replace(head, head.replace(": warning: ", ": error: "))
                self.assertEqual(done.stderr.decode(), want)
                good = ": error: " not in want
                self.assertEqual((done.returncode, done.stdout == b""), (0 if good else 1, not good))

    def test_strict_lets_a_day_pass(self):
        done = check(HERE / "odd" / "lint-until-soon.policy", "--strict")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_allow(self):
        """--allow leaves out what it names, and takes no name that is none"""
        for path in ODD:
            names = set(re.findall(r"^\S+?:\d+:\d+: warning: .* \[([a-z-]+)\]$", path.with_suffix(".stderr").read_text(), re.M))
            for name in names:
                done = check(path, "--allow", name)
                self.assertNotIn(b"[%s]\n" % name.encode(), done.stderr)
                self.assertEqual(set(re.findall(r"(?m)^\S+: warning: .* \[([a-z-]+)\]$", done.stderr.decode())), names - {name})
            done = check(path, "--strict", *(word for name in names for word in ("--allow", name)))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
        done = check(ODD[0], "--allow", "until-son")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"there is no warning `until-son`; did you mean `until-soon`?", done.stderr)
        done = check(ODD[0], "--allow", "everything-here")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"there is no warning `everything-here`\n", done.stderr)

    def test_comments_are_no_part_of_the_digest(self):
        """and what print gives of them allows the same"""
        path = HERE / "good" / "lint-allow-unused.policy"
        with tempfile.TemporaryDirectory(prefix="rcptguard-policy-") as folder:
            (pathlib.Path(folder) / "bare").write_text(re.sub(r" # allow: [a-z, -]+", "", path.read_text()))
            (pathlib.Path(folder) / "printed").write_bytes(run("print", "-p", path.name, cwd=path.parent).stdout)
            digests = [json.loads(run("print", "--json", "-p", name, cwd=where).stdout)["digest"]
                       for where, name in ((path.parent, path.name), (folder, "bare"), (folder, "printed"))]
            self.assertEqual(len(set(digests)), 1)
            self.assertEqual(run("check", "--time", NOW, "-p", "printed", cwd=folder).stderr, b"")
            warned = re.findall(r"\[([a-z-]+)\]$", run("check", "--time", NOW, "-p", "bare", cwd=folder).stderr.decode(), re.M)
            self.assertEqual(set(warned) | {"until-past"}, set(re.findall(r"[a-z]+-[a-z]+(?:-[a-z]+)?", " ".join(re.findall(r"# allow: (.*)", path.read_text())))))

    def test_json_names_the_lint(self):
        for path in ODD:
            with self.subTest(path.name):
                said = json.loads(check(path, "--json").stdout)["diagnostics"]
                heads = re.findall(r"^(\S+?):(\d+):(\d+): warning: (.*) \[([a-z-]+)\]$", path.with_suffix(".stderr").read_text(), re.M)
                self.assertEqual([(one["file"], str(one["line"]), str(one["column"]), one["message"], one["lint"]) for one in said], heads)
                self.assertEqual({one["level"] for one in said}, {"warning"})


class Lints(unittest.TestCase):
    """Each lint warns of what it is for, and of nothing that looks much like it."""

    def test_each_lint(self):
        self.assertGreater(len(lints()), 15)
        for name in lints():
            with self.subTest(name):
                odd, good = HERE / "odd" / ("lint-%s.policy" % name), HERE / "good" / ("lint-%s.policy" % name)
                self.assertIn("[%s]" % name, odd.with_suffix(".stderr").read_text())
                self.assertTrue(good.exists())
                self.assertFalse(good.with_suffix(".stderr").exists())

    def test_no_other(self):
        """What stands in brackets is the name of a lint, and every warning has one."""
        for path in ODD + GOOD:
            if path.with_suffix(".stderr").exists():
                heads = re.findall(r"^\S+?:\d+:\d+: warning: .*$", path.with_suffix(".stderr").read_text(), re.M)
                for head in heads:
                    self.assertIn(re.search(r" \[([a-z-]+)\]$", head).group(1), lints(), head)

    def test_the_time(self):
        """`until` is told by the time that is given, else by the clock."""
        path = HERE / "good" / "lint-until-past.policy"
        for time, name in (("2027-11-08T23:59:59Z", None), ("2027-11-09T00:00:00Z", "until-soon"), ("2027-11-23T23:59:59Z", "until-soon"), ("2027-11-24T00:00:00Z", "until-past")):
            done = run("check", "--time", time, "--allow", "no-expectation", "-p", path.name, cwd=path.parent)
            self.assertEqual(re.findall(r"\[(.*)\]", done.stderr.decode()), [name] if name else [], time)
        done = run("check", "--time", "soon", "-p", path.name, cwd=path.parent)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"`soon` is no time", done.stderr)
        for days, name in ((1, "until-soon"), (40, None), (-2, "until-past")):
            with tempfile.TemporaryDirectory(prefix="rcptguard-policy-") as folder:
                until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).date()
                (pathlib.Path(folder) / "p").write_text(path.read_text().replace("2027-11-23", until.isoformat()))
                done = run("check", "--allow", "no-expectation", "-p", "p", cwd=folder)
                self.assertEqual(re.findall(r"\[(.*)\]", done.stderr.decode()), [name] if name else [], until)

    def test_a_table_of_a_million(self):
        """Costs little more than reading it does."""
        with tempfile.TemporaryDirectory(prefix="rcptguard-policy-") as folder:
            path = pathlib.Path(folder) / "p"
            (path.parent / "t").write_text("".join("d%d.example%d.com\n" % (n, n % 7) for n in range(1000000)))
            path.write_text('version 1\nclass internal { domain "me.example", ".me.example" }\nclass listed { domains from "t" individuals }\n'
                            'class again { domains from "t" }\nrule r { when parties(again) >= 2 reject "x" }\nexpect "x.test" is other\ndefault accept\n')
            times = []
            for command in ("print", "check"):
                before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
                done = run(command, "-p", "p", cwd=folder, limit=300)
                times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(re.findall(r"\[(.*)\]", done.stderr.decode()), ["class-empty", "table-unused"])
            self.assertLess(times[1], 6 * times[0])


class Inputs(unittest.TestCase):
    """What stands where a policy or a table should be, and is none."""

    GOOD_TEXT = 'version 1\nclass internal { domain "me.example" }\ndefault accept\n'
    TABLE_TEXT = 'version 1\nclass internal { domains from "t" }\ndefault accept\n'

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rcptguard-policy-")
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        self.path = pathlib.Path(self.folder.name)

    def refused(self, text, name="policy", prefix=(), most=20000):
        """Exit code 1, nothing on stdout, this text first, and nothing long."""
        done = run("check", "-p", name, cwd=self.path, prefix=prefix)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertIn(text, done.stderr.decode())
        self.assertLess(len(done.stderr), most)
        return done.stderr.decode()

    def test_missing(self):
        self.assertEqual(self.refused("does not exist"), "policy: error: does not exist; expected a policy\n")

    def test_below_a_file(self):
        (self.path / "policy").write_text(self.GOOD_TEXT)
        self.refused("policy/x: error: cannot be read: ", "policy/x")

    def test_directory(self):
        (self.path / "policy").mkdir()
        self.assertEqual(self.refused("is a directory"), "policy: error: is a directory; expected a policy\n")

    def test_fifo(self):
        os.mkfifo(self.path / "policy")
        self.assertEqual(self.refused("regular"), "policy: error: is not a regular file; expected a policy\n")

    def test_device(self):
        self.refused("is not a regular file", "/dev/zero")

    def test_unreadable(self):
        path = self.path / "policy"
        path.write_text(self.GOOD_TEXT)
        path.chmod(0)
        user = 65534 if AS_NOBODY else os.geteuid()
        self.assertEqual(self.refused("policy", prefix=AS_NOBODY),
                         "policy: error: cannot be read: permission denied; make it readable for user id %d\n" % user)

    def test_10_mb(self):
        (self.path / "policy").write_text(self.GOOD_TEXT + "# x\n" * 2500000)
        self.assertEqual(self.refused("larger"), "policy: error: is larger than 1024 kB; expected a policy\n")

    def test_at_the_limit(self):
        text = self.GOOD_TEXT
        (self.path / "policy").write_text(text + "#" * (1024 * 1024 - len(text)))
        self.assertEqual(run("check", "-p", "policy", cwd=self.path).returncode, 0)
        (self.path / "policy").write_text(text + "#" * (1024 * 1024 - len(text) + 1))
        self.refused("is larger than")

    def test_nul(self):
        (self.path / "policy").write_bytes(self.GOOD_TEXT.encode() + b"a\0b")
        self.refused("policy:4:2: error: a NUL byte; expected text in UTF-8")

    def test_not_utf8(self):
        (self.path / "policy").write_bytes(self.GOOD_TEXT.encode() + "# caf\xe9\n".encode("latin-1"))
        self.refused("policy:4:6: error: byte 0xe9 is not UTF-8")

    def test_empty(self):
        (self.path / "policy").write_text("")
        self.refused("expected `version 1` at the start of a policy, not the end of the file")

    def test_not_a_policy(self):
        (self.path / "policy").write_bytes(b"\x7fELF\x02\x01\x01")
        self.refused("policy:1:1: error: ")

    def test_deep_nesting(self):
        for depth, good in ((40, True), (60, False), (100000, False)):
            for left, right in (("(", ")"), ("not (", ")")):
                if good and "not" in left:
                    continue  # two levels each
                rule = "rule deep { when %slocal%s reject \"x\" }\n" % (left * depth, right * depth)
                (self.path / "policy").write_text(self.GOOD_TEXT.replace("default", rule + "default"))
                done = run("check", "-p", "policy", cwd=self.path)
                self.assertEqual(done.returncode, 0 if good else 1, done.stderr)
                if not good:
                    self.assertEqual(done.stderr.count(b": error: "), 1, done.stderr[:2000])
                    self.assertIn(b"within each other", done.stderr)

    def test_a_mistake_at_each_word_of_a_long_line(self):
        """Told of a thousand of them, and at once: a reload must not stand still."""
        for text in ("{" * 100000, "}" * 100000, "rule a {" * 20000, "class a {" * 20000, "(" * 100000, "; " * 100000, 'expect "a" is x ' * 20000,
                     'contact "a" ' * 30000):
            (self.path / "policy").write_text(self.GOOD_TEXT.replace("default", text + "\ndefault"))
            done = run("check", "-p", "policy", cwd=self.path)
            self.assertEqual((done.returncode, done.stdout), (1, b""))

    def test_tables(self):
        (self.path / "policy").write_text(self.TABLE_TEXT)
        table = self.path / "t"
        self.refused("t does not exist; expected a table with one item a line\n")
        table.mkdir()
        self.refused("t is a directory; expected a table with one item a line\n")
        table.rmdir()
        os.mkfifo(table)
        self.refused("t is not a regular file; expected a table with one item a line\n")
        table.unlink()
        table.write_bytes(b"a.example\nb\0.example\n")
        self.assertRegex(self.refused("a NUL byte; expected text in UTF-8\n"), r"\bt:2:2: ")
        table.write_bytes(b"a.example\nb\xff.example\n")
        self.assertRegex(self.refused("byte 0xff is not UTF-8; expected text in UTF-8\n"), r"\bt:2:2: ")
        table.write_bytes(b"a.example\n")
        table.chmod(0)
        self.refused("t cannot be read: permission denied", prefix=AS_NOBODY)
        table.chmod(0o644)
        self.assertEqual(run("check", "-p", "policy", cwd=self.path).returncode, 0)

    def test_the_wrong_file_for_a_table(self):
        """A million lines that are none of it, or one of a megabyte, are told in a screen or two."""
        (self.path / "policy").write_text(self.TABLE_TEXT)
        for content in ("no domain!\n" * 200000, "!" * 1000000, "\x1b[2J\n" * 2000):
            (self.path / "t").write_text(content)
            said = self.refused("there are more errors; fix these first, then check again" if "\n" in content[:100] else "t:1:1: error", most=300000)
            self.assertNotIn("\x1b", said)
            self.assertLess(max(map(len, said.split("\n"))), 1200)

    def test_tables_stand_beside_the_policy(self):
        (self.path / "sub").mkdir()
        (self.path / "sub" / "policy").write_text(self.TABLE_TEXT + "\n".replace("\n", ""))
        (self.path / "sub" / "t").write_text("a.example\n")
        for name in ("sub/policy", "./sub/policy", str(self.path / "sub" / "policy")):
            self.assertEqual(run("check", "-p", name, cwd=self.path).returncode, 0, name)
        absolute = self.TABLE_TEXT.replace('"t"', '"%s"' % (self.path / "sub" / "t"))
        (self.path / "policy").write_text(absolute)
        self.assertEqual(run("check", "-p", "policy", cwd=self.path).returncode, 0)

    def test_json(self):
        (self.path / "policy").write_text(self.GOOD_TEXT)
        done = run("check", "-p", "policy", "--json", cwd=self.path)
        self.assertEqual(done.returncode, 0)
        said = json.loads(done.stdout)
        self.assertTrue(said["good"])
        self.assertEqual([(one["level"], one["lint"]) for one in said["diagnostics"]], [("warning", "no-expectation"), ("warning", "nothing-held")])
        (self.path / "policy").write_text(self.GOOD_TEXT.replace("default", "defualt"))
        done = run("check", "-p", "policy", "--json", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        said = json.loads(done.stdout)
        self.assertEqual((said["good"], said["policy"]), (False, None))
        first = said["diagnostics"][0]
        self.assertEqual((first["file"], first["line"], first["column"], first["level"], first["lint"]), ("policy", 3, 1, "error", None))
        self.assertIn("did you mean `default`?", first["message"])


class Nearest(unittest.TestCase):
    """Whatever word is misspelt, the one that was meant is told."""

    POLICY = """version 1
contact "postmaster@me.example"
class internal { domain "me.example" match /(.+\\.)?me\\.test/ }
class freemail { domains from "free.domains" individuals }
class tenants { domain "shop.example" separate }
outbound when authenticated or local or client in "10.0.0.0/8"
expect "free.example" is freemail
expect outbound client "10.1.2.3" listener "smtp" user "ann" sender "ann@me.example" local
expect not outbound client "192.0.2.1"
expect message from "ann@me.example" user "ann" to 2 of "c{n}@x.example" bcc "d@x.example" at 2026-01-01 gives tempfail by never
expect message from "ann@me.example" to 30 of "c{n}@mail{n}.example" gives reject by wide-cc
expect file "message.eml" gives accept
rule newsletter until 2099-06-30 {
    monitor
    when (sender in "news@me.example" or from in from "free.domains" or user = "news") and not listener = "bulk" and header("X")
    accept
}
rule wide-cc {
    when parties(external) >= 20 or visible(freemail) >= 40 or domains(other) >= 30 or recipients(all) >= 900 or hidden(internal) >= 800
    reject "{visible} people, {parties freemail} parties; ask {contact}"
}
rule unreadable { when malformed or truncated or syntax quarantine "x" approvals 2 }
rule late { when local tag "x" }
rule never { when authenticated tempfail "x" }
default accept
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rcptguard-policy-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        (self.path / "free.domains").write_text("free.example\n")
        (self.path / "message.eml").write_text("From: ann@me.example\nTo: bob@me.example\n\n")

    def said(self, text):
        (self.path / "policy").write_text(text)
        done = run("check", "-p", "policy", cwd=self.path)
        return done.returncode, done.stderr.decode()

    def words(self):
        """(start, end) of each word of the policy: keywords, names, variables, files."""
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/', lambda quoted: " " * len(quoted.group()), self.POLICY)
        for match in re.finditer(r"[a-z][a-z-]+", bare):
            yield match.span()
        for match in re.finditer(r"(?<=\{)[a-z-]+|(?<= )freemail(?=\})|free\.domains|message\.eml", self.POLICY):
            if match.group() != "n":
                yield match.span()

    def test_it_is_sound(self):
        self.assertEqual(self.said(self.POLICY)[0], 0)

    def mistakes(self, word):
        middle = len(word) // 2
        yield word[:middle - 1] + word[middle] + word[middle - 1] + word[middle + 1:]  # two letters the wrong way round
        if len(word) > 3:
            yield word[:middle] + word[middle + 1:]  # one too few
            yield word[:middle] + "z" + word[middle + 1:]  # a wrong one
            yield word[:middle] + word[middle] + word[middle:]  # one too many

    def test_each_word(self):
        tried = 0
        words = {self.POLICY[start:end] for start, end in self.words()}
        for start, end in self.words():
            word = self.POLICY[start:end]
            before = self.POLICY[:start].rstrip().split()[-1] if start > 0 else ""
            if before in ("class", "rule"):
                continue  # where it gets its name, it has that one
            for wrong in self.mistakes(word):
                if wrong == word or wrong in words:
                    continue
                with self.subTest("%s for %s at %d" % (wrong, word, start)):
                    code, said = self.said(self.POLICY[:start] + wrong + self.POLICY[end:])
                    self.assertEqual(code, 1)
                    self.assertRegex(said, r"did you mean [`\"]\{?%s\}?[`\"]\?" % re.escape(word))
                    tried += 1
        self.assertGreater(tried, 200)

    def test_signs(self):
        for wrong, right in (("==", "`=`"), ("=>", "`>=`"), ("=<", "`<=`"), ("!=", "`not`"), ("<>", "`not`"), ("~", "`=~`")):
            code, said = self.said(self.POLICY.replace(">= 20", wrong + " 20"))
            self.assertEqual(code, 1)
            self.assertIn("`%s` means nothing here; did you mean %s" % (wrong, right), said)
        for wrong, right in (("&&", "and"), ("&", "and"), ("||", "or"), ("|", "or")):
            said = self.said(self.POLICY.replace("malformed or", "malformed " + wrong))[1]
            self.assertIn("`%s` means nothing here; did you mean `%s`?" % (wrong, right), said)
        self.assertIn("did you mean `not`?", self.said(self.POLICY.replace("not listener", "!listener"))[1])

    def test_behind_default(self):
        said = self.said(self.POLICY.replace("default accept", 'default quarantine "x" aproval 2'))[1]
        self.assertIn("did you mean `approvals`?", said)

    def test_capitals(self):
        for wrong, right in (("Rule", "did you mean `rule`?"), ("WHEN", "did you mean `when`?"), ("Freemail", "such as `freemail`")):
            said = self.said(re.sub(r"\b%s\b" % wrong.lower(), wrong, self.POLICY, count=1))[1]
            self.assertIn(right, said)

    def test_files(self):
        (self.path / "policy").write_text(self.POLICY)
        done = run("check", "-p", "polciy", cwd=self.path)
        self.assertEqual(done.stderr, b'polciy: error: does not exist; expected a policy; did you mean "policy"?\n')
        done = run("check", "-p", "elsewhere/policy", cwd=self.path)
        self.assertEqual(done.stderr, b"elsewhere/policy: error: does not exist; expected a policy\n")

    def test_the_policy_without_its_option(self):
        """check and print take it as an argument, and - is standard input"""
        text = self.POLICY + "default accept\n" if "\ndefault " not in self.POLICY else self.POLICY
        (self.path / "mine").write_text(text)
        (self.path / "m").write_text("From: a@me.example\nTo: b@x.example\n\n")
        for command in "check", "print":
            by_option = run(command, "-p", "mine", cwd=self.path)
            self.assertEqual(by_option.returncode, 0, by_option.stderr)
            bare = run(command, "mine", cwd=self.path)
            self.assertEqual((bare.returncode, bare.stdout, bare.stderr), (0, by_option.stdout, by_option.stderr))
            for arguments in ["-p", "-"], ["-"]:
                done = run(command, *arguments, cwd=self.path, stdin=text.encode())
                self.assertEqual((done.returncode, re.sub(rb"^-:", b"mine:", done.stdout)), (0, by_option.stdout), done.stderr)
            done = run(command, "-", cwd=self.path, stdin=text.replace("version 1", "version one").encode())
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"-:1:9: error: expected the number 1 after `version`", done.stderr)
            for arguments in ["-p", "mine", "mine"], ["mine", "mine"]:
                done = run(command, *arguments, cwd=self.path)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(b"unexpected argument `mine`", done.stderr)
        done = run("explain", "-p", "-", "m", cwd=self.path, stdin=text.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        for arguments in ["explain"], ["explain", "m", "-"], ["replay", "m", "-"]:
            done = run(*arguments, "-p", "-", cwd=self.path, stdin=text.encode())
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"standard input cannot be both the policy and a m", done.stderr)
        done = run("check", "-", cwd=self.path, stdin=b"# x\n" * 300000)
        self.assertEqual((done.returncode, done.stderr), (1, b"-: error: is larger than 1024 kB; expected a policy\n"))

    def test_command_line(self):
        for arguments, right in ((["chekc"], "`check`"), (["pritn"], "`print`"), (["check", "--stirct"], "`--strict`"), (["check", "--polcy=x"], "`--policy`"),
                                 (["explain", "--lisener", "x"], "`--listener`"), (["print", "--hepl"], "`--help`"), (["check", "--jsno"], "`--json`")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn("did you mean %s?" % right, done.stderr.decode())
        for arguments in (["xyzzy"], ["check", "--xyzzy"], ["check", "-x"], ["check", "--time"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertNotIn(b"did you mean", done.stderr)


class Coverage(unittest.TestCase):
    """Every message that the language can give stands in some golden file, or in a test above."""

    SOURCES = ["syntax/lexer.c", "language/parser.c", "language/parse_action.c", "language/resolve.c", "syntax/template.c", "syntax/class_names.c", "syntax/resolve_context.c", "exposure/table.c", "engine/expect.c", "base/diagnostics.c",
               "base/source.c"]
    LINTS = sorted("lint/" + path.name for path in (SOURCE / "policy/lint").glob("lint*.c"))
    CALLS = r"\b(?:source_diag|fail_at|fail_expected|fail|diags_file_error|take|take_word|take_string|take_item|take_name|parse_strings)\s*\("

    # Messages that need a machine in trouble, such as a read that fails half-way, or somebody who writes meanwhile
    # (tests/unit/test-diagnostics.c).
    ELSEWHERE = ["cannot be read: %s", "an error", "was changed while it was read; write a new file and rename it over this one"]

    def messages(self):
        for name in self.SOURCES + self.LINTS:
            text = re.sub(r"/\*.*?\*/", "", (SOURCE / "policy" / name).read_text(), flags=re.S)
            text = re.sub(r"^#define \w+ .*$", "", text, flags=re.M)
            # Adjacent literals are one.
            for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
                joined = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', literal))
                said = joined.replace('\\"', '"').replace("\\\\", "\\")
                if " " in said.strip() and re.search(r"[a-z]{2}", said) and not said.endswith(" ") and not said.startswith("; "):
                    yield name, said

    def test_every_message(self):
        said = "\n".join(path.read_text() for folder in ("bad", "odd") for path in (HERE / folder).glob("*.stderr")) + pathlib.Path(__file__).read_text()
        missing = []
        for name, message in self.messages():
            pattern = "".join(".+?" if re.fullmatch(r"%[^a-z%]*(?:z|l|ll)?[a-zA-Z]", part) else re.escape(part.replace("%%", "%"))
                              for part in re.split(r"(%[-#0-9.*]*(?:z|l|ll)?[a-zA-Z])", message))
            if message not in self.ELSEWHERE and not re.search(pattern, said):
                missing.append("%s: %s" % (name, message))
        self.assertEqual(missing, [])

    def test_it_finds_messages(self):
        found = list(self.messages())
        self.assertGreater(len(found), 100)
        for name in self.SOURCES:
            self.assertTrue([message for source, message in found if source == name], name)


if __name__ == "__main__":
    if UPDATE:
        sys.argv.remove("--update")
    tap.main(limit=120)
