"""`counterfoil studio`: LangGraph's development server on our graphs, with the embedded parts it needs."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from cli.parts import parts
from graphs.settings import Settings
from tools.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent


def run(port: int) -> int:
    """Runs `langgraph dev` until Ctrl-C. Raises `ConfigurationError` when its packages are not installed."""
    if importlib.util.find_spec("langgraph_api") is None:
        raise ConfigurationError("LangGraph's development server is not installed. `make studio` installs it.")
    with parts(Settings.read()) as settings:
        environment = os.environ | {
            "REDIS_URL": settings.redis_url or "",
            "COUNTERFOIL_HOME": str(settings.home.resolve()),
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        }
        command = [
            sys.executable,
            "-m",
            "langgraph_cli",
            "dev",
            "--no-browser",
            "--no-reload",
            "--allow-blocking",
            "--port",
            str(port),
        ]
        try:
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - our own interpreter
        except KeyboardInterrupt:
            return 0
