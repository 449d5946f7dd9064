import { invalidOption } from '../../kernel/options.ts'
import { KeyMaker } from './key-maker.ts'
import type { LlmKey, LlmKeyOptions } from './llm-key-options.ts'

/** Makes the key of a request; `extra` is the key of what else the call was given. */
export interface LlmKeyer {
  (request: unknown, extra?: string): LlmKey
  /** The keys of all variants among which a call chooses. */
  keysOf(request: unknown, extra?: string): readonly string[]
}

/**
 * `llmKey` for many requests: the options are checked once.
 *
 * Nothing is remembered by the request object, which may be changed between two calls.
 * @throws ERR_INVALID_OPTION also where `urlSource` is a function: the key has to be there at once
 */
export function createLlmKeyer(
  options: LlmKeyOptions & { urlSource?: 'bypass' | 'by-url' },
  where = 'createLlmKeyer()',
): LlmKeyer {
  const maker = new KeyMaker(options, where)
  if (typeof options.urlSource === 'function') {
    throw invalidOption(
      `${where} takes no function as urlSource, as its keys are made without waiting; use 'bypass' or 'by-url', or llmKey() for such requests`,
    )
  }
  const keyer = (request: unknown, extra = ''): LlmKey => {
    const read = maker.read(request)
    return maker.keyOf(read.body, extra, read)
  }
  return Object.assign(keyer, {
    keysOf: (request: unknown, extra = '') => maker.keysOf(maker.read(request), extra),
  })
}
