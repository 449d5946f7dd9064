import type { BusMessage } from '../contracts/store.ts'
import type { Core } from './core.ts'
import type { Region } from './region.ts'

/**
 * What another process did to L2, applied to the L1 of this one. A written key is not fetched: its
 * copy is compared with L2 when it is next wanted, so a burst of writes causes no burst of reads.
 */
export function receive(core: Core, regions: Iterable<Region>, message: BusMessage): void {
  switch (message.kind) {
    case 'write':
      for (const region of regions) region.written(message.key, message)
      return
    case 'delete':
      for (const region of regions) for (const key of message.keys) region.deleted(key)
      return
    case 'stamp':
      core.stamps.invalidate(message.tags, message.mode)
      for (const region of regions) {
        if (message.tags.some((tag) => region.scopeTags.includes(tag))) region.empty()
      }
      return
    case 'released':
      for (const region of regions) region.released(message.key)
      return
    case 'lost':
      lost(core, regions, message.renumbered)
  }
}

/**
 * Copies are compared when they are next wanted; loads under way at once, so that none is joined. One
 * that cannot be compared is not joined either, and stores nothing.
 */
function lost(core: Core, regions: Iterable<Region>, renumbered = false): void {
  // A version that was given out anew must not pass for the one that a copy has.
  if (renumbered) core.stamps.epochs.forget()
  core.stamps.suspectAll()
  for (const region of regions) {
    for (const flight of [...region.running]) flight.doubt()
    for (const check of [...region.checks]) check()
  }
  core.events.emit('gap', { cache: core.name })
}
