/** A model's name, taken apart. */
export interface ModelName {
  /** Without vendor, date, version and `latest`. */
  readonly stem: string
  /** Digits of the date or number that fixes the version, without separators. */
  readonly date: string | undefined
  /** Who sells it, where the spelling shows that it is not the vendor. */
  readonly seller: 'bedrock' | 'vertex' | undefined
}

// `us.anthropic.claude-…`, `global.anthropic.claude-…`, `anthropic.claude-…`
const BEDROCK = /^(?:[a-z]{2,6}(?:-[a-z]+)?\.)?(?:anthropic|amazon|openai|meta|mistral)\./
// `-20260101`, `@20260101`, `-2026-01-01`, `-0613`, `-001`, `-latest`, each with `-v1`, `-v1:0`, `:200k`
const ENDING =
  /(?:[-@](?:(\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4})|latest|default))?(?:-v\d+)?(?::\d+k?){0,2}$/

/**
 * Takes the spellings of the vendors, of Amazon Bedrock and of Google Vertex apart, so that one entry
 * of the table is found by all of them.
 */
export function parseModelName(model: string): ModelName {
  // Resource names (`arn:…/…`, `publishers/anthropic/models/…`, `models/…`) end with the name.
  const last = model.slice(model.lastIndexOf('/') + 1)
  const vendor = BEDROCK.exec(last)
  const name = vendor ? last.slice(vendor[0].length) : last
  const ending = ENDING.exec(name)
  return {
    stem: ending ? name.slice(0, ending.index) : name,
    date: ending?.[1]?.replaceAll('-', ''),
    seller: vendor ? 'bedrock' : name.includes('@') ? 'vertex' : undefined,
  }
}

/**
 * Whether an answer of `answered` is what a request for `requested` asks for: the same model, or where
 * the request left the date open, any date of it.
 */
export function isModelAsked(requested: string, answered: string): boolean {
  if (requested === answered) return true
  const asked = parseModelName(requested)
  const got = parseModelName(answered)
  return asked.stem === got.stem && (asked.date === undefined || asked.date === got.date)
}
