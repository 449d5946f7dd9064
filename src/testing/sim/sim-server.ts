import type { Argument, Command, Reply } from '../../adapters/redis/transport.ts'
import { ScriptCall, type ScriptFlaw } from './script-call.ts'
import { bytesOf, DATA_COMMANDS, integerOf, OK, textOf } from './sim-commands.ts'
import { CommandError, SimData } from './sim-data.ts'
import { type KnownScript, SCRIPTS_BY_SHA, SCRIPTS_BY_SOURCE } from './sim-scripts.ts'

/** Whoever listens to channels. */
export interface Subscriber {
  receive(channel: string, payload: Buffer): void
}

/** What a script did, for whoever watches over the server's shoulder. */
export interface ScriptRun {
  readonly name: string
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
  readonly reply: Reply
  readonly now: number
}

const PONG = Buffer.from('PONG')

/** One simulated server: its data, its channels and the scripts that it knows. */
export class SimServer {
  readonly data: SimData
  readonly flaw: ScriptFlaw | undefined
  onScript: ((run: ScriptRun) => void) | undefined
  readonly #scripts = new Set<string>()
  readonly #channels = new Map<string, Set<Subscriber>>()

  constructor(data = new SimData(), flaw?: ScriptFlaw) {
    this.data = data
    this.flaw = flaw
  }

  /** A command takes no time. What Redis would answer with an error comes as one. */
  execute(command: Command, now: number): Reply {
    this.data.now = Math.floor(now)
    try {
      return this.#run(textOf(command[0]).toUpperCase(), command.slice(1), now)
    } catch (error) {
      if (error instanceof CommandError) return error
      throw error
    }
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, subscribers.add(subscriber))
  }

  unsubscribe(subscriber: Subscriber): void {
    for (const subscribers of this.#channels.values()) subscribers.delete(subscriber)
  }

  forgetScripts(): void {
    this.#scripts.clear()
  }

  #run(name: string, args: readonly Argument[], now: number): Reply {
    const known = DATA_COMMANDS[name]
    if (known) return known(this.data, args)
    switch (name) {
      case 'PING':
        return args.length > 0 ? bytesOf(args[0]) : PONG
      case 'TIME':
        return [Buffer.from(String(Math.floor(now / 1000))), Buffer.from(microseconds(now))]
      case 'PUBLISH':
        return this.#publish(textOf(args[0]), bytesOf(args[1]))
      case 'EVALSHA':
        return this.#evalSha(textOf(args[0]), args)
      case 'EVAL':
        return this.#eval(textOf(args[0]), args)
      case 'SCRIPT':
        return this.#script(args)
      default:
        throw new CommandError(`ERR unknown command '${name}'`)
    }
  }

  #publish(channel: string, payload: Buffer): number {
    const subscribers = this.#channels.get(channel)
    for (const subscriber of subscribers ?? []) subscriber.receive(channel, payload)
    return subscribers?.size ?? 0
  }

  #evalSha(sha: string, args: readonly Argument[]): Reply {
    const known = this.#scripts.has(sha) ? SCRIPTS_BY_SHA.get(sha) : undefined
    if (!known) throw new CommandError('NOSCRIPT No matching script. Please use EVAL.')
    return this.#call(known, args)
  }

  #eval(source: string, args: readonly Argument[]): Reply {
    const known = SCRIPTS_BY_SOURCE.get(source)
    if (!known) throw new CommandError('ERR this script has no twin in the simulation')
    this.#scripts.add(known.script.sha)
    return this.#call(known, args)
  }

  #script([action, source]: readonly Argument[]): Reply {
    switch (textOf(action).toUpperCase()) {
      case 'FLUSH':
        this.forgetScripts()
        return OK
      case 'LOAD': {
        const known = SCRIPTS_BY_SOURCE.get(textOf(source))
        if (!known) throw new CommandError('ERR this script has no twin in the simulation')
        this.#scripts.add(known.script.sha)
        return Buffer.from(known.script.sha)
      }
      default:
        throw new CommandError('ERR unknown SCRIPT subcommand')
    }
  }

  #call({ script, twin }: KnownScript, [, count, ...rest]: readonly Argument[]): Reply {
    const keys = rest.slice(0, integerOf(count)).map(textOf)
    const args = rest.slice(keys.length)
    const publish = (channel: string, payload: Buffer): void => {
      this.#publish(channel, payload)
    }
    const reply = twin(new ScriptCall(this.data, keys, args, publish, this.flaw))
    this.onScript?.({ name: script.name, keys, args, reply, now: this.data.now })
    return reply
  }
}

function microseconds(now: number): string {
  return String(Math.floor((now % 1000) * 1000))
}
