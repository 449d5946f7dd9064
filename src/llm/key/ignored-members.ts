import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'

/** The members that the caller wants to be left out, as a tree along the request. */
export interface Ignored {
  isWhole: boolean
  readonly members: Map<string, Ignored>
}

/**
 * Reads JSON pointers (RFC 6901).
 * @throws ERR_INVALID_OPTION for what is none, or points at the whole request
 */
export function ignoredMembers(pointers: unknown): Ignored | undefined {
  if (pointers === undefined) return undefined
  if (!Array.isArray(pointers)) {
    throw invalidOption(`ignore must be an array of JSON pointers, got ${kindOf(pointers)}`)
  }
  const root: Ignored = { isWhole: false, members: new Map() }
  for (const pointer of pointers) {
    let at = root
    for (const name of namesOf(pointer)) {
      let next = at.members.get(name)
      if (next === undefined) {
        next = { isWhole: false, members: new Map() }
        at.members.set(name, next)
      }
      at = next
    }
    at.isWhole = true
  }
  return root
}

function namesOf(pointer: unknown): string[] {
  if (typeof pointer !== 'string' || !pointer.startsWith('/') || /~(?![01])/.test(pointer)) {
    throw invalidOption(
      `ignore takes JSON pointers such as '/metadata/trace' ('~1' is a slash in a name, '~0' a tilde); got ${typeof pointer === 'string' ? 'other text' : kindOf(pointer)}`,
    )
  }
  const names = pointer.slice(1).split('/')
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}
