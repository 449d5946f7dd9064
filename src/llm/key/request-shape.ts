import type { BypassReason } from './llm-key-options.ts'

/** Tells why the answer to a request should not be kept. */
export type Note = (reason: BypassReason) => void

/**
 * What is known of one place in the requests of a provider. What no shape speaks of is data: it is part
 * of the key as it is, so that a member which a provider adds tomorrow costs a miss, and never gives a
 * wrong answer.
 */
export interface Shape {
  /** Of an object. A member that is not named here is data. */
  readonly members?: ReadonlyMap<string, Shape>
  /** Of an array. */
  readonly items?: Shape
  /** Text here is short for one text block. */
  readonly isTextBlock?: boolean
  /** Text here stands for bytes: in base64, or behind a URL, which may be a `data:` URL. */
  readonly text?: 'base64' | 'url'
  /** URLs that name a file of the provider, whose contents never change. */
  readonly fileUrls?: RegExp
  /** Items that hold nothing but this member are markers, not content. */
  readonly marker?: string
  /** The list of tools: its order may be declared not to matter. */
  readonly isToolList?: boolean
  /** Null is a value here, and not the same as an absent member. */
  readonly keepsNull?: boolean
  /** Looks at an object for what makes its answer depend on more than the request. */
  readonly inspect?: (value: Readonly<Record<string, unknown>>, note: Note) => void
}

/** Does not change the answer. */
export const LEFT_OUT: Shape = {}

/** Belongs to the caller, such as a JSON schema or the input of a tool: nothing is left out. */
export const DATA: Shape = { keepsNull: true }

/** Belongs to the provider: null is the same as absent. */
export const SETTINGS: Shape = {}

/** Of what several providers take as part of the request, though it only says how to send it. */
export const SENDING = ['signal', 'abortSignal', 'timeout', 'maxRetries', 'idempotencyKey'] as const

/** Shapes by the names of the members. */
export function members(
  shapes: Readonly<Record<string, Shape>>,
  leftOut: readonly string[] = [],
): Map<string, Shape> {
  const all = new Map(Object.entries(shapes))
  for (const name of leftOut) all.set(name, LEFT_OUT)
  return all
}

/** Whether a member is given at all: null stands for absent. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
