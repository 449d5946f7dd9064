import { createHash } from 'node:crypto'

// Every step that has to be atomic, as a Lua script over the keys of one part (key-space.ts). Each is
// given all its keys. Replies that are numbers of the sequence or instants are texts: Redis cuts Lua
// numbers down to 64-bit integers, and Lua shows large ones as 1e+15.
//
// Where a script both reads and grants leases, the grant is tried with pcall: a server that is out of
// memory, or takes no writes, can still be read. READONLY is no such case, it means the wrong node.
// What is not of the type that it should be is no reason to fail either, least of all for the other
// keys of the request: it counts as missing, and is overwritten.
// The simulated Redis of ./testing has a twin of each in TypeScript; a test runs both side by side.

export interface Script {
  readonly name: string
  readonly source: string
  readonly sha: string
}

function script(name: string, body: string): Script {
  const source = body.trim()
  return { name, source, sha: createHash('sha1').update(source).digest('hex') }
}

/** How long a stamp lives that no entry needs longer, in milliseconds. */
export const STAMP_MS = 3_600_000
/** How long it is remembered that loads stored nothing, in milliseconds. */
export const FRUITLESS_MS = 5000
/**
 * A lease that seems to last longer than so many times what the request would be given itself was made
 * before the clock of the server was set back: to whoever waits for a load it counts as over.
 */
export const LEASE_LIMIT = 3
/** Lua has no room for the results of more at once. */
const MGET_KEYS = 1000
/** Bytes before the record of an entry. */
export const PREFIX_BYTES = 20

/** ARGV[1] of every script that uses it: an epoch for a sequence that is missing. */
const SEQUENCE = `
local function sequence()
  local q = redis.call('HMGET', KEYS[1], 'e', 'n')
  if q[1] and q[2] then return q[1], q[2] end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'e', ARGV[1], 'n', '0')
  return ARGV[1], '0'
end`

const NOW = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end`

/** The publishing must not fail what was done: it comes last, and errors of it are left to the bus. */
const PUBLISH = `
local function publish(command, channel, head, epoch, number, tail)
  if command == '' then return end
  redis.pcall(command, channel, head .. ' ' .. epoch .. ' ' .. number .. ' ' .. tail)
end`

const STAMP = `
local function stampOf(key, epoch)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then return nil end
  local e, hard, soft = string.match(text, '^(%d+) (%d+) (%d+)$')
  if e ~= epoch then return nil end
  return tonumber(hard), tonumber(soft)
end
local function bucket(name)
  return tonumber(redis.call('HGET', KEYS[1], 'b' .. name) or '0')
end
local function text(epoch, hard, soft)
  return epoch .. ' ' .. string.format('%.0f', hard) .. ' ' .. string.format('%.0f', soft)
end`

const MGET = `
local function mget(names)
  local found = {}
  for from = 1, #names, ${MGET_KEYS} do
    local some = redis.call('MGET', unpack(names, from, math.min(#names, from + ${MGET_KEYS - 1})))
    for i = 1, #some do found[from + i - 1] = some[i] end
  end
  return found
end`

/** Returns 0 | 1 granted | 2 held, and [f, m, x] or false; of the wrong node only its error. */
const GRANT = `
local function grant(name, token, time, ms)
  local lease = redis.pcall('HMGET', name, 't', 'u', 'f', 'm', 'x')
  if lease.err then
    redis.pcall('DEL', name)
    lease = {}
  end
  local fruitless = (lease[3] or lease[5]) and {lease[3] or '0', lease[4] or '', lease[5] or '0'} or false
  local left = lease[1] and lease[1] ~= token and tonumber(lease[2]) - time or 0
  if left > 0 and left <= ${LEASE_LIMIT} * ms then return 2, fruitless end
  local done = redis.pcall('HSET', name, 't', token, 'u', string.format('%.0f', time + ms))
  if type(done) == 'table' and done.err then
    if string.find(done.err, 'READONLY', 1, true) then return done end
    return 0, fruitless
  end
  redis.call('PEXPIRE', name, math.max(ms, ${FRUITLESS_MS}))
  return 1, fruitless
end`

/** Appends hard and soft of the stamps that were found, making those that are missing. */
const STAMPS = `
local function stamps(out, names, found, from, epoch, number)
  local n = #out
  for i = from, #names do
    local of, hard, soft
    if found[i] then of, hard, soft = string.match(found[i], '^(%d+) (%d+) (%d+)$') end
    if of ~= epoch then
      hard, soft = number, number
      redis.pcall('SET', names[i], epoch .. ' ' .. hard .. ' ' .. soft, 'PX', ${STAMP_MS})
    end
    out[n + 1], out[n + 2] = hard, soft
    n = n + 2
  end
  return out
end`

/**
 * Reads entries and leases those that need it; reads stamps, making those that are missing.
 * KEYS: sequence; for each key its entry and its lease; the stamps.
 * ARGV: epoch, keys, tags, '' | 'stale' | 'always', token, lease ms, bytes of a known entry; then for
 * each key the version that the caller has, or '', which may be left out at the end.
 * Reply: epoch, number, now; for each key entry or nil, 0 | 1 granted | 2 held, [f, m, x] or nil; for
 * each stamp hard, soft.
 */
export const READ = script(
  'read',
  `${SEQUENCE}${NOW}${MGET}${GRANT}${STAMPS}
local epoch, number = sequence()
local time = now()
local keys, tags = tonumber(ARGV[2]), tonumber(ARGV[3])
local when, token, ms, head = ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local names = {}
for i = 1, keys do names[i] = KEYS[2 * i] end
for i = 1, tags do names[keys + i] = KEYS[2 * keys + 1 + i] end
local found = mget(names)
local e = tonumber(epoch)
local out = {epoch, number, string.format('%.0f', time)}
local n = 3
for i = 1, keys do
  local value = found[i]
  local fresh = false
  if value then
    if #value < ${PREFIX_BYTES} then
      value = false
    else
      local version, untilTime, of = struct.unpack('<ddI4', value)
      if of ~= e then
        value = false
      else
        fresh = time < untilTime
        local known = ARGV[7 + i]
        if known and known ~= '' and tonumber(known) == version then
          value = string.sub(value, 1, ${PREFIX_BYTES} + head)
        end
      end
    end
  end
  local granted, fruitless = 0, false
  if when == 'always' or (when == 'stale' and not fresh) then
    granted, fruitless = grant(KEYS[2 * i + 1], token, time, ms)
    if type(granted) == 'table' then return granted end
  end
  out[n + 1], out[n + 2], out[n + 3] = value, granted, fruitless
  n = n + 3
end
return stamps(out, names, found, keys + 1, epoch, number)`,
)

/**
 * Leases what is missing, for a reader who asks for the entries themselves by a plain `MGET` right
 * behind it: what goes through Lua is copied twice more.
 * KEYS: sequence; the entries; their leases; the stamps. ARGV: epoch, keys, tags, token, lease ms.
 * Reply: epoch, number, now, [place of a missing key, 0 | 1 granted | 2 held, [f, m, x] or nil, ...];
 * for each stamp hard, soft.
 */
export const LEASE = script(
  'lease',
  `${SEQUENCE}${NOW}${MGET}${GRANT}${STAMPS}
local epoch, number = sequence()
local time = now()
local keys, tags = tonumber(ARGV[2]), tonumber(ARGV[3])
local token, ms = ARGV[4], tonumber(ARGV[5])
local there = 0
for from = 2, keys + 1, ${MGET_KEYS} do
  there = there + redis.call('EXISTS', unpack(KEYS, from, math.min(keys + 1, from + ${MGET_KEYS - 1})))
end
local missing = {}
if there < keys then
  local n = 0
  for i = 1, keys do
    if redis.call('EXISTS', KEYS[1 + i]) == 0 then
      local granted, fruitless = grant(KEYS[1 + keys + i], token, time, ms)
      if type(granted) == 'table' then return granted end
      missing[n + 1], missing[n + 2], missing[n + 3] = i, granted, fruitless
      n = n + 3
    end
  end
end
local names = {}
for i = 1, tags do names[i] = KEYS[1 + 2 * keys + i] end
local out = {epoch, number, string.format('%.0f', time), missing}
return stamps(out, names, mget(names), 1, epoch, number)`,
)

/**
 * Stores an entry: what the user set, or the result of a load whose lease is still held and of whose
 * tags none was stamped since.
 * KEYS: sequence, entry, lease; the stamps, where they lie in the same part.
 * ARGV: epoch, token or '' for a set, epoch and number of the fence ('' where the stamps lie
 * elsewhere; of a set '' and the instant after which it is late), freshUntil, keepUntil ('inf' for ever), bytes, publish command, channel, head, tail;
 * then for each stamp its bucket.
 * Reply: number, or the reason why not.
 */
export const WRITE = script(
  'write',
  `${SEQUENCE}${NOW}${PUBLISH}${STAMP}
local epoch = sequence()
local time = now()
local token, fence = ARGV[2], tonumber(ARGV[4])
local keep = ARGV[6] == 'inf' and math.huge or tonumber(ARGV[6]) - time
local isCommit = token ~= ''
if isCommit then
  if ARGV[3] ~= '' and ARGV[3] ~= epoch then return 'epoch-changed' end
  local lease = redis.call('HMGET', KEYS[3], 't', 'u')
  if lease[1] ~= token or time >= tonumber(lease[2]) then return 'lease-lost' end
elseif fence and time > fence then
  return 'late'
end
local missing = {}
for i = 4, #KEYS do
  local hard, soft = stampOf(KEYS[i], epoch)
  if not hard then
    hard = bucket(ARGV[8 + i])
    soft = hard
    missing[i] = hard
  end
  if isCommit and (hard > fence or soft > fence) then return 'tag-changed' end
end
local number = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'n', 1))
for i = 4, #KEYS do
  if missing[i] then redis.call('SET', KEYS[i], text(epoch, missing[i], missing[i]), 'PX', ${STAMP_MS}) end
  if keep == math.huge then
    redis.call('PERSIST', KEYS[i])
  else
    local left = redis.call('PTTL', KEYS[i])
    if left >= 0 and left < keep then redis.call('PEXPIRE', KEYS[i], math.ceil(keep)) end
  end
end
if keep <= 0 then
  redis.call('DEL', KEYS[2])
else
  local value = struct.pack('<ddI4', tonumber(number), tonumber(ARGV[5]), tonumber(epoch)) .. ARGV[7]
  if keep == math.huge then
    redis.call('SET', KEYS[2], value)
  else
    redis.call('SET', KEYS[2], value, 'PX', math.max(1, math.ceil(keep)))
  end
end
redis.call('DEL', KEYS[3])
publish(ARGV[8], ARGV[9], ARGV[10], epoch, number, ARGV[11])
return {number}`,
)

/**
 * In Cluster the stamps lie in a part of their own: what `WRITE` does to them is done by this.
 * KEYS: sequence of the stamps; the stamps. ARGV: epoch, keepUntil or 'inf'; for each its bucket.
 */
export const TOUCH = script(
  'touch',
  `${SEQUENCE}${NOW}${STAMP}
local epoch = sequence()
local keep = ARGV[2] == 'inf' and math.huge or tonumber(ARGV[2]) - now()
for i = 2, #KEYS do
  if not stampOf(KEYS[i], epoch) then
    local number = bucket(ARGV[1 + i])
    redis.call('SET', KEYS[i], text(epoch, number, number), 'PX', ${STAMP_MS})
  end
  if keep == math.huge then
    redis.call('PERSIST', KEYS[i])
  else
    local left = redis.call('PTTL', KEYS[i])
    if left >= 0 and left < keep then redis.call('PEXPIRE', KEYS[i], math.ceil(keep)) end
  end
end
return 1`,
)

/**
 * Deletes entries and drops their leases, first of all: a server that is out of memory does that much
 * before it fails. KEYS: sequence; for each key its entry and its lease.
 * ARGV: epoch, publish command, channel, head, tail. Reply: number.
 */
export const DELETE = script(
  'delete',
  `${SEQUENCE}${PUBLISH}
local epoch = sequence()
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
local number = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'n', 1))
publish(ARGV[2], ARGV[3], ARGV[4], epoch, number, ARGV[5])
return number`,
)

/**
 * Stamps tags. KEYS: sequence; the stamps. ARGV: epoch, 'hard' | 'soft', publish command, channel,
 * head, tail; then for each stamp its bucket. Reply: number.
 */
export const STAMP_TAGS = script(
  'stamp',
  `${SEQUENCE}${PUBLISH}${STAMP}
local epoch = sequence()
local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
local number = string.format('%.0f', n)
for i = 2, #KEYS do
  local hard, soft = stampOf(KEYS[i], epoch)
  local isNew = not hard
  if isNew then
    hard = bucket(ARGV[5 + i])
    soft = hard
  end
  if ARGV[2] == 'hard' then hard = n else soft = n end
  if isNew then
    redis.call('SET', KEYS[i], text(epoch, hard, soft), 'PX', ${STAMP_MS})
  else
    redis.call('SET', KEYS[i], text(epoch, hard, soft), 'KEEPTTL')
  end
  redis.call('HSET', KEYS[1], 'b' .. ARGV[5 + i], number)
end
publish(ARGV[3], ARGV[4], ARGV[5], epoch, number, ARGV[6])
return number`,
)

/** KEYS: lease. ARGV: token, ms. Reply: whether it is still the token's. */
export const RENEW = script(
  'renew',
  `${NOW}
local time = now()
local lease = redis.call('HMGET', KEYS[1], 't', 'u')
if lease[1] ~= ARGV[1] or time >= tonumber(lease[2]) then return 0 end
redis.call('HSET', KEYS[1], 'u', string.format('%.0f', time + tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[2]), ${FRUITLESS_MS}))
return 1`,
)

/**
 * Gives a lease back. KEYS: sequence, lease. ARGV: epoch, token, 'failed' | 'unstored' | 'unused',
 * failure as JSON or '', publish command, channel, head, tail. Reply: whether it was the token's.
 */
export const RELEASE = script(
  'release',
  `${SEQUENCE}${NOW}${PUBLISH}
local lease = redis.call('HMGET', KEYS[2], 't', 'u')
if lease[1] ~= ARGV[2] or now() >= tonumber(lease[2]) then return 0 end
local epoch = sequence()
local number = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'n', 1))
redis.call('HDEL', KEYS[2], 't', 'u')
if ARGV[3] == 'failed' then
  redis.call('HINCRBY', KEYS[2], 'f', 1)
  redis.call('HSET', KEYS[2], 'm', ARGV[4])
elseif ARGV[3] == 'unstored' then
  redis.call('HINCRBY', KEYS[2], 'x', 1)
end
redis.call('PEXPIRE', KEYS[2], ${FRUITLESS_MS})
publish(ARGV[5], ARGV[6], ARGV[7], epoch, number, ARGV[8])
return 1`,
)

/**
 * Declares everything of one part stale. KEYS: sequence. ARGV: epoch, publish command, channel, head,
 * tail. Reply: epoch.
 */
export const RESET = script(
  'reset',
  `${PUBLISH}
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'e', ARGV[1], 'n', '0')
publish(ARGV[2], ARGV[3], ARGV[4], ARGV[1], '0', ARGV[5])
return ARGV[1]`,
)
