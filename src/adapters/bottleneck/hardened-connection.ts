import type Bottleneck from 'bottleneck'

export type StoreConnection = Bottleneck.IORedisConnection | Bottleneck.RedisConnection

type Reply = (error: Error | null | undefined, replies: unknown) => void

/** How the connections of bottleneck are asked to prepare the call of a script. */
interface ScriptCaller {
  __scriptArgs__(name: string, id: string, args: readonly unknown[], reply: Reply): unknown[]
  __removeLimiter__(limiter: { channel(): string; channel_client(): string }): void
  readonly subscriber: { unsubscribe(channel: string): unknown }
  readonly limiters: Record<string, unknown>
}

/** Since 7.0 Redis puts this in front of what a script replies as its error. */
const PREFIXED = /^ERR (?=SETTINGS_KEY_NOT_FOUND|UNKNOWN_CLIENT|OVERWEIGHT)/
const ONE_WORD = /^(SETTINGS_KEY_NOT_FOUND|UNKNOWN_CLIENT)\b/

/**
 * The same connection, whose errors of scripts read as bottleneck compares them. It makes lost keys
 * anew by itself, but tells them by the whole text of the error, which Redis 7 has changed: from then on
 * every job is rejected for ever (its issues 205 and 219).
 *
 * Made from the connection, not put into it: that may belong to the user.
 */
export function hardened<C extends StoreConnection>(connection: C): C {
  const caller = connection as unknown as ScriptCaller
  const changed: Pick<ScriptCaller, '__scriptArgs__' | '__removeLimiter__'> = {
    __scriptArgs__: (name, id, args, reply) =>
      caller.__scriptArgs__(name, id, args, (error, replies) => {
        if (error) error.message = asBottleneckExpects(error.message)
        reply(error, replies)
      }),
    // bottleneck's own drops these promises: closed meanwhile, they would be unhandled rejections.
    __removeLimiter__(limiter) {
      for (const channel of [limiter.channel(), limiter.channel_client()]) {
        delete caller.limiters[channel]
        Promise.resolve(caller.subscriber.unsubscribe(channel)).catch(() => {})
      }
    },
  }
  return Object.assign(Object.create(connection) as C, changed)
}

export function asBottleneckExpects(message: string): string {
  const text = message.replace(PREFIXED, '')
  return ONE_WORD.exec(text)?.[1] ?? text
}
