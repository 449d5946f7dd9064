import { canonicalText } from './canonical-text.ts'

/** Begins every key that is not simply the one string argument. */
const MARK = '~'

/**
 * The key of an argument list: equal lists share it, different ones never do.
 *
 * One string is its own key, unless it begins with `~`; anything else becomes canonical text that
 * begins with `~`, so the two never meet. Trailing `undefined` arguments do not count: `f()` is
 * `f(undefined)`.
 * @throws ERR_UNCACHEABLE_KEY for functions, symbols, cycles and instances of classes
 */
export function keyOf(args: readonly unknown[]): string {
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  const first = args[0]
  if (count === 1 && typeof first === 'string' && !first.startsWith(MARK)) return first
  const within: object[] = []
  let text = MARK
  for (let index = 0; index < count; index++) {
    if (index > 0) text += ','
    text += canonicalText(args[index], within)
  }
  return text
}
