import { kindOf, shown } from '../../kernel/duration.ts'
import { invalidOption, unknownName } from '../../kernel/options.ts'

/** Names of nodes, and of those that each comes after. */
export type Dependencies = ReadonlyMap<string, readonly string[]>

/** @throws ERR_INVALID_OPTION where `after` is not a list of names */
export function readAfter(after: unknown, what: string): readonly string[] {
  if (after === undefined) return []
  if (!Array.isArray(after) || after.some((name) => typeof name !== 'string')) {
    throw invalidOption(
      `after of ${what} must be an array of names of nodes, got ${Array.isArray(after) ? 'another array' : kindOf(after)}`,
    )
  }
  return [...new Set(after as string[])]
}

/** @throws ERR_INVALID_OPTION that names the node that is not there, or the circle that has no start */
export function checkOrder(dependencies: Dependencies): void {
  const names = [...dependencies.keys()]
  for (const [name, after] of dependencies) {
    for (const other of after) {
      if (!dependencies.has(other)) {
        throw unknownName(other, names, `${shown(name)} runs after what is no node of the graph`)
      }
    }
  }
  const cycle = findCycle(dependencies)
  if (cycle) {
    throw invalidOption(
      `the graph has a cycle, so none of these could start first: ${cycle.join(' → ')}; take one 'after' out of it`,
    )
  }
}

/** Takes away what can run, and what can run then, until only cycles are left and what hangs on them. */
function findCycle(dependencies: Dependencies): string[] | undefined {
  const left = new Map(dependencies)
  const awaited = new Map<string, number>()
  const dependents = new Map<string, string[]>()
  for (const [name, after] of dependencies) {
    awaited.set(name, after.length)
    for (const other of after) {
      const known = dependents.get(other)
      if (known) known.push(name)
      else dependents.set(other, [name])
    }
  }
  const free = [...dependencies.keys()].filter((name) => awaited.get(name) === 0)
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    left.delete(name)
    for (const dependent of dependents.get(name) ?? []) {
      const count = (awaited.get(dependent) as number) - 1
      awaited.set(dependent, count)
      if (count === 0) free.push(dependent)
    }
  }
  const [start] = left.keys()
  return start === undefined ? undefined : walkBack(start, left)
}

/** From any node that is left, each step to one it waits for: sooner or later one comes again. */
function walkBack(start: string, left: Dependencies): string[] {
  const path: string[] = []
  let name = start
  while (!path.includes(name)) {
    path.push(name)
    name = left.get(name)?.find((other) => left.has(other)) as string
  }
  // In the order in which they would run.
  return [...path.slice(path.indexOf(name)), name].reverse()
}
