"""Sets up a stack, runs the tests against it and clears it away; `run` says how to call this."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import yaml

import examples
import outbound
from deployment import (
    CREDENTIALS,
    REGION,
    Deployment,
    built_template,
    functions,
    private_address,
    without_encryption_contexts,
)
from servers import BINARY, HERE, TARGET, Servers, free_port, pytest

# What a stack's own gateway does otherwise than AWS's; see `DEVIATIONS` in the flows.
DEPLOYED_DEVIATES = "body-limit percent"
SAM_LOCAL_DEVIATES = "body-limit body-bytes newline"
# What every stack is asked.
FLOWS = ["test_flows.py", "test_identity.py"]
# The tests of docs/definitions, beside Django's admin.
EXAMPLES = ["test_appbuilder.py", "test_openid.py", "test_jupyter.py", "test_dokuwiki.py"]


def local(arguments):
    """`latchkey local`, with what only its users need beside the flows."""
    with Servers("local") as servers:
        told_of_proxies = outbound_proxies(servers)
        servers.took("outbound proxies")
        command = [BINARY, "local", "--ready-json", "--port", "0", "--proxy-pools", servers.work / "pools.yaml"]
        ready = json.loads(servers.start_and_read("latchkey", command))
        servers.took("latchkey local")
        environment = servers.sites() | told_of_proxies | {
            "LATCHKEY_URL": ready["base_url"],
            "LATCHKEY_OPERATOR": f"'{BINARY}' --endpoint-url {ready['dynamodb_url']}",
            "LATCHKEY_READY": str(servers.work / "latchkey.out"),
            "GATEWAY_LOG": str(servers.work / "latchkey.log"),
        }
        servers.took("sites")
        environment |= examples.start(servers)
        servers.took("sites of the examples")
        # The last one reads what the others left in the log.
        files = [*FLOWS, "test_openapi.py", "test_django.py", *EXAMPLES]
        files += ["test_proxies.py", "test_readme.py", "test_secrets.py"]
        environment["CHROMIUM"] = chromium()
        environment["E2E_SCREENSHOTS"] = str(TARGET / "e2e-screenshots")
        servers.took("chromium")
        pytest(environment, ["console", *files], arguments, ["-p", "browsing"])


def chromium():
    """Debian's browser."""
    command = [HERE / "debian", "chromium"]
    path = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return shutil.which("chromium", path=path)


def outbound_proxies(servers):
    """What the tests of proxies need, and the file that names the pools; the tests start the proxies themselves."""
    given = outbound.choose()
    # A wrong password is in the pool, and not at the proxy.
    urls = {
        name: [proxy.url("NotThisOne" if name.startswith("locked") else None) for proxy in proxies]
        for name, proxies in outbound.pools(given).items()
    }
    (servers.work / "pools.yaml").write_text(yaml.safe_dump(urls))
    return {
        "OUTBOUND_PATH": outbound.install(),
        "OUTBOUND_POOLS": json.dumps(given),
        "ROAMING_URL": servers.start_and_read("roaming", [sys.executable, HERE / "roaming.py"]),
    }


def deployed(arguments):
    """The built template, deployed to the emulator by `sam deploy`; once more where it enforces the roles."""
    with Servers("deployed") as servers:
        # As the README has it; later deployments take what samconfig.toml says.
        environment = deploy(servers, built_template(), guided=True)
        pytest(environment, ["deployed/test_without_secrets.py"], arguments)
        # Does nothing where those tests have made them.
        Deployment.of(environment).make_secrets()
        servers.took("without secrets")
        pytest(environment, FLOWS, arguments)
        servers.took("flows")
        pytest(environment, ["deployed/test_operation.py"], arguments)
        servers.took("operation")
    with Servers("enforced") as servers:
        environment = deploy(servers, without_encryption_contexts(built_template()), AUTH="true")
        # The other way to make the secrets: the first scheduled run.
        created = Deployment.of(environment).invoke("RotateFunction", {})["created"]
        assert len(created) == 10, created
        pytest(environment, [*FLOWS, "deployed/test_permissions.py"], arguments)
        servers.took("flows, permissions")


def deploy(servers, template, guided=False, **emulator):
    """Starts an emulator and the sites, deploys the template, and gives the environment of the tests."""
    url = start_emulator(servers, "127.0.0.1", **emulator)
    environment = CREDENTIALS | servers.sites(private_address())
    servers.took("sites")
    deployment = Deployment(url, servers.work)
    servers.on_failure.append(deployment.save_messages)
    environment |= {
        "E2E_EMULATOR": url,
        "E2E_STACK": deployment.stack,
        "E2E_DEVIATIONS": DEPLOYED_DEVIATES,
        "LATCHKEY_URL": deployment.deploy(template, guided),
        "LATCHKEY_OPERATOR": deployment.operator(),
    }
    servers.took("sam deploy")
    return environment


def start_emulator(servers, address, **environment):
    """Starts ministack on `address` and gives the URL it has for this machine."""
    port = free_port(address)
    reached = "127.0.0.1" if address == "0.0.0.0" else address
    url = f"http://{reached}:{port}"
    told = CREDENTIALS | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": address,
        "MINISTACK_HOST": reached,
        "MINISTACK_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(servers.work),
    }
    command = [Path(os.environ["E2E_MINISTACK"]) / "ministack"]
    servers.start_and_ask(
        "ministack", command, f"{url}/_ministack/health", told | environment, cwd=servers.work
    )
    servers.took("ministack")
    return url


def sam_local(arguments):
    """The built template in `sam local start-api`; tables, key and configuration are those of a deployment of it."""
    with Servers("sam-local") as servers:
        bridge = private_address()
        emulator = start_emulator(servers, "0.0.0.0")
        environment = CREDENTIALS | servers.sites(bridge)
        servers.took("sites")
        deployment = Deployment(emulator, servers.work)
        deployment.deploy()
        deployment.make_secrets()
        servers.took("sam deploy")
        environment |= {
            "LATCHKEY_URL": start_sam_local(servers, deployment),
            "LATCHKEY_OPERATOR": deployment.operator(),
            "E2E_DEVIATIONS": SAM_LOCAL_DEVIATES,
        }
        servers.took("sam local start-api")
        pytest(environment, FLOWS, arguments)
        servers.took("flows")


def start_sam_local(servers, deployment):
    """Starts the API and gives its URL. Its containers reach this machine under a name that Docker gives it."""
    template = built_template()
    endpoint = f"http://host.docker.internal:{urlsplit(deployment.endpoint).port}"
    # A stand-in for AWS's image may hold no certificates, without which no client of AWS can be made.
    own = {"AWS_ENDPOINT_URL": endpoint, "SSL_CERT_FILE": "/var/task/certificates.pem"}
    # Only variables that the template declares reach a function.
    template["Globals"]["Function"]["Environment"]["Variables"] |= own
    variables = {}
    for name, resource in functions(template).items():
        variables[name] = deployment.function(name)["Environment"]["Variables"] | own
        code = servers.work / name
        shutil.copytree(resource["Properties"]["CodeUri"], code)
        shutil.copy(certifi.where(), code / "certificates.pem")
        resource["Properties"]["CodeUri"] = str(code)
    (servers.work / "sam-local.yaml").write_text(yaml.safe_dump(template, sort_keys=False))
    (servers.work / "variables.json").write_text(json.dumps(variables))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    before = containers()
    servers.at_end.append(lambda: remove(containers() - before))
    command = [
        "sam", "local", "start-api",
        "--template", servers.work / "sam-local.yaml",
        "--parameter-overrides", "Architecture=x86_64",
        "--env-vars", servers.work / "variables.json",
        "--host", "127.0.0.1", "--port", port,
        "--warm-containers", "EAGER", "--no-watch", "--skip-pull-image",
        "--add-host", "host.docker.internal:host-gateway",
    ]
    servers.start_and_ask("sam-local", command, f"{url}/healthz", CREDENTIALS, within=300)
    return url


def containers():
    """The containers that sam has started on this machine."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", "label=sam.cli.container.type=lambda"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def remove(left_over):
    if left_over:
        subprocess.run(["docker", "rm", "--force", *left_over], stdout=subprocess.DEVNULL)


STACKS = {"local": local, "deployed": deployed, "sam-local": sam_local}

if __name__ == "__main__":
    # Nothing of a developer's own AWS account gets into a stack under test.
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[name]
    STACKS[sys.argv[1]](sys.argv[2:])
