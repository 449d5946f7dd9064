/** 0 and 1 are arguments of the cached function, 2 and 3 keys of `getOrSet`, `get`, `set`, `delete`. */
export const CELLS = [0, 1, 2, 3] as const
export type Cell = (typeof CELLS)[number]

export const isDirect = (cell: Cell): boolean => cell >= 2

export type Tag = 't0' | 't1' | 'dynamic'

/** Declared with the call. */
export const declaredTags = (cell: Cell): Tag[] => [cell % 2 === 0 ? 't0' : 't1']
/** Said by the origin, with `setTags`. */
export const dynamicTags = (cell: Cell): Tag[] => (cell === 0 || cell === 3 ? ['dynamic'] : [])
