import type { RedisProcess } from '../servers/redis-process.ts'

/** Makes everything on a server so much older: time passes for what it holds, and nobody waits. */
const AGE = `
local ms = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left <= ms then
    redis.call('DEL', key)
  else
    if redis.call('TYPE', key).ok == 'hash' then
      local untilTime = redis.call('HGET', key, 'u')
      if untilTime then redis.call('HSET', key, 'u', string.format('%.0f', tonumber(untilTime) - ms)) end
    elseif string.find(key, '}:e:', 1, true) then
      local value = redis.call('GET', key)
      if #value >= 20 then
        local version, fresh = struct.unpack('<dd', value)
        redis.call('SETRANGE', key, 8, struct.pack('<d', fresh - ms))
      end
    end
    if left >= 0 then redis.call('PEXPIRE', key, left - ms) end
  end
end`

export async function age(servers: readonly RedisProcess[], ms: number): Promise<void> {
  await Promise.all(servers.map((server) => server.cli('EVAL', AGE, 0, ms)))
}
