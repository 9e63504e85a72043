"""Lua that runs on the server: one script is one atomic round trip.

Every script takes the thread's keys in the order of `Keys.all`, and touches no other: they share one slot of a cluster.
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
# Returns how many checkpoints the namespace has now.
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
    + """
local namespace = member:match('^(.*)/')
return redis.call('ZLEXCOUNT', KEYS[2], '[' .. namespace .. '/', '(' .. namespace .. '0')
"""
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

_READING = """
local function links_of(member)
  local text = redis.call('HGET', KEYS[3], member .. ':links')
  return text and cjson.decode(text)
end
local function fields_written(member)
  return redis.call('ZRANGEBYLEX', KEYS[5], '[' .. member .. '/', '(' .. member .. '0')
end
local function namespace_of(member) return member:match('^(.*)/') end
local function parent_of(member, links)
  return links.parent ~= '' and namespace_of(member) .. '/' .. links.parent or nil
end
local function channel_of(field) return field:match('^[^/]*/([^/]*)/') end
local function named(member)
  if member:sub(-1) ~= '/' then return member end
  local after = '(' .. member:sub(1, -2) .. '0'
  return redis.call('ZREVRANGEBYLEX', KEYS[2], after, '[' .. member, 'LIMIT', 0, 1)[1]
end
"""

# ARGV: `<namespace>/<id>` or `<namespace>/` for the latest
# Returns {member, checkpoint, metadata, links, {blob or nil, in the order of links}, {field, write, ...}}
GET = (
    _READING
    + """
local member = named(ARGV[1])
if not member then
  if redis.call('EXISTS', KEYS[3]) == 0 then return false end
  return redis.error_reply('LOSTDATA')
end
local fields = {member .. ':checkpoint', member .. ':metadata', member .. ':links'}
local record = redis.call('HMGET', KEYS[3], unpack(fields))
if not record[3] then return false end
local blobs, writes = {}, {}
for i, field in ipairs(cjson.decode(record[3]).blobs) do blobs[i] = redis.call('HGET', KEYS[4], field) end
for _, field in ipairs(fields_written(member)) do
  writes[#writes + 1] = field
  writes[#writes + 1] = redis.call('HGET', KEYS[6], field)
end
return {member, record[1], record[2], record[3], blobs, writes}
"""
)

# ARGV: as for GET, then pairs of a channel as it is in the fields of blobs, and as it is in the heads of writes
# Returns {{member, {channel, blob or "", ...}, {field, write, ...}}, ...} of the ancestors, the nearest first, back to
# where each channel has a value: what was written before that, and to other channels, stays where it is.
HISTORY = (
    _READING
    + """
local missing, writes_of, left = {}, {}, 0
for i = 2, #ARGV, 2 do
  missing[ARGV[i]], writes_of[ARGV[i + 1]], left = ARGV[i + 1], true, left + 1
end
local found = {}
local member = named(ARGV[1])
local links = member and links_of(member)
while links and left > 0 do
  member = parent_of(member, links)
  links = member and links_of(member)
  if not links then break end
  local writes, seeds = {}, {}
  for _, field in ipairs(fields_written(member)) do
    local write = redis.call('HGET', KEYS[6], field)
    local head = cjson.decode(write:sub(1, write:find('\\0', 1, true) - 1))
    if writes_of[head[2]] then
      writes[#writes + 1] = field
      writes[#writes + 1] = write
    end
  end
  for _, field in ipairs(links.blobs) do
    local channel = channel_of(field)
    if missing[channel] then
      seeds[#seeds + 1] = missing[channel]
      seeds[#seeds + 1] = redis.call('HGET', KEYS[4], field) or ''
      writes_of[missing[channel]], missing[channel], left = nil, nil, left - 1
    end
  end
  if #writes > 0 or #seeds > 0 then found[#found + 1] = {member, seeds, writes} end
end
return found
"""
)

_DROP = (
    _READING
    + """
local function drop(doomed)
  local unused = {}
  for _, member in ipairs(doomed) do
    local links = links_of(member)
    for _, field in ipairs(links and links.blobs or {}) do unused[field] = true end
    redis.call('ZREM', KEYS[2], member)
    redis.call('HDEL', KEYS[3], member .. ':checkpoint', member .. ':metadata', member .. ':links')
    for _, field in ipairs(fields_written(member)) do
      redis.call('ZREM', KEYS[5], field)
      redis.call('HDEL', KEYS[6], field)
    end
  end
  if next(unused) == nil then return end
  for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local links = links_of(member)
    for _, field in ipairs(links and links.blobs or {}) do unused[field] = nil end
  end
  for field in pairs(unused) do redis.call('HDEL', KEYS[4], field) end
end
"""
)

# ARGV: runs whose checkpoints go
DROP_RUNS = (
    _DROP
    + """
local runs, doomed = {}, {}
for _, run in ipairs(ARGV) do runs[run] = true end
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local links = links_of(member)
  if links and runs[links.run] then doomed[#doomed + 1] = member end
end
drop(doomed)
"""
)

# ARGV: how many of each namespace stay, the newest. With them stay the ancestors back to where each of their delta
# channels has a value: such a channel is rebuilt from that value and the writes since, and would be empty without one.
TRIM = (
    _DROP
    + """
local keep, count, kept, walked = tonumber(ARGV[1]), {}, {}, {}
local members = redis.call('ZRANGE', KEYS[2], 0, -1)
local function keep_lineage(member)
  local links, missing = links_of(member), {}
  for _, channel in ipairs(links and links.deltas or {}) do missing[channel] = true end
  while next(missing) do
    walked[member] = walked[member] or {}
    for channel in pairs(missing) do
      if walked[member][channel] then missing[channel] = nil else walked[member][channel] = true end
    end
    member = parent_of(member, links)
    links = member and links_of(member)
    if not links then return end
    kept[member] = true
    for _, field in ipairs(links.blobs) do missing[channel_of(field)] = nil end
  end
end
for i = #members, 1, -1 do
  local namespace = namespace_of(members[i])
  count[namespace] = (count[namespace] or 0) + 1
  if count[namespace] <= keep then
    kept[members[i]] = true
    keep_lineage(members[i])
  end
end
local doomed = {}
for _, member in ipairs(members) do
  if not kept[member] then doomed[#doomed + 1] = member end
end
drop(doomed)
"""
)

# Returns what each key but the fence holds, or nil
DUMP = """
local dumps = {}
for i = 2, #KEYS do dumps[i - 1] = redis.call('DUMP', KEYS[i]) end
return dumps
"""

# ARGV: ttl in milliseconds or "0", then a dump or "" for each key but the fence
RESTORE = """
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
  if ARGV[i] ~= '' then redis.call('RESTORE', KEYS[i], ARGV[1], ARGV[i]) end
end
"""
