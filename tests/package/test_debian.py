"""The Debian packages: they build from a copy of the tree, and are what they are said to be."""
import os, pathlib, re, shutil, signal, socket, subprocess

from packages import BUILD, NAMES, PACKAGES, ROOT, check, need, package_file, relations, run

ABI = {"cleanup", "codec", "coordination", "serializer", "storage", "transport"}
EXPOSURE_MAX = 12  # of 100


def built():
    """dpkg-buildpackage, on a copy, and no tool of it warns."""
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


def allowed(unit):
    """The system calls that the unit's SystemCallFilter lets through."""
    sets, name = {}, None
    for line in run("systemd-analyze", "syscall-filter").splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            sets[name] = set()
        elif name and word and not word.startswith("#"):
            sets[name].add(word)

    def expand(word):
        return {call for inner in sets[word] for call in expand(inner)} if word.startswith("@") else {word}

    calls = expand("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.M):
        for word in line.lstrip("~").split():
            calls = calls - expand(word) if line.startswith("~") else calls | expand(word)
    return calls


def system_calls_are_allowed():
    """What a life of the daemon asks of the kernel: start, records, a restart, the end; and what it tells Type=notify."""
    shipped = next((PACKAGES / "unpacked/mortised").rglob("mortise/plugins"))
    work = PACKAGES / "traced"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    trace, log = work / "trace", work / "log"
    (work / "empty").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(f"\0mortise-test-{os.getpid()}")
    manager.settimeout(30)
    env = dict(os.environ, NOTIFY_SOCKET=f"@mortise-test-{os.getpid()}")
    for _ in range(2):
        with open(log, "wb") as out:
            tracer = subprocess.Popen(
                ["strace", "-f", "-qq", "-A", "-o", trace, "--", PACKAGES / "unpacked/mortised/usr/sbin/mortised",
                 "--plugin-dir", shipped, "--conf", work / "empty", "-o", f"broker.log_dirs={work}/data",
                 "-o", f"listeners.kafka.bind={address}"], stdout=out, stderr=out, env=env)
        try:
            check(manager.recv(64) == b"READY=1", "the service manager was told something else")
            kcat = f"kcat -b {address} -t traced"
            run("sh", "-c", f"seq 5000 | {kcat} -P; {kcat} -C -o beginning -e -q", timeout=60)
            children = pathlib.Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            check(manager.recv(64) == b"STOPPING=1", "the service manager was not told of the end")
            check(tracer.wait(40) == 0, log.read_text()[-3000:])
        finally:
            tracer.poll() is None and tracer.kill()
    used = set(re.findall(r"^\d+ +([a-z]\w*)\(", trace.read_text(), re.M))
    check({"pwritev", "accept4", "fdatasync"} <= used, f"the trace shows too little: {sorted(used)}")
    unit = next((PACKAGES / "unpacked/mortised").rglob("mortised.service"))
    check(used <= allowed(unit), f"the unit forbids {sorted(used - allowed(unit))}")


def main():
    need("dpkg-buildpackage", "dh", "lintian", "systemd-analyze", "strace", "kcat")
    tests = [built, no_errors_of_lintian, unpack, abi_ranges_from_notes, dh_mortise_reads_notes_and_checks,
             hints_name_what_ships, service_is_sound, system_calls_are_allowed]
    for test in tests:
        test()
        print(f"ok {test.__name__}")


main()
