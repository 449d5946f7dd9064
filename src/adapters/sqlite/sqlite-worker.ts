import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { loadSqlite, rollback } from './driver.ts'
import { FileKeeper } from './file-keeper.ts'
import type { WorkerMessage, WorkerReply, WorkerRequest, WorkerSetup } from './protocol.ts'
import { runTurn } from './run-turn.ts'

// The thread that owns the file. It lives on messages: no timers, no clock.

/** Larger values change hands instead of being copied. */
const TRANSFERRED_FROM_BYTES = 16_384

const { path, busyMs } = workerData as WorkerSetup
const port = parentPort as MessagePort
const keeper = new FileKeeper(loadSqlite(), path, busyMs)

port.on('message', (first: WorkerRequest[]) => {
  const requests = [...first]
  // What arrived meanwhile shares the turn, and with it the transaction.
  for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port)) {
    requests.push(...(more.message as WorkerRequest[]))
  }
  for (const { operation } of requests) {
    if (operation.name === 'open') keeper.limit(operation.maxBytes)
  }
  const last = requests.at(-1) as WorkerRequest
  const closing = last.operation.name === 'close'
  if (closing) requests.pop()
  const replies = runTurn(keeper, requests)
  if (closing) {
    keeper.close()
    replies.push({ id: last.id, value: undefined })
  }
  post(replies)
  if (closing) port.close()
  else tidy(last.now)
})

function post(replies: readonly WorkerReply[]): void {
  const state = keeper.takeNews()
  const message: WorkerMessage = {
    replies,
    counters: keeper.counters,
    ...(state ? { state } : {}),
  }
  port.postMessage(message, largeBuffers(replies))
}

function largeBuffers(replies: readonly WorkerReply[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = []
  for (const reply of replies) {
    const records = 'value' in reply && (reply.value as { records?: unknown } | undefined)?.records
    if (!Array.isArray(records)) continue
    for (const record of records as ({ bytes: Uint8Array<ArrayBuffer> } | undefined)[]) {
      if (record && record.bytes.byteLength >= TRANSFERRED_FROM_BYTES) {
        buffers.push(record.bytes.buffer)
      }
    }
  }
  return buffers
}

function tidy(now: number): void {
  const file = keeper.open
  if (!file) return
  try {
    file.upkeep.run(now)
  } catch (error) {
    // A locked or full file is tidied next time; a corrupt one is replaced now.
    rollback(file.db)
    if (keeper.repair(error, now)) post([])
  }
}
