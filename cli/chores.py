"""Chores on the parts themselves: documents, understanding."""

from rich.console import Console
from rich.progress import Progress

from cli.parts import prepare
from graphs.settings import Settings
from tools.knowledge.base import Knowledge
from tools.knowledge.ingest import ingest
from tools.knowledge.minilm import MiniLM
from tools.nlu.local import LocalUnderstander


async def ingest_documents(console: Console) -> None:
    settings = Settings.read()
    prepare(settings.home)
    path = None if settings.chroma_url else settings.home / "chroma"
    with Progress(console=console) as progress:
        task = progress.add_task("embedding sections", total=None)
        async with Knowledge.open(path, settings.chroma_url, MiniLM.load()) as knowledge:
            report = await ingest(
                knowledge,
                settings.knowledge_folder,
                progress=lambda done, of: progress.update(task, completed=done, total=of),
            )
        progress.update(task, completed=1, total=1)
    console.print(
        f"{report.documents} documents, {report.sections} sections: {report.embedded} embedded, "
        f"{report.unchanged} unchanged, {report.removed} removed."
    )


def train_understanding(console: Console) -> None:
    settings = Settings.read()
    prepare(settings.home)
    with console.status("training"):
        LocalUnderstander.load(settings.home / "models", MiniLM.load())
    console.print(f"The local understanding is ready in {settings.home / 'models'}.")
