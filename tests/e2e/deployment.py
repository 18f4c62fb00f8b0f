"""Deploys the built template to ministack, an emulator of AWS, with `sam deploy`, and opens its routes.

Where the emulator and the build are comes from the environment, so that the driver and the tests share this file.
"""

import ipaddress
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import boto3
import yaml
from samtranslator.yaml_helper import yaml_parse

from servers import BINARY, ROOT

REGION = "us-east-1"
# What the emulator takes for the account's root user.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
BUILD = Path(os.environ.get("E2E_BUILD", ROOT / ".aws-sam" / "build"))
ANY_METHOD = "x-amazon-apigateway-any-method"


# What the gateway's operator may open (RFC 1918).
PRIVATE = [ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def private_address():
    """An address of this machine in a private network, since a deployed proxy calls nothing on loopback: that of
    Docker's bridge, which containers reach as well, or else the machine's own."""
    candidates = []
    config = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}"
    try:
        told = subprocess.run(
            ["docker", "network", "inspect", "bridge", "--format", config],
            capture_output=True, text=True, timeout=30,
        )
        for word in told.stdout.split():
            # Where Docker chose the network itself it names no gateway: it is the network's first address.
            candidates.append(next(ipaddress.ip_network(word).hosts()) if "/" in word else ipaddress.ip_address(word))
    except (FileNotFoundError, ValueError):
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: this only asks which address would be used.
        probe.connect(("10.255.255.255", 1))
        candidates.append(ipaddress.ip_address(probe.getsockname()[0]))
    for address in candidates:
        if any(address in network for network in PRIVATE):
            return str(address)
    sys.exit("no address of this machine is in a private network: start a Docker engine, whose bridge has one")


def built_template():
    """The template that `sam build` wrote, with paths that hold from anywhere."""
    template = yaml_parse((BUILD / "template.yaml").read_text())
    for resource in functions(template).values():
        resource["Properties"]["CodeUri"] = str(BUILD / resource["Properties"]["CodeUri"])
    return template


def functions(template):
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def without_encryption_contexts(template):
    """The template without the conditions on KMS's encryption context, which ministack does not know.

    That each role names exactly its purposes is held by the template's own tests.
    """
    def copied(part):
        if isinstance(part, list):
            return [copied(item) for item in part]
        if not isinstance(part, dict):
            return part
        known = {name: copied(value) for name, value in part.items()}
        if "Action" in known and "kms:EncryptionContext" in str(known.get("Condition")):
            del known["Condition"]
        return known

    return copied(template)


class Refused(Exception):
    """`sam deploy` did not deploy; what it printed."""


class Deployment:
    """One stack in the emulator."""

    def __init__(self, endpoint, work, stack="latchkey"):
        self.endpoint = endpoint
        self.work = Path(work)
        self.stack = stack

    @classmethod
    def of(cls, environment):
        return cls(environment["E2E_EMULATOR"], environment["E2E_WORK"], environment["E2E_STACK"])

    def aws(self, service):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    # ---- Deploying

    def deploy(self, template=None, guided=False, **parameters):
        """Deploys with samconfig.toml's values, opens the routes and gives the URL."""
        return self.deploy_as_it_stands(
            template or built_template(),
            guided,
            **{"Architecture": "x86_64", "UpstreamNetworks": f"{private_address()}/32"} | parameters,
        )

    def deploy_as_it_stands(self, template, guided=False, **parameters):
        folder = self.work / f"deploy-{uuid.uuid4().hex}"
        folder.mkdir()
        (folder / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False))
        shutil.copy(ROOT / "samconfig.toml", folder)
        command = [
            "sam", "deploy", *(["--guided"] if guided else []), "--stack-name", self.stack,
            "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
        ]
        done = subprocess.run(
            command, cwd=folder, env=os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL": self.endpoint},
            # To each of the guide's questions: as proposed.
            input="\n" * 100 if guided else "",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )
        (self.work / f"sam-deploy-{self.stack}.log").write_text(done.stdout)
        if done.returncode != 0:
            raise Refused(done.stdout)
        return self.open_routes()

    def open_routes(self):
        """Registers the routes of the deployed template's own body, which ministack does not import by itself."""
        gateway = self.aws("apigatewayv2")
        api = self.resources()["HttpApi"]
        # Those of the version before go.
        for route in gateway.get_routes(ApiId=api)["Items"]:
            gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
        for integration in gateway.get_integrations(ApiId=api)["Items"]:
            gateway.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
        for authorizer in gateway.get_authorizers(ApiId=api)["Items"]:
            gateway.delete_authorizer(ApiId=api, AuthorizerId=authorizer["AuthorizerId"])
        body = self.processed()["Resources"]["HttpApi"]["Properties"]["Body"]
        schemes = body.get("components", {}).get("securitySchemes", {})
        authorizers = {name: self.open_authorizer(gateway, api, name, told) for name, told in schemes.items()}
        for path, methods in body["paths"].items():
            for method, operation in methods.items():
                told = operation["x-amazon-apigateway-integration"]
                integration = gateway.create_integration(
                    ApiId=api,
                    IntegrationType=told["type"].upper(),
                    IntegrationMethod=told["httpMethod"],
                    IntegrationUri=self.resolved(told["uri"]),
                    PayloadFormatVersion=told["payloadFormatVersion"],
                )
                guard = {}
                for scheme in operation.get("security", []):
                    guard = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizers[next(iter(scheme))]}
                method = "ANY" if method == ANY_METHOD else method.upper()
                gateway.create_route(
                    ApiId=api,
                    RouteKey=path if path == "$default" else f"{method} {path}",
                    Target=f"integrations/{integration['IntegrationId']}",
                    **guard,
                )
        return f"{self.endpoint}/_aws/execute-api/{api}/$default"

    def open_authorizer(self, gateway, api, name, scheme):
        told = scheme["x-amazon-apigateway-authorizer"]
        made = gateway.create_authorizer(
            ApiId=api,
            Name=name,
            AuthorizerType=told["type"].upper(),
            AuthorizerUri=self.resolved(told["authorizerUri"]),
            AuthorizerPayloadFormatVersion=told["authorizerPayloadFormatVersion"],
            EnableSimpleResponses=told["enableSimpleResponses"],
            AuthorizerResultTtlInSeconds=told["authorizerResultTtlInSeconds"],
            IdentitySource=told.get("identitySource") or [],
        )
        return made["AuthorizerId"]

    def processed(self):
        """The deployed template after the transforms."""
        told = self.aws("cloudformation").get_template(StackName=self.stack, TemplateStage="Processed")
        template = told["TemplateBody"]
        return json.loads(template) if isinstance(template, str) else template

    def resolved(self, uri):
        """A URI's `Fn::Sub`, which holds the ARN of a function."""
        told = uri["Fn::Sub"]
        text, values = (told, {}) if isinstance(told, str) else told
        known = {"AWS::Partition": "aws", "AWS::Region": REGION}
        for name, value in values.items():
            known[name] = self.exports()[self.import_name(value)]
        for name in re.findall(r"\$\{([^}]+)\}", text):
            if name not in known:
                known[name] = self.function(name.removesuffix(".Arn"))["FunctionArn"]
            text = text.replace(f"${{{name}}}", known[name])
        return text

    def exports(self):
        pages = self.aws("cloudformation").get_paginator("list_exports").paginate()
        return {export["Name"]: export["Value"] for page in pages for export in page["Exports"]}

    def import_name(self, value):
        """The name in an `Fn::ImportValue`, in which parameters may stand."""
        name = value["Fn::ImportValue"]
        if isinstance(name, dict):
            told = self.aws("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
            name = name["Fn::Sub"]
            for parameter in told["Parameters"]:
                name = name.replace(f"${{{parameter['ParameterKey']}}}", parameter["ParameterValue"])
        return name

    # ---- What is deployed

    def resources(self):
        """The physical id of each resource."""
        pages = self.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def function(self, name):
        """The deployed configuration of a function."""
        return self.aws("lambda").get_function_configuration(FunctionName=self.resources()[name])

    def functions(self):
        return [name for name in self.resources() if name.endswith("Function")]

    def operator(self):
        """The operator's command for this stack, as a shell would take it."""
        return shlex.join([str(BINARY), "--endpoint-url", self.endpoint, "--stack-name", self.stack])

    def make_secrets(self):
        """Runs `latchkey secrets init` as the stack's own output says."""
        done = subprocess.run(
            [*shlex.split(self.operator()), "secrets", "init", "--json"],
            env=os.environ | CREDENTIALS, capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def invoke(self, name, event):
        """Invokes a function through Lambda's own API and gives what it answered."""
        told = self.aws("lambda").invoke(FunctionName=self.resources()[name], Payload=json.dumps(event))
        answer = json.loads(told["Payload"].read() or "null")
        assert "FunctionError" not in told, answer
        return answer

    @contextmanager
    def changed(self, name, **variables):
        """A function with other variables, in new processes; afterwards with its own again."""
        client, function = self.aws("lambda"), self.resources()[name]
        own = self.function(name)["Environment"]["Variables"]

        def put(told):
            client.update_function_configuration(FunctionName=function, Environment={"Variables": told})
            client.get_waiter("function_updated_v2").wait(FunctionName=function)

        put(own | variables)
        try:
            yield
        finally:
            put(own)

    def messages(self):
        """The lines that all functions have logged, oldest first."""
        group = self.resources()["FunctionLogs"]
        pages = self.aws("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def save_messages(self):
        """Puts them beside the servers' logs, where there is a stack that has some."""
        try:
            told = "\n".join(self.messages())
        except Exception as fault:  # It failed before there was a stack, or with the emulator itself.
            told = f"no logs of the functions: {fault!r}"
        (self.work / f"functions-{self.stack}.log").write_text(told + "\n")

    def logs(self, function):
        """What one of our functions has logged, by its own name, oldest line first."""
        lines = []
        for message in self.messages():
            try:
                line = json.loads(message)
            except ValueError:
                continue
            if isinstance(line, dict) and line.get("function") == function:
                lines.append(line)
        return lines
