"""A LangGraph checkpoint saver for plain Redis (6.2 or newer) and Valkey: no modules needed.

Nothing here imports from the rest of the project, so that it could be a package of its own.
"""

from graphs.redis_saver.compression import CompressingSerializer
from graphs.redis_saver.saver import FENCE, LostData, RedisSaver, StaleWriter

__all__ = ["FENCE", "CompressingSerializer", "LostData", "RedisSaver", "StaleWriter"]
