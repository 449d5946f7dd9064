import { kindOf, shown } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import type { LlmKeyOptions } from './llm-key-options.ts'

/** All of them. */
export const KEY_OPTIONS = [
  'provider',
  'tenant',
  'endpoint',
  'namespace',
  'version',
  'ignore',
  'toolOrder',
  'variants',
  'variantSeed',
  'secret',
  'urlSource',
  'externalState',
  'headers',
  'random',
] satisfies (keyof LlmKeyOptions)[]

const MOST_VARIANTS = 1000

/** @throws ERR_INVALID_OPTION; `tenant`, `ignore` and `headers` are checked where they are read */
export function checkKeyOptions(options: unknown, where: string): asserts options is LlmKeyOptions {
  checkOptionNames(options, KEY_OPTIONS, where)
  const { provider, variants, urlSource } = options
  if (typeof provider !== 'string' || provider === '') {
    throw invalidOption(
      `${where} needs provider: 'anthropic', 'openai', 'gemini', 'bedrock' or another name; got ${kindOf(provider)}`,
    )
  }
  checkText(options.endpoint, 'endpoint')
  checkText(options.namespace, 'namespace')
  checkTextOrNumber(options.version, 'version')
  checkTextOrNumber(options.variantSeed, 'variantSeed')
  checkChoice(options.toolOrder, ['preserve', 'sort'], 'toolOrder')
  checkChoice(options.externalState, ['bypass', 'include'], 'externalState')
  if (typeof urlSource !== 'function') {
    checkChoice(urlSource, ['bypass', 'by-url'], 'urlSource, where it is no function,')
  }
  checkFunction(options.random, 'random')
  checkSecret(options.secret)
  const isCount = Number.isInteger(variants) && Number(variants) >= 1
  if (variants !== undefined && !(isCount && Number(variants) <= MOST_VARIANTS)) {
    throw invalidOption(
      `variants must be a whole number from 1 to ${MOST_VARIANTS}, got ${shown(variants)}`,
    )
  }
}

export function checkText(value: unknown, option: string): void {
  if (value !== undefined && typeof value !== 'string') {
    throw invalidOption(`${option} must be text, got ${kindOf(value)}`)
  }
}

function checkTextOrNumber(value: unknown, option: string): void {
  if (typeof value !== 'number') checkText(value, option)
  else if (!Number.isFinite(value)) {
    throw invalidOption(`${option} must be text or a finite number, got ${shown(value)}`)
  }
}

function checkSecret(secret: unknown): void {
  if (secret === undefined) return
  const isSecret = typeof secret === 'string' || secret instanceof Uint8Array
  if (!isSecret || secret.length === 0) {
    throw invalidOption(
      `secret must be text or bytes, and not empty; got ${isSecret ? 'an empty one' : kindOf(secret)}`,
    )
  }
}
