"""The packages on a minimal Debian: they install, the daemon starts as its user on the configuration
that came with it and inside the walls of its unit, and records go round, zstd included; removal keeps
them, purge does not.

The system is a chroot of debootstrap's minbase, kept as an archive beside the packages for the next
run. The daemon listens on its default port in a network of its own; nothing of this machine is used
but the settings of its package manager.
"""
import contextlib, os, pathlib, shutil, subprocess

from packages import PACKAGES, check, need, package_file, run, skip

INSTALLED = ["mortised", "mortise", "mortise-plugin-codec-zstd"]
MIRROR = os.environ.get("MORTISE_MIRROR", "http://deb.debian.org/debian")
NEW_MAX = 5  # packages that ours bring along on a minimal system
CHROOT = PACKAGES / "chroot"
LOOPBACK = ("import fcntl, socket, struct\n"
            "with socket.socket() as s:\n"
            "    fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 1))\n")  # SIOCSIFFLAGS, IFF_UP


def suite():
    """Packages fit the release they were built on."""
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    if release.get("ID") != "debian" or "VERSION_CODENAME" not in release:
        skip("this machine is no Debian release")
    return release["VERSION_CODENAME"]


def make_chroot():
    name = suite()
    archive = PACKAGES / f"minbase-{name}.tar"
    shutil.rmtree(CHROOT, ignore_errors=True)
    if not archive.exists():
        cache = PACKAGES / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        run("debootstrap", "--variant=minbase", f"--cache-dir={cache}", name, CHROOT, MIRROR, timeout=400)
        run("tar", "-C", CHROOT, "-cf", f"{archive}.new", ".")
        os.rename(f"{archive}.new", archive)
    else:
        CHROOT.mkdir(parents=True)
        run("tar", "-C", CHROOT, "-xf", archive)
    for setting in pathlib.Path("/etc/apt/apt.conf.d").glob("99*"):
        shutil.copy(setting, CHROOT / "etc/apt/apt.conf.d")
    shutil.copy("/etc/resolv.conf", CHROOT / "etc")
    (CHROOT / "packages").mkdir()
    for package in INSTALLED:
        shutil.copy(package_file(package), CHROOT / "packages")


@contextlib.contextmanager
def proc():
    run("mount", "-t", "proc", "proc", CHROOT / "proc")
    try:
        yield
    finally:
        run("umount", CHROOT / "proc")


def inside(script, **how):
    return run("chroot", CHROOT, "sh", "-c", f"export LC_ALL=C DEBIAN_FRONTEND=noninteractive\n{script}", **how)


def installs():
    before = set(inside("dpkg-query -W -f '${Package}\\n'").split())
    inside("apt-get -qq update", timeout=200)
    inside("apt-get install -y -qq --no-install-recommends /packages/*.deb", timeout=200)
    new = set(inside("dpkg-query -W -f '${Package}\\n'").split()) - before - set(INSTALLED)
    check(len(new) <= NEW_MAX, f"{len(new)} packages came along: {sorted(new)}")
    print("brought along:", *sorted(new))
    said = inside("stat -c '%U %G %a' /var/lib/mortise").strip()
    check(said == "mortise mortise 750", f"/var/lib/mortise: {said}")


def other_abi_is_refused():
    """apt holds a plugin back that needs what this daemon has not."""
    for need_, good in (("mortise-abi-codec-0 (>= 0.1)", True), ("mortise-abi-codec-0 (>= 0.2)", False),
                        ("mortise-abi-codec-1 (>= 0.1)", False)):
        control = ("Package: toy\nVersion: 1\nArchitecture: all\nMaintainer: T <t@toy.invalid>\n"
                   f"Description: toy\nDepends: {need_}\n")
        out = inside(f"mkdir -p /toy/DEBIAN; cat >/toy/DEBIAN/control <<'END'\n{control}END\n"
                     "dpkg-deb -b /toy /toy.deb; apt-get install -s /toy.deb", ok=None)
        check(("Inst toy" in out) == good, f"{need_}: {out}")


def configuration_is_good():
    check("the configuration is good" in inside("mortised -t"), "mortised -t does not say good")
    listed = inside("mortise plugin list").splitlines()[1:]
    check(len(listed) >= 8 and all(line.endswith(" ok") for line in listed), "\n".join(listed))


def namespaces():
    """The command that runs another in a network and with mounts of its own."""
    for propagation in ("private", "unchanged"):  # the latter where / is no mount point: in a chroot
        line = ["unshare", "--net", "--mount", "--propagation", propagation]
        if subprocess.run([*line, "true"], capture_output=True).returncode == 0:
            return line
    return skip("this machine allows no namespaces of one's own")


SANDBOX = """
again() { mount --bind "$1" "$1"; mount -o "remount,bind,$2" "$1"; }
again "$CHROOT" ro,noexec
for path in usr/sbin usr/lib; do again "$CHROOT/$path" ro,exec; done
again "$CHROOT/var/lib/mortise" rw,noexec
mount -t proc -o hidepid=invisible,subset=pid proc "$CHROOT/proc"
python3 -c "$LOOPBACK"
"""  # as the unit's ProtectSystem, NoExecPaths, ExecPaths, StateDirectory, ProtectProc, ProcSubset


def daemon(command):
    """The packaged daemon, as its user, confined as its unit confines it; @command runs beside it."""
    script = f"""
set -eu
{SANDBOX}
if chroot "$CHROOT" /bin/true 2>/dev/null; then echo "the walls have a door"; exit 1; fi
chroot --userspec=mortise:mortise "$CHROOT" /usr/sbin/mortised >"$LOG" 2>&1 &
daemon=$!
trap 'kill -9 $daemon 2>/dev/null || true' EXIT
i=0
until grep -q broker.ready "$LOG"; do
    i=$((i + 1)); [ $i -lt 100 ] && kill -0 $daemon; sleep 0.1
done
{command}
kill $daemon
wait $daemon
trap - EXIT
"""
    log = PACKAGES / "daemon.log"
    log.write_text("")
    out = run(*namespaces(), "sh", "-c", script, timeout=90, ok=None,
              env=dict(os.environ, LOOPBACK=LOOPBACK, CHROOT=str(CHROOT), LOG=str(log), LC_ALL="C"))
    return out, log.read_text()


def record_goes_round():
    kcat = "timeout 20 kcat -b 127.0.0.1:9092 -t orders"
    out, log = daemon(f"echo plain | {kcat} -P\n"
                      f"seq -f 'record %g of many' 1000 | {kcat} -P -z zstd\n"
                      f"{kcat} -C -o beginning -e -q")
    wanted = ["plain"] + [f"record {i} of many" for i in range(1, 1001)]
    check(out.split("\n")[:-1] == wanted, f"read back {out[-2000:]}\n--- the daemon:\n{log[-4000:]}")
    check("broker.ended status=OK" in log, log[-4000:])
    wrong = [line for line in log.splitlines() if " warn " in line or " error " in line]
    check(not wrong, "\n".join(wrong))
    out, log = daemon(f"{kcat} -C -o beginning -e -q | tail -1")
    check(out == "record 1000 of many\n", f"after a restart: {out}\n{log[-4000:]}")


def purge_deletes():
    inside("apt-get remove -y -qq mortised")
    check((CHROOT / "var/lib/mortise/orders-0").is_dir(), "removal deleted records")
    check((CHROOT / "etc/mortise/conf.d/20-broker.conf").exists(), "removal deleted configuration")
    inside("apt-get purge -y -qq mortised")
    for path in ("var/lib/mortise", "etc/mortise"):
        check(not (CHROOT / path).exists(), f"purge left /{path}")


def main():
    if os.geteuid() != 0:
        skip("a chroot is made by root")
    need("debootstrap", "kcat", "unshare")
    namespaces()
    make_chroot()
    with proc():
        for test in (installs, configuration_is_good, other_abi_is_refused, record_goes_round, purge_deletes):
            test()
            print(f"ok {test.__name__}")
    shutil.rmtree(CHROOT)


main()
