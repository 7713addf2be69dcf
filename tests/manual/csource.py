"""Reads lists and numbers out of the C sources."""

import os
import re

import daemon


def read(name):
    with open(os.path.join(daemon.SOURCE, name), encoding="utf-8") as file:
        return file.read()


def sources(*folders):
    """The names of the C files and headers in directories of the project, and below them."""
    return sorted(os.path.relpath(os.path.join(place, name), daemon.SOURCE) for folder in folders for place, _below, names in os.walk(os.path.join(daemon.SOURCE, folder))
                  for name in names if name.endswith((".c", ".h")))


def strings(text):
    """The string literals in a piece of C."""
    return [re.sub(r"\\(.)", r"\1", value) for value in re.findall(r'"((?:[^"\\]|\\.)*)"', text)]


def array(file, name):
    """The strings of a static array."""
    match = re.search(r"\b%s\[\] = \{(.*?)\};" % re.escape(name), read(file), re.DOTALL)
    assert match, "%s has no array %s" % (file, name)
    return strings(match.group(1))


# The lists of words of the policy language: file and array.
WORDS = {"keywords": ("policy/syntax/vocabulary.c", "language_keywords"), "place words": ("policy/syntax/vocabulary.c", "language_place_words"), "dispositions": ("policy/message/disposition.c", "disposition_names"),
         "counts": ("policy/exposure/exposure.c", "count_words"), "subjects": ("policy/conditions/condition_subject.c", "subject_words"),
         "flags": ("policy/conditions/condition_flag.c", "flag_words"), "headers": ("policy/conditions/condition_header.c", "header_words"),
         "parts": ("policy/conditions/condition_inside.c", "part_words"), "opaque kinds": ("policy/conditions/condition_opaque.c", "kind_words"), "opaque": ("policy/conditions/condition_opaque.c", "opaque_words"),
         "comparisons": ("policy/conditions/condition.c", "comparison_signs")}


def words(name):
    return array(*WORDS[name])


def function(file, name):
    """The body of a function."""
    match = re.search(r"^[a-z][^\n;]*\b%s\([^;{]*\)\n\{\n(.*?)^\}" % re.escape(name), read(file), re.DOTALL | re.MULTILINE)
    assert match, "%s has no function %s" % (file, name)
    return match.group(1)


def defines(file):
    """{name: expression} of what a file defines."""
    found = {}
    for name, expression in re.findall(r"^#define +([A-Z]\w*) +(.+?)(?:\s*/\*.*)?$", read(file), re.MULTILINE):
        found[name] = expression
    return found


def number(file, name):
    """The value of a #define."""
    names = defines(file)
    assert name in names, "%s does not define %s" % (file, name)
    text = re.sub(r'sizeof "((?:[^"\\])*)"', lambda match: str(len(match.group(1)) + 1), names[name])
    text = re.sub(r"\b(\d+)[uUlL]+\b", r"\1", text)
    assert re.fullmatch(r"[\d\s()*/+-]+", text), "%s: the test cannot work out %s" % (name, names[name])
    return int(eval(text.replace("/", "//")))  # digits and signs only, as was just asserted


def enumeration(file, pattern):
    """{name: number} of the enumerators that a regex finds."""
    return {name: int(value) for name, value in re.findall(r"\b(%s)\s*=\s*(\d+)" % pattern, read(file))}
