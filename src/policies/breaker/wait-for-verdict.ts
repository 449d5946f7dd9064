import type { RunOptions } from '../../contracts/runner.ts'
import { abortedError, timeoutError } from './breaker-errors.ts'
import type { Circuit } from './circuit.ts'

/**
 * Resolves when it is worth trying again. Every probe has a time-out, so there will be a verdict.
 * @throws ERR_ABORTED, ERR_TIMEOUT at the deadline
 */
export function waitForVerdict(circuit: Circuit, options: RunOptions | undefined): Promise<void> {
  const { changed } = circuit
  const { signal, deadline } = options ?? {}
  if (!signal && deadline === undefined) return changed
  const { clock, name } = circuit.settings
  if (signal?.aborted) return Promise.reject(abortedError(signal))
  return new Promise((resolve, reject) => {
    const ms = Math.max(0, (deadline ?? Infinity) - clock.now())
    const end = (): void => {
      clock.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const onTime = (): void => {
      end()
      reject(timeoutError(name, ms))
    }
    const onAbort = (): void => {
      end()
      reject(abortedError(signal as AbortSignal))
    }
    const timer = deadline === undefined ? undefined : clock.setTimeout(onTime, ms)
    signal?.addEventListener('abort', onAbort)
    void changed.then(() => {
      end()
      resolve()
    })
  })
}
