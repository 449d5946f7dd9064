import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { guardChild } from './guard.ts'
import { releasePort } from './ports.ts'
import { type Argument, asText, RespClient, type TextReply } from './resp-client.ts'
import type { Reply } from './resp-parser.ts'
import { until } from './until.ts'

/** How one process is started, again after each `restart`. */
export interface Launch {
  readonly binary: string
  readonly args: readonly string[]
  readonly port: number
  /** The ports that `stop` gives back; a fixed port belongs to whoever fixed it. */
  readonly ownedPorts: readonly number[]
  readonly folder: string
  readonly url: string
  /** The line of its log that says it can be used. */
  readonly ready: RegExp
  readonly password?: string | undefined
  readonly ca?: string | undefined
}

/** Options of `restart`. */
export interface RestartOptions {
  /** Extra arguments for this run only. */
  readonly args?: readonly string[]
  /** Resolve when it listens, also while it still loads its data. Default: false. */
  readonly whileLoading?: boolean
}

const LISTENS = /Server initialized|Loading RDB|Ready to accept/
const LOG_LIMIT = 1_000_000

/** A redis-server, or a sentinel, that a test can break. */
export class RedisProcess {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly url: string
  /** Its working folder: dump.rdb, nodes.conf, sentinel.conf. Gone after `stop`. */
  readonly folder: string
  readonly password: string | undefined
  readonly #launch: Launch
  readonly #client: RespClient
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #log = ''

  constructor(launch: Launch) {
    this.#launch = launch
    this.port = launch.port
    this.url = launch.url
    this.folder = launch.folder
    this.password = launch.password
    this.#client = new RespClient({ port: launch.port, password: launch.password, ca: launch.ca })
  }

  /** Of the current run; changes with `restart`. Throws when it is not running. */
  get process(): ChildProcess {
    if (this.#child === undefined) throw new Error(`Port ${this.port}: the server is not running`)
    return this.#child
  }

  get pid(): number {
    return this.process.pid as number
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Everything it has printed since the last start. */
  logs(): string {
    return this.#log
  }

  /** Sends a command by a connection apart from the client under test; strings come as text. */
  async cli<T = TextReply>(...args: readonly Argument[]): Promise<T> {
    return asText(await this.#client.send(...args)) as T
  }

  /** As `cli`, with strings as the bytes they are. */
  async cliBytes<T = Reply>(...args: readonly Argument[]): Promise<T> {
    return (await this.#client.send(...args)) as T
  }

  /** The fields of `INFO <section>`. */
  async info(section: string): Promise<Record<string, string>> {
    const text = await this.cli<string>('INFO', section)
    const fields = [...text.matchAll(/^([^#:\r\n]+):(.*?)\r?$/gm)]
    return Object.fromEntries(fields.map(([, name, value]) => [name, value]))
  }

  /** Drops the connection of `cli`, for tests that count connections. */
  closeCli(): void {
    this.#client.close()
  }

  async start({ args = [], whileLoading = false }: RestartOptions = {}): Promise<void> {
    const { binary, folder } = this.#launch
    const child = spawn(binary, [...this.#launch.args, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    guardChild(child)
    this.#child = child
    this.#log = ''
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
      resolve()
    })
    child.once('error', (error) => {
      this.#log += error.message
      if (this.#child === child) this.#child = undefined
      resolve()
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_LIMIT)
      })
    }
    await this.#untilReady(whileLoading ? LISTENS : this.#launch.ready)
  }

  /** Like kill -9; resolves when it is gone. Its port and folder stay for `restart`. */
  async kill(): Promise<void> {
    // A process that is stopped might not see the second signal on every system.
    this.#child?.kill('SIGCONT')
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  /** Freezes it: connections stay open and nothing answers. */
  stopSignal(): void {
    this.process.kill('SIGSTOP')
  }

  continueSignal(): void {
    this.process.kill('SIGCONT')
  }

  /** Kills it if it still runs and starts it anew on the same port and folder. */
  async restart(options: RestartOptions = {}): Promise<void> {
    await this.kill()
    await this.start(options)
  }

  async stop(): Promise<void> {
    this.#client.close()
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
    for (const port of this.#launch.ownedPorts) releasePort(port)
  }

  async #untilReady(sign: RegExp): Promise<void> {
    const started = await until(
      `the server on port ${this.port} starts`,
      () => (sign.test(this.#log) ? 'ready' : !this.running && 'gone'),
      { withinMs: 20_000, everyMs: 2 },
    )
    if (started === 'gone' || !this.running) {
      await this.kill()
      throw new Error(`The server on port ${this.port} ended at once:\n${this.#log.slice(-2_000)}`)
    }
  }
}
