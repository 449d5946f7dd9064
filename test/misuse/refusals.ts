import { isResilienceError } from '../../src/index.ts'

/** What stands in every case: a message must never show it. */
export const SECRET = 'hunter2'

/** How each attempt is refused: its message, after its code where that is not ERR_INVALID_OPTION. */
export async function refusals(attempts: Record<string, () => unknown>): Promise<string> {
  const lines: string[] = []
  for (const [name, attempt] of Object.entries(attempts)) {
    lines.push(`${name}\n    ${await refusal(attempt)}`)
  }
  return `\n${lines.join('\n')}\n`
}

async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt()
    return 'ACCEPTED'
  } catch (error) {
    if (!isResilienceError(error)) return `NOT OURS: ${String(error)}`
    if (error.retryable) return 'RETRYABLE, which a wrong program is not'
    if (error.message.includes(SECRET)) return 'SHOWS WHAT IT WAS GIVEN'
    return error.code === 'ERR_INVALID_OPTION' ? error.message : `${error.code}: ${error.message}`
  }
}

/** One attempt for each of `values`, as what is put where the test says. */
export function each(
  name: string,
  values: readonly unknown[],
  attempt: (value: never) => unknown,
): Record<string, () => unknown> {
  const label = (value: unknown): string =>
    typeof value === 'function'
      ? 'function'
      : (JSON.stringify(value, (_, part) =>
          typeof part === 'number' && !Number.isFinite(part) ? String(part) : part,
        ) ?? String(value))
  return Object.fromEntries(
    values.map((value) => [`${name}: ${label(value)}`, () => attempt(value as never)]),
  )
}
