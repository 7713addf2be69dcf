"""Header values of the worst shapes: what makes parsers slow, deep or hungry.

A `#` in a shape becomes a running number, so that every piece is another one.
"""

import re
import subprocess

SHAPES = (
    # quadratic in the address parser when it sees all of them
    "a,", '"a",', "a b,", "a (,", "a@b (,", "a@b c,", "a@b 'c,'", "<a@b ", "a@b>",
    # nested or unclosed
    "a:", "a:;", "a:b@c;", "(", '"', '"@', "[", "a@[", "<", "\\",
    # many addresses: the same, and each another
    "a@b,", "#@b,", "a@#,", "a@#.x,", "#@#.x.y,", "a@#.co.uk,", "a@b.\n ", "a(b)@(c)d,", '"#" <a@#.x>, ', '"# b"@x,',
    # other scripts and encodings
    "\u00e9@\u00fc,", "\u00e9#@\u00fc#.x,", "a@xn--#.x,", "\uff20", "\u200b@", "=?utf-8?q?a=40#.x?= ",
    "=?utf-8?q?a@b?= ", "=?x?q?a?=", "=?iso-2022-jp?b?GyRC?= ", "=?",
    # nothing but marks
    "@", " @", "a@", ".", " ", "\n ",
)

POLICY = """version 1
class internal { domain "corp.example", ".corp.example" match /(.+\\.)?corp\\.(test|invalid)/ }
class freemail { domain "x.example" individuals }
rule reject-many { when parties(external) >= 50 reject "{parties} parties" }
rule hold-wide { when visible(external) >= 40 quarantine "{visible} visible" }
rule unreadable { when malformed or truncated quarantine "unreadable" }
default accept
"""


def value(shape, size):
    """A header value of just about `size` bytes."""
    pieces = []
    length = number = 0
    while length < size:
        piece = shape.replace("#", format(number, "x")).encode()
        pieces.append(piece)
        length += len(piece)
        number += 1
    return b"".join(pieces)


def write_message(path, shape, size):
    with open(path, "wb") as out:
        out.write(b"From: care@corp.example\nTo: " + value(shape, size) + b"\n\n")


def instructions(judge, policy, message):
    """Instructions spent in judging the message, by callgrind: the same on each run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=policy_judge",
               judge, policy, message]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def judged(judge, policy, message, times=3):
    """Nanoseconds of CPU (the least of `times`), what was found, and the peak memory of the process in bytes."""
    run = subprocess.run([judge, policy, message, str(times)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         check=True)
    nanoseconds, peak, found = re.fullmatch(r"(\d+) ns peak=(\d+) (.*)\n", run.stdout).groups()
    return float(nanoseconds), found, int(peak) * 1024
