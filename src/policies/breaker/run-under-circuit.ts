import type { Timer } from '../../contracts/clock.ts'
import type { RunOptions } from '../../contracts/runner.ts'
import { unabortedSignal } from '../../kernel/unaborted-signal.ts'
import { abortedError, timeoutError } from './breaker-errors.ts'
import { Call } from './call.ts'
import type { Circuit } from './circuit.ts'
import { waitForVerdict } from './wait-for-verdict.ts'

type Task<T> = (signal: AbortSignal) => PromiseLike<T> | T

/**
 * Runs a task under a circuit. Where nothing but the task can end the call, that costs no timer, no
 * listener and no promise beyond the one that is returned.
 */
export function runUnderCircuit<T>(
  circuit: Circuit,
  task: Task<T>,
  options?: RunOptions,
): Promise<T> {
  const { settings } = circuit
  if (options?.signal?.aborted) return Promise.reject(abortedError(options.signal))
  if (options?.deadline !== undefined && options.deadline <= settings.clock.now()) {
    return Promise.reject(timeoutError(settings.name, 0))
  }
  if (settings.waits && circuit.isProbing) return runAfterVerdict(circuit, task, options)
  const call = circuit.enter()
  if (!(call instanceof Call)) return Promise.reject(call)
  const isBounded = call.isProbe || settings.timeoutMs < Infinity
  if (isBounded || options?.signal || options?.deadline !== undefined) {
    return runBounded(circuit, call, task, options)
  }
  return run(circuit, call, task)
}

async function run<T>(circuit: Circuit, call: Call, task: Task<T>): Promise<T> {
  let value: T
  try {
    value = await task(unabortedSignal(task))
  } catch (error) {
    circuit.failed(call, error)
    throw error
  }
  circuit.succeeded(call, value)
  return value
}

async function runAfterVerdict<T>(
  circuit: Circuit,
  task: Task<T>,
  options: RunOptions | undefined,
): Promise<T> {
  while (circuit.isProbing) await waitForVerdict(circuit, options)
  return runUnderCircuit(circuit, task, options)
}

/** The call ends with the task, the time-out, the deadline or the caller's signal, whichever is first. */
function runBounded<T>(
  circuit: Circuit,
  call: Call,
  task: Task<T>,
  options: RunOptions | undefined,
): Promise<T> {
  const { clock, name } = circuit.settings
  const signal = options?.signal
  const ownMs = timeoutOf(circuit, call)
  const leftMs = (options?.deadline ?? Infinity) - call.startedAt
  const ms = Math.max(0, Math.min(ownMs, leftMs))
  const controller = ms < Infinity || !signal ? new AbortController() : undefined
  return new Promise<T>((resolve, reject) => {
    let isOver = false
    let timer: Timer
    const end = (): void => {
      isOver = true
      if (ms < Infinity) clock.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const onTime = (): void => {
      end()
      const error = timeoutError(name, ms)
      // The deadline is the caller's: it says nothing of the dependency.
      if (leftMs < ownMs) circuit.dropped(call)
      else circuit.timedOut(call, error)
      reject(error)
      controller?.abort(error)
    }
    const onAbort = (): void => {
      end()
      circuit.dropped(call)
      reject(abortedError(signal as AbortSignal))
      controller?.abort(signal?.reason)
    }
    const onValue = (value: T): void => {
      if (isOver) return
      end()
      circuit.succeeded(call, value)
      resolve(value)
    }
    const onError = (error: unknown): void => {
      if (isOver) return
      end()
      circuit.failed(call, error)
      reject(error)
    }
    if (ms < Infinity) timer = clock.setTimeout(onTime, ms)
    signal?.addEventListener('abort', onAbort)
    start(task, controller?.signal ?? (signal as AbortSignal)).then(onValue, onError)
  })
}

/** Begins it now; what it throws is a rejection. */
async function start<T>(task: Task<T>, signal: AbortSignal): Promise<T> {
  return await task(signal)
}

function timeoutOf(circuit: Circuit, call: Call): number {
  const { timeoutMs, probeTimeoutMs } = circuit.settings
  return call.isProbe ? Math.min(timeoutMs, probeTimeoutMs) : timeoutMs
}
