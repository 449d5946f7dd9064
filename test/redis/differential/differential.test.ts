import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Argument, Command, Reply } from '../../../src/adapters/redis/transport.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { SimServer } from '../../../src/testing/sim/sim-server.ts'
import { startServer } from '../servers/server.ts'
import { RandomCommands, SHORT_MS } from './random-commands.ts'

const SEEDS = 25
const COMMANDS = 150
/** What may pass between the real server's look at its clock and the command after it. */
const TIME_ERROR_MS = 500

let server: Awaited<ReturnType<typeof startServer>>
let client: Redis

beforeAll(async () => {
  server = await startServer()
  client = new Redis(server.url, { retryStrategy: null, protocol: 2 } as never)
  await client.ping()
})

afterAll(async () => {
  client?.disconnect()
  await server?.stop()
})

/** The time first, so that the twin can be given it. */
async function ask(command: Command): Promise<{ now: number; reply: Reply }> {
  const [name, ...args] = command as [string, ...Argument[]]
  const time = client.callBuffer('TIME')
  const reply = client.callBuffer(name, ...(args as string[])).catch((error: Error) => error)
  const [seconds, micros] = (await time) as unknown as [Buffer, Buffer]
  return { now: Number(seconds) * 1000 + Number(micros) / 1000, reply: (await reply) as Reply }
}

/** Texts as they are, errors by their first word; an instant close to the real one is that one. */
function shown(reply: Reply, real: Reply): unknown {
  if (reply instanceof Error) return `error ${reply.message.split(' ')[0]}`
  if (Array.isArray(reply)) {
    return reply.map((part: Reply, at) => shown(part, Array.isArray(real) ? real[at] : part))
  }
  const isInstant = isTime(reply) && isTime(real)
  const isClose = isInstant && Math.abs(Number(reply) - Number(real)) < TIME_ERROR_MS
  const text = isClose ? real : reply
  return Buffer.isBuffer(text) ? text.toString('latin1') : text
}

function isTime(reply: Reply): boolean {
  // HINCRBY of one answers with a number.
  if (!Buffer.isBuffer(reply) && typeof reply !== 'number') return false
  return /^\d{13}$/.test(String(reply))
}

/** Both are on their way to the same instant. */
function isSameLife({ 0: name }: Command, real: Reply, simulated: Reply): boolean {
  if (name !== 'PTTL' || !(Number(real) > 0) || !(Number(simulated) > 0)) return false
  return Math.abs(Number(real) - Number(simulated)) < TIME_ERROR_MS
}

async function compare(seed: number): Promise<void> {
  await client.flushall()
  await client.script('FLUSH')
  const twin = new SimServer()
  const commands = new RandomCommands(seededRandom(seed))
  let now = Date.now()
  for (let i = 0; i < COMMANDS; i++) {
    const command = commands.next(Math.floor(now))
    const real = await ask(command)
    now = real.now
    const simulated = twin.execute(command, now)
    if (command[0] === 'SCRIPT') commands.forget()
    if (isSameLife(command, real.reply, simulated)) continue
    const place = `seed ${seed}, command ${i}: ${command.map(String).join(' ').slice(-300)}`
    expect(shown(simulated, real.reply), place).toEqual(shown(real.reply, real.reply))
    if (command.some((argument) => argument === SHORT_MS)) await pass(2 * SHORT_MS)
  }
}

/** What is to expire must be over on both sides before the next command. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describe('the simulated Redis answers like the real one', { timeout: 120_000 }, () => {
  it(`to ${SEEDS} streams of ${COMMANDS} random commands and scripts`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await compare(seed)
  })
})
