"""What we use of other packages' insides is still as it was when that was written."""

from __future__ import annotations

import hashlib
import inspect
import re
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest

from app.archives.google_drive import patched
from pylib.rabbitmq import headers

HOLDS_FOR = patched.HOLDS_FOR | headers.HOLDS_FOR
PATCHED = {
    "pika.data:decode_short_string": "3da0b23c58f307ff",
    "pika.data:decode_table": "172ca4b90b6741ef",
    "pika.data:decode_value": "22d39a2229e73ec6",
    "pydrive2.auth:LoadAuth": "67b6d5d0fe6956b9",
    "pydrive2.auth:GoogleAuth.Get_Http_Object": "a2691e9996a423da",
    "pydrive2.auth:GoogleAuth.LocalWebserverAuth": "812848d89f1fb883",
    "pydrive2.apiattr:ApiResourceList": "b0ff8eaacd6fcd85",
    "pydrive2.files:GoogleDriveFile.Upload": "fa76ec738391579d",
    "pydrive2.files:GoogleDriveFile.FetchMetadata": "501f57a1ed7a9cd9",
    "pydrive2.files:GoogleDriveFile._FilesInsert": "ec1a433067127f56",
    "pydrive2.files:GoogleDriveFile._FilesPatch": "1ccfbdc0cbdd1046",
    "pydrive2.files:GoogleDriveFile._FilesUpdate": "14bb2c1d959df512",
    "pydrive2.files:GoogleDriveFileList._GetList": "99b0b736216a3e82",
    "googleapiclient.discovery:build_from_document": "f8dbf55a401e6c67",
    "googleapiclient.http:_retry_request": "e6dec9bd4c5cba69",
    "googleapiclient.http:HttpRequest.execute": "ba3f6cabfa40adcf",
    "googleapiclient.http:HttpRequest.next_chunk": "2b8ccb31c8645a0c",
    "oauth2client.client:OAuth2Credentials._do_refresh_request": "4b07534662fb4e0d",
    "oauth2client.client:OAuth2Credentials.refresh": "5f98af807bece6da",
    "oauth2client.client:OAuth2WebServerFlow.step2_exchange": "f8fa6bae2077ec2e",
    "oauth2client.transport:request": "c67a3fd8e7db0a13",
}
"""Behind `app/archives/google_drive/patched.py` or `pylib/rabbitmq/headers.py` -> the beginning of the SHA-256 of its
source."""

PRIVATE = {
    "aiosmtpd.smtp": (
        *("_call_handler_hook", "_create_envelope", "_handle_client", "_handler_coroutine", "_reader"),
        *("_reset_timeout", "_timeout_cb", "_writer"),
    ),
    "botocore.client": ("_endpoint", "_request_signer"),
    "botocore.credentials": ("_expiry_time",),
    "botocore.httpsession": ("_pool_classes_by_scheme",),
    "botocore.signers": ("_credentials",),
    "pika.adapters.blocking_connection": ("_impl",),
    "pika.adapters.base_connection": ("_adapter_disconnect_stream",),
    "pika.connection": ("params", "server_properties"),
    "pyftpdlib.exceptions": ("_FileReadWriteError", "_RetryError"),
    "pyftpdlib.handlers.ftp.control": (
        *("_closed", "_extra_feats", "_in_dtp_queue", "_make_epasv", "_restart_position", "_rnfr"),
        *("passive_dtp", "pre_process_command", "process_command", "flush_account", "proto_cmds"),
        *("125 Data connection already open", "220 Other commands"),
    ),
    "pyftpdlib.handlers.ftp.data": ("_closed", "_idler", "_resp", "cmd_channel", "transfer_finished"),
    "pyftpdlib.handlers.ftp.dispatchers": ("Entering passive mode", "Entering extended passive mode"),
    "pyftpdlib.ioloop": ("_wanted_io_events", "modify_ioloop_events"),
    "uvicorn.protocols.http.flow_control": ("read_paused", "resume_reading"),
    "uvicorn.protocols.http.httptools_impl": (
        *("STATUS_LINE", "on_body", "on_header", "on_headers_complete", "on_message_complete", "response_complete"),
        *("self.cycle", "self.flow", "self.headers", "self.client", "self.parser"),
    ),
    "urllib3.connection": ("_dns_host", "_new_conn"),
    "urllib3.connectionpool": ("_validate_conn", "ConnectionCls"),
    "urllib3.poolmanager": ("pool_classes_by_scheme",),
}
"""Names that are nobody's promise, by the module that has to know them."""


def found(name: str) -> Any:
    module, _, path = name.partition(":")
    thing = import_module(module)
    for part in path.split("."):
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize("name", PATCHED)
def test_what_is_patched_is_what_it_was(name: str) -> None:
    source = inspect.getsource(inspect.unwrap(found(name)))
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    versions = ", ".join(f"{package} {version(package)} (was {was})" for package, was in HOLDS_FOR.items())
    assert digest == PATCHED[name], f"read it again beside what patches it: {versions}"


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in PRIVATE.items() for name in names])
def test_private_names_that_are_used_are_still_there(module: str, name: str) -> None:
    assert re.search(rf"\b{name}\b", inspect.getsource(import_module(module)))
