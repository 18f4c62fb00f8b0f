"""Fernet as Python's `cryptography` has it: takes questions in lines of JSON, and answers each in one."""

import base64
import json
import platform
import sys
import time

import cryptography
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.backends.openssl import backend


def versions(_):
    return {
        "python": platform.python_version(),
        "cryptography": cryptography.__version__,
        "openssl": backend.openssl_version_text(),
    }


def seal(question):
    return {"token": Fernet(question["key"]).encrypt(base64.b64decode(question["data"])).decode()}


def open_(question):
    try:
        return {"data": base64.b64encode(Fernet(question["key"]).decrypt(question["token"])).decode()}
    except InvalidToken:
        return {"refused": True}


def time_(question):
    """The microseconds that one of so many calls takes."""
    fernet = Fernet(question["key"])
    data = bytes(i % 251 for i in range(question["bytes"]))
    call, argument = fernet.encrypt, data
    if question["what"] == "open":
        call, argument = fernet.decrypt, fernet.encrypt(data)
    runs = range(question["runs"])
    began = time.perf_counter()
    for _ in runs:
        call(argument)
    return {"microseconds": (time.perf_counter() - began) * 1e6 / len(runs)}


ACTIONS = {"versions": versions, "seal": seal, "open": open_, "time": time_}

for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(ACTIONS[question["do"]](question)), flush=True)
