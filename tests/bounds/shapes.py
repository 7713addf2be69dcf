"""Header values of the worst shapes: what makes parsers slow, deep or hungry.

A `#` in a shape becomes a running number, so that every piece is another one; a
`$` likewise, in words that g_str_hash cannot tell apart.  What stands in braces is
repeated, or else all of it.  A line end begins the next header field.
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
    # bytes that are no UTF-8
    "\udcff", "a@\udcff,", "\udcff#@\udcff#.x,", "\udce2\udc80",
    # many fields
    "#@b.x\nTo: ", "#@#.x\nCc: ", "a\nTo: ", "#@#.x\nFrom: ", "=?utf-8?q?a=40#.x?=\nTo: ", "a:\nTo: ", "(\nTo: ", "#\nSubject: ",
    "=?x#?q?a?=\nSubject: ", "=?x#?q?a@b?=\nFrom: ",
    # one word, name, local part, domain or literal that has no end
    "{Ann Lee } <a@b.x>", '"{Ann Lee }" <a@b.x>', "{a}@b.x", '"{a\\"}"@b.x', "a@{b}.x", "a@{b.}x", "a@[{1}]", "a@[1] (b), ", "a@{b.\n }x", "{a.\n }b@x", "=?utf-8?q?{a}=40b.x?=", "=?utf-8?b?{YUBi}?=", "a@b.x ({(}",
    "a@b.x {()}", "{\\}a@b.x", "{'}a@b.x", "a@b.{x-}", "a@x.b{\u6a23}",
    # words of several character sets, known and unknown, empty, glued, in pads
    "=?utf-8?b?YQ==?= ", "=?utf-8?b?YQ==?= =?koi8-r?b?YQ==?= ", "=?x#?q?a@b?= ", "=?x#?b?YUBi?=,", "=?utf-8*x#?q?a@b?=", "=?u?q??=", "=?u?b?@?=", "=?utf-8?q?=?utf-8?q?a?=", "=?utf-16?b?AGEAQABi?= ",
    # what begins like such a word, and bytes beside them
    "=? ", "=?a ", "=? =?x#?q?a?= ", "=?x?y?z?= ", "=?\nTo: ", "=?\nFrom: ", "=?\udcff ", "=? \nSubject: ", "\u00fc\nSubject: ", "\udcff\nSubject: ",
    # marks upon letters, which have an order of their own
    "a{\u0315\u0300\u0327}@b.x", "a{" + "\u0315\u0300\u0327" * 10 + "\u200d}@b.x", "a@b{\u0315\u0300\u0327}.x", "e\u0301\u0327#@b.x,", "{\u0344}@b.x", "e\u0323#@e\u0323#.x,",
    "{e\u0301}@b.x", "a@{e\u0301.}.x", "{\u09c7\u09be}@b.x", "{\u1100\u1161}@b.x",
    # letters of which NFC or lower case makes others, and some that are far behind
    "\u00c9#@\u00c9#.x,", "\u1100\u1161#@\u1e9e#.x,", "\U00010330#@\U00010330#.x,",
    "{\u00c9}@b.x", "\u00c9" * 500 + "#@b.x,", "a@#." + ("\u00c9" * 40 + ".") * 12 + "x,",
    # addresses that a hash or a tree takes for one another, and domains that are dear to look up
    "$@b.x,", "a@$.x,", "$@$.x.y,", "a@\u00fc$.x,", "a@#.kawasaki.jp,", "a@#.b.c.d.e.f.g.h.s3.dualstack.us-east-1.amazonaws.com,", "a@#.corp.test,", "a@b.corp.#.test,", "a@#.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.x,",
    "a@#" + ".b" * 46 + ".x,", "a@#" + ".b" * 118 + ".x,", "a@#" + ".amazonaws.com" * 16 + ",", "a@#" + ".corp" * 45 + ".x,", "a@#" + ".\u00fc" * 46 + ".x,", "#@#" + ".b" * 46 + ".x\nFrom: ", "a\nFrom: {#@#" + ".b" * 46 + ".x,}",
    "a@\u4f8b#.\u3048,", "a@\U0001f600#.x ", "a@x.#\u6a23 ", "\u2605#@x.\u2605y ",
    # quoted local parts with people in them, parts joined by dots, escapes
    '"a@b.x#"@c.x,', '"a".', '"#".b@x,', '"a"."b"@c.', "a\\@b,", "a@@b.x ", "mailto:?to=#@b.x&cc=", "'#@b.x' ", "**#@b.x** ", "a@b/c.#,", "(a@b)#@c.x ", "&lt;#@b.x&gt;",
    "a%b.x#,", "b.x#!a,", "(a%b.x,", "((!", '"!', "a%b.x(", "{!}a", "{%a}.x",
    '"a@b"@c.x,', '"{a@b }"@c.x', "{a@[1]\u6a23}",
    # the dearest of thousands that were put together at random
    "\uff20\udcff\u6a23\u200b?=@\U00010330\u00c9#@\u00c9#.x,\n !\U00010330\u6a23\u00c9#@\u00c9#.x,\n \nTo: \u00c9#@\u00c9#.x,=?x#?q?\U00010330\U00010330",
    "\u00e9#@\u00fc#.x,=?,\nTo: \ufb01\"\uff20\nTo: \ufb01\"\uff20\u00c9#@\u00c9#.x,",
)

# Those of them that have nothing in a recipient header, From included.
NOBODY = ("#\nSubject: ", "=?x#?q?a?=\nSubject: ", "=? \nSubject: ", "\u00fc\nSubject: ", "\udcff\nSubject: ")

POLICY = """version 1
class internal { domain "corp.example", ".corp.example" match /(.+\\.)?corp\\.(test|invalid)/ }
class freemail { domain "x.example" individuals }
rule reject-many { when parties(external) >= 50 reject "{parties} parties" }
rule hold-wide { when visible(external) >= 40 quarantine "{visible} visible" }
rule authors { monitor when from =~ /boss(es)?@corp\\.example/ or from in internal, external tag "{visible}" }
rule subject { monitor when header("Subject") =~ /.*secret.*/ tag "{visible}" }
rule unreadable { when malformed or truncated quarantine "unreadable" }
default accept
"""


def alike(number):
    """`number` as one of 2 ** 16 strings that g_str_hash cannot tell apart."""
    return "".join("c0" if number >> bit & 1 else "ar" for bit in range(16))


def value(shape, size):
    """A header value of just about `size` bytes."""
    head, repeated, tail = re.fullmatch(r"(.*?)\{(.*)\}(.*)", shape, re.S).groups() if "{" in shape else ("", shape, "")
    pieces = [head.encode("utf-8", "surrogateescape")]
    length = number = 0
    while length < size:
        piece = repeated.replace("#", format(number, "x"))
        piece = (piece.replace("$", alike(number)) if "$" in piece else piece).encode("utf-8", "surrogateescape")
        pieces.append(piece)
        length += len(piece)
        number += 1
    return b"".join(pieces) + tail.encode("utf-8", "surrogateescape")


def write_message(path, shape, size):
    with open(path, "wb") as out:
        out.write(b"From: care@corp.example\nTo: " + value(shape, size) + b"\n\n")


def instructions(judge, policy, message):
    """Instructions spent in judging the message, by callgrind: the same on each run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=policy_evaluate",
               judge, policy, message]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def judged(judge, policy, message, processes=1):
    """
    Nanoseconds of CPU, what was found, and the peak memory of the process in bytes.  The least of so
    many processes, of which each judges once: at a second time a process would know the domains.
    """
    least = float("inf")
    for _ in range(processes):
        run = subprocess.run([judge, policy, message], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             check=True)
        nanoseconds, peak, found = re.fullmatch(r"(\d+) ns peak=(\d+) (.*)\n", run.stdout).groups()
        least = min(least, float(nanoseconds))
    return least, found, int(peak) * 1024
