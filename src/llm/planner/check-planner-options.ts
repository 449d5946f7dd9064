import {
  checkChoice,
  checkCount,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import { checkOverrides } from '../models/check-overrides.ts'
import type { PlanInput, PrefixPlannerOptions } from './plan.ts'

const NAMES = ['profiles', 'estimateTokens', 'maxNodes', 'mode', 'tools', 'clock'] as const

/** @throws ERR_INVALID_OPTION that names the wrong option and the nearest right one */
export function checkPlannerOptions(options: PrefixPlannerOptions): void {
  checkOptionNames(options, NAMES, 'createPrefixPlanner')
  const { profiles, estimateTokens, maxNodes, mode, tools } = options as PrefixPlannerOptions
  checkOverrides(profiles, 'profiles')
  checkFunction(estimateTokens, 'estimateTokens')
  checkCount(maxNodes, 'maxNodes')
  checkChoice(mode, ['optimise', 'respect', 'observe'], 'mode')
  checkChoice(tools, ['preserve', 'sort', 'pin'], 'tools')
}

/** @throws ERR_INVALID_OPTION for what is no request with a model, and an instant that is none */
export function checkPlanInput(input: PlanInput<unknown>): void {
  const request = input?.request as { model?: unknown } | null | undefined
  if (typeof request !== 'object' || request === null || typeof request.model !== 'string') {
    throw invalidOption('plan takes { request }, and a request has a model, which is text')
  }
  const { now = 0 } = input
  if (!Number.isFinite(now)) throw invalidOption('now of plan must be an instant in milliseconds')
}
