// `retry()`, `timeout()`, `hedge()` and `fallback()` are Runners by themselves. A guard takes only the
// rule out of one, so that a call through all of them has one signal and one timer.

const RULE = Symbol('rule')

/** Puts its rule on a Runner. */
export function withRule<R extends object>(runner: R, rule: object): R {
  return Object.defineProperty(runner, RULE, { value: rule })
}

/** The rule of a Runner, if it is of that kind. */
export function ruleOf<R>(value: unknown, kind: new (...args: never[]) => R): R | undefined {
  if (typeof value !== 'function') return undefined
  const rule = (value as { [RULE]?: unknown })[RULE]
  return rule instanceof kind ? rule : undefined
}
