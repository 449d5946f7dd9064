import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Clock } from '../../contracts/clock.ts'
import { STEP_MS } from '../cli-world.ts'

/** @throws what the system said */
export async function addressesOf(host: string, clock: Clock): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const found = await within(clock, STEP_MS, lookup(host, { all: true }), () => {})
  return found.map(({ address }) => address)
}

/** @throws what the system said */
export function openPlain(address: string, port: number, clock: Clock): Promise<Socket> {
  const socket = connect({ host: address, port })
  return opened(socket, 'connect', clock, STEP_MS)
}

/**
 * Whether the server is the right one is not decided here: its certificate can be shown all the
 * same. Nothing may be sent before `authorizationError` was looked at.
 * @throws when there was no handshake
 */
export function openTls(
  socket: Socket,
  { host }: Endpoint,
  tls: ConnectionOptions,
  clock: Clock,
): Promise<TLSSocket> {
  const named = isIP(host) === 0 ? { servername: host } : {}
  const secure = connectTls({ ...named, host, ...tls, socket, rejectUnauthorized: false })
  return opened(secure, 'secureConnect', clock, STEP_MS)
}

/** Rejects when it takes longer; `onLate` is then called. */
export async function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  onLate: () => void,
): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = clock.setTimeout(() => {
    late.reject(Object.assign(new Error('not in time'), { code: 'ETIMEDOUT' }))
    onLate()
  }, ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clock.clearTimeout(timer)
  }
}

async function opened<T extends Socket>(
  socket: T,
  event: string,
  clock: Clock,
  ms: number,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onClose = () =>
    reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
  socket.once(event, () => resolve(socket))
  socket.on('error', reject)
  socket.once('close', onClose)
  try {
    return await within(clock, ms, promise, () => socket.destroy())
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    socket.off('close', onClose)
  }
}
