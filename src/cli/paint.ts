import type { CliWorld } from './cli-world.ts'

type Painter = (text: string) => string

export interface Paint {
  readonly ok: Painter
  readonly warning: Painter
  readonly problem: Painter
  readonly bold: Painter
  readonly dim: Painter
}

/** Colours on a terminal, unless NO_COLOR is set. */
export function paintFor({ out, env }: CliWorld): Paint {
  const isOn = out.isTty && !env.NO_COLOR && env.TERM !== 'dumb'
  const code = (on: number, off: number): Painter =>
    isOn ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text
  return {
    ok: code(32, 39),
    warning: code(33, 39),
    problem: code(31, 39),
    bold: code(1, 22),
    dim: code(2, 22),
  }
}
