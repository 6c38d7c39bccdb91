"""Every part of a broker is a shared object that it opens when it starts, and one file of the core opens them."""
import pathlib, re, shutil, subprocess, tempfile

from harness import BUILD, Broker, check, main, need, run

PARTS = ["transport-tcp", "protocol-kafka", "storage-segment", "coordination-raft", "cleanup-delete"]
DOOR = "core/plugin/loader.c"


class Traced(Broker):
    """A broker under strace; what it opened is in self.trace."""

    @property
    def trace(self):
        return self.home / "opened.trace"

    def command(self):
        return [need("strace"), "-D", "-f", "-qq", "-e", "trace=open,openat", "-o", str(self.trace)] + super().command()

    def opened(self):
        """Paths of shared objects that were opened, of our plugins and of others."""
        paths = re.findall(r'open(?:at)?\((?:[^",]*, )?"([^"]+\.so[^"]*)".*\) = \d+', self.trace.read_text())
        ours = [p for p in paths if pathlib.Path(p).parent.name == "plugins"]
        return {pathlib.Path(p).stem for p in ours}, {p for p in paths if p not in ours}


def every_part_is_opened_as_a_shared_object():
    kcat = need("kcat")
    with Traced() as broker:
        run(kcat, "-b", broker.address, "-t", "orders", "-P", input=b"one\n")
        opened, _ = broker.opened()
        missing = [part for part in PARTS if part not in opened]
        check(not missing, f"not opened: {', '.join(missing)}; opened: {', '.join(sorted(opened))}")
        linked = run("ldd", broker.binary)
        check(not any(part in linked for part in PARTS), linked)
        return ", ".join(sorted(opened))


def a_part_that_is_taken_away_is_missing():
    for part, name in (("storage-segment", "segment"), ("transport-tcp", "tcp"), ("protocol-kafka", "kafka"),
                       ("coordination-raft", "standalone")):
        with tempfile.TemporaryDirectory() as home:
            plugins = pathlib.Path(home) / "plugins"
            shutil.copytree(BUILD / "plugins", plugins)
            (plugins / f"{part}.so").unlink()
            ended = subprocess.run(
                [str(BUILD / "bin/mortised"), "--conf", home, "--plugin-dir", str(plugins), "-t"],
                capture_output=True, text=True, timeout=30)
            check(ended.returncode == 78, f"without {part}: exit {ended.returncode}\n{ended.stderr}")
            check(f"plugin is called {name}" in ended.stderr, f"without {part}: {ended.stderr}")


def one_file_of_the_core_opens_shared_objects():
    objects = [path for path in BUILD.glob("core/**/*.o")]
    check(objects, f"no objects of the core below {BUILD}")
    callers = {str(path) for path in objects
               if re.search(r"\bU (dlopen|dlmopen|lt_dlopen\w*)\b", run(need("nm"), path))}
    check(len(callers) == 1 and callers.pop().endswith("plugin/loader.c.o"), f"callers of dlopen: {callers}")
    for plugin in (BUILD / "plugins").glob("*.so"):
        check("dlopen" not in run("nm", "-D", plugin), f"{plugin.name} imports dlopen")
    return f"{DOOR}, of {len(objects)} objects"


if __name__ == "__main__":
    main(every_part_is_opened_as_a_shared_object, a_part_that_is_taken_away_is_missing,
         one_file_of_the_core_opens_shared_objects)
