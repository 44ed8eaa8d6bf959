from __future__ import annotations

import pytest
from repository import ROOT, includes, storeys, tracked

CPP = ROOT / "cpp"
SOURCES = tracked("cpp/*.hpp", "cpp/*.cpp")


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 20
    assert len(storeys()) > 10


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(CPP)))
def test_includes_go_down_only(source) -> None:
    folder = source.relative_to(CPP).parent.as_posix()
    table = storeys()
    assert folder in table, f"cpp/{folder} has no storey in ARCHITECTURE.md"
    for ours, path in includes(source):
        if not ours:
            continue
        assert (CPP / path).is_file(), f'"{path}" must be written from cpp/'
        below = path.rpartition("/")[0]
        assert below == folder or table[below] < table[folder], (
            f'storey {table[folder]} ({folder}) includes "{path}" of storey {table[below]}'
        )


def test_no_file_includes_itself_through_others() -> None:
    graph = {
        source.relative_to(CPP).as_posix(): [path for ours, path in includes(source) if ours]
        for source in SOURCES
    }
    finished: set[str] = set()

    def visit(file: str, above: tuple[str, ...]) -> None:
        assert file not in above, f"includes in a circle: {' -> '.join((*above[above.index(file) :], file))}"
        if file not in finished:
            for path in graph[file]:
                visit(path, (*above, file))
            finished.add(file)

    for file in graph:
        visit(file, ())


def test_our_headers_are_quoted() -> None:
    for source in SOURCES:
        for ours, path in includes(source):
            assert ours or path.rpartition("/")[0] not in storeys(), (
                f"{source.name}: write <{path}> with quotes"
            )
