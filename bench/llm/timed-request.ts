import type Anthropic from '@anthropic-ai/sdk'

/** A request of the Messages API, as far as the workloads use it. */
export type MessagesRequest = Pick<
  Anthropic.Messages.MessageCreateParamsNonStreaming,
  'model' | 'max_tokens' | 'system' | 'tools' | 'messages'
>

/** One call of a workload. */
export interface TimedRequest {
  /** Milliseconds since the workload began. */
  readonly at: number
  readonly request: MessagesRequest
  /** The place in the program that calls: requests of one route have their static part in common. */
  readonly route: string
  readonly outputTokens: number
}

export interface Workload {
  readonly name: string
  requests(seed: number): TimedRequest[]
}

export const MODEL = 'claude-sonnet-5'

/** In the order in which they are sent. */
export function byTime(requests: readonly TimedRequest[]): TimedRequest[] {
  return requests.toSorted((a, b) => a.at - b.at)
}
