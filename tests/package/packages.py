"""What the tests of packages share: where packages are built, running things, skips that are seen.

MORTISE_BUILD names the build folder; everything lies in its folder package/. A test exits 0, 1 with
what went wrong, or 77 when something it needs is missing; with CI=true that is a failure, too.
"""
import os, pathlib, re, shutil, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MORTISE_BUILD", ROOT / "build/dev"))
PACKAGES = BUILD / "package"
SKIP = 77
NAMES = ["dh-mortise", "mortise", "mortise-dev", "mortise-plugin-codec-zstd", "mortised"]


def skip(why):
    print(f"SKIPPED: {why}")
    if os.environ.get("CI") == "true":
        print("with CI=true it must be there")
        sys.exit(1)
    sys.exit(SKIP)


def need(*programs):
    for program in programs:
        shutil.which(program) or skip(f"{program} is not installed")


def check(condition, text):
    if not condition:
        print(f"FAILED: {text}")
        sys.exit(1)


def run(*command, timeout=120, ok=(0,), **how):
    """The output, both streams, of a command that must end in time and well."""
    line = [str(part) for part in command]
    result = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            stdin=subprocess.DEVNULL, timeout=timeout, **how)
    check(ok is None or result.returncode in ok,
          f"{' '.join(line)}: exit {result.returncode}\n{result.stdout[-6000:]}")
    return result.stdout


def package_file(name):
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    check(len(found) == 1, f"{name}: one package expected, there is {found}")
    return found[0]


def relations(name, field):
    """The relations of a field, each a string."""
    text = run("dpkg-deb", "-f", package_file(name), field).strip()
    return [part.strip() for part in text.split(",") if part.strip()]
