import type { Duration } from '../../kernel/duration.ts'
import type { TaskResult } from './task.ts'

// How the inputs of a node get their types. Three type parameters share the work, because TypeScript
// settles each of them when it is first needed: A, the names in `after`, before any function is looked
// at; V, the values of the nodes whose parameters are annotated or absent, next; N, all of it, at the
// end, which gives the result and is what annotated inputs are checked against.

/** Of the nodes named in D, the values that are known by then; D is unknown where there is no `after`. */
type KnownInputs<V, D> = { [K in (unknown extends D ? never : D) & keyof V]: V[K] }

type Member<O, K> = K extends keyof O ? O[K] : never

interface NodeOptions {
  timeout?: Duration
  optional?: boolean
  fallback?: unknown
}

/** A node whose run is given `inputs`. A method, so that an annotation may say more than is known. */
interface Dependent<I, V> extends NodeOptions {
  after?: readonly unknown[]
  run(inputs: I, signal: AbortSignal): PromiseLike<V> | V
}

type Root<V> = ((signal: AbortSignal) => PromiseLike<V> | V) | PromiseLike<V>

type Names<V, A> = {
  [K in keyof A]:
    | ((signal: AbortSignal) => unknown)
    | PromiseLike<unknown>
    | { after?: readonly (A[K] & keyof V)[] }
}

type Values<V, A> = {
  [K in keyof V]: Root<V[K]> | Dependent<NoInfer<KnownInputs<V, Member<A, K>>>, V[K]>
}

type InputsOf<N, M> = M extends { after: readonly (infer D)[] }
  ? { [K in D & keyof N]: TaskResult<N[K]> }
  : Record<never, never>

/** Annotated inputs have to fit what the nodes give. */
type Checked<N> = {
  [K in keyof N]: N[K] extends { run: (inputs: infer I, ...rest: never[]) => unknown }
    ? InputsOf<N, N[K]> extends I
      ? unknown
      : { run: (inputs: InputsOf<N, N[K]>, signal: AbortSignal) => unknown }
    : unknown
}

/** The nodes of a `parallel.graph`. */
export type GraphNodes<V, A, N> = Names<V, A> & Values<V, A> & N & Checked<N>
