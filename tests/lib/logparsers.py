"""The parsing examples of packaging/logs, read from the files that are shipped and run by real engines.

Splunk's and Elasticsearch's patterns run in Perl, whose syntax PCRE has; Loki's in Go's own RE2, by way
of promtool(1), whose label_replace() takes such patterns.  Grok's patterns are expanded by the
definitions in the pipeline, and its processors are applied here as their manual describes them; one
that is not known here is a failure.
"""

import configparser
import ipaddress
import json
import os
import re
import subprocess
import tempfile

import daemon
import prometheus

FOLDER = os.path.join(daemon.SOURCE, "packaging", "logs")

_PERL = r"""
use JSON::PP;
local $/;
my $in = decode_json(<STDIN>);
my ($regex, $by) = ($in->{regex}, $in->{by});
print encode_json([map { defined $by ? s/$regex/$1/r : /$regex/ ? {%+} : undef } @{$in->{lines}}]);
"""


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def perl(regex, lines, by=None):
    """For each line its named groups, or None; with `by` (`\\1`) the line in which the match is replaced."""
    assert by in (None, r"\1"), by
    done = subprocess.run(["perl", "-e", _PERL], input=json.dumps({"regex": regex, "lines": lines, "by": by}), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def unescaped(value):
    """What the line of text has written as \\xHH, and `-` for nothing."""
    if value == "-":
        return ""
    return re.sub(rb"\\x([0-9A-F]{2})", lambda match: bytes([int(match.group(1), 16)]), value.encode("ascii")).decode("utf-8", "replace")


# ---- logcheck

def left_over(lines):
    """What logcheck would mail: it takes out what a rule matches, by egrep."""
    rules = os.path.join(daemon.SOURCE, "packaging", "debian", "rcptguard-milter.logcheck.ignore.server")
    result = subprocess.run(["grep", "-E", "-v", "-f", rules], input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    return result.stdout.splitlines()


# ---- Splunk

def _conf(name):
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True, interpolation=None)
    parser.optionxform = str
    parser.read_string(read(name))
    return parser


def splunk_text(lines):
    """The fields that a search finds in each, lists as lists."""
    props, transforms = _conf("props.conf"), _conf("transforms.conf")
    names = [name.strip() for name in props["rcptguard"]["REPORT-rcptguard"].split(",")]
    assert sorted(names) == sorted(transforms.sections()), "props.conf names other transforms than there are"
    found = [{} for _ in lines]
    for name in names:
        for fields, groups in zip(found, perl(transforms[name]["REGEX"], lines)):
            fields.update(groups or {})
    for key, value in props["rcptguard"].items():
        if key.startswith("EVAL-"):
            field, none, source, separator = re.fullmatch(r'if\((\w+) == "([^"]+)", null\(\), split\((\w+), "(.)"\)\)', value).groups()
            assert "EVAL-" + field == key and field == source, value
            for fields in found:
                if field in fields:
                    fields[field] = [] if fields[field] == none else fields[field].split(separator)
    return found


def splunk_json(lines):
    props = _conf("props.conf")["rcptguard:json"]
    assert props["KV_MODE"] == "json"
    regex, by = re.fullmatch(r"s/(.*)/([^/]*)/", props["SEDCMD-head"]).groups()
    return [json.loads(line) for line in perl(regex, lines, by)]


# ---- Elasticsearch

class _Grok:
    """Patterns with %{NAME:field:type}, by the definitions that the processor brings."""

    def __init__(self, options):
        self.definitions = options["pattern_definitions"]
        self.fields = []
        self.regexes = []
        for pattern in options["patterns"]:
            fields = []
            self.regexes.append(self._expand(pattern, fields))
            self.fields.append(fields)

    def _expand(self, pattern, fields):
        def one(match):
            name, field, kind = match.groups()
            if field is None:
                return "(?:%s)" % self._expand(self.definitions[name], fields)
            fields.append((field, kind))
            return "(?P<g%d>%s)" % (len(fields) - 1, self._expand(self.definitions[name], fields))
        return re.sub(r"%\{(\w+)(?::([\w.]+))?(?::(\w+))?\}", one, pattern)

    def match(self, lines):
        """For each line the fields of the first pattern that matches."""
        found = [None] * len(lines)
        for regex, fields in zip(self.regexes, self.fields):
            for number, groups in enumerate(perl(regex, lines)):
                if found[number] is None and groups is not None:
                    found[number] = {}
                    for name, value in groups.items():
                        field, kind = fields[int(name[1:])]
                        assert kind in (None, "long"), kind
                        found[number][field] = int(value) if kind == "long" else value
        return found


def _get(document, path):
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    return document


def _put(document, path, value):
    *folders, last = path.split(".")
    for name in folders:
        document = document.setdefault(name, {})
    document[last] = value


def _set(document, field, value=None, copy_from=None, ignore_empty_value=False):
    if copy_from is not None:
        value = _get(document, copy_from)
    if value in (None, "") and ignore_empty_value:
        return
    assert value is not None, field
    _put(document, field, value)


def _split(document, field, separator, ignore_missing=False):
    value = _get(document, field)
    assert value is not None or ignore_missing, field
    if value is not None:
        _put(document, field, value.split(separator))


def _json(document, field, target_field):
    _put(document, target_field, json.loads(_get(document, field)))


def _convert(document, field, target_field, type, ignore_missing, ignore_failure):
    assert type == "ip" and ignore_missing and ignore_failure
    try:
        _put(document, target_field, str(ipaddress.ip_address(_get(document, field))))
    except ValueError:
        pass


_PROCESSORS = {"set": _set, "split": _split, "json": _json, "convert": _convert}


def _process(document, kind, options):
    options = dict(options)
    condition = options.pop("if", None)
    if condition is not None:
        path = ".".join(re.fullmatch(r"ctx\.(\w+)\?\.(\w+) != null", condition).groups())
        if _get(document, path) is None:
            return
    _PROCESSORS[kind](document, **options)


def elastic(lines):
    """The document of each, without the line itself."""
    pipeline = json.loads(read("elastic-pipeline.json"))
    (kind, options), = pipeline["processors"][0].items()
    assert kind == "grok" and options["field"] == "message"
    documents = []
    for fields in _Grok(options).match(lines):
        assert fields is not None, "no pattern of grok matches"
        document = {}
        for path, value in fields.items():
            _put(document, path, value)
        for processor in pipeline["processors"][1:]:
            (kind, options), = processor.items()
            _process(document, kind, options)
        documents.append(document)
    return documents


# ---- Loki

def loki_patterns():
    """{file: its patterns, in their order}"""
    return {
        "loki.alloy": re.findall(r"^ *expression = `(.*)`$", read("loki.alloy"), re.M),
        "promtail.yaml": re.findall(r"^ *expression: '(.*)'$", read("promtail.yaml"), re.M),
        "loki.logql": re.findall(r"\| regexp `([^`]*)`", read("loki.logql")),
    }


def loki_members():
    """{file: (members of JSON that it takes, labels, structured metadata)}"""
    text = read("loki.alloy")
    blocks = [re.findall(r'^ *(\w+) += "",?$', block.replace("{ ", "{\n").replace(" }", "\n}"), re.M)
              for block in re.findall(r"(?:expressions|values)\s+= \{(.*?\})", text, re.S)]
    yaml = read("promtail.yaml")
    stages = [re.findall(r"^ +(\w+):$", block, re.M) for block in re.search(r"expressions:\n(.*?)  #.*?- labels:\n(.*?)  - structured_metadata:\n(.*)", yaml, re.S).groups()]
    return {"loki.alloy": blocks, "promtail.yaml": stages}


def go(regex, expected):
    """Asserts what Go's engine finds: `expected` is {line: groups, or None}."""
    def quoted(text):
        return json.dumps(text)
    names = re.findall(r"\(\?P<(\w+)>", regex)
    expression = "line"
    for name in names:
        expression = "label_replace(%s, %s, %s, \"line\", %s)" % (expression, quoted(name), quoted("${%s}" % name), quoted(regex))
    series, samples = [], []
    for number, (line, groups) in enumerate(expected.items()):
        own = "number=%s, line=%s" % (quoted("%d" % number), quoted(line))
        series.append({"series": "line{%s}" % own, "values": "1"})
        found = "".join(", %s=%s" % (name, quoted(value)) for name, value in (groups or {}).items())
        samples.append({"labels": "line{%s%s}" % (own, found), "value": 1})
    test = {"rule_files": [], "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [{"expr": expression, "eval_time": "0m", "exp_samples": samples}]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(test, file)  # JSON is YAML
        file.flush()
        code, said = prometheus.promtool("test", "rules", file.name)
    assert code == 0 and "SUCCESS" in said, said
