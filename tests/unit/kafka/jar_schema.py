#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our schema with the message definitions that Kafka ships inside its own jars.

    jar_schema.py FOLDER-OF-VERIFY.PY SCHEMA WORK-FOLDER

The jars come from Maven Central by `mvn`. Without them the test is skipped (77), which CI=true forbids."""
import os
import subprocess
import sys
import zipfile
from pathlib import Path

VERSION = "4.2.0"
JARS = ("kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator")
SKIPPED = 77


def fetch(work):
    """The three jars, or None with the reason printed."""
    jars = [work / f"{name}-{VERSION}.jar" for name in JARS]
    for name, jar in zip(JARS, jars):
        if jar.exists():
            continue
        try:
            subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.apache.kafka:{name}:{VERSION}",
                            f"-DoutputDirectory={work}"], check=True, timeout=150, cwd=work)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"no {name} {VERSION}: {error}")
            return None
    return jars


def main(tools, schema, work):
    work = Path(work)
    work.mkdir(parents=True, exist_ok=True)
    jars = fetch(work)
    if jars is None:
        print("SKIPPED: the schema was not compared with Kafka's")
        return 1 if os.environ.get("CI") == "true" else SKIPPED
    for jar in jars:
        with zipfile.ZipFile(jar) as packed:
            packed.extractall(work / "json", [name for name in packed.namelist() if name.endswith(".json")])
    result = subprocess.run([sys.executable, "-B", f"{tools}/verify.py", work / "json", schema],
                            capture_output=True, text=True, check=False)
    print(result.stdout + result.stderr)
    if "newer:" in result.stdout or "missing:" in result.stdout:
        print(f"the schema is to have the versions of {VERSION}, no more and no fewer")
        return 1
    return result.returncode


sys.exit(main(*sys.argv[1:]))
