import type { BusMessage, StoreContext, StoreState } from '../../../src/contracts/store.ts'

export interface Told {
  readonly states: StoreState[]
  readonly messages: BusMessage[]
  /** Resolves at the first state, told already or not, that is so. */
  reached(condition: (state: StoreState) => boolean): Promise<StoreState>
  readonly listeners: Pick<StoreContext, 'onState' | 'onMessage'>
}

/** Keeps what a session tells its cache. */
export function watched(): Told {
  const states: StoreState[] = []
  const messages: BusMessage[] = []
  const waiting = new Set<() => void>()
  return {
    states,
    messages,
    reached: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = states.find(condition)
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    listeners: {
      onState(state) {
        states.push(state)
        for (const look of [...waiting]) look()
      },
      onMessage: (message) => void messages.push(message),
    },
  }
}
