import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from tools.errors import KnowledgeUnavailable, ModelUnavailable
from tools.knowledge.base import Knowledge
from tools.knowledge.embedders import OpenAIEmbedder


class Embeddings(BaseHTTPRequestHandler):
    """Answers in reverse order, as OpenAI may: the vector of a text is (its length, 1)."""

    requests: list[dict[str, Any]]
    status: int
    drop: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append({"path": self.path, "key": self.headers["Authorization"], **body})
        rows = [{"index": i, "embedding": [len(text), 1]} for i, text in enumerate(body["input"])]
        answer = json.dumps({"data": rows[::-1][self.drop :]}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Silent: the test says what matters."""


@pytest.fixture
def handler() -> type[Embeddings]:
    return type("Handler", (Embeddings,), {"requests": [], "status": 200, "drop": 0})


@pytest.fixture
def embedder(handler: type[Embeddings]) -> Iterator[OpenAIEmbedder]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client = OpenAIEmbedder("sk-test", base_url=f"http://127.0.0.1:{server.server_port}/v1", model="small/v3")
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def test_vectors_come_back_in_the_order_of_the_texts_and_of_length_one(embedder: OpenAIEmbedder) -> None:
    expected = np.array([[3, 1], [4, 1]]) / np.sqrt([[10], [17]])
    np.testing.assert_allclose(expected, embedder.embed(["abc", "abcd"]), rtol=1e-6)


def test_many_texts_go_in_several_requests(embedder: OpenAIEmbedder, handler: type[Embeddings]) -> None:
    assert embedder.embed(["a"] * 300).shape == (300, 2)
    assert [len(request["input"]) for request in handler.requests] == [128, 128, 44]
    first = handler.requests[0]
    assert (first["path"], first["key"], first["model"]) == ("/v1/embeddings", "Bearer sk-test", "small/v3")


def test_the_id_is_fit_for_the_name_of_a_collection(embedder: OpenAIEmbedder) -> None:
    assert embedder.id == "openai-small-v3"


def test_an_error_of_the_server_says_that_the_model_is_unavailable(
    embedder: OpenAIEmbedder, handler: type[Embeddings]
) -> None:
    handler.status = 500
    with pytest.raises(ModelUnavailable):
        embedder.embed(["a"])


def test_a_text_that_was_left_out_is_an_error(embedder: OpenAIEmbedder, handler: type[Embeddings]) -> None:
    handler.drop = 1
    with pytest.raises(ModelUnavailable, match="left texts out"):
        embedder.embed(["a", "b"])


async def test_without_its_embedder_knowledge_is_unavailable(
    embedder: OpenAIEmbedder, handler: type[Embeddings], knowledge: Knowledge
) -> None:
    handler.status = 503
    broken = Knowledge(knowledge.store, embedder)
    with pytest.raises(KnowledgeUnavailable):
        await broken.search("refund")
