/** Whether a new prefix is used again: asked when it is made, answered by its first use. */
export interface OpenQuestion {
  answer(gapMs: number): void
}

/** A prefix of prompts that were seen: what the provider keeps of it, and how it was used. */
export interface PrefixNode {
  readonly parent: PrefixNode | undefined
  readonly key: string
  /** Names the prefix, the same in all processes; made when it is asked for. */
  id: string
  /** Most have one child; the map is made for the second. */
  child: PrefixNode | undefined
  children: Map<string, PrefixNode> | undefined
  /** Neighbours by last use. */
  newer: PrefixNode | undefined
  older: PrefixNode | undefined
  /** Requests that had this prefix. */
  seen: number
  /** When a request last ended here, or left the known ways here. */
  touchedAt: number
  /** Requests that left the known ways here, by the time since `touchedAt`. */
  hitsShort: number
  hitsLong: number
  hitsLate: number
  /** Whether such a place is used again: open until it is. */
  question: OpenQuestion | undefined
  /** It ended a request, and none has gone on from it yet. */
  isOpenTail: boolean
  /** Lifetime of the provider's entry, and its end; 0 and -Infinity: there is none. */
  entryTtlMs: number
  entryUntil: number
  /** An answer has shown that the entry is there. */
  isConfirmed: boolean
}

/** Prefixes by what they consist of; the least recently used are forgotten. */
export class PrefixTree {
  readonly #maxNodes: number
  readonly #roots = new Map<string, PrefixNode>()
  #count = 0
  #newest: PrefixNode | undefined
  #oldest: PrefixNode | undefined

  constructor(maxNodes: number) {
    this.#maxNodes = maxNodes
  }

  get size(): number {
    return this.#count
  }

  root(name: string): PrefixNode {
    return this.#roots.get(name) ?? newNode(undefined, name)
  }

  find(parent: PrefixNode, key: string): PrefixNode | undefined {
    if (parent.child?.key === key) return parent.child
    return parent.children?.get(key)
  }

  add(parent: PrefixNode, key: string): PrefixNode {
    const node = newNode(parent, key)
    // A root is kept for what grows from it: without, nobody would ever forget it.
    if (!parent.parent) this.#roots.set(parent.key, parent)
    if (!parent.child) parent.child = node
    else {
      parent.children ??= new Map()
      parent.children.set(key, node)
    }
    this.#count++
    this.#link(node)
    return node
  }

  /** Makes a way the most recently used one; its end is older than its beginning, and goes first. */
  use(way: readonly PrefixNode[]): void {
    for (let index = way.length - 1; index >= 0; index--) {
      const node = way[index] as PrefixNode
      node.seen++
      this.touch(node)
    }
    this.trim()
  }

  /** Forgets what is too much. */
  trim(): void {
    while (this.#count > this.#maxNodes && this.#oldest) this.#remove(this.#oldest)
  }

  /** Makes a node the most recently used one. Touch it before what it grows from. */
  touch(node: PrefixNode): void {
    if (node === this.#newest) return
    this.#unlink(node)
    this.#link(node)
  }

  /** From the most recently used one: what a node grows from comes before it. */
  *nodes(): Generator<PrefixNode> {
    for (let node = this.#newest; node; node = node.older) yield node
  }

  #remove(node: PrefixNode): void {
    this.#unlink(node)
    this.#count--
    const parent = node.parent as PrefixNode
    if (parent.child === node) {
      parent.child = undefined
      for (const [key, next] of parent.children ?? []) {
        parent.child = next
        parent.children?.delete(key)
        break
      }
    } else parent.children?.delete(node.key)
    if (!parent.child && !parent.parent) this.#roots.delete(parent.key)
  }

  #link(node: PrefixNode): void {
    node.older = this.#newest
    node.newer = undefined
    if (this.#newest) this.#newest.newer = node
    this.#newest = node
    this.#oldest ??= node
  }

  #unlink(node: PrefixNode): void {
    if (node.newer) node.newer.older = node.older
    else this.#newest = node.older
    if (node.older) node.older.newer = node.newer
    else this.#oldest = node.newer
    node.newer = undefined
    node.older = undefined
  }
}

function newNode(parent: PrefixNode | undefined, key: string): PrefixNode {
  return {
    parent,
    key,
    id: '',
    child: undefined,
    children: undefined,
    newer: undefined,
    older: undefined,
    seen: 0,
    touchedAt: Number.NEGATIVE_INFINITY,
    hitsShort: 0,
    hitsLong: 0,
    hitsLate: 0,
    question: undefined,
    isOpenTail: false,
    entryTtlMs: 0,
    entryUntil: Number.NEGATIVE_INFINITY,
    isConfirmed: false,
  }
}
