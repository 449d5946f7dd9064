/** One column of the comparison. */
export interface CompareScene {
  readonly id: string
  readonly title: string
  readonly unit: 'ns' | 'µs' | 'calls'
}

export const compareScenes: readonly CompareScene[] = [
  { id: 'hit', title: 'hit, string', unit: 'ns' },
  { id: 'object', title: 'hit, object', unit: 'ns' },
  { id: 'rotating', title: 'hit, 1,000 keys', unit: 'ns' },
  { id: 'tags', title: 'hit, tags', unit: 'ns' },
  { id: 'peek', title: 'sync look', unit: 'ns' },
  { id: 'miss', title: 'miss', unit: 'µs' },
  { id: 'cold', title: '100 callers, cold', unit: 'µs' },
  { id: 'coldCalls', title: '- origin calls', unit: 'calls' },
  { id: 'failingCalls', title: '10 callers, failing', unit: 'calls' },
]
