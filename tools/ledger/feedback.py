"""What customers thought of a conversation."""

from dataclasses import asdict

from sqlalchemy import select

from tools.errors import Unprocessable
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import feedback
from tools.ledger.types import Feedback


class Feedbacks(Repository):
    async def record_feedback(self, thread_id: str, rating: int, comment: str) -> Feedback:
        """One per thread; the latest word counts."""
        if rating not in range(1, 6):
            raise Unprocessable("A rating is 1, 2, 3, 4 or 5.")
        said = Feedback(thread=thread_id, rating=rating, comment=comment, at=self._now())
        async with self._database.write() as connection:
            statement = insert(connection, feedback).values(asdict(said))
            await connection.execute(statement.on_conflict_do_update(index_elements=["thread"], set_=asdict(said)))
        return said

    async def feedback(self, *, limit: int = 50) -> list[Feedback]:
        """Newest first."""
        wanted = select(feedback).order_by(feedback.c.at.desc(), feedback.c.thread).limit(limit)
        async with self._database.read() as connection:
            return [Feedback(**row) for row in (await connection.execute(wanted)).mappings()]
