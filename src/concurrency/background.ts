import { type BackgroundOptions, backgroundSettings } from './background-options.ts'
import type { Background } from './background-surface.ts'
import { BackgroundTasks } from './background-tasks.ts'

/**
 * Runs work that nobody waits for (mail, audit entries, refreshes) beside the requests: so many at a
 * time, in a bounded queue, with every failure reported and nothing lost at shutdown.
 *
 * ```ts
 * const jobs = background({ name: 'jobs', drainOn: ['SIGTERM'], onError: (error) => log.error(error) })
 * jobs.run(() => sendMail(order)) // returns at once
 * ```
 *
 * Defaults: 10 at a time, 1000 waiting, the next one refused. No timer runs while nothing is delayed
 * or drained.
 *
 * @throws ERR_INVALID_OPTION
 */
export function background(options: BackgroundOptions = {}): Background {
  return new BackgroundTasks(backgroundSettings(options))
}
