import type { StandardSchema } from '../../contracts/codec.ts'
import { kindOf } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import { createPrefixGate, type PrefixGate, type PrefixGateOptions } from '../gate/prefix-gate.ts'
import { KEY_OPTIONS } from '../key/check-key-options.ts'
import type { Tenant } from '../key/llm-key-options.ts'
import { checkOverrides } from '../models/check-overrides.ts'
import type { ProfileOverrides } from '../models/model-profile.ts'
import type { PrefixPlanner, PrefixPlannerOptions } from '../planner/plan.ts'
import type { SharedKeyOptions } from './tenant-keyers.ts'

/** A method, as only those may name the types of the arguments that they are really given. */
type OfCall<T> = { of(...args: readonly unknown[]): T }['of']

/** Options of `promptCache`; those of `llmKey` are among them. */
export interface PromptCacheOptions extends SharedKeyOptions {
  /** Whose answers these are, or who that is by the arguments of a call. */
  tenant: Tenant | OfCall<Tenant>
  /** Tools whose calls may be replayed: they have no effect but their result. @default none */
  pureTools?: readonly string[]
  /**
   * Looks at an answer that would be stored. `false`, what counts as false, or an error keeps it out: the
   * caller gets it all the same.
   */
  validate?(answer: unknown): boolean | PromiseLike<boolean>
  /** The same, as a schema of https://standardschema.dev for the answer. */
  schema?: StandardSchema
  /**
   * When the name of a model begins to mean another one, older answers under this name become stale, or
   * stay. @default 'invalidate'
   */
  onAliasChange?: 'invalidate' | 'keep'
  /** Of the provider's own cache; `false` sends requests as they are. @default made for this layer */
  planner?: PrefixPlanner | PrefixPlannerOptions | false
  /** Of calls that begin alike; `false` holds up none. Needs a planner. @default made for this layer */
  gate?: PrefixGate | PrefixGateOptions | false
  /** Requests of one route share their static part. @default one per model */
  route?: string | OfCall<string>
  /** Changes to the built-in table of models, by `provider/model`. */
  prices?: ProfileOverrides
}

/** Those that hold for all tenants, and for whatever header a client sends. */
const KEY_NAMES = KEY_OPTIONS.filter(
  (name): name is keyof SharedKeyOptions => name !== 'tenant' && name !== 'headers',
)

const NAMES = [
  ...KEY_NAMES,
  'tenant',
  'pureTools',
  'validate',
  'schema',
  'onAliasChange',
  'planner',
  'gate',
  'route',
  'prices',
]

/**
 * Checks what is not checked where it is used.
 * @throws ERR_INVALID_OPTION
 */
export function checkPromptCacheOptions(
  options: unknown,
  where: string,
): asserts options is PromptCacheOptions {
  checkOptionNames(options, NAMES, where)
  const { pureTools, validate, schema, onAliasChange, planner, gate, route, prices } = options
  if (pureTools !== undefined) checkPureTools(pureTools)
  checkFunction(validate, 'validate')
  if (schema !== undefined && typeof (schema as StandardSchema)?.['~standard'] !== 'object') {
    throw invalidOption(`schema must be a Standard Schema, got ${kindOf(schema)}`)
  }
  checkChoice(onAliasChange, ['invalidate', 'keep'], 'onAliasChange')
  checkPart(planner, ['plan', 'observe'], 'planner')
  checkPart(gate, ['run'], 'gate')
  // What only has names is made when there is a clock for it; wrong ones are told of now.
  if (isObject(gate) && !isGate(gate)) createPrefixGate(gate)
  if (route !== undefined && typeof route !== 'string') checkFunction(route, 'route, if no text,')
  checkOverrides(prices, 'prices')
}

/** Those for keys. */
export function keyOptionsOf(options: PromptCacheOptions): SharedKeyOptions {
  const given = KEY_NAMES.filter((name) => options[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, options[name]])) as never
}

export function isPlanner(planner: unknown): planner is PrefixPlanner {
  return isObject(planner) && 'plan' in planner && 'observe' in planner
}

export function isGate(gate: unknown): gate is PrefixGate {
  return isObject(gate) && 'run' in gate
}

function checkPureTools(pureTools: unknown): void {
  const isList = Array.isArray(pureTools) && pureTools.every((name) => typeof name === 'string')
  if (isList) return
  throw invalidOption(`pureTools must be an array of names, got ${kindOf(pureTools)}`)
}

function checkPart(part: unknown, methods: readonly string[], option: string): void {
  if (part === undefined || part === false || isObject(part)) return
  throw invalidOption(
    `${option} must be false, an object of options or one with ${methods.join(' and ')}, got ${kindOf(part)}`,
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
