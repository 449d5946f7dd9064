import { KeyMemo } from '../../src/key/key-memo.ts'
import { keyOf } from '../../src/key/key-of.ts'
import { timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const shapes: Record<string, readonly unknown[]> = {
  'two strings': ['acme', '12345678-5'],
  'three primitives': ['acme', 42, true],
  'object of 3': [{ tenant: 'acme', id: 42, locale: 'es-CL' }],
  'nested object of 12': [
    {
      model: 'large-1',
      temperature: 0.2,
      messages: [
        { role: 'system', content: 'Answer in one sentence.' },
        { role: 'user', content: 'Which documents are missing for this partner?' },
      ],
      options: { stop: ['\n\n'], maxTokens: 256, stream: false },
    },
  ],
  'Date and Map': [new Date(0), new Map([['a', 1]])],
}

/** What a key costs, apart from any lookup. From the source: keys are not exported. */
export const scene: Scene = async ({ settings }) => {
  const contenders = Object.entries(shapes).map(([name, args]) => ({
    name,
    run(count: number) {
      let length = 0
      for (let i = 0; i < count; i++) length += keyOf(args).length
      return length
    },
  }))
  const memo = new KeyMemo()
  const [object] = shapes['object of 3'] as [object]
  const remembered = {
    name: 'object of 3, seen before',
    run(count: number) {
      let length = 0
      for (let i = 0; i < count; i++) length += memo.keyOfObject(object).length
      return length
    },
  }
  const timings = await timeInRounds([...contenders, remembered], settings)
  return Object.entries(timings).map(([name, ns]) => ({
    id: `key: ${name}`,
    samples: [median(ns)],
  }))
}
