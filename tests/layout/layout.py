"""What the design says of the tree: the rooms (rooms.py), who may call what, how long a file may be."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import rooms
import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
LINES = 700

# The programs of policy/; the rest is the library.
_SOURCES = re.compile(r"^rcptguard_SOURCES = \\\n((?:.*\\\n)*.*\n)", re.M)
PROGRAMS = {pathlib.PurePath(each).name for each in _SOURCES.search((SOURCE / "Makefile.am").read_text()).group(1).replace("\\", " ").split()}

# What a checkout has besides the project, and what a build leaves in it.
NOT_OURS = {".git", "autom4te.cache", "build-aux", "__pycache__"}
GENERATED = {"Makefile.in", "Makefile", "configure", "configure~", "aclocal.m4", "config.h.in", "config.h.in~", "config.status", "config.log",
             "config.h", "stamp-h1", "libtool"}


def sources(folder):
    return sorted(path for path in (SOURCE / folder).rglob("*") if path.suffix in (".c", ".h"))


def code(path):
    """The text without comments and strings: what is called, not what is told."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), path.read_text(), flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def name(path):
    return str(path.relative_to(SOURCE))


def tree():
    for folder, folders, files in os.walk(SOURCE):
        folders[:] = [each for each in folders if each not in NOT_OURS and not each.startswith(("rcptguard-", "build-"))]
        for each in files:
            path = pathlib.Path(folder) / each
            if each not in NOT_OURS | GENERATED and path.suffix not in (".o", ".a", ".log", ".trs", ".pyc", ".gcno", ".gcda", ".xz", ".Po") and not path.is_symlink():
                yield path


class Layout(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertTrue(sources("policy") and sources("milter"), "no sources in %s" % SOURCE)

    def calling(self, folder, pattern, but=()):
        found = []
        for path in sources(folder):
            if path.name in but:
                continue
            for number, line in enumerate(code(path).split("\n"), 1):
                if re.search(pattern, line):
                    found.append("%s:%d: %s" % (name(path), number, line.strip()))
        return found

    def test_one_file_knows_gmime(self):
        users = {line.split(":")[0] for folder in ("policy", "milter") for line in self.calling(folder, r"\b(internet_address_\w+|InternetAddress\w*|INTERNET_ADDRESS_\w+)\b")}
        # Who the recipients are is what recipients.c alone says; display_names.c finds what is written beside them.
        self.assertEqual(users, {"policy/message/gmime_api.h", "policy/message/recipients.c", "milter/content/display_names.c"})

    def test_policy_does_not_know_the_milter(self):
        for path in sources("policy"):
            for header in includes(path):
                self.assertFalse(header.startswith("milter/") or header == "syslog.h", "%s includes %s" % (name(path), header))

    def test_the_library_has_no_clock(self):
        """Processor time is no clock: what a point of a regular expression takes cannot be counted, see pattern.c."""
        own = "policy/base/pattern.c:"
        calls = self.calling("policy", r"\b(time|gettimeofday|clock_gettime|clock|localtime(_r)?|g_get_real_time|g_get_monotonic_time|g_get_current_time|"
                                                r"g_date_time_new_now\w*)\s*\(", PROGRAMS)
        self.assertEqual([call for call in calls if not (call.startswith(own) and "CLOCK_THREAD_CPUTIME_ID" in call)], [])
        self.assertEqual(len(calls), 1)

    def test_the_library_has_no_surroundings(self):
        self.assertEqual(self.calling("policy", r"\b(getenv|secure_getenv|setenv|g_getenv|g_setenv|getpid|gethostname|g_get_user_name|setlocale|exit|_exit|abort|"
                                                r"fork|system|popen|signal|sigaction|umask|chdir)\s*\(", PROGRAMS), [])

    def test_the_library_is_silent(self):
        self.assertEqual(self.calling("policy", r"\b(syslog|vsyslog|openlog|printf|vprintf|puts|putchar|perror|g_print|g_printerr|g_log|g_message|g_warning|g_debug|g_info)\s*\("
                                                r"|\b(fprintf|fputs|fputc|fwrite|vfprintf)\s*\([^;]*\bstd(out|err)\b|\bstd(out|err)\b", PROGRAMS), [])

    def test_the_library_has_no_unsafe_strings(self):
        for folder in ("policy", "milter"):
            self.assertEqual(self.calling(folder, r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|g_alloca|mktemp|tmpnam|atoi)\s*\("), [])

    def test_what_strangers_write_is_hashed_with_a_key(self):
        """Only what a policy, a configuration or the MTA itself says may be put into a table by g_str_hash: who knows the hash can make it slow."""
        known = {"checks.c", "command_list.c", "condition_facts.c", "conf_load.c", "database.c", "discover_postfix.c", "discovered_site.c", "identities.c", "lint_classes.c", "pg_connection.c", "phrases.c", "queue_holds.c", "postfix_config.c", "postfix_trace.c",
                 "queue.c", "reconcile.c", "resolve.c", "sendmail_config.c", "table.c", "web_checks.c"}
        for folder in ("policy", "milter"):
            self.assertEqual(self.calling(folder, r"\bg_str_hash\b", known), [])

    def test_sources_are_short(self):
        long_ones = []
        for folder in ("policy", "milter"):
            for path in sources(folder):
                count = path.read_text().count("\n")
                if count > LINES:
                    long_ones.append("%s has %d lines" % (name(path), count))
        self.assertEqual(long_ones, [])

    def test_each_header_is_guarded_and_told(self):
        for folder in ("policy", "milter"):
            for path in sources(folder):
                text = path.read_text()
                self.assertTrue(text.startswith("/*"), "%s does not begin with what it is" % name(path))
                if path.suffix == ".h":
                    self.assertRegex(text, r"#ifndef (RCPTGUARD_\w+)\n#define \1\n", name(path))

    def test_no_place_of_a_build_machine(self):
        places = re.compile(r"(?<![\w.-])/(?:work|root|home/\w+|tmp/b-\w+|builds?|workspace)/[\w.]|/\.pyenv/")
        found = []
        for path in tree():
            if path == pathlib.Path(__file__).resolve():
                continue
            try:
                text = path.read_text()
            except UnicodeDecodeError:
                continue
            for number, line in enumerate(text.split("\n"), 1):
                if places.search(line):
                    found.append("%s:%d: %s" % (name(path), number, line.strip()[:120]))
        self.assertEqual(found, [])

    def test_whitespace(self):
        found = []
        for folder in ("policy", "milter"):
            for path in sources(folder):
                text = path.read_text()
                if "\t" in text or "\r" in text or re.search(r"[ ]+$", text, re.M) or not text.endswith("\n"):
                    found.append(name(path))
        self.assertEqual(found, [])


class Rooms(unittest.TestCase):
    maxDiff = None

    def test_rules(self):
        """the tree keeps every rule of rooms.py"""
        for rule in rooms.RULES:
            with self.subTest(rule.__name__):
                self.assertEqual(rule(SOURCE), [])

    def test_architecture(self):
        """ARCHITECTURE.md has the rooms in their order, each with the sentence of its README"""
        rows = re.findall(r"^\| `((?:policy|milter)/\w+)/` \| (.*) \|$", (SOURCE / "ARCHITECTURE.md").read_text(), re.M)
        there = [room for room in rooms.ORDER if (SOURCE / room).is_dir()]
        self.assertEqual([(room, sentence.replace("`", "")) for room, sentence in rows],
                         [(room, (SOURCE / room / "README").read_text().split("\n")[0].replace("`", "")) for room in there])

    def test_each_exception_is_needed(self):
        """a name that is excused is used where it is excused"""
        self.assertEqual([file for file in rooms.MTA_FILES if not rooms.MTA_WORDS.search(rooms.code(SOURCE / file))], [])
        for base, known in rooms.LIBRARIES.items():
            self.assertEqual([file for file in known if not any(header.rpartition("/")[2] == base for header in includes(SOURCE / file))], [], base)

    @unittest.skipUnless(shutil.which("nm") and os.environ.get("top_builddir"), "there is no nm, or no build")
    def test_symbols(self):
        """no public function or variable is defined twice"""
        found = rooms.objects(SOURCE, pathlib.Path(os.environ["top_builddir"]))
        self.assertGreater(len(found), 50)
        self.assertEqual(rooms.symbols(found), [])


class Breaches(unittest.TestCase):
    """A small tree keeps every rule, and is refused after each breach."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rcptguard-layout-")
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        for room in rooms.ORDER:
            base = room.replace("/", "_") + "_first"
            self.write("%s/%s.h" % (room, base), "struct %s {\n    int value;\n};\n" % base)
            self.write("%s/%s.c" % (room, base), '#include "%s/%s.h"\n' % (room, base))
            self.write(room + "/README", "what it is for\n")

    def write(self, file, text):
        path = self.root / file
        if path.suffix in (".c", ".h"):
            text = "/* %s - what it is */\n%s" % (path.stem, text)
        if path.suffix == ".h":
            text += "#ifndef RCPTGUARD_%s_H\n#define RCPTGUARD_%s_H\n#endif\n" % (path.stem.upper(), path.stem.upper())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def refused(self, rule, *words):
        """That rule refuses the tree once, and says these words; no other does."""
        said = {each.__name__: each(self.root) for each in rooms.RULES}
        found = said.pop(rule.__name__)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])
        self.assertEqual({name: lines for name, lines in said.items() if lines}, {})

    def test_good(self):
        self.assertEqual([line for rule in rooms.RULES for line in rule(self.root)], [])

    def test_path(self):
        self.write("milter/log/more.c", '#include "milter_log_first.h"\n')
        self.refused(rooms.paths_of_includes, "milter/log/more.c", "write the whole path")

    def test_unknown_room(self):
        self.write("milter/attic/more.c", "")
        self.refused(rooms.known_rooms, "milter/attic/more.c", "move it")

    def test_order(self):
        self.write("milter/log/more.c", '#include "milter/queue/milter_queue_first.h"\n')
        self.refused(rooms.order, "milter/log/more.c", "milter/queue comes after milter/log", "hand it in")

    def test_circle_of_rooms(self):
        self.write("milter/log/more.c", '#include "milter/queue/milter_queue_first.h"\n')
        self.write("milter/queue/other.c", '#include "milter/log/milter_log_first.h"\n')
        found = rooms.room_circles(self.root)
        self.assertEqual(len(found), 1)
        self.assertIn("milter/log, milter/queue include each other", found[0])

    def test_circle_of_files(self):
        self.write("milter/log/one.h", '#include "milter/log/two.h"\n')
        self.write("milter/log/two.h", "")
        self.write("milter/log/two.c", '#include "milter/log/one.h"\n')
        self.refused(rooms.file_circles, "milter/log/one, milter/log/two", "of its own")

    def test_size(self):
        for number in range(rooms.MODULES):
            self.write("milter/log/more%d.c" % number, "")
        self.refused(rooms.size, "milter/log has 17 modules", "divide it")

    def test_file_name(self):
        self.write("milter/log/more.c", "")
        self.write("tests/unit/more.c", "")
        self.refused(rooms.file_names, "milter/log/more.c and tests/unit/more.c", "rename")

    def test_configure_s_name(self):
        self.write("milter/log/config.h", "")
        self.refused(rooms.file_names, "milter/log/config.h", "rename")

    def test_title(self):
        self.write("milter/log/more.c", "")
        path = self.root / "milter/log/more.c"
        path.write_text(path.read_text().replace("more -", "less -"))
        self.refused(rooms.titles, "milter/log/more.c", "begin it with \"/* more - ")

    def test_guard(self):
        self.write("milter/log/more.h", "")
        path = self.root / "milter/log/more.h"
        path.write_text(path.read_text().replace("RCPTGUARD_MORE_H", "RCPTGUARD_LESS_H"))
        self.refused(rooms.titles, "milter/log/more.h", "RCPTGUARD_MORE_H")

    def test_tag(self):
        self.write("milter/log/more.c", "struct milter_queue_first {\n    int value;\n};\n")
        self.refused(rooms.tags, "`struct milter_queue_first`", "milter/log/more.c", "rename")

    def test_mta_word(self):
        self.write("milter/queue/more.c", "static int is_postfix(int mta)\n{\n    return mta == MTA_POSTFIX;\n}\n")
        self.refused(rooms.mtas, "milter/queue/more.c:4", "mtas.c")

    def test_mta_header(self):
        self.write("milter/rcptguardq/more.c", '#include "milter/postfix/milter_postfix_first.h"\n')
        self.refused(rooms.mtas, "milter/rcptguardq/more.c includes milter/postfix/milter_postfix_first.h", "mtas.c")

    def test_library(self):
        self.write("milter/queue/more.c", "#include <sqlite3.h>\n")
        self.refused(rooms.libraries, "milter/queue/more.c", "milter/database/database.c alone")

    def test_readme(self):
        (self.root / "milter/log/README").unlink()
        self.refused(rooms.readmes, "milter/log has no README")
        self.write("milter/log/README", "\n")
        self.refused(rooms.readmes, "milter/log has no README")

    @unittest.skipUnless(shutil.which("nm"), "there is no nm")
    def test_symbol(self):
        """of two programs' objects; a file that is built into two programs is one, and what has gone from the tree is none"""
        compiler = os.environ.get("CC", "cc").split()
        build = self.root / "build"
        for file, objects in (("milter/log/one.c", ("one", "rcptguardd-one")), ("milter/queue/two.c", ("rcptguardq-two",)), ("milter/queue/gone.c", ("gone",))):
            self.write(file, "int twice_defined(void);\nint twice_defined(void)\n{\n    return 1;\n}\n")
            for each in objects:
                output = build / pathlib.PurePath(file).parent / (each + ".o")
                output.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(compiler + ["-c", "-o", str(output), str(self.root / file)], check=True)
        (self.root / "milter/queue/gone.c").unlink()
        found = rooms.symbols(rooms.objects(self.root, build))
        self.assertEqual(len(found), 1, found)
        self.assertIn("twice_defined is defined in one.c and two.c: make one static", found[0])


if __name__ == "__main__":
    tap.main()
