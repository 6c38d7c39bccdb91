#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schema's tools say where and what is wrong, and let nothing through: schema_tools.py FOLDER-OF-PARSE.PY"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import generate  # noqa: E402
from parse import SchemaError  # noqa: E402

MESSAGE = """# Greet.

api 7 greet  versions 0-2  flexible 2+

request
  name        string
  topics      []topic
    size      int32

response
  error_code  error
  count       int64    1+ = -1
"""
HEADERS = ("request_header", "response_header")
OP = """# Greet.

op 100 greet  of greet

in
  name    string
  topics  []topic
    size  int32

out
  status  status
  reason  int32
  count   int64
"""


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        for name in HEADERS:
            self.write(f"{name}.msg", f"data {name}  versions 0-1  flexible 1+\n\nfields\n  correlation_id  int32\n")
        self.write("ops/words.enum", "WHY # why\n  NAME 1\n")
        self.write("served", "greet 0-2\n")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def make(self, message=MESSAGE, op=OP):
        self.write("greet.msg", message)
        self.write("ops/greet.op", op)
        generate.make_ops(self.root / "ops", self.root / "ops.h")
        generate.make_messages(self.root, str(self.root / "served"), self.root / "ops", self.root / "made")
        return (self.root / "made/messages.c").read_text(encoding="utf-8")

    def refused(self, expected, **texts):
        with self.assertRaises(SchemaError) as caught:
            self.make(**texts)
        self.assertIn(expected, str(caught.exception))

    def test_what_fits_is_made(self):
        self.assertIn("kafka_greet_request_map", self.make())

    def test_a_field_that_no_operation_has_fails_the_build(self):
        self.refused("greet_request.topics.size is neither a field nor local", op=OP.replace("    size ", "    sise "))

    def test_it_may_be_local_with_a_reason(self):
        local = OP.replace("in\n", "local request name  # the glue's\n\nin\n", 1).replace("  name    string\n", "")
        self.assertIn("kafka_greet_request_map", self.make(op=local))
        self.refused("say why it is not copied", op=local.replace("  # the glue's", ""))

    def test_a_local_line_for_nothing_is_an_error(self):
        self.refused("has no field nome", op=OP.replace("in\n", "local request nome  # gone\n\nin\n", 1))

    def test_types_must_agree(self):
        self.refused("count has another type", op=OP.replace("count   int64", "count   int32"))

    def test_a_status_is_for_operations(self):
        self.refused("greet.msg:11: only operations have a status",
                     message=MESSAGE.replace("error_code  error", "error_code  status"))

    def test_only_what_is_described_can_be_served(self):
        self.write("served", "greet 0-3\n")
        self.refused("served:1: greet is described for 0-2 only")
        self.write("served", "great 0-2\n")
        self.refused("served:1: no message great")

    def test_mistakes_have_a_place(self):
        self.refused("greet.msg:6: expected: name type", message=MESSAGE.replace("string", "String"))
        self.refused("greet.msg:12: versions 1-9 are not within 0-2", message=MESSAGE.replace("1+ = -1", "1-9 = -1"))
        self.refused("greet.msg:7: topic is no known type", message=MESSAGE.replace("    size      int32\n", ""))
        self.refused("greet.msg:12: 99 is not a default",
                     message=MESSAGE.replace("int64    1+ = -1", "bool     1+ = 99"))

    def test_a_file_made_again_is_not_touched(self):
        self.make()
        made = self.root / "made/messages.h"
        before = made.stat().st_mtime_ns
        self.make()
        self.assertEqual(before, made.stat().st_mtime_ns)


unittest.main()
