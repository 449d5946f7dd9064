import { constants } from 'node:os'

/**
 * Marks our listeners, in every copy of the package: they end the process together, when the last one
 * has drained.
 */
const OURS: unique symbol = Symbol.for('@org/resilient-cache/drain') as never

/** What ends a process by default. The system spares process 1 all for which it has no handler. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
])

/**
 * Calls `drain` when one of `signals` arrives, once. If nobody else listens to the signal, the process
 * ends by it afterwards, as it would have without this; process 1 of a container, which it would not
 * have ended, exits with 128 + its number.
 *
 * @returns a function that stops listening.
 */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  drain: () => Promise<unknown>,
): () => void {
  if (signals.length === 0) return () => {}
  let isDraining = false
  const onSignal = (signal: NodeJS.Signals): void => {
    // A second one changes nothing: the first has set the deadline.
    if (isDraining) return
    isDraining = true
    const isOurs = process.listeners(signal).every((listener) => OURS in listener)
    void drain().then(() => {
      stop()
      if (isOurs && process.listenerCount(signal) === 0) endBy(signal)
    })
  }
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, onSignal)
  }
  Object.defineProperty(onSignal, OURS, { value: true })
  // In front: a handler of the program's that was added by `once` is gone when its turn has passed.
  for (const signal of signals) process.prependListener(signal, onSignal)
  return stop
}

function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal)
  if (process.pid === 1 && ENDING.has(signal)) process.exit(128 + constants.signals[signal])
}
