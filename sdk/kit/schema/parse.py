#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads schema files (see README.md) into a model of messages; as a program it checks and lists them."""
import re, sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Optional

INTEGERS = {"int8": (-2**7, 2**7 - 1), "int16": (-2**15, 2**15 - 1), "int32": (-2**31, 2**31 - 1),
            "int64": (-2**63, 2**63 - 1), "uint16": (0, 2**16 - 1), "uint32": (0, 2**32 - 1),
            "error": (-2**15, 2**15 - 1), "status": (-2**31, 2**31 - 1)}
SIZED = {"string", "bytes", "records"}
PARTS = {"api": ["request", "response"], "data": ["fields"], "op": ["in", "out"]}
SCALARS = {*INTEGERS, *SIZED, "bool", "float64", "uuid"}
RESERVED = set("auto bool break case char const continue default do double else enum extern float for goto if "
               "inline int long register restrict return short signed sizeof static struct switch typedef "
               "union unsigned void volatile while true false".split())

NAME = r"[a-z][a-z0-9_]*"
VERSIONS = r"\d+(?:\+|-\d+)?"
HEAD = re.compile(rf"(?:api +(?P<key>\d+)|data) +(?P<name>{NAME}) +versions +(?P<versions>{VERSIONS})"
                  rf" +flexible +(?P<flexible>none|{VERSIONS})(?P<unstable> +unstable)?$")
OP_HEAD = re.compile(rf"op +(?P<key>\d+) +(?P<name>{NAME})(?: +of +(?P<of>{NAME}))?$")
LOCAL = re.compile(rf"local +(?P<part>request|response) +(?P<path>{NAME}(?:\.{NAME})*)$")
LINE = re.compile(rf"(?P<name>{NAME}) +(?P<array>\[\])?(?P<type>{NAME})(?P<null>\?(?:{VERSIONS})?)?"
                  rf"(?: +(?P<versions>{VERSIONS}))?(?: +tag +(?P<tag>\d+)(?: +(?P<tagged>{VERSIONS}))?)?"
                  r"(?P<plain> +plain)?(?: +=(?: +(?P<default>\S+)))?$")
LINE_FORM = "expected: name type[?[versions]] [versions] [tag N [versions]] [plain] [= default]  # about"
HEAD_FORM = ("expected: api KEY name  versions A-B  flexible C+|none  [unstable], or data instead of api KEY, "
             "or op NUMBER name  [of MESSAGE]")


class SchemaError(Exception):
    """Its text is 'path:line: what is wrong'."""


class Versions(NamedTuple):
    """A closed range; empty when first > last."""
    first: int
    last: int

    def __and__(self, other):
        return Versions(max(self.first, other.first), min(self.last, other.last)) or NEVER

    def __bool__(self):
        return self.first <= self.last

    def __str__(self):
        return "none" if not self else f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"


NEVER = Versions(1, 0)


@dataclass
class Field:
    name: str
    type: str                      # a scalar, or the name of a struct
    array: bool
    versions: Versions             # where the field exists, as far as its struct does
    nullable: Versions             # where it may be null
    tag: Optional[int]             # its number when it travels as a tagged field
    tagged: Versions               # where it does
    plain: bool                    # never in compact form, even in flexible versions
    default: Optional[str]         # None is zero, false or empty
    about: str
    line: int
    struct: Optional["Struct"] = None


@dataclass
class Struct:
    name: str
    about: str
    line: int
    fields: list = field(default_factory=list)
    closed: bool = False           # all its fields are known


@dataclass
class Message:
    name: str                      # produce_request, request_header
    key: Optional[int]             # None for data
    part: str                      # request, response, fields, in or out
    versions: Versions
    flexible: Versions
    unstable: bool                 # the last version is served only when asked for
    path: str
    root: Struct = None
    structs: dict = field(default_factory=dict)    # by name, inner before outer
    about: str = ""
    of: Optional[str] = None       # the API an operation is copied from and to
    local: dict = field(default_factory=dict)      # its fields that are not copied, with their reasons


def parse_versions(text, top):
    """'5', '5-7' or '5+'; top is the end of the last."""
    first, _, last = text.rstrip("+").partition("-")
    return Versions(int(first), top if text.endswith("+") else int(last or first))


class Parser:
    def __init__(self, path):
        self.path, self.number = str(path), 0
        self.head, self.messages, self.open, self.about, self.local = None, [], [], [], {}

    def fail(self, why, line=None):
        raise SchemaError(f"{self.path}:{line or self.number or 1}: {why}")

    def parse(self, text):
        for self.number, line in enumerate(text.splitlines(), 1):
            code, _, about = line.partition("#")
            code, about = code.rstrip(), about.strip()
            if not code:
                if self.head is None and about:
                    self.about.append(about)
                continue
            if "\t" in code:
                self.fail("a tab: indent by two spaces")
            if self.head is None:
                self.begin(code)
            elif not code.startswith(" "):
                self.section(code, about)
            else:
                self.field(code, about)
        self.close(0)
        parts = [message.part for message in self.messages]
        if not self.head or parts != PARTS[self.head["kind"]]:
            self.fail("expected a header and the sections request, response (api), fields (data) or in, out (op)")
        return self.messages

    def begin(self, code):
        if match := OP_HEAD.match(code):
            self.head = {**match.groupdict(), "kind": "op", "versions": "0", "flexible": "none", "unstable": None}
            return
        if not (match := HEAD.match(code)):
            self.fail(HEAD_FORM)
        self.head = {**match.groupdict(), "kind": "api" if match["key"] else "data", "of": None}
        if self.head["versions"].endswith("+"):
            self.fail("valid versions end somewhere: write A-B")

    def section(self, code, about):
        if self.head["kind"] == "op" and (match := LOCAL.match(code)):
            self.local[match["part"], match["path"]] = about or self.fail("say why it is not copied: # ...")
            return
        if code not in PARTS[self.head["kind"]]:
            self.fail(f"expected {' or '.join(PARTS[self.head['kind']])}")
        self.close(0)
        head = self.head
        versions = parse_versions(head["versions"], None)
        flexible = NEVER if head["flexible"] == "none" else parse_versions(head["flexible"], versions.last)
        name = head["name"] if code == "fields" else f"{head['name']}_{code}"
        message = Message(name, None if head["key"] is None else int(head["key"]), code, versions,
                          flexible & versions, bool(head["unstable"]), self.path, about=" ".join(self.about),
                          of=head["of"], local=self.local)
        message.root = Struct(name, about, self.number)
        self.messages.append(message)
        self.open = [(message.root, versions)]

    def close(self, depth):
        """Ends the structs deeper than depth."""
        for struct, _ in reversed(self.open[depth:]):
            if not struct.fields and struct is not self.messages[-1].root:
                self.fail(f"{struct.name} is no known type, and no fields follow", struct.line)
            tags = sorted(field.tag for field in struct.fields if field.tag is not None)
            if tags != list(range(len(tags))):
                self.fail(f"the tags of {struct.name} are not 0, 1, 2 ...", struct.line)
            struct.closed = True
            if struct is not self.messages[-1].root:
                self.messages[-1].structs[struct.name] = struct
        del self.open[depth:]

    def field(self, code, about):
        depth, odd = divmod(len(code) - len(code.lstrip()), 2)
        match = LINE.match(code.strip())
        if not match:
            self.fail(LINE_FORM)
        if not self.open or odd or depth > len(self.open):
            self.fail("indent by two spaces below the section or the struct this field belongs to")
        self.close(depth)
        owner, around = self.open[-1]
        whole, flexible = self.messages[-1].versions, self.messages[-1].flexible
        versions = self.narrow(match["versions"], around, whole, "versions")
        null = match["null"]
        nullable = self.narrow(null[1:], versions & around, versions, "nullable versions") if null else NEVER
        tagged = self.narrow(match["tagged"], versions & around, versions, "tagged versions") if match["tag"] else NEVER
        new = Field(match["name"], match["type"], bool(match["array"]), versions, nullable,
                    int(match["tag"]) if match["tag"] else None, tagged, bool(match["plain"]),
                    match["default"], about, self.number)
        if (new.type == "status") > (self.head["kind"] == "op"):
            self.fail("only operations have a status")
        if new.name in RESERVED or new.type in RESERVED - {"bool"}:
            self.fail("a word of C as a name")
        if any(new.name == other.name for other in owner.fields):
            self.fail(f"a second {new.name}")
        if tagged & around & flexible != tagged & around:
            self.fail("tagged in a version that is not flexible")
        owner.fields.append(new)
        if new.type not in SCALARS:
            self.struct(new, versions & around)
        self.check_null_and_default(new)

    def narrow(self, text, around, absent, what):
        """Versions as written, or absent; there is one way to write each: the range around is left out."""
        if not text:
            return absent
        versions = parse_versions(text, self.messages[-1].versions.last)
        if not versions or versions & around != versions:
            self.fail(f"{what} {text} are not within {around}")
        if versions == around:
            self.fail(f"{what} {text} go without saying: leave them out")
        return versions

    def struct(self, new, around):
        """A struct is defined by the fields below its first use; later uses name it."""
        known = self.messages[-1].structs.get(new.type)
        if known is None:
            if any(struct.name == new.type for struct, _ in self.open):
                self.fail(f"{new.type} contains itself, or is also the name of the message")
            known = Struct(new.type, new.about, self.number)
            self.open.append((known, around))
        new.struct = known

    def check_null_and_default(self, new):
        if new.nullable and not (new.array or new.struct or new.type in SIZED):
            self.fail(f"{new.type} cannot be null")
        if new.default is None:
            return
        kind = "array" if new.array else new.type
        if kind in INTEGERS and new.default in ("min", "max"):
            new.default = str(INTEGERS[kind][new.default == "max"])
        if new.default == "null":
            good = new.nullable == new.versions
        elif kind in INTEGERS:
            low, high = INTEGERS[kind]
            good = re.fullmatch(r"-?\d+", new.default) and int(new.default) and low <= int(new.default) <= high
        elif kind == "bool":
            good = new.default == "true"
        elif kind == "string":
            good = re.fullmatch(r'"[^"]+"', new.default)
        else:
            good = False
        if not good:
            self.fail(f"{new.default} is not a default for this field (zero, false and empty are left out)")


def parse_file(path):
    return Parser(path).parse(Path(path).read_text(encoding="utf-8"))


def parse_all(paths):
    """All messages of the files and folders given, by name."""
    files = [file for path in map(Path, paths) for file in (
        sorted(each for each in path.iterdir() if each.suffix in (".msg", ".op")) if path.is_dir() else [path])]
    messages, keys = {}, {}
    for message in (message for file in files for message in parse_file(file)):
        owner = message.path if message.key is None else keys.setdefault(message.key, message.path)
        if message.name in messages or owner != message.path:
            raise SchemaError(f"{message.path}:1: {message.name} or its key is already in another file")
        messages[message.name] = message
    return messages


if __name__ == "__main__":
    try:
        for each in parse_all(sys.argv[1:] or ["."]).values():
            key = "" if each.key is None else each.key
            print(f"{key:>3} {each.name:40} {each.versions!s:6} flexible {each.flexible}")
    except SchemaError as error:
        sys.exit(str(error))
