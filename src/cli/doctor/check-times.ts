import { milliseconds, span } from '../text.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import type { Patient } from './patient.ts'
import { percentile } from './percentile.ts'

const PINGS = 100
/** A server across the world still gets its verdict within a few seconds. */
const LONGEST_MS = 3000
const CLOCK_SAMPLES = 5
const CLOCK_MS = 2000

/** What one round trip takes, beside the deadline that the cache would give it. */
export async function checkLatency({ connection, settings, world }: Patient): Promise<Finding> {
  const { timeoutMs } = settings
  const times: number[] = []
  const start = world.clock.now()
  while (times.length < PINGS && world.clock.now() - start < LONGEST_MS) {
    const from = world.clock.now()
    await connection.ask('PING')
    times.push(world.clock.now() - from)
  }
  const half = percentile(times, 0.5)
  const slow = percentile(times, 0.99)
  const text = `round trip p50 ${milliseconds(half)}, p99 ${milliseconds(slow)} of ${times.length}; the deadline is ${milliseconds(timeoutMs)}`
  if (slow <= timeoutMs / 2) return ok('latency', text)
  const isHopeless = half > timeoutMs
  return (isHopeless ? problem : warning)(
    'latency',
    text,
    isHopeless
      ? 'Most reads would miss the deadline and go to the origin; the breaker would open.'
      : 'Reads that miss the deadline go to the origin. Under load, round trips take longer than now.',
    'Move the service nearer to Redis, look for what blocks it (SLOWLOG GET), or raise timeout.',
  )
}

/** Instants of entries are the server's; what matters is that the one after a failover agrees. */
export async function checkClock({ connection, world }: Patient): Promise<Finding | undefined> {
  let best: { roundTrip: number; difference: number } | undefined
  for (let sample = 0; sample < CLOCK_SAMPLES; sample++) {
    const from = world.clock.now()
    const reply = await connection.ask('TIME')
    if (!Array.isArray(reply)) return undefined
    const roundTrip = world.clock.now() - from
    const server = Number(reply[0]) * 1000 + Number(reply[1]) / 1000
    const difference = server - (world.clock.wall() - roundTrip / 2)
    if (!best || roundTrip < best.roundTrip) best = { roundTrip, difference }
  }
  if (!best) return undefined
  const size = Math.abs(best.difference)
  if (size < CLOCK_MS) return ok('clock', `differs by ${milliseconds(size)}`)
  return warning(
    'clock',
    `The clock of the server is ${span(size)} ${best.difference > 0 ? 'ahead of' : 'behind'} that of this machine`,
    'The cache counts by the clock of the server. If the server that takes over has another time, entries live that much longer or shorter.',
    'Synchronize the clocks of all machines (NTP).',
  )
}
