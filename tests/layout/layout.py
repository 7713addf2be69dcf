"""What the design says of the tree: who may include what, who may call what, how long a file may be."""

import os
import pathlib
import re
import unittest

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

    def including(self, header):
        return [name(path) for folder in ("policy", "milter") for path in sources(folder)
                if any(each == header or each.endswith("/" + header) for each in includes(path))]

    def calling(self, folder, pattern, but=()):
        found = []
        for path in sources(folder):
            if path.name in but:
                continue
            for number, line in enumerate(code(path).split("\n"), 1):
                if re.search(pattern, line):
                    found.append("%s:%d: %s" % (name(path), number, line.strip()))
        return found

    def test_one_file_knows_libmilter(self):
        found = self.including("mfapi.h")
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith("milter/"))

    def test_one_file_knows_pcre2(self):
        self.assertEqual(self.including("pcre2.h"), ["policy/pattern.c"])

    def test_one_file_knows_sqlite(self):
        self.assertEqual(self.including("sqlite3.h"), ["milter/ledger/database.c"])

    def test_one_file_knows_gmime(self):
        users = {line.split(":")[0] for folder in ("policy", "milter") for line in self.calling(folder, r"\b(internet_address_\w+|InternetAddress\w*|INTERNET_ADDRESS_\w+)\b")}
        self.assertEqual(users, {"policy/gmime_api.h", "policy/recipients.c"})
        self.assertEqual([each for each in self.including("gmime.h") if each.startswith("policy/")], ["policy/decode.c", "policy/gmime_api.h"])

    def test_one_file_knows_each_of_the_others(self):
        for header, file in (("libpsl.h", "policy/suffixes.c"), ("idn2.h", "policy/address.c"), ("zlib.h", "policy/unpack.c"),
                             ("lzma.h", "policy/unpack.c"), ("zstd.h", "policy/unpack.c")):
            self.assertEqual([each for each in self.including(header) if each.startswith("policy/")], [file])

    def test_one_file_knows_the_journal(self):
        self.assertEqual(self.including("sd-journal.h"), ["milter/log/journal.c"])

    def test_policy_does_not_know_the_milter(self):
        for path in sources("policy"):
            for header in includes(path):
                self.assertFalse("milter" in header or header in ("syslog.h", "systemd/sd-daemon.h"), "%s includes %s" % (name(path), header))

    def test_the_library_has_no_clock(self):
        self.assertEqual(self.calling("policy", r"\b(time|gettimeofday|clock_gettime|clock|localtime(_r)?|g_get_real_time|g_get_monotonic_time|g_get_current_time|"
                                                r"g_date_time_new_now\w*)\s*\(", PROGRAMS), [])

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
        known = {"askpostfix.c", "checks.c", "conf_load.c", "database.c", "facts.c", "identities.c", "lint_classes.c", "queue_holds.c", "postfix_config.c", "postfix_trace.c",
                 "queue.c", "reconcile.c", "resolve.c", "sendmail_config.c", "site.c", "table.c"}
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


if __name__ == "__main__":
    tap.main()
