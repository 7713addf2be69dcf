"""--version of each program: the form that the manual pages promise, and what the program is really linked with."""

import os
import re
import shutil
import subprocess
import unittest

import csource
import daemon
import page
import tap
import tool

PAGES = {"rcptguard": "rcptguard(1)", "rcptguardd": "rcptguardd(8)", "rcptguardq": "rcptguardq(8)"}

# The name in the list, by the library's file and by its pkg-config module.
LIBRARIES = {
    "GLib": ("libglib-2.0", "glib-2.0"), "GMime": ("libgmime-3.0", "gmime-3.0"), "PCRE2": ("libpcre2-8", "libpcre2-8"), "libpsl": ("libpsl", "libpsl"),
    "libidn2": ("libidn2", "libidn2"), "zlib": ("libz", "zlib"), "liblzma": ("liblzma", "liblzma"), "libzstd": ("libzstd", "libzstd"),
    "libmilter": ("libmilter", None),  # its own number, which the release of sendmail that it came with does not have
    "SQLite": ("libsqlite3", "sqlite3"), "ncurses": ("libncursesw", "ncursesw"), "libxml2": ("libxml2", "libxml-2.0"), "libseccomp": ("libseccomp", "libseccomp"), "libpq": ("libpq", "libpq"), "json-glib": ("libjson-glib-1.0", "json-glib-1.0"), "libsystemd": ("libsystemd", "libsystemd")}

# Parts of GLib, of ncurses, of the compiler and of the system; and what a sanitizer brings.
PARTS = {"libgio-2.0", "libgobject-2.0", "libtinfo", "libc", "libm", "libpthread", "libutil", "libresolv", "ld-linux-x86-64", "libgcc_s", "libasan", "libubsan", "libtsan"}


def programs():
    return [name for name in PAGES if os.path.exists(os.path.join(daemon.BUILD, name))]


def lines(program):
    with tool.Folder() as folder:
        code, output, errors = folder.run("--version", program=os.path.join(daemon.BUILD, program))
    assert (code, errors) == (0, ""), errors
    return output.splitlines()


def linked(program):
    done = subprocess.run(["readelf", "-dW", os.path.join(daemon.BUILD, program)], stdout=subprocess.PIPE, check=True, text=True)
    return {re.sub(r"\.so.*", "", name) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout)}


class Version(unittest.TestCase):
    def test_form(self):
        """the program and its version; then NAME VERSION, and `(built with)` where the library cannot tell"""
        version = re.search(r"^AC_INIT\(\[rcptguard\], \[([^]]+)\]", csource.read("configure.ac"), re.M).group(1)
        for program in programs():
            with self.subTest(program):
                first, *rest = lines(program)
                self.assertEqual(first, "%s %s" % (program, version))
                self.assertGreaterEqual(len(rest), 9)
                for line in rest:
                    self.assertRegex(line, r"\A[A-Za-z][\w-]* \d+(\.\d+)*[\w.~+-]*( \(built with\))?\Z")
                self.assertEqual([line.split()[0] for line in rest if line.endswith("(built with)")],
                                 [name for name in (line.split()[0] for line in rest) if name in ("json-glib", "libsystemd")])

    @unittest.skipUnless(shutil.which("readelf"), "readelf is missing; install the package binutils")
    def test_complete(self):
        """each library that a program is linked with has a line, and no other has"""
        for program in programs():
            with self.subTest(program):
                names = {line.split()[0] for line in lines(program)[1:]}
                self.assertEqual({LIBRARIES[name][0] for name in names}, linked(program) - PARTS)

    @unittest.skipUnless(shutil.which("pkg-config"), "pkg-config is missing")
    def test_right(self):
        """the versions are those of the libraries that are installed"""
        for program in programs():
            for line in lines(program)[1:]:
                name, version = line.split()[:2]
                module = LIBRARIES[name][1]
                with self.subTest(program + ": " + name):
                    if module is not None:
                        done = subprocess.run(["pkg-config", "--modversion", module], stdout=subprocess.PIPE, check=True, text=True)
                        self.assertEqual(version, done.stdout.strip())

    def test_manual(self):
        """each page names the libraries of its program"""
        for program in programs():
            with self.subTest(program):
                text = page.read(PAGES[program])
                item = re.search(r"^\.It Fl -version\n((?:(?!\.It |\.El).*\n)*)", text, re.M).group(1)
                self.assertIn("(built with)", item)
                for line in lines(program)[1:]:
                    self.assertRegex(item, r"(?m)\b%s\b" % re.escape(line.split()[0]))


if __name__ == "__main__":
    tap.main()
