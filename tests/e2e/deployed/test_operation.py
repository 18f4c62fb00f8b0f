"""What an operator does to a running stack, and what goes wrong there. The tests follow each other as they stand."""

import os
import shutil

import httpx
import pytest
from samtranslator.yaml_helper import yaml_parse

from conftest import DEFINITIONS, PATIENCE, SECRETS, Library, bearer, make_key, problem, remember
from deployment import Deployment, Refused, built_template, functions
from servers import ROOT

DEPLOYMENT = Deployment.of(os.environ)


@pytest.fixture(scope="module")
def made_before(gateway):
    """What was made under the version deployed first: a session, a refresh token, keys, a session at a site."""
    person = gateway.person("pro")
    pair = person.tokens()
    key = make_key(gateway, pair["access"])
    workspace_key = make_key(gateway, pair["access"], scope={"type": "workspace", "id": person.workspace_id})
    person.apply(DEFINITIONS / "django-admin.yaml", "upgraded", **{"https://library.example.com": os.environ["SITE_URL"]})
    person.apply("contacts.yaml", "contacts", **{"http://127.0.0.1:9000": os.environ["ECHO_URL"]})
    library = Library(gateway, "upgraded")
    with bearer(gateway, key["secret"]) as client:
        session = library.session(client)
    jwks = httpx.get(f"{gateway.url}/.well-known/jwks.json", timeout=PATIENCE).json()
    return {
        "person": person, "pair": pair, "keys": [key["secret"], workspace_key["secret"]],
        "library": library, "session": session, "jwks": jwks,
    }


def goes_on(gateway, made):
    """All that was made before is as good as it was."""
    for credential in [made["pair"]["access"], *made["keys"]]:
        with bearer(gateway, credential) as client:
            assert client.get("/api/auth/session").status_code == 200
            assert client.get("/api/contacts/1").status_code == 200
    with bearer(gateway, made["keys"][0]) as client:
        answer = client.post(made["library"].url("list_books"), headers=made["session"])
        assert answer.status_code == 200, answer.text
    body = {"refresh": made["pair"]["refresh"]}
    answer = httpx.post(f"{gateway.url}/api/auth/token/refresh/", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    made["pair"] = remember(answer.json())
    assert made["person"].login().status_code == 200
    jwks = httpx.get(f"{gateway.url}/.well-known/jwks.json", timeout=PATIENCE).json()
    assert all(key in jwks["keys"] for key in made["jwks"]["keys"])


def test_the_next_version_keeps_what_was_made(gateway, made_before):
    goes_on(gateway, made_before)
    # The next version: every function's code is another artifact, and the template has changed.
    template = built_template()
    for name, resource in functions(template).items():
        code = DEPLOYMENT.work / "next" / name
        shutil.copytree(resource["Properties"]["CodeUri"], code)
        (code / "VERSION").write_text("the next one")
        resource["Properties"]["CodeUri"] = str(code)
    template["Globals"]["Function"]["MemorySize"] += 64
    before, tables = {name: DEPLOYMENT.function(name) for name in DEPLOYMENT.functions()}, names_of_tables()
    url = DEPLOYMENT.deploy(template, LogRetentionDays=30)
    assert (url, names_of_tables()) == (gateway.url, tables)
    for name, was in before.items():
        now = DEPLOYMENT.function(name)
        assert now["CodeSha256"] != was["CodeSha256"], name
    assert now["MemorySize"] == was["MemorySize"] + 64
    goes_on(gateway, made_before)


def names_of_tables():
    return {name: told for name, told in DEPLOYMENT.resources().items() if name.endswith("Table")}


def test_so_does_the_way_back(gateway, made_before):
    tables = names_of_tables()
    DEPLOYMENT.deploy()
    assert names_of_tables() == tables
    goes_on(gateway, made_before)


def test_the_schedule_starts_the_rotation():
    events, arn = DEPLOYMENT.aws("events"), DEPLOYMENT.function("RotateFunction")["FunctionArn"]
    rules = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    assert len(rules) == 1
    rule = events.describe_rule(Name=rules[0])
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 day)")


SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


def test_a_rotation_keeps_what_was_made(gateway, made_before):
    # On schedule nothing is old enough yet.
    assert DEPLOYMENT.invoke("RotateFunction", SCHEDULED) == {"created": [], "rotated": []}
    goes_on(gateway, made_before)
    # A missing purpose is made at the next run.
    secrets, table = DEPLOYMENT.aws("dynamodb"), names_of_tables()["SecretsTable"]
    lost = {"purpose": {"S": "cursor"}}
    secrets.delete_item(TableName=table, Key=lost)
    assert DEPLOYMENT.invoke("RotateFunction", SCHEDULED) == {"created": ["cursor"], "rotated": []}
    # By hand every purpose gets a new version.
    assert len(gateway.operator("secrets", "rotate")) == 10
    goes_on(gateway, made_before)


def test_another_api_lets_the_authorizer_decide(gateway, made_before):
    """The example in docs/, deployed beside the stack as it says."""
    other = Deployment(DEPLOYMENT.endpoint, DEPLOYMENT.work, "my-api")
    template = yaml_parse((ROOT / "docs" / "authorizer-example.yaml").read_text())
    url = other.deploy_as_it_stands(template, LatchkeyStack=DEPLOYMENT.stack)
    person, (key, workspace_key) = made_before["person"], made_before["keys"]

    def who(**headers):
        return httpx.get(f"{url}/who", headers=headers, timeout=PATIENCE)

    for headers, method, actor in [
        ({"Authorization": f"Bearer {made_before['pair']['access']}"}, "access_token", "user"),
        ({"Authorization": f"Bearer {key}"}, "api_key", "user"),
        ({"X-API-Key": workspace_key}, "api_key", "system"),
    ]:
        answer = who(**headers)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["method"], told["actor_type"]) == (method, actor)
        assert (told["account_id"], told["workspace_id"]) == (person.account_id, person.workspace_id)
    refused = [{}, {"X-API-Key": "none"}, {"X-API-Key": key, "Authorization": f"Bearer {key}"}]
    assert [who(**headers).status_code for headers in refused] == [403] * 3
    # A revocation holds for the very next request there as well.
    gateway.operator("account", "deactivate", person.email)
    assert who(Authorization=f"Bearer {key}").status_code == 403
    gateway.operator("account", "activate", person.email)
    assert who(Authorization=f"Bearer {key}").status_code == 200


# ---- What goes wrong


@pytest.mark.parametrize(
    ("parameter", "value", "told"),
    [
        ("Architecture", "sparc", "Architecture"),
        ("Issuer", "auth.example.com", "Issuer"),
        ("RotationDays", "1", "RotationDays"),
        ("UpstreamNetworks", "10.0.0.1", "UpstreamNetworks"),
        ("CorsOrigins", "*", "CorsOrigins"),
        ("LogRetentionDays", "2", "LogRetentionDays"),
        ("ThrottlingRate", "0", "ThrottlingRate"),
        ("ProxySubnetIds", "subnet-1a2b", "ProxySecurityGroupIds"),
        ("DataOnStackDeletion", "Delete", "DeletionProtection"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(parameter, value, told):
    # What `sam deploy` asks CloudFormation for, without the upload of the same code before it.
    cloudformation = DEPLOYMENT.aws("cloudformation")
    stack = cloudformation.describe_stacks(StackName=DEPLOYMENT.stack)["Stacks"][0]
    kept = [
        {"ParameterKey": other["ParameterKey"], "UsePreviousValue": True}
        for other in stack["Parameters"]
        if other["ParameterKey"] != parameter
    ]
    with pytest.raises(cloudformation.exceptions.ClientError, match=told):
        cloudformation.create_change_set(
            StackName=DEPLOYMENT.stack,
            ChangeSetName="wrong",
            UsePreviousTemplate=True,
            Parameters=[*kept, {"ParameterKey": parameter, "ParameterValue": value}],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )


def test_sam_deploy_tells_of_it(gateway):
    with pytest.raises(Refused, match="Architecture"):
        DEPLOYMENT.deploy(Architecture="sparc")
    assert httpx.get(f"{gateway.url}/healthz", timeout=PATIENCE).status_code == 200


def last_failure(function):
    return [line for line in DEPLOYMENT.logs(function) if line["level"] == "ERROR"][-1]


@pytest.mark.parametrize(
    ("name", "function", "variable"),
    [
        ("SessionFunction", "session", "LATCHKEY_TABLE_ACCOUNTS"),
        ("KeysFunction", "keys", "LATCHKEY_TABLE_SECRETS"),
        ("ProxyFunction", "proxy", "LATCHKEY_TABLE_APIS"),
    ],
)
def test_a_table_that_is_gone(gateway, made_before, name, function, variable):
    path = {"session": "/api/auth/session", "keys": "/v1/api-keys", "proxy": "/api/contacts/1"}[function]
    with bearer(gateway, made_before["keys"][0]) as client:
        with DEPLOYMENT.changed(name, **{variable: "gone"}):
            answer = client.get(path)
            problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert "gone" not in answer.text and "Table" not in answer.text
        cause = last_failure(function)["cause"]
        assert "ResourceNotFoundException" in cause, cause
        assert client.get(path).status_code == 200


def test_a_key_of_kms_that_is_disabled(gateway, made_before):
    kms, key = DEPLOYMENT.aws("kms"), DEPLOYMENT.resources()["KeyringKey"]
    with bearer(gateway, made_before["keys"][0]) as client:
        kms.disable_key(KeyId=key)
        try:
            # Other variables make new processes, which have to ask KMS.
            with DEPLOYMENT.changed("SessionFunction", LATCHKEY_LOG="info"):
                problem(client.get("/api/auth/session"), 503, "unavailable")
                cause = last_failure("session")["cause"]
                assert "KMS" in cause and "Disabled" in cause, cause
                # A process that has its keys needs KMS no more.
                assert client.get("/v1/api-keys").status_code == 200
                kms.enable_key(KeyId=key)
                # What the operator mends holds at once.
                assert client.get("/api/auth/session").status_code == 200
        finally:
            kms.enable_key(KeyId=key)


def test_no_secret_is_in_a_log(made_before, person, api_key):
    """Runs last: all that these tests used as secrets, against all that all functions have logged."""
    told = "\n".join(DEPLOYMENT.messages())
    assert len(told.splitlines()) > 50
    for secret in SECRETS:
        assert secret not in told
