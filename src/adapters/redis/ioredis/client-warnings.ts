interface Options {
  readonly enableOfflineQueue?: unknown
  readonly commandTimeout?: unknown
  readonly socketTimeout?: unknown
  readonly autoResendUnfulfilledCommands?: unknown
  readonly maxRetriesPerRequest?: unknown
  readonly keyPrefix?: unknown
  readonly enableAutoPipelining?: unknown
  /** Of a Cluster: options of its connections. */
  readonly redisOptions?: Options
}

/** What to listen for with `process.on('warning')`. */
export const CLIENT_WARNING = 'RC_REDIS_CLIENT_OPTIONS'

const warned = new WeakSet<object>()

/**
 * Tells the process, once for each client, which options of a user's client may hold a command longer
 * than the cache waits, or send it twice. The client is used as it is.
 */
export function warnOfClientOptions(client: unknown): void {
  const known = client as object & { options?: Options }
  if (warned.has(known)) return
  warned.add(known)
  const dangers = dangersOf(known.options ?? {})
  if (dangers.length === 0) return
  process.emitWarning(
    `The Redis client given to the cache has options that endanger it while Redis is away: ${dangers.join('; ')}. ` +
      'No call waits longer than its timeout all the same; set these options where the client is made.',
    { type: 'ResilientCacheWarning', code: CLIENT_WARNING },
  )
}

/** In words that name the option and the remedy. */
export function dangersOf(options: Options): string[] {
  // Some are read from the one place, some from the other, some from both.
  const node = { ...options.redisOptions, ...options }
  const inNodes = { ...options, ...options.redisOptions }
  const isCluster = options.redisOptions !== undefined || 'slotsRefreshTimeout' in options
  const dangers: string[] = []
  if (node.enableOfflineQueue !== false) {
    dangers.push(
      'commands of others pile up without limit while it is not connected (enableOfflineQueue: false)',
    )
  }
  if (inNodes.commandTimeout === undefined) {
    dangers.push('a command may hang for ever (commandTimeout: 100)')
  }
  if (inNodes.socketTimeout === undefined) {
    dangers.push('a connection that hangs is never given up (socketTimeout: 300)')
  }
  if (inNodes.autoResendUnfulfilledCommands !== false) {
    dangers.push(
      'a command that was cut off is sent again, over newer data (autoResendUnfulfilledCommands: false)',
    )
  }
  if (!isCluster && inNodes.maxRetriesPerRequest !== 0) {
    dangers.push('a command outlives several connections (maxRetriesPerRequest: 0)')
  }
  if (inNodes.keyPrefix) {
    dangers.push('keys of the cache do not get its keyPrefix (say it as prefix of redis() too)')
  }
  return dangers
}
