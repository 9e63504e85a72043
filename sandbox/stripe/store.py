"""The world in one SQLite file: what a request has changed is written before the request is answered.

With a write-ahead log and `synchronous=NORMAL`, a killed process loses nothing that it answered; a machine that loses
power may lose the last moments, but never the file.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.mail import Inbox
from sandbox.stripe.errors import Json
from sandbox.stripe.world import World

FORMAT = 2
TABLES = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE things (
        kind TEXT, id TEXT, made INTEGER NOT NULL, serial INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
    );
    CREATE TABLE answers (key TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE mails (recipient TEXT, number INTEGER, body TEXT NOT NULL, PRIMARY KEY (recipient, number));
"""
ENCODER = json.JSONEncoder(separators=(",", ":"))
PAGES_BEFORE_CHECKPOINT = 10_000
"""Of 4 KB. Only at a checkpoint does SQLite wait for the disk."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, sqlite3.Error)


class Store:
    """Reading fails loudly, with one of `UNREADABLE`: better no start than one that forgets."""

    def __init__(self, folder: Path, world: World, inbox: Inbox) -> None:
        self.file, self.old = folder / "sandbox.db", folder / "sandbox.json"
        self.world, self.inbox = world, inbox
        self._mails: dict[str, int] = {}

    def open(self) -> bool:
        """Fills world and inbox with what the folder knows, and keeps them from now on. True when it knew something."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.file.exists()
        old = json.loads(self.old.read_text()) if fresh and self.old.exists() else None
        self._database = sqlite3.connect(self.file, isolation_level=None, timeout=1)
        # Held until the end: two sandboxes on one file would each forget what the other did.
        self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(f"PRAGMA wal_autocheckpoint={PAGES_BEFORE_CHECKPOINT}")
        self._prepare()
        self._load()
        self.world.on_commit = self.save
        self.inbox.on_change = self.save_mails
        if old:
            self._take_over(old)
        return bool(old or self.world.counter)

    def _prepare(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in {0, FORMAT}:
            raise ValueError(f"it is of format {version}, this sandbox knows {FORMAT}")
        if version == 0:
            with self._transaction():
                for statement in filter(str.strip, TABLES.split(";")):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version={FORMAT}")

    def _load(self) -> None:
        facts: dict[str, int] = dict(self._rows("SELECT name, value FROM facts"))
        self.world.counter, self.world.clock.offset = facts.get("counter", 0), facts.get("offset", 0)
        self.world.search_lag = facts.get("search_lag", 0)
        for kind, made, serial, body in self._rows("SELECT kind, made, serial, body FROM things ORDER BY kind, serial"):
            self.world.shelf(kind).place(json.loads(body), (made, serial))
        self.world.answers.update(
            (key, json.loads(body)) for key, body in self._rows("SELECT key, body FROM answers ORDER BY rowid")
        )
        for recipient, body in self._rows("SELECT recipient, body FROM mails ORDER BY recipient, number"):
            self.inbox.mails.setdefault(recipient, []).append(json.loads(body))
        self._mails = {recipient: len(mails) for recipient, mails in self.inbox.mails.items()}
        self.world.changed.clear()

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        yield from self._database.execute(query)

    def _take_over(self, old: Json) -> None:
        """What a sandbox of before SQLite left in a JSON file; once, and the file is renamed."""
        world = old["world"]
        self.world.counter, self.world.clock.offset, self.world.answers = (
            world["counter"],
            world["offset"],
            world["answers"],
        )
        self.world.answered |= self.world.answers.keys()
        for kind, things in world["objects"].items():
            for thing in things.values():
                self.world.shelf(kind).place(thing)
        self.inbox.mails = old["inbox"]
        self.world.commit()
        self.world.forget_changes()
        self.save_mails()
        self.old.rename(self.old.with_suffix(".json.imported"))

    def save(self) -> None:
        """One transaction for one commit of the world."""
        world = self.world
        with self._transaction():
            if world.cleared:
                self._database.execute("DELETE FROM things")
                self._database.execute("DELETE FROM answers")
            self._save_things()
            self._save_answers()
            facts = {"counter": world.counter, "offset": world.clock.offset, "search_lag": world.search_lag}
            self._many("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def _save_things(self) -> None:
        kept, gone = [], []
        for kind, identifier in self.world.changed:
            shelf = self.world.shelf(kind)
            if (thing := shelf.get(identifier)) is None:
                gone.append((kind, identifier))
            else:
                kept.append((kind, identifier, *shelf.places[identifier], compact(thing)))
        self._many("DELETE FROM things WHERE kind = ? AND id = ?", gone)
        self._many("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?)", kept)

    def _save_answers(self) -> None:
        answers = self.world.answers
        finished = [key for key in self.world.answered if "status" in answers.get(key, ())]
        self._many("DELETE FROM answers WHERE key = ?", [(key,) for key in self.world.answered - set(finished)])
        self._many("INSERT OR REPLACE INTO answers VALUES (?, ?)", [(key, compact(answers[key])) for key in finished])

    def save_mails(self) -> None:
        """Mails only ever come, one by one, or all go."""
        with self._transaction():
            for recipient in self._mails.keys() - self.inbox.mails.keys():
                self._database.execute("DELETE FROM mails WHERE recipient = ?", (recipient,))
            for recipient, mails in self.inbox.mails.items():
                known = self._mails.get(recipient, 0)
                rows = [(recipient, number, compact(mail)) for number, mail in enumerate(mails) if number >= known]
                self._many("INSERT INTO mails VALUES (?, ?, ?)", rows)
        self._mails = {recipient: len(mails) for recipient, mails in self.inbox.mails.items()}

    def _many(self, statement: str, rows: Collection[tuple[Any, ...]]) -> None:
        if rows:
            self._database.executemany(statement, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()


def compact(thing: Json) -> str:
    return ENCODER.encode(thing)
