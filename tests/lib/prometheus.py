"""Reads what rcptguardd writes for Prometheus, and asks Prometheus's own programs what they think of it."""

import os
import re
import shutil
import subprocess

import daemon

# Where packaging/quickstart unpacks Debian's packages, which would start servers if they were installed.
UNPACKED = os.path.join(daemon.SOURCE, "build-prometheus", "usr", "bin")

_LABEL = r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"'
_SAMPLE = re.compile(r"([a-z_]+)(?:\{(%s(?:,%s)*)\})? ([0-9]+(?:\.[0-9]+)?)" % (_LABEL, _LABEL))


def needed(*names):
    """The path of a program, under any of its names.  Without it a test fails: what cannot be asked is not proved."""
    for name in names:
        path = shutil.which(name, path=os.environ["PATH"] + os.pathsep + UNPACKED)
        if path is not None:
            return path
    raise AssertionError("%s is missing; `packaging/quickstart test` gets it, see its lists of packages" % names[0])


def promtool(*arguments, text=None):
    """(exit code, all that it said)"""
    done = subprocess.run([needed("promtool"), *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=10 * daemon.LIMIT, check=False)
    return done.returncode, done.stdout


class Metrics:
    """A file of metrics, taken apart; a line that is not as it should be is a failure.

    types    {name: type}
    help     {name: text}
    samples  {(name, label, value, label, value...): number}, the labels in the order of the file
    """

    def __init__(self, text):
        self.text = text
        self.types, self.help, self.samples = {}, {}, {}
        assert text.endswith("\n# EOF\n"), "it does not end as it should: %r" % text[-80:]
        last = None
        for line in text.splitlines()[:-1]:
            match = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line)
            if match:
                word, last, rest = match.groups()
                table = self.help if word == "HELP" else self.types
                assert last not in table, "twice: %s" % line
                table[last] = rest
                continue
            match = _SAMPLE.fullmatch(line)
            assert match, "no sample: %r" % line
            labels = [part for pair in re.findall(_LABEL, match.group(2) or "") for part in pair]
            key = (match.group(1), *labels)
            assert key not in self.samples, "twice: %s" % line
            assert self.family(key[0]) == last, "%s stands below %s" % (line, last)
            self.samples[key] = float(match.group(match.lastindex))
        assert self.types.keys() == self.help.keys()

    def family(self, name):
        """The metric that a sample's name belongs to."""
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        return base if self.types.get(base) == "histogram" else name

    def get(self, name, *labels):
        """One number; None if it is not there."""
        return self.samples.get((name, *labels))

    def labels(self):
        """{name of the metric: names of its labels}, of those that have samples; `le` is the format's own."""
        found = {}
        for key in self.samples:
            found.setdefault(self.family(key[0]), set()).update(set(key[1::2]) - {"le"})
        return found

    def values(self):
        """Every value of a label."""
        return {value for key in self.samples for value in key[2::2]}


def read(path):
    with open(path, encoding="utf-8") as file:
        return Metrics(file.read())


def after_reload(path, guard):
    """What a daemon has counted: in the file that it writes a moment after a reload, and for the first time a moment after its start."""
    name = "rcptguard_reloads_total", "result", "ok"
    before = daemon.wait_until(lambda: os.path.exists(path) and read(path), what="the first metrics").get(*name)
    guard.reload()

    def written():
        found = read(path)
        return found if found.get(*name) > before else None
    return daemon.wait_until(written, what="the metrics")
