"""rcptguard(1) and the program have the same commands, options, JSON keys and exit codes, and its examples are real."""

import re
import sys

import csource
import page
import tool
import tap

PAGE = "rcptguard(1)"
COMMON = {"-p", "--policy", "--json", "-h", "--help"}

# One policy and messages that together make every key take every type that the manual names.
POLICY = """\
version 1
class internal { domain "me.example" }
class freemail { domain "free.example" individuals }
rule over until 2020-01-01 { when local accept }
rule trial { monitor when visible(external) >= 1 and sender = "ann@me.example" reject "no" }
rule endless { when header("X-Endless") =~ /(a|a)+!/ reject "no" }
rule wide { when visible(external) >= 2 or hidden(all) >= 9 quarantine "{visible} people" }
default accept
"""
# The same with what depends on earlier mail.
EARLIER = POLICY.replace("version 1", "version 1\nremember 90d").replace("default", 'rule circle { when parties(external) >= 9 and not known quarantine "x" }\n'
                                                                       'rule split { when parties(external) within 1h >= 3 tag "{within}" }\ndefault')
MESSAGES = {
    "one": "From: ann@me.example\nTo: b@x.example\n\n",
    "two": 'From: ann@me.example\nTo: "c@y.example" <b@x.example>, d@free.example, @\nCc: @\n\n',
    "fault": "From: ann@me.example\nTo: b@x.example\nX-Endless: %sx!\n\n" % ("a" * 60),
}


# Members whose names are classes, counts or verdicts; and messages that stand in another object, which have the keys of a message.
VERDICTS = r"(?:accept|tag|quarantine|reject|tempfail)"
FAMILIES = [(r"^counts\.[^.]+\.[^.]+$", "counts.*.*"), (r"^spread\.\w+", "spread.*"), (r"\.%s$" % VERDICTS, ".*"),
            (r"^thresholds\[\]\.(?:below|above)\[\]\.(?!value$)", "")]


def family(path):
    for pattern, name in FAMILIES:
        path = re.sub(pattern, name, path)
    return path


def flatten(value, path=""):
    """(path, type) of all that is in an object: [] for the items of an array, counts.*.* for counts by class."""
    if isinstance(value, dict):
        if path:
            yield path, "object"
        for key, item in value.items():
            below = "%s.%s" % (path, key) if path else key
            yield from flatten(item, family(below))
    elif isinstance(value, list):
        for item in value:
            yield from flatten(item, path + "[]")
    else:
        yield path, {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}[type(value)]

# Parts that are read, and one that is not.
PARTS = """\
From: bob@me.example
To: a@x.example
Reply-To: r@z.example
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

c@y.example
--b
Content-Type: application/pdf; name="a.pdf"

%PDF-1.4
--b--
"""

# Types that need what a daemon knows of earlier mail.
UNSEEN = {"state.known_when": {"string"}, "state.windows[].value": {"null"}}


class ToolCase(page.PageCase):
    PAGE = PAGE

    def subsection(self, command):
        return page.section(self.tree, "rcptguard " + command, "Ss")


def commands():
    """The commands that the program lists."""
    with tool.Folder() as folder:
        status, output, _errors = folder.run("--help")
    assert status == 0
    return re.findall(r"^  (\w+) ", output, re.MULTILINE)


def options_of(node):
    """{option: argument or None} of the .It Fl items of a section."""
    found = {}
    for head, _body in page.items(node):
        names = ["-" + element.text() for element in head.find("Fl", "elem")]
        argument = " ".join(element.text() for element in head.find("Ar", "elem")) or None
        for name in names:
            found[name] = argument
    return found


class Options(ToolCase):
    def test_commands(self):
        """every command has its subsection and its synopsis"""
        titles = {block.part("head").text() for block in self.tree.find("Ss", "block")}
        self.assertSame({title.split(" ")[1] for title in titles if title.startswith("rcptguard ")}, commands(), "commands")
        synopsis = page.section(self.tree, "SYNOPSIS")
        self.assertSame(page.marked(synopsis, "Cm"), commands(), "commands of the synopsis")

    def test_options(self):
        """every option of `COMMAND --help`, with its argument"""
        common = options_of(page.section(self.tree, "DESCRIPTION"))
        common = {name: argument for name, argument in common.items() if name in COMMON}
        self.assertEqual(set(common), COMMON)
        for command in commands():
            with self.subTest(command), tool.Folder() as folder:
                status, output, _errors = folder.run(command, "--help")
                self.assertEqual(status, 0)
                manual = {**common, **options_of(self.subsection(command))}
                program = tool.options(output)
                self.assertSame(manual, program, "options of " + command)
                for name, argument in program.items():
                    if name.startswith("--"):
                        self.assertEqual(manual[name], argument, "argument of %s" % name)

    def test_synopsis(self):
        """the synopsis of a command has its options and no other"""
        source = page.read(PAGE)
        synopsis = source[source.index(".Sh SYNOPSIS\n"):source.index(".Sh DESCRIPTION\n")]
        blocks = re.findall(r"^\.Cm (\w+)\n((?:\.Op .*\n)*)", synopsis, re.MULTILINE)
        self.assertEqual([command for command, _text in blocks], commands())
        for command, text in blocks:
            with self.subTest(command), tool.Folder() as folder:
                _status, output, _errors = folder.run(command, "--help")
                shown = {"-" + name for name in re.findall(r"\bFl (\S+)", text)}
                shown |= {"--config"} if "-c" in shown else set()
                self.assertSame(shown | {"--policy", "-h", "--help"}, tool.options(output), "options of " + command)

    def test_without_command(self):
        """what stands without a command works"""
        listed = options_of(page.section(self.tree, "Options without a command", "Ss"))
        self.assertEqual(set(listed), {"--help", "--version"})
        with tool.Folder() as folder:
            for option in listed:
                status, output, _errors = folder.run(option)
                self.assertEqual(status, 0)
                self.assertIn("rcptguard", output)
            self.assertEqual(folder.run("--nothing")[0], 2)

    def test_exit_codes(self):
        """the exit codes of the code and no other"""
        listed = {int(head.text()) for head, _body in page.items(page.section(self.tree, "EXIT STATUS"))}
        known = csource.enumeration("policy/cli/exit_codes.h", "EXITS_[A-Z]+")
        self.assertEqual(listed, {known[name] for name in ("EXITS_DONE", "EXITS_WRONG", "EXITS_USAGE")})
        with tool.Folder({"good": POLICY, "bad": "version 2\n", "m": MESSAGES["two"]}) as folder:
            self.assertEqual(folder.run("check", "-p", "good")[0], 0)
            self.assertEqual(folder.run("explain", "-p", "good", "m")[0], 0)
            self.assertEqual(folder.run("check", "-p", "bad")[0], 1)
            self.assertEqual(folder.run("explain", "-p", "good", "nothing")[0], 1)
            self.assertEqual(folder.run("check", "--nothing")[0], 2)
            self.assertEqual(folder.run()[0], 2)


class Json(ToolCase):
    def documented(self, command):
        """{path: types} of the .It Va items."""
        found = {}
        for head, _body in page.items(self.subsection(command)):
            keys = [element.text() for element in head.find("Va", "elem")]
            if keys:
                self.assertEqual(len(keys), 1)
                self.assertNotIn(keys[0], found, "documented twice")
                found[keys[0]] = {element.text() for element in head.find("Vt", "elem")}
        return found

    def compare(self, command, objects):
        seen = {}
        for one in objects:
            for path, kind in flatten(one):
                seen.setdefault(path, set()).add(kind)
        manual = self.documented(command)
        self.assertSame(manual, seen, "JSON keys of " + command)
        for path, kinds in seen.items():
            self.assertEqual(manual[path], kinds | UNSEEN.get(path, set()), "types of %s" % path)

    def test_check(self):
        """the keys of check --json, with their types"""
        objects = []
        wrong = POLICY.replace("default", 'expect "me.example" is other\ndefault')
        with tool.Folder({"good": POLICY, "bad": "version 2\n", "wrong": wrong}) as folder:
            for name in "good", "bad", "nothing", "wrong":
                objects += folder.json("check", "--json", "-p", name)
        self.assertEqual([one["good"] for one in objects], [True, False, False, False])
        self.compare("check", objects)

    def test_print(self):
        """the keys of print --json, with their types"""
        with tool.Folder({"policy": POLICY}) as folder:
            objects = folder.json("print", "--json", "-p", "policy")
        self.compare("print", objects)
        self.assertRegex(objects[0]["digest"], "^[0-9a-f]{64}$")

    def test_init(self):
        """the keys of init --json, with their types"""
        with tool.Folder({"freemail.domains": "free.example\n", "main.cf": "mydestination = corp.example, co.uk\nmynetworks = 10.0.0.0/8\nmyorigin = corp.example\n"}) as folder:
            objects = folder.json("init", "--json", "-p", "one", "--domain", "corp.example")
            objects += folder.json("init", "--json", "-p", "two", "--postfix-config", folder.path)
        self.compare("init", objects)
        self.assertEqual([(one["mta"], one["written"]) for one in objects], [(None, ["one"]), ("Postfix", ["two"])])

    def test_replay(self):
        """the keys of replay --json, of messages and of figures, with their types"""
        objects = []
        other = POLICY.replace("rule wide", "rule broad").replace("version 1", "version 1\noutbound when authenticated")
        with tool.Folder({"policy": POLICY, "other": other, **MESSAGES}) as folder:
            folder.write("dated", "Date: Mon, 23 Nov 2026 18:34:00 +0100\nMessage-ID: <1@corp.example>\n" + MESSAGES["two"])
            for arguments in ([], ["--messages", "--recipients"], ["--against", "other"], ["--against", "other", "--local"],
                              ["--against", "policy", "--local"], ["--client", "192.0.2.1", "--messages"]):
                for policy in "policy", "other":
                    objects += folder.json("replay", "--json", "-p", policy, *arguments, *MESSAGES, "dated")
            objects += folder.json("replay", "--json", "-p", "policy", "one")
            folder.write("earlier", EARLIER)
            objects += folder.json("replay", "--json", "-p", "earlier", *MESSAGES, "dated")
        self.assertTrue(all("file" in one or "messages" in one for one in objects))
        self.compare("replay", objects)

    def explained(self):
        objects = {}
        with tool.Folder({"policy": POLICY, **MESSAGES}) as folder:
            for name in MESSAGES:
                objects[name], = folder.json("explain", "--json", "-p", "policy", "--time", "2026-01-01T00:00:00Z", name)
            folder.write("earlier", EARLIER.replace("visible(external) >= 2 or", "visible(external) >= 9 or"))
            folder.write("pair", "From: bob@me.example\nTo: a@x.example, b@y.example\n\n")
            objects["earlier"], = folder.json("explain", "--json", "-p", "earlier", "pair")
            objects["alone"], = folder.json("explain", "--json", "-p", "earlier", "one")
            for name, words in (("terms", 'quarantine "x" release after 10m expire 3d return'), ("override", 'reject "{override}" override 15m')):
                folder.write(name, POLICY.partition("rule ")[0] + "rule r { when visible(external) >= 2 %s }\ndefault accept\n" % words)
                objects[name], = folder.json("explain", "--json", "-p", name, "pair")
            folder.write("inside", POLICY.partition("rule ")[0] + 'rule r { when opaque(types, broken) or visible(all) inside header("Reply-To"), text >= 9 tag "x" }\ndefault accept\n')
            folder.write("parts", PARTS)
            objects["inside"], = folder.json("explain", "--json", "--all", "-p", "inside", "parts")
            objects["inbound"], = folder.json("explain", "--json", "-p", "policy", "--inbound", "two")
        return objects

    def test_explain(self):
        """the keys of explain --json, with their types"""
        self.compare("explain", self.explained().values())

    def test_explain_nulls(self):
        """what is null, and when"""
        found = self.explained()
        self.assertEqual([found["inbound"][key] for key in ("verdict", "rule", "line", "text", "rules")], ["accept", None, None, None, []])
        self.assertEqual((found["one"]["rule"], found["one"]["text"], found["one"]["would"]), ("default", None, ["reject:trial"]))
        self.assertEqual((found["fault"]["verdict"], found["fault"]["rule"]), ("quarantine", "fault:endless"))
        self.assertIsNone(found["fault"]["rules"][-1]["matched"])
        self.assertEqual((found["two"]["verdict"], found["two"]["rule"], found["two"]["text"]), ("quarantine", "wide", "3 people"))
        self.assertEqual(found["two"]["rules"][-1]["tests"][-1], {"test": "hidden(all) >= 9", "value": None, "result": None})
        self.assertEqual(found["one"]["rules"][0]["expired"], True)
        self.assertEqual([[found[name][key] for key in ("release", "release_after", "expire", "expire_after", "override", "text")] for name in ("terms", "override")],
                         [["time", 600, "return", 3 * 86400, None, "x"], [None, None, None, None, 900, "-"]])
        self.assertEqual(set(found["one"]["counts"]["visible"]), {"external", "all", "internal", "other", "freemail"})

    def test_words(self):
        """verdicts, defects and fields are those of the code"""
        bodies = {}
        for head, body in page.items(self.subsection("explain")):
            for key in head.find("Va", "elem"):
                bodies[key.text()] = {quoted.text() for quoted in body.find("Ql", "body")}
        self.assertSame(bodies["verdict"], set(csource.words("dispositions")), "verdicts")
        self.assertSame(bodies["defects[]"], csource.strings(csource.function("policy/message/defects.c", "defect_name")), "defects")
        fields = [name for name, _bit in re.findall(r'\{"([A-Z][\w-]+)", (FIELD_\w+)\}', csource.read("policy/message/recipients.c"))]
        self.assertSame(bodies["recipients[].fields[]"], fields, "fields")
        self.assertLessEqual(bodies["malformed"] | bodies["truncated"], bodies["defects[]"])

    def test_recipients_shown(self):
        """from so many recipients on they are summed, and so many sums are shown"""
        text = re.sub(r"\s+", " ", self.subsection("explain").text())
        limit = csource.number("policy/explain/explain.h", "EXPLAIN_RECIPIENTS_SHOWN")
        self.assertIn("If there are more than %d, they are summed by party" % limit, text)
        self.assertIn("%d of these sums are shown" % limit, text)

    def test_digest_shown(self):
        """so many digits of the digest are shown"""
        said = set(re.findall(r"first (\d+) digits of the policy's digest", re.sub(r"\s+", " ", self.tree.text())))
        self.assertEqual(said, {str(csource.number("policy/engine/policy.h", "POLICY_DIGEST_SHOWN"))})


def play(text, folder):
    """What a terminal would show now: each line with `$` and what it prints."""
    return "".join("%s\n%s" % (line, folder.shell(line[2:])) for line in text.splitlines() if line.startswith("$ "))


class Examples(ToolCase):
    def test_runs(self):
        """each command in the examples prints what the page shows"""
        found = page.displays(PAGE)
        self.assertTrue({display.kind for display in found} <= {"file", "run"}, "a display that nothing proves")
        runs = [display for display in found if display.kind == "run"]
        self.assertGreaterEqual(len(runs), 5)
        with tool.Folder({display.name: display.text for display in found if display.kind == "file"}) as folder:
            for display in runs:
                with self.subTest(str(display)):
                    self.assertIn("$ rcptguard ", display.text)
                    self.assertEqual(tool.without_digest(display.text), tool.without_digest(play(display.text, folder)))
        for command in commands():
            self.assertIn(command, " ".join(display.text for display in runs), "no example of it")


def update():
    """Writes the examples of the page anew, for who has changed the program's words: look at the difference."""
    source = page.read(PAGE)
    found = page.displays(PAGE)
    with tool.Folder({display.name: display.text for display in found if display.kind == "file"}) as folder:
        for display in found:
            if display.kind == "run":
                new = play(display.text, folder)
                source = source.replace(escape(display.text), escape(new))
    with open(page.path(PAGE), "w", encoding="utf-8") as file:
        file.write(source)


def escape(text):
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text.replace("\\", r"\e"))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        tap.main()
