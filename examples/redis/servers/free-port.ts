import { createServer } from 'node:net'

// Below the ports that systems give to outgoing connections, so that none of those is in the way
// when a server comes back on the port it had.
const FIRST = 20_000
const COUNT = 12_000
const taken = new Set<number>()

/** A port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (taken.has(port) || !(await canListen(port))) continue
    taken.add(port)
    return port
  }
  throw new Error('No free port of 127.0.0.1 was found')
}

function canListen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return promise
}
