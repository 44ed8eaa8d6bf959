from __future__ import annotations

import re

from repository import ROOT, tracked

LONGEST = 400
# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"""(?:^|[\s"'`(=:])/(?:tm[p]|wor[k]|roo[t]|hom[e]|User[s])/""", re.MULTILINE)


def test_no_file_outgrows_one_idea() -> None:
    sources = tracked("*.py", "*.pyi", "*.hpp", "*.cpp", "*.cmake", "tools/*", ".ci/*")
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in sources}
    assert len(lengths) > 40
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST}
    assert not long, f"longer than {LONGEST} lines: {long}"


def test_nothing_names_a_machine_path() -> None:
    for path in tracked():
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        found = MACHINE_PATH.findall(data.decode(errors="replace"))
        assert not found, f"{path.relative_to(ROOT)} names {found}"
