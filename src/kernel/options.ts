import { kindOf, shown } from './duration.ts'
import { ResilienceError } from './errors.ts'

export function invalidOption(message: string): ResilienceError {
  return new ResilienceError('ERR_INVALID_OPTION', message)
}

/**
 * Checks that `options` is an object with no other members than `allowed`.
 * @throws ERR_INVALID_OPTION that names the unknown member and the nearest right one.
 */
export function checkOptionNames(
  options: unknown,
  allowed: readonly string[],
  where: string,
): asserts options is Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption(`${where} takes an options object, got ${kindOf(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name)) throw unknownName(name, allowed, `unknown option of ${where}`)
  }
}

/** The error for a word that is not one of `allowed`: it names the nearest. */
export function unknownName(
  name: string,
  allowed: readonly string[],
  what: string,
): ResilienceError {
  const nearest = nearestName(name, allowed)
  const remedy = nearest ? `did you mean '${nearest}'?` : `known are ${allowed.join(', ')}`
  return invalidOption(`${what}: ${shown(name)}; ${remedy}`)
}

export function checkFunction(value: unknown, option: string): void {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidOption(`${option} must be a function, got ${kindOf(value)}`)
  }
}

export function checkBoolean(value: unknown, option: string): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw invalidOption(`${option} must be true or false, got ${shown(value)}`)
  }
}

export function checkChoice(value: unknown, choices: readonly string[], option: string): void {
  if (value === undefined) return
  if (typeof value !== 'string') {
    throw invalidOption(`${option} must be one of ${choices.join(', ')}; got ${shown(value)}`)
  }
  if (!choices.includes(value)) throw unknownName(value, choices, `${option} has no such choice`)
}

export function checkNumber(value: unknown, option: string, min: number, max: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw invalidOption(`${option} must be a number from ${min} to ${max}, got ${shown(value)}`)
  }
}

export function checkCount(value: unknown, option: string): void {
  if (value === undefined) return
  if (
    typeof value !== 'number' ||
    !(value >= 1) ||
    !(Number.isInteger(value) || value === Infinity)
  ) {
    throw invalidOption(`${option} must be a whole number ≥ 1, got ${shown(value)}`)
  }
}

export function checkTags(tags: unknown, option = 'tags'): void {
  if (tags === undefined) return
  if (!Array.isArray(tags)) {
    throw invalidOption(`${option} must be an array of text, got ${kindOf(tags)}`)
  }
  const wrong = tags.findIndex((tag) => typeof tag !== 'string')
  if (wrong < 0) return
  throw invalidOption(`${option} must be an array of text, got ${kindOf(tags[wrong])} in it`)
}

/** The one of `candidates` that a typing mistake may have meant, if any is near enough. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    // Of two short words any is two changes away from any other: half of the letters must agree.
    const isNear = distance <= Math.max(name.length, candidate.length) / 2
    if (isNear && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance, two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(swap, (previous[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    previous = row
  }
  return previous[b.length] as number
}
