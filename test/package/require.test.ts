import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runNode } from './run-node.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

describe('the build, from the repository', () => {
  it.each(['smoke.cjs', 'smoke.mjs'])('works from %s', (file) => {
    expect(runNode([file], here)).toEqual({ status: 0, stdout: 'ok\n', stderr: '' })
  })
})
