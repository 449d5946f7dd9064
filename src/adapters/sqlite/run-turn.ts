import type { CacheFile } from './cache-file.ts'
import { explain, rollback, SQLITE, sqliteCode } from './driver.ts'
import type { FileKeeper } from './file-keeper.ts'
import { RefusedFile } from './inspect-file.ts'
import type { WorkerReply, WorkerRequest } from './protocol.ts'

/** Requests of one write transaction: the lock is not held longer than these take. */
const GROUP_MAX = 256

/**
 * Answers the requests that arrived together, in their order: reads in one snapshot as long as none
 * needs to write, everything from the first write on in one transaction. A group that fails is done
 * again one by one, so that each request has its own result.
 */
export function runTurn(keeper: FileKeeper, requests: readonly WorkerRequest[]): WorkerReply[] {
  const replies: WorkerReply[] = []
  let at = 0
  while (at < requests.length) {
    const rest = requests.slice(at, at + GROUP_MAX)
    const done = runGroup(keeper, rest)
    replies.push(...done)
    at += done.length
  }
  return replies
}

function runGroup(keeper: FileKeeper, group: readonly WorkerRequest[]): WorkerReply[] {
  const [first] = group as [WorkerRequest]
  const { name } = first.operation
  if (name === 'open' || name === 'probe') return [runAlone(keeper, first)]
  let file: CacheFile
  try {
    file = keeper.use(first.now, false)
  } catch (error) {
    return [{ id: first.id, error: (error as Error).message }]
  }
  const end = group.findIndex(({ operation }) => isLifeCycle(operation.name))
  const members = end === -1 ? group : group.slice(0, end)
  const reads = runReads(file, members)
  if (reads.length > 0) return reads
  try {
    return inTransaction(file, 'write', () =>
      members.map((request) => ({ id: request.id, value: perform(file, request, 'write') })),
    )
  } catch (error) {
    if (isLock(error)) return whileLocked(keeper, file, members, error)
    return members.map((request) => runAlone(keeper, request))
  }
}

/** The reads at the head of the group that need no write lock. */
function runReads(file: CacheFile, group: readonly WorkerRequest[]): WorkerReply[] {
  const replies: WorkerReply[] = []
  if (group[0]?.operation.name !== 'read') return replies
  try {
    return inTransaction(file, 'read', () => {
      for (const request of group) {
        const value = perform(file, request, 'read')
        if (value === undefined) break
        replies.push({ id: request.id, value })
      }
      return replies
    })
  } catch {
    // Whatever it is, the write transaction meets it too, and deals with it.
    return []
  }
}

/** Each of them would wait for the lock again: those that need it have had their time. */
function whileLocked(
  keeper: FileKeeper,
  file: CacheFile,
  group: readonly WorkerRequest[],
  error: unknown,
): WorkerReply[] {
  return group.map(
    (request) =>
      runReads(file, [request])[0] ?? { id: request.id, error: explain(error, keeper.path) },
  )
}

function runAlone(keeper: FileKeeper, request: WorkerRequest): WorkerReply {
  const again = isLifeCycle(request.operation.name)
  for (let attempt = 0; ; attempt++) {
    try {
      const file = keeper.use(request.now, again)
      // A store that is only opened or probed must not have to wait for a writer.
      if (again && inTransaction(file, 'read', () => file.hasSpace(request.space))) {
        return { id: request.id, value: undefined }
      }
      const value = inTransaction(file, 'write', () => perform(file, request, 'write'))
      return { id: request.id, value }
    } catch (error) {
      const message = error instanceof RefusedFile ? error.message : explain(error, keeper.path)
      if (attempt > 0 || !secondTry(keeper, request, error))
        return { id: request.id, error: message }
    }
  }
}

function secondTry(keeper: FileKeeper, request: WorkerRequest, error: unknown): boolean {
  if (sqliteCode(error) !== SQLITE.FULL) return keeper.repair(error, request.now)
  const { operation } = request
  const bytes = operation.name === 'write' ? operation.request.bytes.byteLength : 0
  try {
    keeper.open?.upkeep.makeRoom(request.now, bytes)
    return true
  } catch {
    // The disk itself is full.
    if (keeper.open) rollback(keeper.open.db)
    return false
  }
}

/** `undefined`: a read that needs the write mode; only in read mode. */
function perform(file: CacheFile, request: WorkerRequest, mode: 'read' | 'write'): unknown {
  const { space, now, operation } = request
  if (operation.name === 'read') return file.read(space, now, operation.request, mode)
  if (mode === 'read') return undefined
  switch (operation.name) {
    case 'write':
      return file.write(space, now, operation.request)
    case 'delete':
      return file.delete(space, operation.keys)
    case 'stamp':
      return file.stamp(space, operation.tags, operation.mode)
    case 'renew':
      return file.renew(now, operation.key, operation.token, operation.ms)
    case 'release':
      return file.release(now, operation.key, operation.token, operation.end)
    default:
      return file.makeSpace(space)
  }
}

function inTransaction<T>(file: CacheFile, mode: 'read' | 'write', body: () => T): T {
  file.begin(mode)
  try {
    const result = body()
    file.commit(mode)
    return result
  } catch (error) {
    rollback(file.db)
    throw error
  }
}

function isLifeCycle(name: WorkerRequest['operation']['name']): boolean {
  return name === 'open' || name === 'probe'
}

function isLock(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE.BUSY || code === SQLITE.LOCKED
}
