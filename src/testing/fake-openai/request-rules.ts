import type { ModelProfile } from '../../llm/models/model-profile.ts'
import { asArray, asObject, type Json } from '../loopback/json-values.ts'
import { type Endpoint, isGpt55 } from './openai-prompt.ts'

/** Why a request is refused, in the words of an API error. */
export interface RequestFault {
  readonly message: string
  readonly param: string
  readonly code: string | null
}

type Rules = Pick<ModelProfile, 'explicitBreakpoints'>

/** What is wrong with a request, as far as prompts and their cache go; `undefined`: nothing. */
export function faultOfRequest(
  endpoint: Endpoint,
  request: Json,
  rules: Rules,
): RequestFault | undefined {
  return faultOfShape(endpoint, request) ?? faultOfCaching(endpoint, request, rules)
}

function faultOfShape(endpoint: Endpoint, request: Json): RequestFault | undefined {
  if (typeof request.model !== 'string' || request.model === '') return missing('model')
  if (endpoint === 'chat') {
    const isEmpty = asArray(request.messages).length === 0
    return isEmpty ? missing('messages') : undefined
  }
  const { input } = request
  return typeof input === 'string' || asArray(input).length > 0 ? undefined : missing('input')
}

function faultOfCaching(endpoint: Endpoint, request: Json, rules: Rules): RequestFault | undefined {
  const marked = markersOf(endpoint, request)
  const { prompt_cache_options: options, prompt_cache_retention: retention } = request
  if (!rules.explicitBreakpoints) {
    if (isGiven(options)) return unsupported('prompt_cache_options', request.model)
    if (marked.length > 0) return unsupported('prompt_cache_breakpoint', request.model)
  }
  if (retention === 'in_memory' && isGpt55(request.model)) {
    return invalid('prompt_cache_retention', `'in_memory' is not supported with ${request.model}`)
  }
  const lifetimes = endpoint === 'chat' ? ['30m'] : ['30m', '12h']
  return (
    marked.map((marker) => faultOfMarker(marker, lifetimes)).find((fault) => fault) ??
    (isGiven(options) ? faultOfOptions(endpoint, asObject(options), lifetimes) : undefined)
  )
}

function faultOfOptions(
  endpoint: Endpoint,
  options: Json,
  lifetimes: readonly string[],
): RequestFault | undefined {
  const { mode, ttl, prewarm, comparison_response_id } = options
  if (isGiven(mode) && mode !== 'implicit' && mode !== 'explicit') {
    return invalid('prompt_cache_options.mode', "it must be 'implicit' or 'explicit'")
  }
  if (isGiven(ttl) && !lifetimes.includes(String(ttl))) {
    return invalid('prompt_cache_options.ttl', `supported values are ${lifetimes.join(', ')}`)
  }
  if (endpoint === 'responses') return undefined
  if (isGiven(prewarm)) return onlyResponses('prompt_cache_options.prewarm')
  if (isGiven(comparison_response_id)) {
    return onlyResponses('prompt_cache_options.comparison_response_id')
  }
  return undefined
}

function faultOfMarker(marker: Json, lifetimes: readonly string[]): RequestFault | undefined {
  if (marker.mode !== 'explicit') {
    return invalid('prompt_cache_breakpoint.mode', "it must be 'explicit'")
  }
  if (isGiven(marker.ttl) && !lifetimes.includes(String(marker.ttl))) {
    return invalid('prompt_cache_breakpoint.ttl', `supported values are ${lifetimes.join(', ')}`)
  }
  return undefined
}

function markersOf(endpoint: Endpoint, request: Json): readonly Json[] {
  const messages = asArray(endpoint === 'chat' ? request.messages : request.input)
  return messages.flatMap((message) =>
    asArray(asObject(message).content)
      .map((part) => asObject(part).prompt_cache_breakpoint)
      .filter(isGiven)
      .map(asObject),
  )
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function missing(param: string): RequestFault {
  return {
    message: `Missing required parameter: '${param}'.`,
    param,
    code: 'missing_required_parameter',
  }
}

function unsupported(param: string, model: unknown): RequestFault {
  return {
    message: `Unsupported parameter: '${param}' is not supported with this model (${model}).`,
    param,
    code: 'unsupported_parameter',
  }
}

function onlyResponses(param: string): RequestFault {
  return {
    message: `Unsupported parameter: '${param}' is supported by the Responses API only.`,
    param,
    code: 'unsupported_parameter',
  }
}

function invalid(param: string, why: string): RequestFault {
  return { message: `Invalid value for '${param}': ${why}.`, param, code: 'invalid_value' }
}
