import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Clock } from '../../contracts/clock.ts'
import { openPlain, openTls, within } from './open-socket.ts'

const PROBE_MS = 1000

/** Whether a server that could not be spoken to plainly speaks TLS. */
export async function speaksTls(
  address: string,
  endpoint: Endpoint,
  clock: Clock,
): Promise<boolean> {
  try {
    const socket = await openPlain(address, endpoint.port, clock)
    const secure = await openTls(socket, endpoint, {}, clock)
    secure.destroy()
    return true
  } catch {
    return false
  }
}

/** Whether a server that made no handshake speaks Redis without TLS. */
export async function speaksPlainly(address: string, port: number, clock: Clock): Promise<boolean> {
  try {
    const socket = await openPlain(address, port, clock)
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    socket.once('data', resolve)
    socket.write('PING\r\n')
    try {
      const reply = await within(clock, PROBE_MS, promise, () => {})
      return /^(\+PONG|-[A-Z]+ )/.test(reply.toString('latin1', 0, 20))
    } finally {
      socket.destroy()
    }
  } catch {
    return false
  }
}
