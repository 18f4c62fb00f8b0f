"""The contract as OpenAPI, by the rules of OpenAPI itself. That it says what the code does, the Rust tests see to."""

import httpx
from conftest import PATIENCE
from openapi_spec_validator import OpenAPIV31SpecValidator


def test_the_document_is_openapi_3_1(gateway):
    answer = httpx.get(f"{gateway.url}/openapi.json", timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    document = answer.json()
    assert document["openapi"].startswith("3.1.")
    faults = OpenAPIV31SpecValidator(document).iter_errors()
    assert not [f"{list(fault.absolute_path)}: {fault.message}" for fault in faults]
