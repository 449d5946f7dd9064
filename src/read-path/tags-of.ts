import type { Policy } from './policy.ts'
import type { Region } from './region.ts'

/** Scope tags first, then the declared ones. */
export function tagsOf(
  region: Region,
  policy: Policy,
  args: readonly unknown[],
): readonly string[] {
  if (policy.tags === undefined) return region.scopeTags
  const declared = (policy.tags as (...args: readonly unknown[]) => readonly string[])(...args)
  return [...region.scopeTags, ...declared.map((tag) => region.tag(tag))]
}
