// For what comes and goes all the time. A Map or Set of V8 makes itself a new table each time that it
// has grown, shrunk or is full of holes, and the table that it leaves points to the new one. Once a
// table is in the old generation, all that ever follow it, with everything they held, stay in memory
// until the next full collection, and each young collection copies them: it costs several times what
// the rest of a read does. So the whole map is replaced now and then, which breaks that chain.

/** Beyond what is in it, so many may have come and gone before it is replaced. */
const PASSED = 64

/** A `Map` whose entries are short-lived. */
export class PassingMap<K, V> implements Iterable<[K, V]> {
  #map = new Map<K, V>()
  #added = 0

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): void {
    if (++this.#added > PASSED + 2 * this.#map.size) this.#renew()
    this.#map.set(key, value)
  }

  delete(key: K): boolean {
    const wasThere = this.#map.delete(key)
    if (wasThere && this.#map.size === 0) this.#renew()
    return wasThere
  }

  keys(): Iterable<K> {
    return this.#map.keys()
  }

  values(): Iterable<V> {
    return this.#map.values()
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.#map[Symbol.iterator]()
  }

  #renew(): void {
    this.#map = new Map(this.#map)
    this.#added = 0
  }
}

/** A `Set` whose members are short-lived. */
export class PassingSet<T> implements Iterable<T> {
  readonly #members = new PassingMap<T, true>()

  get size(): number {
    return this.#members.size
  }

  has(member: T): boolean {
    return this.#members.has(member)
  }

  add(member: T): void {
    this.#members.set(member, true)
  }

  delete(member: T): boolean {
    return this.#members.delete(member)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members.keys()[Symbol.iterator]()
  }
}
