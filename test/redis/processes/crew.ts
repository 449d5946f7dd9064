import { type ChildProcess, fork } from 'node:child_process'
import { guardChild } from '../servers/guard.ts'
import type { Answer, Asked, BurstFigures, Place } from './questions.ts'

const PROGRAM = new URL('./worker.ts', import.meta.url)

/** A process with a cache of its own, which does what it is asked. */
export class Worker {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  #asked = 0
  #err = ''
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #events: (() => void)[] = []

  constructor() {
    this.child = fork(PROGRAM, { execArgv: [], stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
    guardChild(this.child)
    this.child.stderr?.on('data', (chunk) => {
      this.#err += chunk
    })
    this.child.on('message', (message: Answer | { event: string }) => {
      if ('event' in message) for (const tell of this.#events.splice(0)) tell()
      else this.#waiting.get(message.id)?.(message)
    })
    this.ended = new Promise((resolve) => {
      this.child.once('exit', () => {
        for (const [id, tell] of this.#waiting) tell({ id, error: `it ended: ${this.#err}` })
        resolve()
      })
    })
  }

  async ask<T>(action: string, input?: unknown): Promise<T> {
    const id = ++this.#asked
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.child.send({ id, action, input })
    })
    this.#waiting.delete(id)
    if ('error' in answer) throw new Error(answer.error)
    return answer.result as T
  }

  open(place: Place): Promise<void> {
    return this.ask('open', place)
  }

  burst(asked: Asked): Promise<BurstFigures> {
    return this.ask('burst', asked)
  }

  /** Resolves when its origin is called. */
  origin(): Promise<void> {
    return new Promise((resolve) => this.#events.push(resolve))
  }

  async stop(): Promise<void> {
    if (this.child.connected) await this.ask('exit').catch(() => {})
    await this.ended
  }
}

export async function startWorkers(count: number): Promise<Worker[]> {
  const workers = Array.from({ length: count }, () => new Worker())
  await Promise.all(workers.map((worker) => worker.ask('messages')))
  return workers
}
