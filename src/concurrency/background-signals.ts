/** Of every `background()`: they end the process together, when the last one has drained. */
const ours = new Set<unknown>()

/**
 * Calls `drain` when one of `signals` arrives, once. If nobody else listens to the signal, the process
 * ends by it afterwards, as it would have without this.
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
    const isOurs = process.listeners(signal).every((listener) => ours.has(listener))
    void drain().then(() => {
      stop()
      if (isOurs && process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
  const stop = (): void => {
    ours.delete(onSignal)
    for (const signal of signals) process.removeListener(signal, onSignal)
  }
  ours.add(onSignal)
  // In front: a handler of the program's that was added by `once` is gone when its turn has passed.
  for (const signal of signals) process.prependListener(signal, onSignal)
  return stop
}
