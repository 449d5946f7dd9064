import type { Candidate } from '../../../src/adapters/redis/ioredis/discovery.ts'
import { SentinelDiscovery } from '../../../src/adapters/redis/ioredis/sentinel-discovery.ts'
import type { SentinelTarget } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import type { Settings } from '../../../src/adapters/redis/ioredis/settings.ts'
import { realClock, realRandom } from '../../../src/kernel/real-clock.ts'
import { RespClient } from '../servers/resp-client.ts'
import { settingsOf } from './settings.ts'

/** The smallest data connection: finds, asks the server what it is, and tells discovery. */
export class Driver {
  readonly discovery: SentinelDiscovery
  readonly errors: string[] = []
  readonly sources: Candidate[] = []
  /** When it was told to move, by `performance.now()`. */
  readonly moves: number[] = []
  /** Called when it is told to move. */
  onMoved: () => void = () => {}
  readonly #password: string | undefined

  constructor(target: SentinelTarget, settings: Partial<Settings> = {}) {
    const world = { clock: realClock, random: realRandom, timeoutMs: 50 }
    this.#password = settings.credentials?.password
    this.discovery = new SentinelDiscovery(target, settingsOf(target, settings), world)
    this.discovery.start({
      onMoved: () => {
        this.moves.push(performance.now())
        this.onMoved()
      },
      onSource: (candidate) => this.sources.push(candidate),
      onError: (error) => this.errors.push(error.message),
    })
  }

  /** One attempt: the candidate that was accepted, or the error. */
  async attempt(): Promise<Candidate> {
    const candidate = await this.discovery.find()
    try {
      const info = await this.#infoOf(candidate)
      const error = this.discovery.check(candidate, info)
      if (error) throw error
      this.discovery.accepted(candidate, info)
      return candidate
    } catch (error) {
      this.discovery.refused(candidate, error as Error)
      throw error
    }
  }

  /** Attempts until one succeeds, as the connection makes them. */
  async connect(attempts = 5): Promise<Candidate> {
    for (let left = attempts; ; left--) {
      try {
        return await this.attempt()
      } catch (error) {
        if (left === 1) throw error
      }
    }
  }

  async #infoOf({ host, port }: Candidate): Promise<Record<string, string>> {
    const client = new RespClient({ host, port, password: this.#password, timeoutMs: 500 })
    try {
      const text = String(await client.send('INFO'))
      const fields = [...text.matchAll(/^([^#:\r\n]+):(.*?)\r?$/gm)]
      return Object.fromEntries(fields.map(([, name, value]) => [name, value]))
    } finally {
      client.close()
    }
  }
}
