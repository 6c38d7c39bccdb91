"""The walk of docs/PLUGINS.md is walked: with an installed SDK and nothing else, its code is put into the template, its
commands are typed in their order, and what `mortise` and `mortised -t` are said to write is what they write.

Left out is the broker itself, which would need the page's own port; clients/plugin runs one with a plugin."""
import os, pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["MORTISE_BUILD"])
BLOCK = re.compile(r"^```(console|c)\n(.*?)^```$", re.M | re.S)
LIVE = re.compile(r"^(mortised --conf|seq |sleep |kcat )")  # beside a running broker
COMPARED = re.compile(r"mortised? ")


def commands(block):
    """(command, the lines it is said to write); a here-document belongs to its command."""
    steps, inside = [], False
    for line in block.splitlines():
        if inside:
            steps[-1][0] += "\n" + line
            inside = line != "C"
        elif line.startswith("$ "):
            steps.append([line[2:], []])
            inside = "<<C" in line
        else:
            steps[-1][1].append(line)
    return steps


def between(text, begin, end, new):
    """@text with what stands from @begin to before @end replaced; both must be there, once."""
    assert text.count(begin) == 1 and text.count(end) == 1, f"the template has no longer: {begin} ... {end}"
    return text[:text.index(begin)] + new + "\n" + text[text.index(end):]


def edit(source, key, decision):
    """What the page says about the template."""
    text = source.read_text()
    text = between(text, '                "key=keep_bytes"', "/* ---- the policy", key)
    text = between(text, "/* Drops whole segments", "/* ---- life", decision)
    source.write_text(text)


def walk(work):
    blocks = BLOCK.findall((ROOT / "docs/PLUGINS.md").read_text())
    key, decision = (text for kind, text in blocks if kind == "c")
    prefix = work / "mortise"
    subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(prefix)], check=True, stdout=subprocess.DEVNULL)
    env = {**os.environ, "HOME": str(work), "LC_ALL": "C", "CMAKE_GENERATOR": "Unix Makefiles",
           "PATH": f"{prefix}/bin:{prefix}/sbin:{os.environ['PATH']}"}
    compared = 0
    for command, said in (step for kind, text in blocks if kind == "console" for step in commands(text)):
        if LIVE.match(command):
            continue
        result = subprocess.run(["sh", "-c", command], cwd=work, env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=120)
        wrote = [re.sub(r" *\^$", " ^", line) for line in result.stdout.replace(f"{work}/", "/opt/src/").splitlines()]
        said = [re.sub(r" *\^$", " ^", line) for line in said]  # the column moves with the path
        wrote, said = ([re.sub(r":\d+: ", ":N: ", line) for line in lines] for lines in (wrote, said))
        if COMPARED.search(command):
            assert wrote == said, f"$ {command}\nsaid:  {said}\nwrote: {wrote}"
            compared += 1
        else:
            assert result.returncode == 0, f"$ {command}\n{result.stdout}"
        if "plugin new" in command:
            edit(work / "newest/newest.c", key, decision)
    return compared


def main():
    with tempfile.TemporaryDirectory(prefix="mortise-page-") as work:
        compared = walk(pathlib.Path(work).resolve())
    assert compared >= 5, f"only {compared} commands were compared"
    print(f"{compared} commands of docs/PLUGINS.md, as it says")


main()
