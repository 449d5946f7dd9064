import type { Core } from './core.ts'

/** Tells of something that failed without failing a read. */
export function report(core: Core, kind: string, error: unknown): void {
  core.events.emit('error', { cache: core.name, kind, error })
}
