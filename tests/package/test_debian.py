"""The Debian packages: they build from a copy of the tree, and are what they are said to be."""
import os, re, shutil

from packages import BUILD, NAMES, PACKAGES, ROOT, check, need, package_file, relations, run

ABI = {"cleanup", "codec", "coordination", "serializer", "storage", "transport"}
EXPOSURE_MAX = 12  # of 100


def built():
    """dpkg-buildpackage, on a copy, with what it says checked for warnings of debhelper."""
    jobs = min(2, os.cpu_count() or 1)
    env = dict(os.environ, DEB_BUILD_OPTIONS=f"nocheck parallel={jobs}", LC_ALL="C")
    run(ROOT / "packaging/build-deb", PACKAGES, timeout=600, env=env)
    made = sorted(path.name.split("_")[0] for path in PACKAGES.glob("*.deb") if "dbgsym" not in path.name)
    check(made == NAMES, f"packages {made}, expected {NAMES}")
    log = (PACKAGES / "build.log").read_text()
    complaints = [line for line in log.splitlines() if re.match(r"(dh_\w+|dpkg-\w+): (warning|error)", line)]
    check(not complaints, "\n".join(complaints))


def no_errors_of_lintian():
    out = run("lintian", "--allow-root", "--fail-on", "error,warning", *PACKAGES.glob("*.changes"), ok=None)
    bad = [line for line in out.splitlines() if re.match(r"[EW]: ", line)]
    check(not bad, "\n".join(bad))


def unpack():
    for name in NAMES:
        shutil.rmtree(PACKAGES / "unpacked" / name, ignore_errors=True)
        (PACKAGES / "unpacked" / name).mkdir(parents=True)
        run("dpkg-deb", "-x", package_file(name), PACKAGES / "unpacked" / name)


def abi_ranges_from_notes():
    codec = relations("mortise-plugin-codec-zstd", "Depends")
    check("mortise-abi-codec-0 (>= 0.1)" in codec, f"codec-zstd depends on {codec}")
    check(not any(part.split()[0] in NAMES for part in codec), f"codec-zstd depends on a program: {codec}")
    provided = set(relations("mortised", "Provides"))
    core = {part for part in provided if part.startswith("mortise-core-")}
    abi = {f"mortise-abi-{kind}-0 (= 0.1)" for kind in ABI}
    check(provided == core | abi and len(core) == 1, f"mortised provides {provided}")


def dh_mortise_reads_notes_and_checks():
    """On a package of its own, around plugins of the tree and animals of the zoo."""
    work = PACKAGES / "draft"
    shutil.rmtree(work, ignore_errors=True)
    plugins = work / "debian/toy/usr/lib/x/mortise/plugins"
    plugins.mkdir(parents=True)
    (work / "debian/compat").write_text("13\n")
    (work / "debian/control").write_text(
        "Source: toy\nMaintainer: T <t@toy.invalid>\n\nPackage: toy\nArchitecture: any\nDescription: toy\n")
    (work / "debian/changelog").write_text(
        "toy (1) unstable; urgency=low\n\n  * T.\n\n -- T <t@toy.invalid>  Sun, 22 Nov 2026 03:00:00 +0000\n")

    def toy(source, ok=(0,)):
        for old in plugins.iterdir():
            old.unlink()
        (work / "debian/toy.substvars").unlink(missing_ok=True)
        shutil.copy(source, plugins)
        out = run(ROOT / "packaging/debhelper/dh_mortise", f"--mortise={BUILD}/bin/mortise", cwd=work, ok=ok)
        return out if ok is None else (work / "debian/toy.substvars").read_text()

    shipped = next((PACKAGES / "unpacked/mortised").rglob("mortise/plugins"))
    said = toy(shipped / "protocol-kafka.so")
    core = [part for part in relations("mortised", "Provides") if part.startswith("mortise-core-")]
    check(f"misc:Depends={core[0]}\n" in said, f"a draft plugin depends on {said}, the daemon provides {core}")
    check("mortise:Provides=mortise-plugin-protocol-kafka\n" in said, said)
    said = toy(shipped / "coordination-raft.so")
    check("mortise-abi-coordination-0 (>= 0.1)" in said, said)
    check("mortise-plugin-coordination-standalone" in said, said)
    said = toy(BUILD / "tests/zoo/no_note.so", ok=None)
    check("no note, so it is no plugin" in said, said)
    said = toy(BUILD / "tests/zoo/leak_destroy.so", ok=None)
    check("not ok" in said and "returned exit code 1" in said, said)


def hints_name_what_ships():
    """core/plugin/missing.c has a row for each implementation, with the package it is in."""
    text = (ROOT / "core/plugin/missing.c").read_text()
    said = set(re.findall(r'\{"(\w+)", "(\w+)", "([a-z0-9-]+)"\}', text))
    mortise, shipped = PACKAGES / "unpacked/mortise/usr/bin/mortise", set()
    for name in NAMES:
        for plugin in (PACKAGES / "unpacked" / name).rglob("plugins/*.so"):
            for kind, impl in re.findall(r"^  mortise\.(\w+)/\d+ (\S+)$", run(mortise, "plugin", "info", plugin), re.M):
                shipped.add((kind, impl, name))
    check(len(shipped) >= 8, f"only {shipped} in the packages")
    check(said == shipped, f"said but not shipped: {said - shipped}; shipped but not said: {shipped - said}")


def service_is_sound():
    daemon = PACKAGES / "unpacked/mortised"
    unit = next(daemon.rglob("mortised.service"))
    here = PACKAGES / "mortised.service"
    here.write_text(unit.read_text().replace("/usr/sbin/mortised", str(daemon / "usr/sbin/mortised")))
    out = run("systemd-analyze", "verify", "--man=no", here)
    check(out.strip() == "", f"systemd-analyze verify: {out}")
    out = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    print(out.strip().splitlines()[-1])


def main():
    need("dpkg-buildpackage", "dh", "lintian", "systemd-analyze")
    tests = [built, no_errors_of_lintian, unpack, abi_ranges_from_notes, dh_mortise_reads_notes_and_checks,
             hints_name_what_ships, service_is_sound]
    for test in tests:
        test()
        print(f"ok {test.__name__}")


main()
