#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads what `test_message dump` wrote, `message version hex text` a line, with a decoder of its own, and compares.

    second_decoder.py FOLDER-OF-PARSE.PY SCHEMA PROGRAM

It knows the schema's text and Kafka's wire format, and shares no table and no line with the C interpreter."""
import struct
import subprocess
import sys
import uuid

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from parse import parse_all  # noqa: E402

NUMBERS = {"int8": ">b", "int16": ">h", "int32": ">i", "int64": ">q", "uint16": ">H", "uint32": ">I", "error": ">h"}


class Wire:
    def __init__(self, data, message, version):
        self.data, self.at, self.version = data, 0, version
        self.flexible = bool(message.flexible) and version >= message.flexible.first

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def within(self, versions):
        return versions.first <= self.version <= versions.last

    def length(self, field):
        if self.flexible and not field.plain:
            return self.varint() - 1
        return self.number(">h" if field.type == "string" and not field.array else ">i")

    def element(self, field, in_array):
        if field.struct:
            return self.struct(field.struct)
        if field.type in NUMBERS:
            return str(self.number(NUMBERS[field.type]))
        if field.type == "bool":
            return str(self.take(1)[0])
        if field.type == "uuid":
            return self.take(16).hex()
        if field.type == "float64":
            return self.take(8).hex()
        if self.flexible and not field.plain:
            n = self.varint() - 1
        else:
            n = self.number(">h" if field.type == "string" else ">i")
        if n < 0:
            assert n == -1
            return "null"
        data = self.take(n)
        if field.type == "string":
            return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02x}" for c in data) + '"'
        return f"{n}:{data[:16].hex()}"

    def field(self, field):
        if not field.array:
            if field.struct and field.nullable and self.number(">b") < 0:
                return "null"
            return self.element(field, False)
        count = self.length(field)
        if count < 0:
            assert count == -1 and self.within(field.nullable)
            return "null"
        return "[" + ", ".join(self.element(field, True) for _ in range(count)) + "]"

    def absent(self, field):
        """The text of a tagged field that was not sent."""
        if field.default == "null":
            return "null"
        if field.array:
            return "[]"
        if field.struct:
            return "null" if field.nullable else "{" + ", ".join(
                f"{inner.name}: {self.absent(inner)}" for inner in field.struct.fields
                if self.within(inner.versions)) + "}"
        if field.type == "uuid":
            return uuid.UUID(int=0).hex
        if field.type == "float64":
            return "0" * 16
        if field.type == "string":
            return field.default or '""'
        if field.type in ("bytes", "records"):
            return "0:"
        return {"true": "1", None: "0"}.get(field.default, field.default)

    def struct(self, struct_):
        shown = {}
        for field in struct_.fields:
            if self.within(field.versions):
                shown[field.name] = None if self.within(field.tagged) else self.field(field)
        if self.flexible:
            for _ in range(self.varint()):
                tag, size = self.varint(), self.varint()
                end = self.at + size
                field = next(f for f in struct_.fields if f.tag == tag and self.within(f.tagged))
                shown[field.name] = self.field(field)
                assert self.at == end, "a tagged field has another size than it says"
        for field in struct_.fields:
            if field.name in shown and shown[field.name] is None:
                shown[field.name] = self.absent(field)
        return "{" + ", ".join(f"{name}: {text}" for name, text in shown.items()) + "}"


def main():
    messages = parse_all([sys.argv[2]])
    lines = subprocess.run([sys.argv[3], "dump"], capture_output=True, check=True, text=True).stdout.splitlines()
    for line in lines:
        name, version, data, text = (line + " ").split(" ", 3)
        wire = Wire(bytes.fromhex(data), messages[name], int(version))
        found = wire.struct(messages[name].root)
        if found != text.rstrip() or wire.at != len(wire.data):
            sys.exit(f"{name} {version}: {data}\n  C:      {text}\n  Python: {found}")
    seen = {line.split(" ", 1)[0] for line in lines}
    if seen != set(messages):
        sys.exit(f"not seen: {' '.join(sorted(set(messages) - seen))}")
    print(f"{len(lines)} messages read twice, of {len(seen)} kinds")


main()
