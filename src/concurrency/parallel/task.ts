import type { Duration } from '../../kernel/duration.ts'

/** A task with what is to happen when it is slow or fails. */
export interface TaskSpec<T = unknown, F = unknown> {
  /** @param signal is aborted when the task need not go on: another has failed, or its time is up */
  run: (signal: AbortSignal) => PromiseLike<T> | T
  /** From the start of this task; waiting for its turn does not count. @default `taskTimeout` */
  timeout?: Duration
  /** The value when the task fails or is too slow, or a function `(error) => value`. */
  fallback?: F | ((error: unknown) => PromiseLike<F> | F)
  /** Its failure is no failure of the call: the value is then `undefined`. @default false */
  optional?: boolean
}

/** What `parallel` runs: a function, a promise that is already under way, or a {@link TaskSpec}. */
export type Task<T = unknown> =
  | ((signal: AbortSignal) => PromiseLike<T> | T)
  | PromiseLike<T>
  | TaskSpec<T>

/** The value that a task of this type ends with. */
export type TaskResult<N> = N extends { run: (...args: never[]) => infer R }
  ? Awaited<R> | Rescue<N>
  : N extends (...args: never[]) => infer R
    ? Awaited<R>
    : Awaited<N>

type Rescue<N> =
  | (N extends { fallback: infer F } ? FallbackValue<F> : never)
  | (N extends { optional: infer O } ? (true extends O ? undefined : never) : never)

type FallbackValue<F> = F extends (...args: never[]) => infer R ? Awaited<R> : F

/** The values of all tasks, in the shape in which the tasks were given. */
export type TaskResults<T> = { -readonly [K in keyof T]: TaskResult<T[K]> }

/** How a task of `parallel.settle` ended. */
export type SettledTask<V> =
  | { readonly ok: true; readonly value: V }
  | {
      readonly ok: false
      readonly error: unknown
      /** A time limit ended it: one of this call, or one of a policy inside. */
      readonly timedOut: boolean
    }

/** The ends of all tasks, in the shape in which the tasks were given. */
export type SettledTasks<T> = { -readonly [K in keyof T]: SettledTask<TaskResult<T[K]>> }
