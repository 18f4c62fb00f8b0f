"""The contract as OpenAPI, by others' tools. That it says what the code does, the Rust tests see to."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
from conftest import PATIENCE
from openapi_spec_validator import OpenAPIV31SpecValidator

# These would end the session that asks, or have the address throttled that the other tests sign in from.
LEFT_ALONE = "^/api/auth/(login|logout|password|sessions/)"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


def read_document(gateway):
    answer = httpx.get(f"{gateway.url}/openapi.json", timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    return answer.json()


def test_the_document_is_openapi_3_1(gateway):
    document = read_document(gateway)
    assert document["openapi"].startswith("3.1.")
    faults = OpenAPIV31SpecValidator(document).iter_errors()
    assert not [f"{list(fault.absolute_path)}: {fault.message}" for fault in faults]


def test_what_is_derived_from_the_document_is_answered_as_it_says(gateway, tmp_path):
    """Every parameter and field at its bounds and beyond them: the same requests at every run."""
    document = read_document(gateway)
    # One credential is given to all. With more it would be `multiple_credentials` alone that is seen, in another's
    # account a refusal, and of cursors only the gateway knows which are good.
    del document["components"]["securitySchemes"]
    dropped = [{"$ref": f"#/components/parameters/{name}"} for name in ("Account", "Cursor")]
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                del operation["security"]
                told = operation.get("parameters", [])
                operation["parameters"] = [parameter for parameter in told if parameter not in dropped]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    access = gateway.person("pro").tokens()["access"]
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", "openapi.json", "--url", gateway.url,
            "--header", f"Authorization: Bearer {access}", "--checks", ",".join(CHECKS), "--phases", "coverage",
            "--seed", "1", "--generation-database", "none", "--warnings", "off",
            "--exclude-path-regex", LEFT_ALONE,
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
