#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes C of the schema (README.md): structs, and the tables that sdk/kit/message.c and copy.c walk.

    generate.py ops OPS OUT.h                      the operations' structs: <mortise/draft/ops.h>
    generate.py messages SCHEMA SERVED OPS OUT     messages.h and messages.c in the folder OUT
    generate.py coverage SCHEMA SERVED             what is served beside Kafka's ranges, as a markdown table

SCHEMA and OPS are folders of .msg and .op files; SERVED lists the APIs to serve, one a line:
`name VERSIONS [advertised VERSIONS]`. Only those and the two headers are made, or all for the word `all`. A field of such a message that an
operation neither has nor names as local is an error, so nothing a client says gets lost without a word."""
import re
import sys
import textwrap
from pathlib import Path

from parse import INTEGERS, SIZED, SchemaError, parse_all, parse_versions

C_TYPES = {"bool": "uint8_t", "float64": "double", "error": "int16_t", "status": "mrt_status", "string": "mrt_str",
           "bytes": "mrt_str", "records": "mrt_str", **{name: f"{name}_t" for name in INTEGERS if name[0] in "iu"}}
KINDS = {"error": "INT16", "status": "INT32"}
HEADERS = ("request_header", "response_header")
SERVED = re.compile(r"(\w+) +(\d+-\d+|\d+)(?: +advertised +(\d+-\d+|\d+))?$")
MADE = "/* Made from {} by sdk/kit/schema/generate.py: change it there. */\n"


def fail(path, line, why):
    raise SchemaError(f"{path}:{line}: {why}")


class Style:
    """How the structs of one side are named: wire messages are ours alone, operations are of the SDK."""

    def __init__(self, operations):
        self.operations = operations

    def name(self, message, struct):
        """Of a type, as it is written in C."""
        root = message.name.removesuffix("_in") if self.operations else message.name
        own = root if struct is message.root else f"{root}_{struct.name}"
        return f"mrt_{own}" if self.operations else f"struct kafka_{own}"

    def member(self, message, each):
        """The declarations of one field."""
        kind = self.name(message, each.struct) if each.struct else C_TYPES.get(each.type, "uint8_t")
        if each.array:
            const = "" if each.struct else "const "
            size = "[16]" if each.type == "uuid" else ""
            name = f"(*{each.name}){size}" if size else f"*{each.name}"
            return [f"{const}{kind} {name};", f"uint32_t n_{each.name};"]
        if each.struct:
            return [f"{kind} {'*' if each.nullable else ''}{each.name};"]
        return [f"{kind} {each.name}{'[16]' if each.type == 'uuid' else ''};"]

    def remark(self, message, each):
        words = [each.about] if each.about else []
        if each.versions != message.versions and not self.operations:
            first, last = each.versions
            words.append(f"since {first}" if last == message.versions.last else f"versions {each.versions}")
        if each.nullable and each.type in SIZED and not each.array:
            words.append("p NULL: none")
        return "; ".join(words)

    def struct(self, message, struct):
        lines, name = [], self.name(message, struct)
        lines += comment(struct.about, "")
        lines.append(f"typedef struct {name} {{" if self.operations else f"{name} {{")
        if self.operations and struct is message.root:
            lines.append("    uint32_t size;")
        for each in struct.fields:
            declarations, remark = self.member(message, each), self.remark(message, each)
            beside = f"    {declarations[0]} /* {remark} */"
            if remark and len(beside) <= 100:
                declarations[0] = beside.strip()
            else:
                lines += comment(remark, "    ")
            lines += [f"    {line}" for line in declarations]
        if not struct.fields:
            lines.append("    uint8_t nothing;")
        lines += [f"}} {name};" if self.operations else "};", ""]
        return lines


def comment(text, indent):
    if not text:
        return []
    rows = textwrap.wrap(f"/* {text} */", 98 - len(indent))
    return [indent + ("   " if at else "") + row for at, row in enumerate(rows)]


def all_structs(message):
    return [*message.structs.values(), message.root]


# ---- operations ------------------------------------------------------------------------------------------------

def words(path):
    """words.enum: blocks of MRT_<BLOCK>_<NAME> numbers."""
    lines, block = [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        code, _, about = (part.strip() for part in line.partition("#"))
        if not code:
            continue
        if not line.startswith(" "):
            lines += ["};", ""] if block else []
            block = code
            lines += [f"/* {about} */", "enum {"]
        elif match := re.fullmatch(r"([A-Z_]+) (\d+)", code):
            lines.append(f"    MRT_{block}_{match[1]} = {match[2]},{f' /* {about} */' if about else ''}")
        else:
            fail(path, number, "expected NAME NUMBER  # about")
    return lines + (["};", ""] if block else [])


def make_ops(folder, out):
    style, lines = Style(True), [MADE.format("the .op files")]
    lines += ["#ifndef MORTISE_DRAFT_OPS_H", "#define MORTISE_DRAFT_OPS_H", "", "#include <mortise/draft/broker.h>", ""]
    operations = sorted(parse_all([folder]).values(), key=lambda each: each.key)
    lines += ["/* Beside those of broker.h. Arrays come with their count; a string with p NULL is none. */", "enum {"]
    lines += [f"    MRT_OP_{each.name.removesuffix('_in').upper()} = {each.key}," for each in operations
              if each.part == "in"]
    lines += ["};", "", *words(Path(folder) / "words.enum")]
    for each in operations:
        if each.part == "in":
            lines += comment(each.about, "")
        for struct in all_structs(each):
            lines += style.struct(each, struct)
    write(out, lines + ["#endif /* MORTISE_DRAFT_OPS_H */"])


# ---- messages --------------------------------------------------------------------------------------------------

def read_served(path, messages):
    """By name: the versions served and those advertised."""
    if path == "all":
        return {each.name.removesuffix("_request"): (each.versions, each.versions, 0) for each in messages.values()
                if each.part == "request"}
    found = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        code = line.partition("#")[0].strip()
        if not code:
            continue
        if not (match := SERVED.match(code)):
            fail(path, number, "expected: name VERSIONS [advertised VERSIONS]")
        served = parse_versions(match[2], None)
        found[match[1]] = (served, parse_versions(match[3], None) if match[3] else served, number)
    return found


def chosen(messages, served, path):
    for name, (versions, _, line) in served.items():
        request = messages.get(f"{name}_request") or fail(path, line, f"no message {name}")
        if versions & request.versions != versions:
            fail(path, line, f"{name} is described for {request.versions} only")
    if path == "all":
        return list(messages.values())
    names = [*HEADERS, *(f"{name}_{part}" for name in served for part in ("request", "response"))]
    return [messages[name] for name in names]


def symbol(message, struct):
    return f"{message.name}_{struct.name}_struct" if struct is not message.root else f"{message.name}_struct"


def row(message, owner, each, style):
    """One struct kit_field."""
    name = style.name(message, owner)
    kind = "STRUCT" if each.struct else KINDS.get(each.type, each.type.upper())
    flags = [flag for flag, on in (("ARRAY", each.array), ("PLAIN", each.plain), ("NULL", each.default == "null")) if on]
    parts = [f'.name = "{each.name}"', f".kind = KIT_{kind}", f".offset = offsetof({name}, {each.name})"]
    if each.array:
        parts.append(f".count = offsetof({name}, n_{each.name})")
    if flags:
        parts.append(f".flags = {' | '.join(f'KIT_{flag}' for flag in flags)}")
    if each.struct:
        parts.append(f".inner = &{symbol(message, each.struct)}")
    parts.append(f".valid = {{{each.versions.first}, {each.versions.last}}}")
    parts.append(f".nullable = {{{each.nullable.first}, {each.nullable.last}}}")
    parts.append(f".tagged = {{{each.tagged.first}, {each.tagged.last}}}")
    if each.tag is not None:
        parts.append(f".tag = {each.tag}")
    if each.default and each.default != "null":
        value = each.default if each.type in INTEGERS else {"true": "1"}.get(each.default)
        if value == str(-2**63):
            value = "INT64_MIN"
        parts.append(f".text = {each.default}" if value is None else f".initial = {value}")
    return "\n".join(textwrap.wrap(f"{{{', '.join(parts)}}},", 98, initial_indent="    ", subsequent_indent="     "))


def tables(message, style):
    lines = []
    for struct in all_structs(message):
        name = symbol(message, struct)
        tags = sum(each.tag is not None for each in struct.fields)
        fields = "NULL"
        if struct.fields:
            fields = f"{name}_fields"
            lines += [f"static const struct kit_field {fields}[] = {{",
                      *(row(message, struct, each, style) for each in struct.fields), "};"]
        lines += [f'static const struct kit_struct {name} = {{"{struct.name}", {fields}, {len(struct.fields)}, {tags},',
                  f"    sizeof({style.name(message, struct)}), 0}};"]
    first = message.flexible.first if message.flexible else "KIT_NEVER"
    key = -1 if message.key is None else message.key
    lines += [f'const struct kit_message kafka_{message.name} = {{"{message.name}", &{symbol(message, message.root)},',
              f"    {key}, {message.versions.first}, {message.versions.last}, {first}}};", ""]
    return lines


def apis(messages, served, order):
    lines = ["const struct kafka_api kafka_apis[KAFKA_APIS] = {"]
    for name in order:
        request, (versions, shown, _) = messages[f"{name}_request"], served[name]
        lines.append(f'    {{"{name}", &kafka_{name}_request, &kafka_{name}_response, {request.key}, {versions.first},')
        lines.append(f"     {versions.last}, {shown.first}, {shown.last}}},")
    return lines + ["};", ""]


def make_messages(schema, served_path, ops, out):
    messages, style = parse_all([schema]), Style(False)
    served = read_served(served_path, messages)
    made = chosen(messages, served, served_path)
    order = sorted(served, key=lambda name: messages[f"{name}_request"].key)
    head = [MADE.format("the .msg files"), "#ifndef KAFKA_MESSAGES_H", "#define KAFKA_MESSAGES_H", "",
            "#include <stddef.h>", "", '#include "sdk/kit/copy.h"', '#include "sdk/kit/message.h"', ""]
    code = [MADE.format("the .msg and .op files"), '#include "messages.h"', "", "#include <mortise/draft/ops.h>", ""]
    for each in made:
        for struct in all_structs(each):
            head += style.struct(each, struct)
        head += [f"extern const struct kit_message kafka_{each.name};", ""]
        code += tables(each, style)
    head += ["/* All of the above. */", f"#define KAFKA_MESSAGES {len(made)}",
             "extern const struct kit_message *const kafka_messages[KAFKA_MESSAGES];", ""]
    code += ["const struct kit_message *const kafka_messages[KAFKA_MESSAGES] = {",
             *(f"    &kafka_{each.name}," for each in made), "};", ""]
    head += ["/* What is served; sorted by key. */", "struct kafka_api {", "    const char *name;",
             "    const struct kit_message *request;", "    const struct kit_message *response;", "    int16_t key;",
             "    int16_t since;", "    int16_t until;", "    int16_t shown_since; /* as advertised */",
             "    int16_t shown_until;", "};", f"#define KAFKA_APIS {len(served)}",
             "extern const struct kafka_api kafka_apis[KAFKA_APIS];", "",
             "/* In the same order. */", "#define KAFKA_EACH_API(X) " + " ".join(f"X({name})" for name in order), ""]
    maps, declared = make_maps(messages, served, parse_all([ops]))
    write(Path(out) / "messages.h", [*head, *declared, "", "#endif /* KAFKA_MESSAGES_H */"])
    write(Path(out) / "messages.c", code + apis(messages, served, order) + maps)


# ---- copies between messages and operations --------------------------------------------------------------------

class Map:
    """Pairs the fields of a message and of an operation, struct by struct."""

    def __init__(self, message, operation):
        self.message, self.operation = message, operation
        self.local = {path: about for (part, path), about in operation.local.items() if part == message.part}
        self.lines, self.used, self.made = [], set(), 0

    def pair(self, theirs, ours, above):
        """The name of the map of these two structs."""
        rows, known = [], {each.name: each for each in ours.fields}
        for each in theirs.fields:
            path = above + each.name
            if path in self.local:
                self.used.add(path)
                continue
            other = known.get("status" if each.type == "error" else each.name)
            if other is None:
                fail(self.operation.path, 1, f"{self.message.name}.{path} is neither a field nor local")
            if (each.type, bool(each.struct), each.array) != (other.type, bool(other.struct), other.array) and not (
                    each.struct and other.struct and each.array == other.array) and other.type != "status":
                fail(self.operation.path, other.line, f"{other.name} has another type in {self.message.name}")
            rows.append(self.line(theirs, ours, each, other, path))
        name = f"{self.message.name}_{self.made}_map"
        self.made += 1
        mine, its = Style(True).name(self.operation, ours), Style(False).name(self.message, theirs)
        self.lines += [f"static const struct kit_pair {name}_pairs[] = {{", *rows, "};",
                       f"static const struct kit_map {name} = {{{name}_pairs, {len(rows)}, sizeof({its}),",
                       f"    sizeof({mine}), 0, &{symbol(self.message, theirs)}}};"]
        return name

    def line(self, theirs, ours, each, other, path):
        mine, its = Style(True).name(self.operation, ours), Style(False).name(self.message, theirs)
        at = f"offsetof({its}, {each.name}), offsetof({mine}, {other.name})"
        if other.type == "status":
            return f"    {{{at}, 0, offsetof({mine}, reason), 0, KIT_PAIR_STATUS, NULL}},"
        counts = f"offsetof({its}, n_{each.name}), offsetof({mine}, n_{other.name})" if each.array else "0, 0"
        size = f"sizeof((({its} *)0)->{each.name})"
        if each.struct and each.array:
            inner = self.pair(each.struct, other.struct, path + ".")
            return f"    {{{at}, {counts}, 0, KIT_PAIR_STRUCTS, &{inner}}},"
        if each.struct:
            fail(self.operation.path, other.line, "single structs are not copied: name the field as local")
        return f"    {{{at}, {counts}, {size}, KIT_PAIR_{'ARRAY' if each.array else 'PLAIN'}, NULL}},"

    def make(self, table):
        root = self.pair(self.message.root, self.operation.root, "")
        for path in self.local.keys() - self.used:
            fail(self.operation.path, 1, f"{self.message.name} has no field {path}")
        return [*self.lines, f"const struct kit_map *const {table} = &{root};", ""]


def make_maps(messages, served, operations):
    lines, declared = [], []
    for operation in operations.values():
        part = {"in": "request", "out": "response"}[operation.part]
        if operation.of in served:
            table = f"kafka_{operation.of}_{part}_map"
            lines += Map(messages[f"{operation.of}_{part}"], operation).make(table)
            declared.append(f"extern const struct kit_map *const {table};")
    return lines, declared


# ---- the rest --------------------------------------------------------------------------------------------------

def coverage(schema, served_path):
    messages = parse_all([schema])
    served = read_served(served_path, messages)
    print("| key | API | Kafka 4.2 | served | advertised |\n|---|---|---|---|---|")
    for request in sorted((each for each in messages.values() if each.part == "request"), key=lambda each: each.key):
        name = request.name.removesuffix("_request")
        stable = request.versions if not request.unstable else request.versions._replace(last=request.versions.last - 1)
        mine = served.get(name)
        shown = (str(mine[0]), str(mine[1])) if mine else ("", "")
        print(f"| {request.key} | {name} | {stable} | {shown[0]} | {shown[1]} |")
    print(f"\n{len(served)} of {sum(each.part == 'request' for each in messages.values())} APIs.")


def write(path, lines):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines).rstrip("\n") + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


COMMANDS = {"ops": (make_ops, 2), "messages": (make_messages, 4), "coverage": (coverage, 2)}

if __name__ == "__main__":
    command, count = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != count + 2:
        sys.exit(__doc__)
    try:
        command(*sys.argv[2:])
    except SchemaError as error:
        sys.exit(str(error))
