"""The syntax files for vim, TextMate grammars and GtkSourceView: they know the words of the code, and mark real policies right."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import daemon
import language
import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
# Made from the words of the code while all is built.
PACKAGING = pathlib.Path(daemon.BUILD) / "packaging"
VIM = PACKAGING / "vim"
TEXTMATE = PACKAGING / "textmate" / "rcptguard.tmLanguage.json"
GTKSOURCEVIEW = PACKAGING / "gtksourceview" / "rcptguard.lang"
LIMIT = 60 * tap.SLOWNESS

sys.path.append(str(SOURCE / "tests" / "manual"))

import csource  # noqa: E402

KEYWORDS = csource.words("keywords") + csource.words("place words")


def policies():
    """Every policy of the tests that is one, and every example."""
    found = [path for folder in ("tests/policy/good", "tests/policy/odd", "tests/verdict", "packaging/examples")
             for path in sorted((SOURCE / folder).rglob("*")) if path.is_file() and language.is_policy(path)]
    assert len(found) > 15
    return found


# ---- the lists of words: {"action": [...], "fact": [...], "logic": [...], "keyword": [...]}

def vim_words():
    groups = {"rcptguardAction": "action", "rcptguardFact": "fact", "rcptguardLogic": "logic"}
    found = {}
    for group, words in re.findall(r"^syntax keyword (\w+) (.*)$", (VIM / "syntax" / "rcptguard.vim").read_text(), re.MULTILINE):
        found.setdefault(groups.get(group, "keyword"), []).extend(words.split())
    return found


def textmate_words():
    groups = {"support.function": "action", "variable.language": "fact", "keyword.operator.logical": "logic", "keyword.control": "keyword"}
    found = {}
    for pattern in json.loads(TEXTMATE.read_text())["patterns"]:
        words = re.fullmatch(r"\(\?<!\[a-z0-9-\]\)\(([a-z|]+)\)\(\?!\[a-z0-9-\]\)", pattern.get("match", ""))
        if words:
            found[groups[pattern["name"].removesuffix(".rcptguard")]] = words.group(1).split("|")
    return found


def gtksourceview_words():
    root = xml.etree.ElementTree.parse(GTKSOURCEVIEW)
    return {context.get("id"): [word.text for word in context.findall("keyword")] for context in root.iter("context") if context.find("keyword") is not None}


class Words(unittest.TestCase):
    def test_keywords(self):
        """each has every keyword of the code once, and no other word"""
        for words in vim_words, textmate_words, gtksourceview_words:
            with self.subTest(words.__name__):
                self.assertEqual(sorted(word for group in words().values() for word in group), sorted(KEYWORDS))

    def test_groups(self):
        """the same words are marked alike in each, and as the code groups them"""
        sets = [{group: set(found) for group, found in words().items()} for words in (vim_words, textmate_words, gtksourceview_words)]
        self.assertEqual(sets[1], sets[0])
        self.assertEqual(sets[2], sets[0])
        self.assertEqual(sets[0]["action"], set(csource.words("dispositions")))
        facts = {word for name in ("counts", "subjects", "flags", "opaque") for word in csource.words(name)}
        self.assertEqual(sets[0]["fact"], facts - {"domains", "from"} | {"header"})  # which are words of classes and messages as well
        self.assertEqual(sets[0]["logic"], {"and", "or", "not"})


# ---- what each makes of a policy: for every character what it is taken for

class Vim:
    KINDS = {"Comment": "comment", "String": "string", "Escape": "string", "Variable": "string", "Regex": "regex", "Number": "number", "Date": "number",
             "Operator": "comparison", "Keyword": "keyword", "Logic": "keyword", "Action": "keyword", "Fact": "keyword"}

    SCRIPT = """
        set nocompatible encoding=utf-8 fileencodings=utf-8 nobackup noswapfile
        let &runtimepath = $VIM_FILES . ',' . $VIM_DETECT . ',' . &runtimepath
        filetype on
        syntax enable
        let found = []
        for name in readfile('names')
            execute 'edit!' fnameescape(name)
            let lines = []
            for number in range(1, line('$'))
                call add(lines, map(range(1, len(getline(number))), {_, column -> synIDattr(synID(g:number, column, 1), 'name')}))
            endfor
            call add(found, [&filetype, lines])
        endfor
        call writefile([json_encode(found)], 'found')
        qall!
    """

    def __init__(self, folder):
        self.folder = folder

    def open(self, paths):
        """[(file type, [[group of each byte] of each line])]"""
        if shutil.which("vim") is None:
            raise AssertionError("vim is missing; install the package vim")
        pathlib.Path(self.folder, "names").write_text("".join("%s\n" % path for path in paths))
        pathlib.Path(self.folder, "script.vim").write_text(self.SCRIPT)
        done = subprocess.run(["vim", "-Nu", "NONE", "-i", "NONE", "-es", "-S", "script.vim"], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                              env=dict(os.environ, VIM_FILES=str(VIM), VIM_DETECT=str(SOURCE / "packaging" / "vim"), LC_ALL="C.UTF-8", HOME=self.folder))
        assert done.returncode == 0, "vim failed; has it syntax and JSON?  install the package vim: %s" % done.stderr
        return json.loads(pathlib.Path(self.folder, "found").read_text())

    def named(self, number, path):
        """The path, or that of a copy if its name says nothing of what it is."""
        if path.suffix in (".policy", ".rcptguard") or path.name == "policy":
            return path
        return shutil.copyfile(path, os.path.join(self.folder, "%d.policy" % number))

    def kinds(self, paths):
        for path, (file_type, lines) in zip(paths, self.open([self.named(*one) for one in enumerate(paths)])):
            assert file_type == "rcptguard", "%s is taken for `%s`" % (path, file_type)
            text = path.read_text().removeprefix("\ufeff")
            # A newline behind each line; vim has no line behind the last one.
            yield text, [kind for line, groups in zip(text.split("\n"), [*lines, []]) for kind in [*self.of_characters(line, groups), None]]

    def of_characters(self, line, groups):
        at = 0
        for character in line:
            group = groups[at].removeprefix("rcptguard")
            assert not group or group in self.KINDS, group
            yield self.KINDS.get(group)
            at += len(character.encode())


class TextMate:
    """As far as the grammar needs it: every pattern ends on its line."""

    KINDS = [("comment.", "comment"), ("string.quoted.", "string"), ("string.regexp.", "regex"), ("constant.numeric.", "number"), ("keyword.operator.comparison.", "comparison"),
             ("keyword.", "keyword"), ("support.function.", "keyword"), ("variable.language.", "keyword")]

    def __init__(self, _folder):
        self.patterns = json.loads(TEXTMATE.read_text())["patterns"]

    def kind(self, pattern):
        return next(kind for prefix, kind in self.KINDS if pattern["name"].startswith(prefix))

    def first(self, patterns, line, at):
        """The pattern that begins first, with its match."""
        found = [(match.start(), number, match) for number, pattern in enumerate(patterns)
                 for match in [re.compile(pattern.get("match") or pattern["begin"]).search(line, at)] if match]
        if not found:
            return None, None
        _start, number, match = min(found, key=lambda one: one[:2])
        return patterns[number], match

    def line(self, line):
        kinds, at = [None] * len(line), 0
        while at < len(line):
            pattern, match = self.first(self.patterns, line, at)
            if pattern is None:
                break
            end = match.end()
            if "begin" in pattern:
                end = self.end(pattern, line, end)
            kinds[match.start():end] = [self.kind(pattern)] * (end - match.start())
            assert end > at or match.start() > at, "nothing is matched: %s" % pattern
            at = end
        return kinds

    def end(self, pattern, line, at):
        while True:
            closing = re.compile(pattern["end"]).search(line, at)
            inner, match = self.first(pattern["patterns"], line, at)
            if inner is None or closing.start() <= match.start():
                return closing.end()
            at = match.end()

    def kinds(self, paths):
        for path in paths:
            text = path.read_text().removeprefix("\ufeff")
            yield text, [kind for line in text.split("\n") for kind in [*self.line(line), None]]


class GtkSourceView:
    """The library itself, in a Python that has its bindings."""

    STYLES = {"def:comment": "comment", "def:string": "string", "def:special-char": "string", "def:special-constant": "string", "def:preprocessor": "regex",
              "def:decimal": "number", "def:keyword": "keyword", "def:function": "keyword", "def:identifier": "keyword", "def:operator": "comparison"}

    SCRIPT = """
import json, sys
import gi
gi.require_version("GtkSource", "4")
from gi.repository import GtkSource
folder, language_folder, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
languages = GtkSource.LanguageManager()
languages.set_search_path([language_folder, *languages.get_search_path()])
schemes = GtkSource.StyleSchemeManager()
schemes.set_search_path([folder])
language = languages.get_language("rcptguard")
found = [language.get_name(), language.get_globs()]
for path in paths:
    buffer = GtkSource.Buffer.new_with_language(language)
    buffer.set_style_scheme(schemes.get_scheme("test"))
    buffer.set_text(open(path, encoding="utf-8-sig").read())
    buffer.ensure_highlight(*buffer.get_bounds())
    colours, at = [], buffer.get_start_iter()
    while not at.is_end():
        marks = [tag.props.foreground_rgba for tag in at.get_tags() if tag.props.foreground_set]
        colours.append(round(marks[-1].red * 255) if marks else 0)
        at.forward_char()
    found.append(colours)
json.dump(found, sys.stdout)
"""

    def __init__(self, folder):
        self.folder = folder
        styles = "".join('<style name="%s" foreground="#%02x0000"/>' % (name, number) for number, name in enumerate(self.STYLES, 1))
        pathlib.Path(folder, "test.xml").write_text('<?xml version="1.0"?><style-scheme id="test" name="test" version="1.0">%s</style-scheme>' % styles)

    def run(self, paths):
        pathlib.Path(self.folder, "highlight.py").write_text(self.SCRIPT)
        said = b""
        for python in sys.executable, "/usr/bin/python3":
            done = subprocess.run([python, os.path.join(self.folder, "highlight.py"), self.folder, str(GTKSOURCEVIEW.parent), *map(str, paths)],
                                  env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"LC_ALL": "C.UTF-8", "HOME": self.folder},
                                  capture_output=True, timeout=LIMIT)
            said = done.stderr
            if done.returncode == 0:
                # What it does not like of a language file it says there.
                assert b"rcptguard" not in said, said
                return json.loads(done.stdout)
        raise AssertionError("GtkSourceView cannot be asked; install the packages python3-gi and gir1.2-gtksource-4: %s" % said.decode()[-500:])

    def kinds(self, paths):
        names = [None, *self.STYLES.values()]
        for path, colours in zip(paths, self.run(paths)[2:]):
            yield path.read_text().removeprefix("\ufeff"), [names[colour] for colour in colours] + [None]


class Marks(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rcptguard-syntax-")
        self.addCleanup(shutil.rmtree, self.folder)

    def check(self, editor):
        """Each token of each policy is marked as what it is, in full."""
        seen = {}
        paths = policies()
        for path, (text, kinds) in zip(paths, editor(self.folder).kinds(paths)):
            with self.subTest(str(path.relative_to(SOURCE))):
                for kind, token, at in language.tokens(text):
                    want = {"date": "number", "duration": "number", "sign": None, "word": "keyword" if token in KEYWORDS else None}.get(kind, kind)
                    self.assertEqual(set(kinds[at:at + len(token)]), {want}, "%s `%s` in line %d" % (kind, token, text.count("\n", 0, at) + 1))
                    seen.setdefault(kind, set()).add(token)
        self.assertEqual(set(seen), {"comment", "string", "regex", "date", "duration", "number", "word", "comparison", "sign"})
        self.assertLessEqual({"newsletter"}, seen["word"], "a name is no keyword")
        # The policies of the tests have every word of the language.
        self.assertEqual(set(KEYWORDS) - seen["word"], set())

    def test_vim(self):
        self.check(Vim)

    def test_textmate(self):
        self.check(TextMate)

    def test_gtksourceview(self):
        self.check(GtkSourceView)


class Inside(unittest.TestCase):
    """What stands within a string, and what only looks like a keyword."""

    TEXT = 'version 1\nrule tag-me-accept until 2027-06-30 { when header("a \\" # {visible} {{x} 12 =") and sender =~ /a\\/b"#1/ reject "{parties other} accept" } # accept "x" /y/\n'

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rcptguard-syntax-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = pathlib.Path(self.folder, "inside.rcptguard")
        self.path.write_text(self.TEXT)

    def test_kinds(self):
        for editor in Vim, TextMate, GtkSourceView:
            with self.subTest(editor.__name__):
                (text, kinds), = editor(self.folder).kinds([self.path])
                for kind, token, at in language.tokens(text):
                    want = {"date": "number", "duration": "number", "sign": None, "word": "keyword" if token in KEYWORDS else None}.get(kind, kind)
                    self.assertEqual(set(kinds[at:at + len(token)]), {want}, token)

    def test_vim_variables(self):
        """a variable and an escape of a text are marked within it"""
        (_type, lines), = Vim(self.folder).open([self.path])
        line = self.TEXT.split("\n")[1]
        for part, group in ("{visible}", "Variable"), ("{parties other}", "Variable"), ("{{", "Escape"), ('\\"', "Escape"), ("2027-06-30", "Date"), ("tag-me-accept", ""):
            at = line.index(part)
            self.assertEqual({one.removeprefix("rcptguard") for one in lines[1][at:at + len(part)]}, {group}, part)

    def test_vim_file_types(self):
        """which files are taken for a policy"""
        files = {"rcptguard/policy": ("# x\nversion 1\n", "rcptguard"), "policy": ("# x\n\nversion 1\n", "rcptguard"), "my.policy": ("version 1\n", "rcptguard"),
                 "new.rcptguard": ("", "rcptguard"), "other.policy": ("grant { permission x; }\n", None), "x/policy": ("Package: *\n", None)}
        for name, (text, _type) in files.items():
            path = pathlib.Path(self.folder, "types", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = Vim(self.folder).open([pathlib.Path(self.folder, "types", name) for name in files])
        for (name, (_text, want)), (got, _lines) in zip(files.items(), found):
            self.assertEqual(got == "rcptguard", want == "rcptguard", "%s is `%s`" % (name, got))

    def test_names(self):
        """what the grammars call themselves"""
        grammar = json.loads(TEXTMATE.read_text())
        self.assertEqual((grammar["scopeName"], grammar["fileTypes"]), ("source.rcptguard", ["rcptguard"]))
        self.assertTrue(re.match(grammar["firstLineMatch"], "version 1"))
        self.assertEqual(GtkSourceView(self.folder).run([])[:2], ["rcptguard policy", ["*.rcptguard"]])


if __name__ == "__main__":
    tap.main(limit=180)
