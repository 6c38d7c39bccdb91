"""A stranger's first plugin: made from the template, built against the installed SDK alone, checked, run, and the records
are really in it."""
import os, pathlib, shutil, subprocess, tempfile, time

from harness import BUILD, Broker, check, main, need, run

SECONDS = 60


def a_new_storage_plugin_holds_records_within_a_minute():
    kcat = need("kcat")
    home = pathlib.Path(tempfile.mkdtemp(prefix="mortise-author-"))
    run("cmake", "--install", BUILD, "--prefix", home / "usr", timeout=120)
    began = time.monotonic()
    mortise = home / "usr/bin/mortise"

    def at_home(*command):
        result = subprocess.run([str(part) for part in command], cwd=home, capture_output=True, text=True, timeout=120)
        check(result.returncode == 0, f"{command}: {result.stdout}{result.stderr}")
        return result.stdout

    at_home(mortise, "plugin", "new", "storage", "hello")
    at_home("cmake", "-S", "hello", "-B", "b", f"-DCMAKE_PREFIX_PATH={home}/usr")
    at_home("cmake", "--build", "b")
    checked = at_home(mortise, "plugin", "check", "b/hello.so")
    check("not ok" not in checked, checked)
    os.chdir(home)
    with Broker("storage=./b/hello.so", binary=home / "usr/sbin/mortised") as broker:
        check("storage=hello" in broker.text(), "it runs on another storage")
        run(kcat, "-b", broker.address, "-t", "greetings", "-P", input=b"hello\nworld\n")
        out = run(kcat, "-b", broker.address, "-t", "greetings", "-C", "-o", "beginning", "-e", "-q")
        check(out.split() == ["hello", "world"], f"kcat read {out!r}")
        spent = time.monotonic() - began
        check(not list(broker.home.glob("data/greetings-*")), "the records lie in files: that is not our plugin")
        maps = pathlib.Path(f"/proc/{broker.process.pid}/maps").read_text()
        check("b/hello.so" in maps, "hello.so is not mapped")
        broker.stop()
    shutil.rmtree(home, ignore_errors=True)
    check(spent < SECONDS, f"it took {spent:.0f} s")
    return f"{spent:.1f} s from `plugin new` to a record read back"


if __name__ == "__main__":
    main(a_new_storage_plugin_holds_records_within_a_minute)
