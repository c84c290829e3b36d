"""What the manual says of files: the store's layout and format, and config.toml. manual.py makes pages of it.

Every command below is run by a test against a store that the program made.
"""

from __future__ import annotations

from headroom_cli.settings import TABLE, Setting

STORE_ABOUT = "layout and format of the store that headroom keeps originals in"
STORE_TEXT = """
The store is a directory of plain files, unless it is one of those that several machines share: see headroom-store(1).
What it holds can be listed, read and checked without headroom. Directories have mode 0700 and files 0600, whatever
the umask; a store that another user owns or may write is refused.

Any number of processes may use a store at once. Nothing in it is changed in place: originals are renamed to their
names when they are on the disk, everything else is appended to or replaced as a whole.
"""
# name -> what stands in it
STORE_FILES = (
    ("version", "The line `headroom store 1'. Another number is another format, which this program leaves alone."),
    ("objects/", """
        The originals, one zstd frame each. A name is the SHA-256 of the content in lower-case hex. A frame states the
        size of its content, carries a checksum and needs a window of 8 MiB at most; an original has 1 GiB at most. The
        time of a file is the store's time of its last use. The same content is kept once, whoever put it.
        """),
    ("grants/owner-YYYYMM.log", """
        Which handle was given for which original: a journal, one file for each month. Fields: handle, SHA-256,
        last use in the store's time, when it was given, both in Unix seconds, bytes of the original, kind (or -), and
        the rest of the line is the command that made the text, without its secrets. The oldest record of a handle says
        whose it is. A handle is the head of the SHA-256 in base32 (RFC 4648, lower case), 12 characters or more.
        """),
    ("renderings/SHARD.log", """
        What became of a text, so that it is sent again in the same bytes: journals, by 2 to 64 hex digits. Fields:
        time of use, key, and the rest of the line is a value in JSON. Of records with one key the newest holds.
        """),
    ("ledger/YYYYMM.jsonl", """
        One JSON object per run: time, verb, model, estimated tokens before and after, what the provider counted. It
        holds numbers and short names, never a text or a command.
        """),
    ("tmp/", "Files on their way. Nothing in it was ever acknowledged."),
    ("quarantine/", "Originals that were found damaged, under their names with a random ending; never served."),
    ("clock", """
        One record of the store's own time, which ages originals whatever the clock of the machine is set to: that time,
        the machine's, its boot and the seconds since.
        """),
    ("usage", "Changes of the bytes in objects, one a line; their sum is an estimate of what is kept."),
    ("secret", "32 random bytes, the key under which a proxy tells callers apart. It is made when a proxy needs it."),
    ("lock, gate", "Empty files for flock(2): writers share lock, gc and forget take it alone."),
)  # fmt: skip
JOURNAL = """
A line of a journal is the CRC-32 of the rest in eight hex digits, a space, and the fields with a space between them. An
empty line parts what was written at once. A line whose checksum is wrong was torn by a crash and counts as absent.
"""
# (what it does, command); $store is the store, $handle a handle, $digest a SHA-256 of an original.
STORE_COMMANDS = (
    ("Name the store", "store=$(headroom store where)"),
    ("Print an original by its SHA-256", 'zstd -dcq "$store/objects/$digest"'),
    (
        "Find the SHA-256 of a handle",
        "grep -h \" $handle \" \"$store\"/grants/owner-*.log | cut -d ' ' -f 3 | head -n 1",
    ),
    ("Check every original, and print those that are damaged", """\
for file in "$store"/objects/*; do
    zstd -dcq "$file" | sha256sum | grep -q "^${file##*/} " || echo "$file"
done"""),
    ("List handles, kinds and commands", "cut -s -d ' ' -f 2,7- \"$store\"/grants/owner-*.log"),
    ("Print the checksum that the last grant should begin with, on a little-endian machine", """\
cat "$store"/grants/owner-*.log | tail -n 1 | cut -c 10- | tr -d '\\n' |
    gzip -c | tail -c 8 | od -A n -t x4 -N 4"""),
    (
        "Sum up the estimated tokens that were saved",
        "jq -s 'map(.tokens // {} | (.before // 0) - (.after // 0)) | add' \"$store\"/ledger/*.jsonl",
    ),
)  # fmt: skip

CONFIG_ABOUT = "settings of headroom: config.toml and variables"
CONFIG_TEXT = """
config.toml holds what shall count for every run. A key is a long flag without its dashes. A switch is true or false; a
flag that takes several values is a list, or a text with commas; numbers may be written with or without quotes.

A value comes from the flag, else the variable, else config.toml, else the default. An empty variable counts as none. In
a variable a switch is 1, true, yes or on, and 0, false, no or off.

A key that is unknown, a value that cannot be used and a file that is no TOML end a run with status 78 and a sentence
that names the file, before anything is read. Flags that belong to one verb alone, such as --port, have no key. Keys of
providers have no place here: see headroom-send(1).
"""
CONFIG_EXAMPLE = """\
level = "balanced"
protect-tool = ["Read", "Grep*"]
store = "/var/tmp/headroom"
timeout = 120
quiet = true"""
CONFIG_VARIABLES = (
    ("NO_COLOR", "When it is not empty, the same as HEADROOM_NO_COLOR."),
    ("TERM", "When it is dumb, the same as HEADROOM_NO_COLOR."),
    ("XDG_CONFIG_HOME", "The directory that headroom/config.toml is in, ~/.config unless it is an absolute path."),
    ("XDG_DATA_HOME", "The directory that headroom/store is in, ~/.local/share unless it is an absolute path."),
    ("HEADROOM_DEBUG", "A switch without a flag or a key: show the traceback of an internal error."),
)
_KINDS = {
    "text": "Text", "choice": "Text", "switch": "True or false", "number": "Whole number above 0",
    "share": "Number from 0 to 1", "choices": "List", "words": "List", "texts": "List",
}  # fmt: skip


def config_keys() -> list[tuple[Setting, str, str]]:
    """Return what config.toml may hold, by the alphabet: (row, what kind of value, what it means and its default)."""
    found = []
    for row in sorted((row for row in TABLE if row.flags), key=lambda row: row.key):
        about = row.about + (": " + ", ".join(row.choices) if row.choices else "")
        found.append((row, _KINDS[row.kind], about + (f"; default: {row.shown}" if row.shown else "")))
    return found
