import { invalidOption } from '../../kernel/options.ts'

const ESCAPED = /%u([0-9A-F]{4})|%([0-9A-F]{2})/g

/**
 * The name of the cache, with which its keys begin.
 * @throws ERR_INVALID_OPTION for what is no key of a cache
 */
export function spaceOf(key: string): string {
  const head = /^([^:]+):/.exec(key)?.[1]
  if (head === undefined || !key.includes('::')) {
    throw invalidOption(
      'the key must be one that fn.key(...) gives, such as shop:product::7; or name the cache with --cache',
    )
  }
  // What an empty name is written as.
  if (head === '%') return ''
  return head.replace(ESCAPED, (_, long?: string, short?: string) =>
    String.fromCharCode(Number.parseInt(long ?? short ?? '', 16)),
  )
}
