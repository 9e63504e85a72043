"""Lua that runs on the server: one script is one atomic round trip.

Every script takes the thread's keys in the order of `Keys.all`.
"""

# ARGV: fencing token or "", ttl in seconds or "0", then what the script itself wants
_GUARD = """
local token = tonumber(ARGV[1])
if token then
  local highest = tonumber(redis.call('GET', KEYS[1]) or '0')
  if token < highest then return redis.error_reply('STALEWRITER') end
  if token > highest then redis.call('SET', KEYS[1], ARGV[1]) end
end
"""

_EXPIRE = """
if tonumber(ARGV[2]) > 0 then
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[2]) end
end
"""

# member, checkpoint, metadata, links, then pairs of blob field and value
PUT = (
    _GUARD
    + """
local member = ARGV[3]
redis.call('ZADD', KEYS[2], 0, member)
redis.call('HSET', KEYS[3],
  member .. ':checkpoint', ARGV[4], member .. ':metadata', ARGV[5], member .. ':links', ARGV[6])
for i = 7, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
"""
    + _EXPIRE
)

# triples of HSET or HSETNX, field and value
PUT_WRITES = (
    _GUARD
    + """
for i = 3, #ARGV, 3 do
  redis.call('ZADD', KEYS[5], 0, ARGV[i + 1])
  redis.call(ARGV[i], KEYS[6], ARGV[i + 1], ARGV[i + 2])
end
"""
    + _EXPIRE
)

# ARGV: `<namespace>/<id>` or `<namespace>/` for the latest
# Returns {member, checkpoint, metadata, links, {blob or nil, in the order of links}, {field, write, ...}}
GET = """
local member = ARGV[1]
if member:sub(-1) == '/' then
  local after = '(' .. member:sub(1, -2) .. '0'
  member = redis.call('ZREVRANGEBYLEX', KEYS[2], after, '[' .. member, 'LIMIT', 0, 1)[1]
  if not member then
    if redis.call('EXISTS', KEYS[3]) == 0 then return false end
    return redis.error_reply('LOSTDATA')
  end
end
local fields = {member .. ':checkpoint', member .. ':metadata', member .. ':links'}
local record = redis.call('HMGET', KEYS[3], unpack(fields))
if not record[3] then return false end
local blobs, writes = {}, {}
for i, field in ipairs(cjson.decode(record[3]).blobs) do blobs[i] = redis.call('HGET', KEYS[4], field) end
for _, field in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. member .. '/', '(' .. member .. '0')) do
  writes[#writes + 1] = field
  writes[#writes + 1] = redis.call('HGET', KEYS[6], field)
end
return {member, record[1], record[2], record[3], blobs, writes}
"""

# ARGV: members. Blobs that no remaining checkpoint links to go with them.
DROP = """
for _, member in ipairs(ARGV) do
  redis.call('ZREM', KEYS[2], member)
  redis.call('HDEL', KEYS[3], member .. ':checkpoint', member .. ':metadata', member .. ':links')
  for _, field in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. member .. '/', '(' .. member .. '0')) do
    redis.call('ZREM', KEYS[5], field)
    redis.call('HDEL', KEYS[6], field)
  end
end
local linked = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local links = cjson.decode(redis.call('HGET', KEYS[3], member .. ':links'))
  for _, field in ipairs(links.blobs) do linked[field] = true end
end
for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
  if not linked[field] then redis.call('HDEL', KEYS[4], field) end
end
"""
