"""Holds the built functions to their bounds: the size of each, and that it has no code of another.

    python artifacts.py BUILD

BUILD is a folder as `sam build` makes it. The size is that of the bootstrap as `zip -9` packs it. What code a
bootstrap holds is read off the places in sources that it names, for panics and for the log, and off the names of
the requests that it can send to AWS.
"""

import re
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

MB = 1_000_000
# The aim is 3 MB, and 4 MB for the proxy. Over it until they are smaller: `apis` reads definitions (YAML, patterns,
# selectors, paths), `password` has zxcvbn's dictionaries, `console` calls the handlers of seven others in its own
# process, and the proxy serves the console's pages of trying and of sessions.
LARGEST = {"proxy": 4.05 * MB, "apis": 3.75 * MB, "console": 3.6 * MB, "password": 3.55 * MB}
LARGEST_OF_OTHERS = 3 * MB

# Who may hold what; whoever may, must, or the marker has lost its meaning.
CRATES = {
    "argon2": {"console", "login", "password"},
    "aws-smithy-http-client": set(),
    "h2": set(),
    "html5ever": {"proxy"},
    "jsonschema": set(),
    "jsonschema-regex": {"apis", "proxy"},
    "scraper": {"proxy"},
    "selectors": {"apis", "proxy"},
    "serde_json_path": {"apis", "proxy"},
    "zxcvbn": {"password"},
}
OWN_SOURCES = {
    "shared/src/upstream/": {"apis", "proxy", "report"},
    "shared/src/upstream/egress/": {"proxy", "report"},
    "shared/src/upstream/recipe/": {"proxy"},
    "shared/src/crypto/seal": {"proxy"},
    "shared/src/crypto/password": {"console", "login", "password"},
}
# The requests to AWS beside those of every function: reading a batch, unwrapping a key, and behind routes counting
# the use of a key, with the log's entry where it is unusual, and logging a refusal.
REQUESTS_OF_ALL = {"BatchGetItem", "Decrypt", "PutItem", "TransactWriteItems", "UpdateItem"}
REQUESTS = {
    "DeleteItem": set(),
    "GenerateDataKey": {"apis", "rotate"},
    "GetItem": {"console", "login", "password"},
    "Query": {"activity", "apis", "console", "keys", "organizations", "proxy", "session", "tokens", "usage"},
}
# All that the two services have, as far as one might be taken in by mistake.
KNOWN_REQUESTS = [*REQUESTS, *REQUESTS_OF_ALL, "BatchWriteItem", "Encrypt", "ListTables", "Scan", "TransactGetItems"]


# Whose handlers a function calls in its own process.
CALLS = {"console": {"activity", "keys", "logout", "organizations", "session", "tokens", "usage"}}


class Bootstrap:
    def __init__(self, folder):
        self.folder = folder
        self.content = (folder / "bootstrap").read_bytes()
        text = self.content.decode("latin-1")
        self.crates = set(re.findall(r"/registry/src/[^/]+/([A-Za-z0-9_-]+?)-\d+\.\d+\.\d+", text))
        self.sources = set(re.findall(r"(?:functions|shared)/[a-z0-9_/]+\.rs", text))
        names = "|".join(sorted(KNOWN_REQUESTS, key=len, reverse=True))
        self.requests = set(re.findall(rf"(?:DynamoDB_20120810|TrentService)\.({names})", text))
        self.name = name_of(folder.name)

    def zipped(self):
        with TemporaryDirectory() as work:
            archive = Path(work) / "bootstrap.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
                packed.write(self.folder / "bootstrap", "bootstrap")
            return archive.stat().st_size

    def foreign(self):
        """The faults of what it holds."""
        for source in self.sources:
            owner = source.split("/")[1]
            if source.startswith("functions/") and owner != self.name and owner not in CALLS.get(self.name, ()):
                yield f"holds {source}"
        if not any(source.startswith(f"functions/{self.name}/") for source in self.sources):
            yield "names no source of its own"
        for crate, owners in CRATES.items():
            yield from self.compared(crate, crate in self.crates, owners)
        for source, owners in OWN_SOURCES.items():
            yield from self.compared(source, any(held.startswith(source) for held in self.sources), owners)

        for request, owners in REQUESTS.items():
            yield from self.compared(request, request in self.requests, owners)
        for request in self.requests - REQUESTS_OF_ALL - REQUESTS.keys():
            yield f"can send {request}"

    def compared(self, what, holds, owners):
        if holds and self.name not in owners:
            yield f"holds {what}"
        if not holds and self.name in owners:
            yield f"holds no {what}: look for something else"


def name_of(logical_id):
    return logical_id.removesuffix("Function").lower()


def main(build):
    bootstraps = [Bootstrap(file.parent) for file in sorted(build.glob("*/bootstrap"))]
    expected = {folder.name for folder in (Path(__file__).resolve().parents[2] / "functions").iterdir()}
    faults = [f"{name} is not built" for name in expected - {bootstrap.name for bootstrap in bootstraps}]
    print(f"{'function':<12} {'bootstrap':>10} {'zipped':>10} {'bound':>10}")
    for bootstrap in bootstraps:
        zipped, bound = bootstrap.zipped(), LARGEST.get(bootstrap.name, LARGEST_OF_OTHERS)
        print(f"{bootstrap.name:<12} {len(bootstrap.content):>10,} {zipped:>10,} {bound:>10,.0f}")
        if zipped > bound:
            faults.append(f"{bootstrap.name} is {zipped - bound:,.0f} bytes over its bound")
        faults += [f"{bootstrap.name} {fault}" for fault in bootstrap.foreign()]
    print("\n".join(faults) if faults else "None holds code of another.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
