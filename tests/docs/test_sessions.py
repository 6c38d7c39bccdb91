"""README's session is what happens: its commands are typed into a shell beside a broker, its lines must come.

The broker has a port of its own, so `localhost` becomes its address; ./var is its data. What a command writes is
compared line by line, whatever the order in which its two outputs arrive."""
import os, pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/clients"))
from harness import Broker, check, need  # noqa: E402

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def commands(block):
    """(command, the lines it is said to write)"""
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def main():
    need("kcat")
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    check(len(blocks) == 1, f"{len(blocks)} sessions in README.md, and one is known to this test")
    ran = 0
    with Broker() as broker:
        (broker.home / "var").symlink_to(broker.home / "data")
        for command, said in commands(blocks[0]):
            typed = re.sub(r"\blocalhost\b(?!:)", broker.address, command)
            result = subprocess.run(["sh", "-c", typed], cwd=broker.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, timeout=30, env={**os.environ, "LC_ALL": "C"})
            wrote = result.stdout.splitlines()
            check(sorted(wrote) == sorted(said), f"$ {command}\nsaid:  {said}\nwrote: {wrote}")
            ran += 1
        broker.kill()
        broker.start()
        command, said = commands(blocks[0])[1]
        again = subprocess.run(["sh", "-c", command.replace("localhost", broker.address)], capture_output=True, text=True,
                               timeout=30)
        check(again.stdout.splitlines() == [line for line in said if not line.startswith("%")],
              f"after kill -9: {again.stdout}")
        broker.stop()
    check(ran >= 3, f"only {ran} commands in the session")
    print(f"{ran} commands of README.md, as it says")


main()
