"""The completions of bash, zsh and fish, each in its shell, against what the programs' --help says.

Each shell is asked as a person asks it: for what may follow a line that has been
typed so far.
"""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import daemon
import tap

def folder_of(program):
    """Where its completions are: made from --help while all is built, but that of the daemon."""
    return os.path.join(daemon.SOURCE if program == "rcptguardd" else daemon.BUILD, "packaging", "completions")


LIMIT = daemon.LIMIT
FILES = ["a file.eml", "b.eml", "folder"]


def run(arguments, **options):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT, check=False, **options)


def needed(shell):
    path = shutil.which(shell)
    if path is None:
        raise AssertionError("%s is missing; install the package %s" % (shell, shell))
    return path


# ---- what --help says

# Arguments that are files; others are left to the person who types.
FILE_ARGUMENTS = {"POLICY", "OLD-POLICY", "FILE", "PATH", "CONF", "DIR"}

# Arguments that are one of a few words.
CHOICES = {"MTA": {"postfix", "sendmail"}}


def help_of(*command):
    done = run([os.path.join(daemon.BUILD, command[0]), *command[1:], "--help"], env=daemon.environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def programs():
    """Those whose first argument is a command."""
    return [name for name in ("rcptguard", "rcptguardq") if os.path.exists(os.path.join(daemon.BUILD, name))]


def commands(program):
    """{command: what it does}"""
    return dict(re.findall(r"^  (\w+) +(\S.*)$", help_of(program), re.MULTILINE))


def all_commands():
    return [(program, command) for program in programs() for command in commands(program)]


def states():
    """The word list of `rcptguardq list --state`."""
    done = run([os.path.join(daemon.BUILD, "rcptguardq"), "list", "--state", "?"], env=daemon.environment())
    return set(re.findall(r"[a-z-]+", re.search(r"expected (.*), not", done.stderr.decode()).group(1)))


def options(text):
    """{option: (argument or None, what it does)}"""
    found = {}
    for short, long, argument, what in re.findall(r"^  (-\w)?(?:, )?(--[\w-]+)?(?:[= ]([A-Z][\w-]*))? +(\S.*)$", text, re.MULTILINE):
        for name in short, long:
            if name:
                found[name] = (argument or None, re.sub(r" \(/.*\)$", "", what))  # where an installation has its policy
    return found


def takes_files(text):
    """Whether the usage names files besides options."""
    return bool(FILE_ARGUMENTS & set(re.findall(r"[A-Z]{2,}", text.split("\n")[0])))


# ---- the shells: each says what may stand instead of the last word of a line, with what it is if it tells

class Bash:
    suffix = "="  # it shows an option that takes an argument with it

    def __init__(self, folder):
        self.folder = folder
        needed("bash")

    def ask(self, line):
        words = [word for word in re.findall(r"=|:|[^\s=:]+", line)]
        if line.endswith(" "):
            words.append("")
        script = "source %s/%s.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); $(complete -p %s | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
            folder_of(words[0]), words[0], words[0])
        # No start-up files, and errors are errors.
        done = run(["bash", "--norc", "--noprofile", "-c", script, "bash", *words], cwd=self.folder, env=dict(os.environ, LC_ALL="C.UTF-8"))
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        found = [one for one in done.stdout.decode().split("\n") if one]
        return dict.fromkeys(found)

    def close(self):
        pass


class Fish:
    suffix = ""

    def __init__(self, folder):
        needed("fish")
        self.folder = folder
        self.home = tempfile.mkdtemp(prefix="rcptguard-fish-")

    def ask(self, line):
        program = line.split()[0]
        done = run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", "%s/%s.fish" % (folder_of(program), program), line], cwd=self.folder,
                   env=dict(os.environ, LC_ALL="C.UTF-8", HOME=self.home))
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        found = [one.partition("\t") for one in done.stdout.decode().split("\n") if one]
        # A file behind `--policy=` is told with it.
        return {re.sub(r"^--[\w-]+=(?=.)", "", name): what for name, _tab, what in found}

    def close(self):
        shutil.rmtree(self.home)


class Zsh:
    """An interactive zsh on a terminal, in which what is offered is written to a file as well."""

    suffix = ""

    SETUP = r"""
PS1= PS2= RPS1=
unsetopt beep prompt_sp
fpath=({folders} $fpath)
autoload -Uz compinit && compinit -D -u
compadd() {{
    local -a found shown
    local -i at
    if [[ " $* " != *" -"[AOD]" "* ]]; then
        builtin compadd -O found "$@"
        for ((at = 1; at < $#argv; at++)); do
            [[ $argv[at] != -*d || $argv[at] == --* ]] || shown=("${{(@P)argv[at + 1]}}")
        done
        print -rl -- "${{(@)found/#/found }}" "${{(@)shown/#/shown }}" >>{state}/matches
    fi
    builtin compadd "$@"
}}
zstyle ':completion:*' list-grouped false
bindkey '^I' list-choices
cd -q {folder}
# Only from now on are keys read as they are typed.
zle-line-init() {{ : >{state}/ready }}
zle -N zle-line-init
"""

    def __init__(self, folder):
        needed("zsh")
        self.state = tempfile.mkdtemp(prefix="rcptguard-zsh-")
        with open(os.path.join(self.state, "setup"), "w", encoding="utf-8") as file:
            file.write(self.SETUP.format(folders=" ".join(map(folder_of, ("rcptguard", "rcptguardd"))), state=self.state, folder=folder))
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(self.state)
            os.execvpe("zsh", ["zsh", "-f", "-i"], dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8", HOME=self.state, ZDOTDIR=self.state))
        # Room for every list, so that it does not ask whether to show it.
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 500, 200, 0, 0))
        self.shown = b""
        self.type("source %s/setup\n" % self.state)

    def type(self, keys):
        """Types, and waits until it reads the next line; what the terminal shows meanwhile is read away."""
        os.write(self.terminal, keys.encode())
        path = os.path.join(self.state, "ready")
        end = time.monotonic() + LIMIT
        while not os.path.exists(path):
            assert time.monotonic() < end, "zsh does not answer; it showed: %r" % self.shown[-2000:]
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.shown += os.read(self.terminal, 65536)
        os.remove(path)

    def ask(self, line):
        matches = os.path.join(self.state, "matches")
        with open(matches, "w", encoding="utf-8"):
            pass
        # Ctrl-U takes the line away again.
        self.type("%s\t\x15:\n" % line)
        found, what = {}, {}
        with open(matches, encoding="utf-8") as file:
            for line in file.read().splitlines():
                kind, _blank, text = line.partition(" ")
                if kind == "found" and text:
                    found[text] = None
                elif kind == "shown":
                    name, _dashes, description = text.partition(" -- ")
                    what[name.strip()] = description.strip()
        return {name.replace("\\", ""): what.get(name) for name in found}

    def close(self):
        os.kill(self.process, signal.SIGHUP)
        os.close(self.terminal)
        os.waitpid(self.process, 0)
        shutil.rmtree(self.state)


# ---- the tests

class Shell:
    """What is true in every shell."""

    shell = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rcptguard-completion-")
        for name in FILES:
            path = os.path.join(cls.folder, name)
            os.mkdir(path) if name == "folder" else open(path, "w", encoding="utf-8").close()
        cls.asked = cls.shell(cls.folder)
        cls.addClassCleanup(cls.asked.close)
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def offered(self, line):
        return set(self.asked.ask(line))

    def files(self, line):
        return {name.rstrip("/") for name in self.offered(line)}

    def shown(self, found):
        return {name + (self.asked.suffix if argument and name.startswith("--") else "") for name, (argument, _what) in found.items()}

    def same_words(self, line, words):
        """What a shell tells of a word is what --help says of it."""
        told = {name: what for name, what in self.asked.ask(line).items() if what}
        for name, what in told.items():
            self.assertEqual(what, words[name], name)
        return told

    def test_commands(self):
        for program in programs():
            with self.subTest(program):
                self.assertEqual(self.offered(program + " ") - {"--help", "--version"}, set(commands(program)))
        self.assertEqual(self.offered("rcptguard ex"), {"explain"})
        self.assertEqual(self.offered("rcptguard -"), {"--help", "--version"})

    def test_options(self):
        """of each command: every option of its --help and no other"""
        for program, command in all_commands():
            with self.subTest(program, command=command):
                self.assertEqual(self.offered("%s %s -" % (program, command)), self.shown(options(help_of(program, command))))

    def test_unknown_command(self):
        self.assertEqual(self.offered("rcptguard exlpain -") & {"--sender", "--sender=", "--strict"}, set())
        self.assertEqual(self.files("rcptguard exlpain ") & set(FILES), set())

    def test_files(self):
        """where a command or an option takes files, and nowhere else"""
        for program, command in all_commands():
            text = help_of(program, command)
            with self.subTest(program, command=command):
                self.assertEqual(self.files("%s %s " % (program, command)) & set(FILES), set(FILES) if takes_files(text) else set())
                self.assertEqual(self.files("%s %s %s " % (program, command, {"rcptguard": "-p", "rcptguardq": "-c"}[program])), set(FILES))
                for name, (argument, _what) in options(text).items():
                    if argument and name.startswith("--"):
                        choices = states() if argument == "STATE" else CHOICES.get(argument, set())
                        for line in "%s %s %s ", "%s %s %s=":
                            typed = line % (program, command, name)
                            self.assertEqual(self.files(typed), set(FILES) if argument in FILE_ARGUMENTS else choices, typed)

    def test_behind_others(self):
        """options and files are offered wherever they may stand"""
        self.assertEqual(self.files("rcptguard explain -p b.eml --local b"), {"b.eml"})
        self.assertEqual(self.offered("rcptguard explain --recipient a@x.example b.eml --lo"), {"--local"})
        self.assertIn("--recipient" + self.asked.suffix, self.offered("rcptguard explain --recipient a@x.example --rec"))

    def test_daemon(self):
        if not os.path.exists(os.path.join(daemon.BUILD, "rcptguardd")):
            return  # configured without it
        self.assertEqual(self.offered("rcptguardd -"), set(re.findall(r"^  (-\w|--\w+) ", help_of("rcptguardd"), re.MULTILINE)))
        self.assertEqual(self.files("rcptguardd -c "), set(FILES))
        self.assertEqual(self.files("rcptguardd -n ") & set(FILES), set())
        schemes = set(re.findall(r"\b(\w+):(?=[/\w])", re.search(r"^  -p .*$", help_of("rcptguardd"), re.MULTILINE).group())) | {"fd"}
        self.assertEqual({one.rstrip(":") for one in self.offered("rcptguardd -p ")}, schemes)

    def test_words(self):
        """what a shell tells of commands and options is what --help says"""
        told = {}
        for program in programs():
            told.update(self.same_words(program + " ", commands(program)))
        for program, command in all_commands():
            told.update(self.same_words("%s %s -" % (program, command), {name: what for name, (_argument, what) in options(help_of(program, command)).items()}))
        self.assertEqual(bool(told), self.shell is not Bash)


class InBash(Shell, unittest.TestCase):
    shell = Bash

    def test_loaded_by_a_function(self):
        """as bash-completion does, so that its table outlives that"""
        script = "load() { source %s/rcptguard.bash; }; load; COMP_WORDS=(rcptguard ''); COMP_CWORD=1; _rcptguard; echo ${#COMPREPLY[@]}" % folder_of("rcptguard")
        done = run(["bash", "--norc", "-c", script])
        self.assertEqual((done.stderr, int(done.stdout)), (b"", len(commands("rcptguard")) + 2))

    def test_socket_path(self):
        self.assertEqual(self.files("rcptguardd -p unix:"), set(FILES))
        self.assertEqual(self.files("rcptguardd -p unix:b"), {"b.eml"})
        self.assertEqual(self.files("rcptguardd -p inet:"), set())


class InFish(Shell, unittest.TestCase):
    shell = Fish


class InZsh(Shell, unittest.TestCase):
    shell = Zsh


if __name__ == "__main__":
    tap.main(limit=180)
