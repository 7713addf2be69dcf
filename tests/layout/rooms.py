"""The rules of the rooms: each gives the breaches that it finds in a tree, a line each that says what to do."""

import collections
import pathlib
import re
import subprocess

# From the ground up: a room includes only itself and rooms above it in this list.
ORDER = ["policy/base", "policy/address", "policy/message", "policy/parts", "policy/exposure", "policy/state", "policy/mailbox", "policy/syntax", "policy/conditions", "policy/language",
         "policy/engine", "policy/logic", "policy/lint", "policy/cli", "policy/explain", "policy/replay", "policy/init", "policy/rcptguard",
         "milter/common", "milter/store", "milter/database", "milter/postgresql", "milter/ledger", "milter/answers", "milter/log", "milter/state", "milter/metrics", "milter/content", "milter/queue", "milter/notify", "milter/fleet", "milter/review", "milter/places", "milter/agent", "milter/setup",
         "milter/arrival", "milter/daemon", "milter/postfix", "milter/sendmail", "milter/rcptguardq", "milter/administration"]
MODULES = 16

# The files that know a library, by its header.
LIBRARIES = {"mfapi.h": ["milter/daemon/filter.c"], "pcre2.h": ["policy/base/pattern.c"], "sqlite3.h": ["milter/database/database.c"], "libpq-fe.h": ["milter/postgresql/pg_connection.c"],
             "gmime.h": ["policy/message/header_text.c", "policy/message/gmime_api.h", "milter/content/message_content.c"], "libpsl.h": ["policy/exposure/public_suffix.c"], "idn2.h": ["policy/address/address.c"],
             "zlib.h": ["policy/mailbox/decompress.c"], "lzma.h": ["policy/mailbox/decompress.c"], "zstd.h": ["policy/mailbox/decompress.c"],
             "sd-daemon.h": ["milter/daemon/supervisor.c"], "curses.h": ["milter/review/screen.c"], "seccomp.h": ["milter/queue/confinement.c"], "HTMLparser.h": ["milter/content/html_text.c"]}

# Where an MTA may be named: its room, the row that puts it in, and for a reason.
MTA_ROOMS = ("milter/postfix/", "milter/sendmail/")
MTA_FILES = {"milter/rcptguardq/mtas.c": "has the row of each",
             "milter/common/conf_keys.c": "the names of its keys are a contract",
             "milter/daemon/mta_macros.c": "tells people the line of each MTA's configuration"}
MTA_WORDS = re.compile(r"\b(MTA_POSTFIX|MTA_SENDMAIL|(?:doctor_|setup_)?(?:postfix|sendmail)(?:_\w+)?)\b")


def sources(root, *folders):
    return sorted(path for folder in folders for path in (root / folder).rglob("*") if path.suffix in (".c", ".h"))


def code(path):
    """The text without comments and strings."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), path.read_text(), flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', re.sub(r"//[^\n]*", "", text))


def includes(path):
    return re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(), re.M)


def name(root, path):
    return path.relative_to(root).as_posix()


def room_of(file):
    return file.rpartition("/")[0]


def ours(root):
    """(including file, included file) of each include of a header of policy/ and milter/."""
    return [(name(root, path), header) for path in sources(root, "policy", "milter") for _mark, header in includes(path) if header.startswith(("policy/", "milter/"))]


def circles(edges):
    """The groups of nodes that reach each other."""
    reached = {}
    for start in edges:
        seen, waiting = set(), list(edges[start])
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting.extend(edges.get(node, ()))
        reached[start] = seen
    return sorted({tuple(sorted(other for other in reached[node] if node in reached.get(other, ()))) for node in edges if node in reached[node]})


def paths_of_includes(root):
    return ["%s includes \"%s\": write the whole path from the source root, as in \"milter/ledger/ledger.h\"" % (name(root, path), header)
            for path in sources(root, "policy", "milter") for mark, header in includes(path) if mark == '"' and not header.startswith(("policy/", "milter/"))]


def known_rooms(root):
    return ["%s is in no room: move it into one of them, or give %s a place in ORDER of tests/layout/rooms.py" % (name(root, path), room_of(name(root, path)))
            for path in sources(root, "policy", "milter") if room_of(name(root, path)) not in ORDER]


def order(root):
    found = []
    for file, header in ours(root):
        mine, theirs = room_of(file), room_of(header)
        if mine in ORDER and theirs in ORDER and ORDER.index(theirs) > ORDER.index(mine):
            found.append("%s includes %s, but %s comes after %s in the order of rooms: move what both need into the earlier room, or hand it in as an argument"
                         % (file, header, theirs, mine))
    return found


def room_circles(root):
    edges = collections.defaultdict(set)
    for file, header in ours(root):
        if room_of(file) != room_of(header):
            edges[room_of(file)].add(room_of(header))
    return ["the rooms %s include each other: take out what one needs of the other" % ", ".join(circle) for circle in circles(edges)]


def file_circles(root):
    edges = collections.defaultdict(set)
    for file, header in ours(root):
        module, other = file[:-2], header[:-2]
        # The inside of a module that has several files is not a module.
        if module != other and not (module + other).count("_private"):
            edges[module].add(other)
    return ["%s include each other: put what they share into a file of its own below them" % ", ".join(circle) for circle in circles(edges)]


def size(root):
    modules = collections.defaultdict(set)
    for path in sources(root, "policy", "milter"):
        modules[room_of(name(root, path))].add(path.stem)
    return ["%s has %d modules, more than %d: divide it into two rooms by what they are about" % (room, len(stems), MODULES)
            for room, stems in sorted(modules.items()) if len(stems) > MODULES]


def file_names(root):
    named = collections.defaultdict(list)
    for path in sources(root, "policy", "milter", "tests"):
        named[path.name].append(name(root, path))
    return ["%s have one name: rename one by what it holds" % " and ".join(files) for base, files in sorted(named.items())
            if len(files) > 1] + ["%s is named as configure's: rename it" % file for file in named.get("config.h", ())]


def titles(root):
    found = []
    for path in sources(root, "policy", "milter"):
        text = path.read_text()
        if not re.match(r"/\*(?:\n \*)? %s - " % re.escape(path.stem), text):
            found.append("%s does not begin with its name: begin it with \"/* %s - what it is\"" % (name(root, path), path.stem))
        if path.suffix == ".h" and "#ifndef RCPTGUARD_%s_H\n#define RCPTGUARD_%s_H\n" % (path.stem.upper(), path.stem.upper()) not in text:
            found.append("%s is not guarded by its name: write RCPTGUARD_%s_H" % (name(root, path), path.stem.upper()))
    return found


def tags(root):
    defined = collections.defaultdict(list)
    for path in sources(root, "policy", "milter"):
        for tag in set(re.findall(r"\bstruct (\w+)\s*\{", code(path))):
            defined[tag].append(name(root, path))
    twice = {tag: files for tag, files in defined.items() if len(files) > 1}
    return ["`struct %s` is defined in %s: rename one by what it holds" % (tag, " and ".join(files)) for tag, files in sorted(twice.items())]


def objects(root, build):
    """{object: source} of the programs and libraries; what is left of a file that is there no more is not among them."""
    found = {}
    for folder in "policy", "milter":
        for path in (build / folder).rglob("*.o"):
            # The object of a program is called PROGRAM-FILE.o.
            source = root / path.relative_to(build).parent / (path.stem.rpartition("-")[2] + ".c")
            if source.exists() and not path.stem.startswith("tests_"):
                found[path] = source
    return found


def symbols(found):
    """`found` is what objects gives."""
    defined = collections.defaultdict(set)
    said = subprocess.run(["nm", "-A", "-g", "--defined-only", *map(str, found)], stdout=subprocess.PIPE, text=True, check=True).stdout
    places = {str(path): source for path, source in found.items()}
    for path, symbol in re.findall(r"^(.*):[0-9a-f]+ [TDBRC] (\w+)$", said, re.M):
        defined[symbol].add(places[path])
    return ["%s is defined in %s: make one static, or have it once" % (symbol, " and ".join(sorted(place.name for place in places)))
            for symbol, places in sorted(defined.items()) if len(places) > 1 and symbol != "main" and not symbol.startswith("__")]


def mtas(root):
    found = []
    for path in sources(root, "milter"):
        file = name(root, path)
        if file.startswith(MTA_ROOMS) or file in MTA_FILES:
            continue
        for number, line in enumerate(code(path).split("\n"), 1):
            word = MTA_WORDS.search(line)
            if word is not None and not line.lstrip().startswith("#include"):
                found.append("%s:%d names an MTA (%s): ask through the tables of queue.h, checks.h and setup.h, which milter/rcptguardq/mtas.c fills in" % (file, number, word.group(1)))
    for file, header in ours(root):
        if header.startswith(MTA_ROOMS) and room_of(file) != room_of(header) and file != "milter/rcptguardq/mtas.c":
            found.append("%s includes %s: only milter/rcptguardq/mtas.c and the MTA's own room do" % (file, header))
    return found


def libraries(root):
    return ["%s includes <%s>: that library is known to %s alone; call what is there" % (name(root, path), header, ", ".join(LIBRARIES[base]))
            for path in sources(root, "policy", "milter") for _mark, header in includes(path)
            for base in [header.rpartition("/")[2]] if base in LIBRARIES and name(root, path) not in LIBRARIES[base]]


def readmes(root):
    found = []
    for room in ORDER:
        if not (root / room).is_dir():
            continue
        readme = root / room / "README"
        if not readme.is_file() or not readme.read_text().split("\n")[0].strip():
            found.append("%s has no README: write one, its first line says in a sentence what the room is for" % room)
    return found


RULES = [paths_of_includes, known_rooms, order, room_circles, file_circles, size, file_names, titles, tags, mtas, libraries, readmes]
