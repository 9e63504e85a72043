"""Logs: events with fields, masked before they are written. What cannot be masked is dropped."""

import logging
import sys
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tools.safety.mask import mask

QUIET = ("httpx", "httpcore", "stripe", "langgraph", "langchain", "docket", "openai", "chromadb", "uvicorn.access")
KEPT_BYTES = 20 * 1024 * 1024
DEPTH = 6


def configure(file: Path | None = None, *, level: int = logging.INFO) -> None:
    """JSON lines into `file`, or to stderr. Our own events and other libraries' go the same way."""
    handler = _handler(file)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        mask_event,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Every string in it, however deep. An event that cannot be masked is not written at all."""
    try:
        masked: EventDict = _masked(event, DEPTH)
    except Exception as error:
        raise structlog.DropEvent from error
    return masked


def _masked(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {mask(str(key)).text: _masked(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(inner, depth - 1) for inner in value]
    return mask(str(value)).text


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(file, maxBytes=KEPT_BYTES, backupCount=3, encoding="utf-8")
