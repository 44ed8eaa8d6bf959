"""Which module of the Python package imports which, read from the sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]


def module_files(package: Path) -> dict[str, Path]:
    """Dotted name below the package -> file; the package itself is "", and `_core` is its stub."""
    files = {
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix("__init__").rstrip("."): path
        for path in sorted(package.rglob("*.py"))
    }
    return {**files, "_core": package / "_core.pyi"}


def import_graph(package: Path) -> Graph:
    """Module -> modules of the package it imports: at any depth, at run time or for types alone."""
    files = module_files(package)
    graph: Graph = {}
    for name, path in files.items():
        tree = ast.parse(path.read_text())
        is_package = path.name == "__init__.py"
        found = {target for node in ast.walk(tree) for target in _targets(node, name, is_package, package)}
        graph[name] = {_module_of(target, files) for target in found} - {name}
    return graph


def cycles(graph: Graph) -> list[list[str]]:
    """Groups of modules that import each other in a circle (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph[node]:
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in order:
            visit(node)
    return found


def _targets(node: ast.AST, name: str, is_package: bool, package: Path) -> Iterator[str]:
    """Names below the package that a statement may import: a module, or a name inside one."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == package.name:
                yield alias.name.partition(".")[2]
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, name, is_package, package)
        if base is not None:
            for alias in node.names:
                yield f"{base}.{alias.name}".lstrip(".")


def _base(node: ast.ImportFrom, name: str, is_package: bool, package: Path) -> str | None:
    """The module a `from` statement names, below the package; None where it is another package's."""
    module = node.module or ""
    if node.level == 0:
        head, _, rest = module.partition(".")
        return rest if head == package.name else None
    parts = [part for part in name.split(".") if part]
    folder = parts if is_package else parts[:-1]
    folder = folder[: len(folder) - node.level + 1]
    return ".".join([*folder, *([module] if module else [])])


def _module_of(target: str, files: dict[str, Path]) -> str:
    """The module that holds a name: the name itself where it is a module."""
    while target not in files:
        target = target.rpartition(".")[0]
    return target
