import { kindOf } from '../../kernel/duration.ts'
import {
  checkBoolean,
  checkChoice,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'

const MEMBERS = [
  'id',
  'provider',
  'family',
  'minTokens',
  'maxBreakpoints',
  'lookback',
  'write',
  'read',
  'price',
  'longPrompt',
  'factors',
  'thinkingTier',
  'explicitBreakpoints',
  'asOf',
  'source',
] as const

const LIFETIMES = ['5m', '1h', '30m', '12h'] as const
const FACTORS = ['tier', 'speed', 'geo'] as const

/** Overrides are checked once: they are looked at in every call, and nobody changes them in between. */
const checked = new WeakSet<object>()

/**
 * Checks overrides of the table of models.
 * @param where how the option is called
 * @throws ERR_INVALID_OPTION that names the wrong member and the nearest right one
 */
export function checkOverrides(overrides: unknown, where: string): void {
  if (overrides === undefined) return
  if (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides)) {
    throw invalidOption(
      `${where} must be an object of profiles by 'provider/model', got ${kindOf(overrides)}`,
    )
  }
  if (checked.has(overrides)) return
  for (const [key, profile] of Object.entries(overrides)) checkEntry(key, profile, where)
  checked.add(overrides)
}

function checkEntry(key: string, profile: unknown, where: string): void {
  const slash = key.indexOf('/')
  if (slash < 1 || slash === key.length - 1) {
    throw invalidOption(
      `${where}: a key must be 'provider/model' such as 'anthropic/claude-sonnet-5', got '${key}'`,
    )
  }
  const at = `${where}['${key}']`
  checkOptionNames(profile, MEMBERS, at)
  checkSame(profile.provider, key.slice(0, slash), `${at}.provider`)
  checkSame(profile.id, key.slice(slash + 1), `${at}.id`)
  checkRules(profile, at)
  checkPrices(profile, at)
}

function checkRules(profile: Record<string, unknown>, at: string): void {
  checkBoolean(profile.family, `${at}.family`)
  checkBoolean(profile.explicitBreakpoints, `${at}.explicitBreakpoints`)
  if (profile.minTokens !== null) {
    checkNumber(profile.minTokens, `${at}.minTokens`, 0, Number.MAX_SAFE_INTEGER)
  }
  checkNumber(profile.maxBreakpoints, `${at}.maxBreakpoints`, 0, 1000)
  checkNumber(profile.lookback, `${at}.lookback`, 1, Infinity)
  checkChoice(profile.thinkingTier, ['messages', 'all', 'unknown'], `${at}.thinkingTier`)
  for (const member of ['asOf', 'source']) {
    const value = profile[member]
    if (value !== undefined && typeof value !== 'string') {
      throw invalidOption(`${at}.${member} must be text, got ${kindOf(value)}`)
    }
  }
}

function checkPrices(profile: Record<string, unknown>, at: string): void {
  checkNumber(profile.read, `${at}.read`, 0, 100)
  checkNumbers(profile.write, LIFETIMES, `${at}.write`, 100)
  checkNumbers(profile.price, ['input', 'output'], `${at}.price`, 1e6, 'all')
  checkNumbers(profile.longPrompt, ['over', 'input', 'output'], `${at}.longPrompt`, 1e9, 'all')
  if (profile.factors === undefined) return
  checkOptionNames(profile.factors, FACTORS, `${at}.factors`)
  for (const factor of FACTORS) {
    const factors: unknown = profile.factors[factor]
    const names = typeof factors === 'object' && factors !== null ? Object.keys(factors) : []
    if (factors === undefined) throw invalidOption(`${at}.factors.${factor} is missing`)
    checkNumbers(factors, names, `${at}.factors.${factor}`, 100)
  }
}

function checkNumbers(
  value: unknown,
  names: readonly string[],
  at: string,
  max: number,
  all?: 'all',
): void {
  if (value === undefined) return
  checkOptionNames(value, names, at)
  for (const name of all === 'all' ? names : Object.keys(value)) {
    if (value[name] === undefined) throw invalidOption(`${at}.${name} is missing`)
    checkNumber(value[name], `${at}.${name}`, 0, max)
  }
}

function checkSame(value: unknown, expected: string, at: string): void {
  if (value === undefined || value === expected) return
  throw invalidOption(`${at} must be '${expected}' as its key says, or left out`)
}
