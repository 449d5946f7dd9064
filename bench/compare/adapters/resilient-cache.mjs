// This library, through the adapter that other harnesses use too. With `in memory first` the caller
// looks with `peek` before it calls, as layered-loader's users do.
import * as peer from '../../peer-adapter.mjs'

export const { id, objectKeys } = peer
export const variants = ['cached', 'in memory first']
export const unsupported = { cached: [], 'in memory first': ['miss', 'cold', 'failing', 'tags'] }

export async function setup({ variant, tags, ...options }) {
  const handle = await peer.setup({ ...options, metricsRun: tags })
  const { fn, peek } = handle
  return {
    ...handle,
    fn: variant === 'in memory first' ? (arg) => peek(arg) ?? fn(arg) : fn,
    fill: fn,
  }
}

export const { teardown } = peer
