"""Trained models on disk: written whole or not at all, read only when their hash is the one written beside them."""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

import structlog

from tools.nlu import corpus, features, gloss, language, model, slots, training
from tools.nlu.corpus import Corpus
from tools.nlu.features import Embedder
from tools.nlu.model import Model
from tools.nlu.training import Progress, train

log = structlog.get_logger(__name__)


@cache
def _code_version() -> str:
    modules = (corpus, features, gloss, language, model, slots, training)
    paths = [*(Path(str(module.__file__)) for module in modules), gloss.PATH, language.PATH]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def key(data: Corpus, embedder: Embedder) -> str:
    """Changes with the utterances, the code that learns from them and the embedder."""
    return hashlib.sha256(f"{data.digest} {_code_version()} {embedder.id}".encode()).hexdigest()[:20]


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _read(path: Path, seal: Path) -> Model | None:
    if not (path.exists() and seal.exists()):
        return None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != seal.read_text().strip():
        log.warning("nlu.cache_refused", path=str(path), reason="its hash is not the one written beside it")
        return None
    return Model.parse(content)


def load_or_train(folder: Path, embedder: Embedder, data: Corpus, progress: Progress | None = None) -> Model:
    """The cached model, or a new one which is then cached."""
    path = folder / f"intents-{key(data, embedder)}.npz"
    seal = path.with_suffix(".sha256")
    if cached := _read(path, seal):
        return cached
    trained = train(embedder, data, progress)
    content = trained.dump()
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, content)
    _write(seal, hashlib.sha256(content).hexdigest().encode())
    log.info("nlu.trained", path=str(path), **vars(trained.report))
    return trained
