"""A LangGraph checkpoint saver for plain Redis (6.2 or newer) and Valkey: no modules needed."""

from graphs.redis_saver.saver import FENCE, LostData, RedisSaver, StaleWriter

__all__ = ["FENCE", "LostData", "RedisSaver", "StaleWriter"]
