import type { Reply } from '../transport.ts'
import type { SlotTable } from './cluster-slot-table.ts'

/** What one node says of the cluster. */
export interface ClusterView {
  readonly table: SlotTable
  /** Grows with each change of the slots; 0 where the node may not be asked. */
  readonly epoch: number
  /** Why no slot is served, as the node sees it. */
  readonly failure?: string
}

/** From the reply of `CLUSTER INFO`. */
export function viewOf(table: SlotTable, reply: Reply | undefined): ClusterView {
  const text = Buffer.isBuffer(reply) ? reply.toString('latin1') : ''
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1]
  const epoch = Number(field('cluster_current_epoch') ?? 0)
  if (field('cluster_state') !== 'fail') return { table, epoch }
  const failure = `${field('cluster_slots_ok') ?? 'some'} of its 16384 slots have a node that serves`
  return { table, epoch, failure }
}

/**
 * A node that was away, or is cut off from the others, believes for a while what is over: whoever
 * knows of something later is believed instead.
 */
export function isBetter(view: ClusterView, than: ClusterView | undefined): boolean {
  if (!than) return true
  if ((view.failure === undefined) !== (than.failure === undefined)) return !view.failure
  return view.epoch > than.epoch
}
