import { readAnthropic } from './anthropic-prompt.ts'
import { type Block, type Prompt, pointerOf } from './block.ts'
import type { BlockReader } from './block-reader.ts'
import { markAnthropic } from './mark-anthropic.ts'
import { markOpenAi } from './mark-openai.ts'
import { openAiPointer, readOpenAi } from './openai-prompt.ts'
import { type Label, LONG } from './placement.ts'

/** A request that was read, and how it is marked. */
export interface ReadRequest {
  readonly prompt: Prompt
  /** The client has said all there is to say about caching. */
  readonly isSettled: boolean
  pointer(block: Block): string
  /** A copy with markers at the blocks with these indexes. */
  mark<R>(request: R, marks: ReadonlyArray<{ readonly at: number; readonly label: Label }>): R
}

export interface ReadOptions {
  readonly thinkingTier: 'messages' | 'all' | 'unknown'
  readonly shortTtl: string
}

export function readRequest(
  provider: string,
  request: unknown,
  reader: BlockReader,
  options: ReadOptions,
): ReadRequest {
  if (provider === 'openai') return openAi(request, reader, options.shortTtl)
  const prompt = readAnthropic(request, options.thinkingTier, reader)
  return {
    prompt,
    isSettled: false,
    pointer: pointerOf,
    mark: (given, marks) =>
      markAnthropic(
        given,
        marks.map(({ at, label }) => ({
          block: prompt.blocks[at] as Block,
          ttl: label === LONG ? '1h' : '5m',
        })),
      ),
  }
}

/** The end of the prompt is marked by the provider itself, if it is asked for implicit caching. */
function openAi(request: unknown, reader: BlockReader, ttl: string): ReadRequest {
  const prompt = readOpenAi(request, reader)
  const { list, blocks } = prompt
  const end = blocks.length - 1
  return {
    prompt,
    isSettled: prompt.isSettled,
    pointer: (block) => openAiPointer(block, list),
    mark: (given, marks) =>
      markOpenAi(given, {
        list,
        blocks: marks.flatMap(({ at }) => (at === end ? [] : [blocks[at] as Block])),
        isImplicit: marks.some(({ at }) => at === end),
        ttl,
      }),
  }
}
