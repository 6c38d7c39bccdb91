"""One static file is a broker: it lists what is inside, starts in a directory that holds nothing else, and kcat goes
round. It is built by `cmake --preset static && cmake --build --preset static`."""
import os, pathlib, shutil, subprocess, tempfile

from harness import BUILD, Broker, check, main, need, run, skip
from wire import Connection

STATIC = pathlib.Path(os.environ.get("MORTISE_STATIC", BUILD.parent / "static")) / "bin/mortised"
INSIDE = {"transport": "tcp", "storage": "memory", "coordination": "standalone", "codec": "zstd", "protocol": "kafka"}
LINES = [f"line {i}" for i in range(1000)]
TEXT = ("\n".join(LINES) + "\n").encode()


class Jailed(Broker):
    """A broker that sees an empty directory: its own file, one for data, nothing of /dev, /proc or /etc."""

    def __init__(self, *options, **how):
        super().__init__(*options, binary=STATIC, **how)
        self.root = self.home / "root"
        (self.root / "data").mkdir(parents=True)
        shutil.copy(STATIC, self.root / "mortised")

    def command(self):
        line = ["chroot", str(self.root), "/mortised"]
        for option in ["broker.log_dirs=/data", f"listeners.kafka.bind=127.0.0.1:{self.port}"] + self.options:
            line += ["-o", option]
        return line


def it_is_one_file():
    out = run(need("file"), "-b", STATIC)
    check("statically linked" in out, out)
    headers = run(need("readelf"), "-lW", STATIC)
    check("INTERP" not in headers and "DYNAMIC" not in headers, headers)
    return f"{STATIC.stat().st_size} bytes"


def it_lists_what_is_inside():
    out = run(STATIC, "--list-plugins")
    rows = [line.split() for line in out.splitlines()[1:]]
    found = {row[0]: row[1] for row in rows}
    check(found == INSIDE and len(rows) == len(INSIDE), out)
    check(all(row[5].startswith("builtin:") and row[6] == "ok" for row in rows), out)


def what_is_not_inside_is_said():
    with tempfile.TemporaryDirectory() as empty:
        ended = subprocess.run([STATIC, "--conf", empty, "-t"], capture_output=True, text=True, timeout=20)
        check(ended.returncode == 78, f"exit {ended.returncode}")
        check("error: no storage plugin is called segment\n      hint: it is the default; there is memory: "
              "-o storage=memory\n" in ended.stderr, ended.stderr)
        ended = subprocess.run([STATIC, "--conf", empty, "-t", "-o", "storage=memory"], capture_output=True, text=True,
                               timeout=20)
        check(ended.returncode == 0, ended.stderr)
        check("warning: there is no cleanup plugin delete: topics keep everything" in ended.stderr, ended.stderr)
        ended = subprocess.run([STATIC, "--conf", empty, "-t", "-o", "storage=memory", "-o",
                                "broker.log_cleanup_policy=delete"], capture_output=True, text=True, timeout=20)
        check(ended.returncode == 78, "a policy that was asked for and is not there was let pass")


def a_shared_object_is_refused():
    plugin = BUILD / "plugins/storage-segment.so"
    if not plugin.exists():
        return f"not tried: no {plugin.name} in this build"
    with tempfile.TemporaryDirectory() as empty:
        ended = subprocess.run([STATIC, "--conf", empty, "-o", f"storage={plugin}", "-o", f"broker.log_dirs={empty}/d"],
                               capture_output=True, text=True, timeout=20)
        check(ended.returncode != 0, "it went on")
        check("this mortised is static and has its plugins inside" in ended.stderr, ended.stderr)


def it_serves_from_an_empty_directory():
    if os.geteuid() != 0:
        return "not tried: only root can change its root directory"
    need("chroot")
    kcat = need("kcat")
    for reactors in (1, 4):
        with Jailed("storage=memory", reactors=reactors) as broker:
            run(kcat, "-b", broker.address, "-t", "orders", "-P", "-z", "zstd", input=TEXT)
            out = run(kcat, "-b", broker.address, "-t", "orders", "-C", "-o", "beginning", "-e", "-q")
            check(out.splitlines() == LINES, "kcat read something else than it wrote")
            broker.kill()
            broker.start()
            check('topic "orders" with 1 partitions' in run(kcat, "-b", broker.address, "-L"),
                  "the topic, which is metadata on disk, is gone")
            wire = Connection(broker.port)
            check(wire.produce("orders", 0, [b"again"]) == (0, 0), "memory storage kept something over kill -9")
            broker.stop()


if __name__ == "__main__":
    if not STATIC.exists():
        skip(f"{STATIC} is not built: cmake --preset static && cmake --build --preset static")
    main(it_is_one_file, it_lists_what_is_inside, what_is_not_inside_is_said, a_shared_object_is_refused,
         it_serves_from_an_empty_directory)
