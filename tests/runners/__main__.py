"""`make runners`: run Arazzo documents by `synthetic probe` and by Redocly Respect.

Mock servers answer from the OpenAPI descriptions of the documents.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.runners.commands import check, run_respect, run_synthetic
from tests.runners.documents import Document, copy_with_sources, descriptions, find_documents
from tests.runners.mocks import MockError, MockServers
from tests.runners.startup import compare_starts
from tests.runners.table import Comparison, format_document, format_summary
from tests.runners.wanted import Wanted, find_wanted, read_wanted
from tests.support.steps import Progress, StepFailed

report = Progress("runners")


def main() -> int:
    """Compare the runners, print a row for each workflow, and return 1 on a wrong verdict."""
    options = _parser().parse_args()
    tools = {name: shutil.which(name, path=options.tools) for name in ("redocly", "prism")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        sys.exit(
            f"runners: {' and '.join(missing)} not found; install @redocly/cli and "
            "@stoplight/prism-cli with npm, and name node_modules/.bin by --tools"
        )
    with tempfile.TemporaryDirectory(prefix="cadastro-runners-") as folder:
        work = Path(folder)
        mocks = MockServers(Path(str(tools["prism"])), work)
        try:
            if options.startup:
                print(compare_starts(mocks, Path(str(tools["redocly"])), options.startup))
            comparisons = compare(
                _copies(options.folders, work / "documents", dict(options.source)),
                mocks,
                Path(str(tools["redocly"])),
                options.only,
            )
        except (MockError, StepFailed) as error:
            sys.exit(f"runners: {error}")
        finally:
            mocks.stop()
    if comparisons:
        print(format_summary(comparisons))
    return 0 if all(comparison.is_right for comparison in comparisons) else 1


def compare(
    documents: list[Document], mocks: MockServers, redocly: Path, only: str
) -> list[Comparison]:
    """Run the documents with ``only`` in their name, and print the rows of each one."""
    wanted = read_wanted()
    comparisons = []
    for document in sorted(documents, key=lambda each: sorted(descriptions(each).values())):
        if only in document.name:
            comparison = _compare(document, mocks, redocly, wanted)
            print(format_document(comparison), flush=True)
            comparisons.append(comparison)
    return comparisons


def _compare(
    document: Document, mocks: MockServers, redocly: Path, wanted: Mapping[str, Wanted]
) -> Comparison:
    report(f"{document.name} ...")
    described = descriptions(document)
    urls = mocks.serve(set(described.values()))
    servers = {name: urls[path] for name, path in described.items()}
    return Comparison(
        document,
        check(document.path),
        find_wanted(wanted, document.name),
        run_synthetic(document, document.path, servers),
        run_respect(redocly, document, document.path, servers),
    )


def _copies(folders: list[Path], target: Path, sources: Mapping[str, Path]) -> list[Document]:
    """Return the documents as copies beside their descriptions, with files in place of URLs."""
    copies = []
    for folder in map(Path.resolve, folders):
        shutil.copytree(folder, target / folder.name)
        for document in find_documents([folder]):
            copy_with_sources(document, target, sources)
        copies.append(target / folder.name)
    return find_documents(copies)


def _source(text: str) -> tuple[str, Path]:
    url, separator, file = text.rpartition("=")
    if not separator or not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"must be like URL=FILE with an existing file: {text}")
    return url, Path(file)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.runners",
        description=__doc__,
        epilog="Exit codes: 0 the verdicts of `synthetic probe` are those of the standard, 1 not.",
    )
    parser.add_argument("folders", nargs="*", type=_folder, metavar="FOLDER")
    parser.add_argument("--tools", help="folder with the commands redocly and prism (PATH)")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        type=_source,
        metavar="URL=FILE",
        help="file to read in place of the URL of a source description",
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="a part of documents' names")
    parser.add_argument(
        "--startup",
        type=int,
        default=0,
        metavar="PAIRS",
        help="also measure CPU and memory of a health journey, so many times by each runner",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
