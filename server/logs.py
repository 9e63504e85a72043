"""Logs: events with fields, masked before they are written, addresses and telephone numbers too. Else dropped."""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tools.safety.dropped import DROPPED
from tools.safety.redact import redact_deep

QUIET = ("httpx", "httpcore", "stripe", "langgraph", "langchain", "docket", "openai", "chromadb", "uvicorn.access")
KEPT_BYTES = 20 * 1024 * 1024


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
    """Every text in it, however deep. An event that cannot be masked is not written at all, and counted."""
    try:
        masked: EventDict = redact_deep(event)
    except Exception as error:
        DROPPED["log"] += 1
        raise structlog.DropEvent from error
    return masked


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(file, maxBytes=KEPT_BYTES, backupCount=3, encoding="utf-8")
