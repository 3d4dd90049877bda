"""Cycles in the dependencies of workflows."""

from collections.abc import Iterator, Mapping, Sequence

MAX_CYCLES = 100


def find_cycles(graph: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return for each cycle its first node with the path back to it, in linear time."""
    cycles: dict[str, list[str]] = {}
    finished: set[str] = set()
    for start in graph:
        path: dict[str, Iterator[str]] = {}  # the nodes on the way, in order
        pending = [start]
        while pending or path:
            if pending:
                node = pending.pop()
                if node in finished:
                    continue
                path[node] = iter(graph.get(node, ()))
            node = next(reversed(path))
            for other in path[node]:
                if other in path:
                    if other not in cycles and len(cycles) < MAX_CYCLES:
                        names = list(path)
                        cycles[other] = [*names[names.index(other) :], other]
                elif other not in finished:
                    pending.append(other)
                    break
            else:
                finished.add(node)
                del path[node]
    return cycles
