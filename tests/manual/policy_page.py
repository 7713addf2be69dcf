"""rcptguard-policy(5) and the code name the same words, variables and numbers, and its examples hold."""

import datetime
import re

import csource
import page
import tool
import tap

CLASSES = 'class internal { domain "corp.example", ".corp.example" }\nclass freemail { domain "free1.example" individuals }\n'

# What is said of `until` depends on the day.
NOW = "2026-11-23T12:00:00Z"

# What a part of a policy is warned of because the rest is not there.
OF_PARTS = {"nothing-held", "class-unused"}

# Bounds of memory, of work or of output that no writer of a policy meets.
INTERNAL = {
    ("policy/address/address.c", "IDNA_INPUT_LIMIT"): "no name of the DNS is that long",
    ("policy/address/simple_list.c", "GROUPS_LIMIT"): "beyond it, a list is read the long way",
    ("policy/address/simple_list.c", "PHRASE_LIMIT"): "likewise",
    ("policy/address/simple_list.c", "WORD_LIMIT"): "likewise",
    ("policy/address/simple_words.c", "BLANKS_LIMIT"): "likewise",
    ("policy/address/simple_words.c", "DECODED_LIMIT"): "likewise",
    ("policy/init/discover_postfix.c", "DEPTH_LIMIT"): "a note says where it was met",
    ("policy/address/address.c", "MARKS_LIMIT"): "no letter has that many",
    ("policy/address/address.h", "DOMAIN_LENGTH_LIMIT"): "the DNS's own",
    ("policy/exposure/classes.c", "REMEMBERED_LIMIT"): "a cache",
    ("policy/message/mta.h", "MTA_INSTANCE_LIMIT"): "no policy sees the instance",
    ("policy/base/suggest.c", "FOLDER_LIMIT"): "where a name is looked for that was perhaps meant",
    ("policy/logic/condition_facts.c", "VARIABLES_LIMIT"): "more counts than a policy has",
    ("policy/lint/lint_actions.c", "COMPARED_LIMIT"): "more rules than a policy has",
    ("policy/lint/lint_classes.c", "ITEMS_TOLD_LIMIT"): "how much of a table is told",
    ("policy/lint/lint_classes.c", "NAMES_LIMIT"): "beyond it, a class is taken to be used",
    ("policy/lint/lint_outbound.c", "LISTENERS_LIMIT"): "more listeners than an MTA has",
    ("policy/lint/lint_rules.c", "NAMED_LIMIT"): "how many rules are named",
    ("policy/lint/lint_rules.c", "TOGETHER_LIMIT"): "how many rules are looked through for those to name",
    ("policy/lint/lint_slow.c", "BRANCHES_LIMIT"): "where a regular expression is tried",
    ("policy/lint/lint_slow.c", "PLACES_LIMIT"): "likewise",
    ("policy/lint/lint_slow.c", "SHOWN_VALUE_LIMIT"): "how much of a value is shown",
    ("policy/lint/lint_slow.c", "WORDS_LIMIT"): "where a regular expression is tried",
    ("policy/lint/lint_tests.c", "PARTS_LIMIT"): "more than anyone joins by `and` and reads again",
    ("policy/lint/lint_tests.c", "SHOWN_EXPRESSION_LIMIT"): "how much of a test is shown",
    ("policy/logic/condition_solver.c", "CHOICES_LIMIT"): "a part of what one question may cost",
    ("policy/engine/expect_reasons.c", "CONDITION_LIMIT"): "how much is shown of an assertion that fails",
    ("policy/engine/expect_reasons.c", "RULES_LIMIT"): "likewise",
    ("policy/engine/expect_reasons.c", "TESTS_LIMIT"): "likewise",
    ("policy/engine/expect_reasons.c", "VALUE_LIMIT"): "likewise",
    ("policy/logic/regex_tree.c", "NODES_LIMIT"): "of a text that is made up",
    ("policy/logic/regex_tree.h", "REGEX_TEXT_LIMIT"): "likewise",
    ("policy/logic/regex_values.c", "REPEATS_LIMIT"): "no automaton there has that many states",
    ("policy/logic/regex_values.c", "STEPS_LIMIT"): "what one expression may cost",
    ("policy/exposure/class_mask.h", "CLASS_LIMIT"): "with the built-in classes; the manual says how many are left, which the test tries out",
    ("policy/init/discovered_site.c", "NOTE_LIMIT"): "how much of a strange word is shown",
    ("policy/rcptguard/rcptguard_tool.c", "NOTE_LIMIT"): "how much of a path is shown",
    ("policy/cli/run_program.c", "SAID_LIMIT"): "how much of a program's complaint is shown",
    ("policy/cli/run_program.h", "PROGRAM_LIMIT"): "how long an operator waits for a command of the MTA",
    ("policy/parts/transfer_decode.c", "BLANKS_LIMIT"): "no mail program writes that many",
    ("policy/parts/body_parts.c", "BOUNDARY_LIMIT"): "no mail program writes one that is as long; a longer one is `broken`",
    ("policy/parts/charset_decode.h", "CHARSET_INVALID_LIMIT"): "such a text is `broken` before",
    ("policy/parts/content_lines.h", "CONTENT_LINE_LIMIT"): "a longer line is read in pieces",
    ("policy/parts/contacts_part.c", "HEAD_LIMIT"): "no program writes as much before a value",
    ("policy/parts/content_lines.c", "HEAD_LIMIT"): "likewise",
    ("policy/parts/calendar_part.c", "NAME_LIMIT"): "no property has a name as long",
    ("policy/parts/part_fields.c", "PARAMETERS_LIMIT"): "no mail program writes that many",
    ("policy/parts/part_fields.h", "PART_FIELD_LIMIT"): "likewise",
    ("policy/parts/part_scan.c", "PLAIN_LIMIT"): "a longer address is normalised elsewhere",
    ("policy/parts/quoted_headers.c", "JOINED_LIMIT"): "how a quoted header is recognised",
    ("policy/parts/quoted_headers.c", "WORD_LIMIT"): "likewise",
    ("policy/parts/quoted_labels.c", "LABEL_LIMIT"): "likewise",
    ("policy/parts/quoted_labels.c", "QUOTES_LIMIT"): "likewise",
    ("policy/address/address_scan.c", "QUOTED_LOCAL_LIMIT"): "no local part is that long",
    ("policy/address/address_scan.h", "SCAN_LITERAL_LIMIT"): "a longer one makes the header malformed",
}

# Where limits are documented.
LIMIT_PAGES = ["rcptguard-policy(5)", "rcptguard(1)"]

_LIMIT = re.compile(r'^\.\\" limit: (?:probe (?P<probe>\w+)|(?P<name>\w+) in (?P<file>\S+?)(?P<unit> kB)?)\n(?P<text>.+)$', re.MULTILINE)
_UNITS = {"kB": 1024, "MB": 1024 * 1024}


class Limit:
    def __init__(self, match):
        self.probe, self.name, self.file = match.group("probe"), match.group("name"), match.group("file")
        self.code_unit = _UNITS[match.group("unit").strip()] if match.group("unit") else 1
        self.text = match.group("text")
        found = re.match(r"(\d{1,3}(?:,\d{3})*)(?: (kB|MB))?\b", self.text)
        assert found, "a limit does not begin with its number: %s" % self.text
        self.value = int(found.group(1).replace(",", "")) * _UNITS.get(found.group(2), 1)


def limits():
    return [Limit(match) for name in LIMIT_PAGES for match in _LIMIT.finditer(page.read(name))]


def keywords():
    """Of all places, and of one."""
    return csource.words("keywords") + csource.words("place words")


def policy(*parts, classes=CLASSES, default="accept"):
    return "version 1\n%s%s\ndefault %s\n" % (classes, "\n".join(parts), default)


def complete(text):
    """A whole policy around a part of one."""
    text = re.sub(r"\A(?!version)", "version 1\n", text)
    if "class internal" not in text:
        text = text.replace("version 1\n", "version 1\n" + CLASSES, 1)
    if "{contact}" in text and not re.search(r"^contact ", text, re.MULTILINE):
        text = text.replace("version 1\n", 'version 1\ncontact "postmaster@corp.example"\n', 1)
    if not re.search(r"^default ", text, re.MULTILINE):
        text += "default accept\n"
    return text


def warnings(output):
    """The names of the lints that have warned."""
    return set(re.findall(r"(?m)^\S+: warning: .* \[([a-z-]+)\]$", output))


class PolicyCase(page.PageCase):
    PAGE = "rcptguard-policy(5)"

    def check(self, text, files=None):
        """(whether `rcptguard check` finds the policy good, what it says)"""
        with tool.Folder(files) as folder:
            folder.write("policy", text)
            status, output, errors = folder.run("check", "--time", NOW, "--allow", "no-expectation", "-p", "policy")
        self.assertIn(status, (0, 1), errors)
        return status == 0, output + errors


class Words(PolicyCase):
    def test_keywords(self):
        """every keyword is marked .Ic, and nothing else is"""
        self.assertSame(page.marked(self.tree, "Ic"), keywords(), "keywords")

    def test_described(self):
        """each statement, test and action has an item of its own"""
        heads = {word for node in self.tree.find("It", "head") for word in page.marked(node, "Ic")}
        words = {word for name in ("dispositions", "counts", "subjects", "flags") for word in csource.words(name)}
        words |= set(csource.array("policy/language/parser.c", "top_words")) | set(csource.array("policy/language/parser.c", "class_words"))
        words |= {"monitor", "when"}  # of a rule, before its action
        self.assertGreater(len(words), 25)
        self.assertEqual(words - heads, set())

    def test_keyword_groups(self):
        """the keywords are all that the parser's own lists hold"""
        known = set(keywords())
        for name in "dispositions", "counts", "subjects", "flags":
            self.assertLessEqual(set(csource.words(name)), known, name)
        called = set(re.findall(r'(?:is_word|take_word|skip_word)\(parser, "([a-z]+)"\)', "".join(csource.read(file) for file in csource.sources("policy/language", "policy/conditions"))))
        self.assertGreater(len(called), 20)
        self.assertLessEqual(called, known)

    def test_keywords_are_reserved(self):
        """no keyword can be the name of a rule, as the manual says"""
        for word in csource.words("keywords"):
            good, output = self.check(policy("rule %s { when local accept }" % word))
            self.assertFalse(good, word)
            self.assertIn("`%s`" % word, output)

    def test_words_of_one_place(self):
        """may be names of rules and classes, as the manual says"""
        for word in csource.words("place words"):
            good, output = self.check(policy('class %s { domain "x.example" }' % word, 'rule r { when parties(%s) >= 1 and sender in %s reject "{parties %s}" }' % (word, word, word),
                                             'expect "x.example" is %s' % word))
            self.assertTrue(good, output)
            good, output = self.check(policy('rule %s { when local reject "x" }' % word, 'expect message from "a@x.example" to "b@x.example" gives accept by default'))
            self.assertTrue(good, output)

    def test_grammar(self):
        """the grammar has each keyword and each sign, and no other"""
        grammar, = [display.text for display in page.displays(self.PAGE) if display.kind == "grammar"]
        quoted = set(re.findall(r'"([^"]+)"', grammar))
        self.assertSame({word for word in quoted if word[0].isalpha()}, keywords(), "grammar")
        signs = re.search(r"signs\[\] = \{(.*?)\};", csource.read("policy/syntax/lexer.c"), re.DOTALL).group(1)
        self.assertSame({word for word in quoted if not word[0].isalnum()}, csource.strings(signs), "signs of the grammar")
        defined = set(re.findall(r"^(\w+) +=", grammar, re.MULTILINE))
        used = set(re.findall(r"\b[a-z]+\b", re.sub(r'"[^"]*"', "", grammar)))
        self.assertEqual(defined | {"policy"}, used | {"policy"}, "what the grammar uses and what it defines")

    def test_lists_of_the_grammar(self):
        """the grammar's lists are those of the code, in the same order"""
        grammar, = [display.text for display in page.displays(self.PAGE) if display.kind == "grammar"]
        for rule, name in (("count", "counts"), ("subject", "subjects"), ("compare", "comparisons"), ("disposition", "dispositions")):
            line = re.search(r"^%s +=(.*)$" % rule, grammar, re.MULTILINE).group(1)
            self.assertEqual(re.findall(r'"([^"]+)"', line), csource.words(name), rule)
        for rule, name in (("part", "parts"), ("kind", "opaque kinds")):
            line = re.search(r"^%s +=(.*)$" % rule, grammar, re.MULTILINE).group(1)
            self.assertEqual([word for word in re.findall(r'"([^"]+)"', line) if word[0].isalpha()], csource.words(name), rule)
        line = re.search(r"^test +=(.*)$", grammar, re.MULTILINE).group(1)
        self.assertEqual(re.findall(r'"([^"]+)"', line), csource.words("flags"))

    def test_classes(self):
        """the classes that every policy has, as the program tells them"""
        with tool.Folder({"policy": policy(classes='class internal { domain "corp.example" }\n'), "m": "To: a@b.example\n\n"}) as folder:
            counts, = folder.json("explain", "-p", "policy", "--json", "m")
        listed = [next(head.find("Cm", "elem")).text() for head, _body in page.items(page.section(self.tree, "CLASSES"))
                  if next(head.find("Cm", "elem"), None)]
        self.assertSame(listed, counts["counts"]["visible"], "classes")
        self.assertSame(page.marked(self.tree, "Cm"), counts["counts"]["visible"], "classes")

    def test_variables(self):
        """every variable of a text is marked .Va, and nothing else is"""
        variables = csource.array("policy/syntax/template.c", "variable_names")
        listed = [head.text() for head, _body in page.items(page.section(self.tree, "TEXTS"))]
        self.assertSame(listed, variables, "variables")
        self.assertEqual(len(listed), len(set(listed)))
        self.assertSame(page.marked(self.tree, "Va"), variables, "variables")

    def test_variables_load(self):
        """each of them is taken, each count also with a class, and another is refused"""
        counts = csource.words("counts")
        words = page.marked(self.tree, "Va")
        contact = 'contact "postmaster@corp.example"'
        for word in sorted(words) + ["%s %s" % (count, name) for count in counts for name in ("internal", "external", "freemail", "all", "other")]:
            good, output = self.check(policy(contact, 'rule r { when local and hidden(all) >= 1 and parties(all) within 1h >= 9 and parties(all) inside table >= 9 reject "{%s}"%s }' % (word, " override 15m" if word == "override" else "")))
            self.assertTrue(good, output)
        for word in "nobody", "rule external", "visible nobody":
            self.assertFalse(self.check(policy(contact, 'rule r { when local reject "{%s}" }' % word))[0], word)
        self.assertFalse(self.check(policy('rule r { when local reject "{contact}" }'))[0])
        for rule in 'when local reject', 'when not hidden(all) >= 1 reject', 'when parties(all) within 1h >= 9 reject':
            self.assertFalse(self.check(policy('rule r { %s "{count}" }' % rule))[0])
        for rule in 'when local reject', 'when not parties(all) within 1h >= 9 reject', 'when hidden(all) >= 1 reject':
            self.assertFalse(self.check(policy('rule r { %s "{within}" }' % rule))[0])
        for rule in 'when local reject', 'when not parties(all) inside table >= 9 reject', 'when parties(all) within 1h >= 9 reject':
            self.assertFalse(self.check(policy('rule r { %s "{inside}" }' % rule))[0])
        self.assertFalse(self.check(policy(default='reject "{count}"'))[0])

    def test_defects(self):
        """the defects that the tests of the policy stand for"""
        facts = page.section(self.tree, "Facts", "Ss")
        named = set(re.findall(r"the defect ([a-z]+)", facts.text()))
        words = set(csource.strings(csource.function("policy/message/defects.c", "defect_name")))
        self.assertSame(named | {"syntax"}, words, "defects")


class Numbers(PolicyCase):
    def test_defines(self):
        """each limit has the number of its #define"""
        found = [limit for limit in limits() if limit.name]
        self.assertGreater(len(found), 10)
        for limit in found:
            with self.subTest(limit.name):
                self.assertEqual(limit.value, csource.number(limit.file, limit.name) * limit.code_unit, limit.text)

    def test_every_limit(self):
        """each limit in the library is documented, or known to be no concern of a policy's author"""
        there = {(file, name) for file in csource.sources("policy") for name in csource.defines(file) if re.search(r"LIMIT$|^CUT_", name)}
        documented = {(limit.file, limit.name) for limit in limits() if limit.file and limit.file.startswith("policy/")}
        self.assertSame({"%s in %s" % (name, file) for file, name in documented if re.search(r"LIMIT$|^CUT_", name)},
                        {"%s in %s" % (name, file) for file, name in there - set(INTERNAL)}, "limits")
        self.assertLessEqual(set(INTERNAL), there, "what is called internal is gone")

    def test_section(self):
        """no number stands in the section of limits without its source in the code"""
        text = page.read(self.PAGE)
        section = text[text.index("\n.Sh LIMITS\n"):text.index("\n.Sh FILES\n")]
        lines = section.splitlines()
        for before, line in zip(lines, lines[1:]):
            if re.match(r"[\d,]+\b", line):
                self.assertTrue(before.startswith('.\\" limit: '), "a number without its source: %s" % line)

    def test_probes(self):
        """each limit that is no #define is tried out: so much passes, one more is refused"""
        probes = {
            "classes": lambda n: policy(*("class c%d { domain \"c%d.example\" }" % (i, i) for i in range(n - 1))),
            "name": lambda n: policy("rule %s { when local accept }" % ("r" * n)),
            "digits": lambda n: policy("rule r { when hidden(all) >= %s accept }" % ("9" * n)),
            "hours": lambda n: policy('rule a { when local quarantine "x" release after %dh }' % n, 'contact "x"', 'rule b { when syntax reject "{override}" override %dh }' % n),
            "days": lambda n: policy('rule a { when local quarantine "x" expire %dd return }' % n),
            "people": lambda n: policy('expect message from "a@corp.example" to "b@corp.example" bcc %d of "c{n}@corp.example" gives accept' % n),
        }
        found = {limit.probe: limit for limit in limits() if limit.probe}
        self.assertEqual(set(found), set(probes))
        for name, build in probes.items():
            with self.subTest(name):
                good, output = self.check(build(found[name].value))
                self.assertTrue(good, output[:500])
                self.assertFalse(self.check(build(found[name].value + 1))[0], "%d of %s passed" % (found[name].value + 1, name))

    def test_depth(self):
        """parentheses and `not`, as often as the manual says and once more"""
        depth, = [limit.value for limit in limits() if limit.file == "policy/language/parse_condition.c"]

        def nested(n):
            return policy("rule r { when %slocal%s accept }" % ("not (" * (n // 2) + "(" * (n % 2), ")" * (n // 2 + n % 2)))
        # The test itself is a term, too.
        self.assertTrue(self.check(nested(depth - 1))[0])
        self.assertFalse(self.check(nested(depth + 1))[0])

    def test_sizes(self):
        """a policy and a pattern of the greatest size pass, and one byte more is refused"""
        size, = [limit.value for limit in limits() if limit.name == "POLICY_SIZE_LIMIT"]
        whole = policy()
        self.assertTrue(self.check("#" * (size - len(whole) - 1) + "\n" + whole)[0])
        self.assertFalse(self.check("#" * (size - len(whole)) + "\n" + whole)[0])
        length, = [limit.value for limit in limits() if limit.name == "PATTERN_LENGTH_LIMIT"]
        self.assertTrue(self.check(policy("rule r { when sender =~ /%s/ accept }" % ("a" * length)))[0])
        self.assertFalse(self.check(policy("rule r { when sender =~ /%s/ accept }" % ("a" * (length + 1))))[0])

    def test_warnings(self):
        """a threshold at the bound passes in silence, the next one is warned of"""
        bounds = {limit.name: limit.value for limit in limits()}
        for name, lint in (("RECIPIENTS_LIMIT", "threshold-beyond-limit"), ("POSTFIX_HEADER_RECIPIENTS", "threshold-beyond-header")):
            for count in "visible", "parties", "domains":
                _good, output = self.check(policy('rule r { when %s(external) >= %d reject "x" }' % (count, bounds[name] + 1)))
                self.assertIn(lint, warnings(output))
                _good, output = self.check(policy('rule r { when %s(external) >= %d reject "x" }' % (count, bounds[name])))
                self.assertNotIn(lint, warnings(output))

    def test_days(self):
        """a rule that ends within so many days is warned of, one that ends later is not"""
        days = csource.number("policy/lint/lint.c", "UNTIL_SOON_DAYS")
        today = datetime.date.fromisoformat(NOW[:10])
        for left, lints in ((-1, {"until-past"}), (0, {"until-soon"}), (days, {"until-soon"}), (days + 1, set())):
            _good, output = self.check(policy('rule r until %s { when local reject "x" } rule s { when syntax reject "x" }'
                                              % (today + datetime.timedelta(days=left)).isoformat()))
            self.assertEqual(warnings(output), lints)


class Lints(PolicyCase):
    def test_names(self):
        """each lint has an item of its own under WARNINGS, and each item is a lint, in the same order"""
        items = [head.text() for head, _body in page.items(page.section(self.tree, "WARNINGS"))]
        names = csource.array("policy/lint/lint_warning.c", "lint_names")
        self.assertGreater(len(names), 15)
        self.assertEqual(items, names)

    def test_examples(self):
        """what the page gives as an example of a mistake is warned of, and what it says to write is not"""
        for lint, bad, good in (
                ("unescaped-dot", "match /corp.example/", "match /corp\\.example/"),
                ("missing-boundary", "match /.*corp\\.example/", "match /(.+\\.)?corp\\.example/"),
                ("missing-boundary", "match /.*corp\\.example/", 'domain ".corp.example"'),
                ("leading-wildcard", "match /.+\\.com/", "match /(.+\\.)?corp\\.com/"),
                ("open-domain", "match /corp\\..*/", "match /corp\\.(com|org)/"),
                ("whole-value", "match /@corp\\.example$/", "match /corp\\.example/"),
                ("slow-regex", "match /(a+)+\\.example!/", "match /a+\\.example!/"),
                ("public-suffix", 'domain ".co.uk"', 'domain ".corp.co.uk"')):
            for text, lints in ((bad, {lint}), (good, set())):
                _good, output = self.check(policy('rule r { when parties(external) >= 10 reject "x" }', classes="class internal { %s }\n" % text))
                self.assertEqual(warnings(output) - {"freemail-internal"}, lints, text)
        hold = 'rule r { when parties(external) >= 10 reject "x" }'
        for lint, bad, good in (
                ("whole-value", 'rule a { when sender =~ /clinic@/ and parties(external) >= 2 reject "x" }',
                 'rule a { when sender =~ /clinic@.*/ and parties(external) >= 2 reject "x" }'),
                ("whole-value", 'rule a { when not sender =~ /noreply/ and parties(external) >= 2 reject "x" }',
                 'rule a { when not sender =~ /.*noreply.*/ and parties(external) >= 2 reject "x" }'),
                ("header-misspelt", 'rule a { when header("Subjct") and parties(external) >= 5 reject "x" }',
                 'rule a { when header("Subject") and parties(external) >= 5 reject "x" }'),
                ("class-in-quotes", 'rule a { when sender in "internal" and parties(external) >= 5 reject "x" }',
                 'rule a { when sender in internal and parties(external) >= 5 reject "x" }'),
                ("stops-few", 'rule a { when syntax and parties(external) <= 10 reject "x" }', 'rule a { when syntax and parties(external) >= 5 reject "x" }'),
                ("stops-few", 'rule a { when syntax and visible(external) = 2 reject "x" }', 'rule a { when syntax and visible(external) = 0 reject "x" }'),
                ("never-true", 'rule a { when visible(external) < 0 reject "x" }', ""),
                ("never-true", 'rule a { when user = "ann" and user = "bob" reject "x" }', ""),
                ("always-true", 'rule a { when visible(external) >= 0 and local reject "x" }', ""),
                ("redundant-test", 'rule a { when parties(external) >= 40 or visible(external) >= 30 reject "x" }',
                 'rule a { when parties(external) >= 40 or visible(external) >= 50 reject "x" }'),
                ("reinjected-mail", "outbound when authenticated or local", "outbound when authenticated or (local and sender in internal)")):
            for text, lints in ((bad, {lint}), (good, set())):
                _good, output = self.check(policy(text, hold))
                self.assertEqual(warnings(output), lints, text)


class Statements(PolicyCase):
    """What the manual says of the meaning, each tried out."""

    def test_at_least(self):
        """>= is at least, > more than, <= at most, < fewer than, = exactly"""
        for sign, passes in ((">=", (10, 11)), (">", (11,)), ("<=", (9, 10)), ("<", (9,)), ("=", (10,))):
            expects = ['expect message from "a@corp.example" to %d of "c{n}@mail{n}.example" gives %s by %s'
                       % (n, "tag" if n in passes else "accept", "r" if n in passes else "default") for n in (9, 10, 11)]
            good, output = self.check(policy('rule r { when parties(external) %s 10 tag "x" }' % sign, *expects))
            self.assertTrue(good, output)

    def test_fields(self):
        """the header fields that show recipients"""
        names = [name for name, _bit in re.findall(r'\{"([A-Z][\w-]+)", (FIELD_\w+)\}', csource.read("policy/message/recipients.c"))]
        self.assertEqual(len(names), 8)
        counted = next(body.text() for head, body in page.items(page.section(self.tree, "WHAT IS COUNTED")) if head.text() == "visible recipient")
        for name in names:
            self.assertRegex(counted, r"\b%s\b" % name)

    def test_until_and_defaults(self):
        """what is reserved, what is said once, what has to be there"""
        for name in "external", "other", "all":
            self.assertFalse(self.check(policy('class %s { domain "x.example" }' % name))[0], name)
        self.assertFalse(self.check("version 1\ndefault accept\n")[0])
        self.assertFalse(self.check(policy(classes='class internal { domain "corp.example" separate }\n'))[0])
        self.assertFalse(self.check(policy('contact "a"', 'contact "b"'))[0])
        self.assertFalse(self.check(policy("outbound when local", "outbound when authenticated"))[0])
        self.assertFalse(self.check("version 1\n" + CLASSES)[0])
        self.assertFalse(self.check(policy("rule r { when local and authenticated or syntax accept }"))[0])
        self.assertFalse(self.check(policy('rule r { when local reject "" }'))[0])
        for test in 'from = "a@corp.example"', 'header("X")', "visible(all) = 1", "syntax", "malformed", "truncated":
            self.assertFalse(self.check(policy("outbound when " + test))[0], test)
        for test in "authenticated", "local", 'client in "10.0.0.0/8"', 'listener = "x"', 'user = "x"', 'sender = "a@corp.example"':
            self.assertTrue(self.check(policy("outbound when " + test))[0], test)

    def test_patterns(self):
        """a pattern covers the whole value, in any case; a verb and \\C are errors"""
        good, output = self.check(policy('rule r { when sender =~ /ANN@.*/ tag "x" }',
                                         'expect message from "ann@corp.example" to "b@x.example" gives tag by r',
                                         'expect message from "joann@corp.example" to "b@x.example" gives accept by default'))
        self.assertTrue(good, output)
        for pattern in "(*UTF)a", "a\\C":
            self.assertFalse(self.check(policy("rule r { when sender =~ /%s/ accept }" % pattern))[0], pattern)


class Examples(PolicyCase):
    KINDS = {"policy", "part", "grammar", "file"}

    def test_kinds(self):
        """each display says what it is, so that none goes unproved"""
        found = page.displays(self.PAGE)
        for display in found:
            self.assertIn(display.kind, self.KINDS, str(display))
        self.assertGreaterEqual(sum(display.kind == "policy" for display in found), 4)

    def test_policies(self):
        """each example loads and its assertions hold, without a warning"""
        found = page.displays(self.PAGE)
        files = {display.name: display.text for display in found if display.kind == "file"}
        named = set()
        for display in found:
            if display.kind not in ("policy", "part"):
                continue
            with self.subTest(str(display)):
                whole = display.text if display.kind == "policy" else complete(display.text)
                named.update(re.findall(r'(?:from|file) "([^"@]+)"', whole))
                self.assertTrue(display.kind == "part" or "expect " in whole, "an example policy without an assertion")
                good, output = self.check(whole, files)
                self.assertTrue(good, output)
                self.assertEqual(warnings(output) - (OF_PARTS if display.kind == "part" else set()), set(), output)
        self.assertEqual(named, set(files), "the files that the examples name, and those that the page has")

    def test_assertions_count(self):
        """the examples' assertions are tried: with their rules gone, they fail"""
        found = page.displays(self.PAGE)
        files = {display.name: display.text for display in found if display.kind == "file"}
        for display in found:
            if display.kind == "policy":
                without = re.sub(r"(?m)^    (quarantine|reject|tag) ", r"    tempfail ", display.text)
                good, _output = self.check(without, files)
                self.assertFalse(good, str(display))


if __name__ == "__main__":
    tap.main()
