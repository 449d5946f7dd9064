/**
 * Charges what a process has taken, and leases it a slice of each rate, in one step and by the server's
 * clock. The buckets are kept as in `TokenBuckets`: the instant at which each is full again. A slice is
 * always given; where there is not enough, it may be used only later (`ready`), so that processes queue
 * in time instead of asking again and again. A key that is missing is made here, as full as the caller
 * last knew it.
 *
 * KEYS: buckets, members. ARGV: member, how long it counts as one in ms (0: it leaves), pause in ms; then
 * for each rate: field, ms per token, burst, charge, least, most, what is left as the caller knows, ms
 * until full at least.
 * Reply: members, pause left, ms until the slice may be used; then for each rate: slice, ms until full.
 */
export const SLICE_SCRIPT = `local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function text(number) return string.format('%.3f', number) end
redis.call('ZADD', KEYS[2], text(now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now))
if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
local pause = tonumber(redis.call('HGET', KEYS[1], 'pause') or 0)
local asked = tonumber(ARGV[3])
if asked > 0 and now + asked > pause then
  pause = now + asked
  redis.call('HSET', KEYS[1], 'pause', text(pause))
end
local ready, keep = 0, math.max(0, pause - now)
local reply = {}
for i = 4, #ARGV, 8 do
  local field, ms, burst = 'full:' .. ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local charge, least = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local most, known = tonumber(ARGV[i + 5]), tonumber(ARGV[i + 6])
  local full = tonumber(redis.call('HGET', KEYS[1], field) or now + (burst - known) * ms)
  full = math.min(full, now + 2 * burst * ms + 60000)
  full = math.max(full, now) + charge * ms
  full = math.max(full, now + tonumber(ARGV[i + 7]))
  local slice = math.max(least, math.min(most, burst - (full - now) / ms))
  full = full + slice * ms
  if slice > 0 then ready = math.max(ready, full - burst * ms - now) end
  redis.call('HSET', KEYS[1], field, text(full))
  keep = math.max(keep, full - now)
  reply[#reply + 1] = string.format('%.17g', slice)
  reply[#reply + 1] = text(math.max(0, full - now))
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep + 60000))
table.insert(reply, 1, text(ready))
table.insert(reply, 1, text(math.max(0, pause - now)))
table.insert(reply, 1, redis.call('ZCARD', KEYS[2]))
return reply`

/** SHA-1 of the script, by which a server knows it; written out, as hashing costs an import. */
export const SLICE_SHA = '6e164dbaefa9216646bf84d1f9674c4ff3b687be'
