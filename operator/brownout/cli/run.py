"""`brownout run`: the operator."""

import argparse
import asyncio
import json
import logging
import os
import sys

from brownout import settings
from brownout.app import CANNOT, serve
from brownout.settings import Settings

HELP = (
    "Watches DegradationPolicies and acts on them until SIGTERM. Without --kubeconfig it uses $KUBECONFIG, the pod's"
    " service account, or ~/.kube/config. Example: brownout run --namespace shop --metrics-address 127.0.0.1:0"
)

add_arguments = settings.add_arguments


def run(args: argparse.Namespace) -> int:
    """0 after SIGTERM, 1 for a defect, 2 when it cannot run with what it was told."""
    try:
        told = settings.settings_from(args, os.environ)
    except ValueError as error:
        print(f"brownout run: {error}", file=sys.stderr)
        return CANNOT
    _log(told)
    return asyncio.run(serve(told))


def _log(told: Settings) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if told.log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # kopf logs each event it hands on at INFO, and at WARNING kinds that are not installed: the watch, and the policies
    # that need one, say what matters of these.
    logging.getLogger("kopf").setLevel(logging.ERROR)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
