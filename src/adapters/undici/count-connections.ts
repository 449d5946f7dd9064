import type { buildConnector } from 'undici'

/** What a connector is asked for. undici's types leave out what Agent adds for HTTP/1.1 only. */
type Wish = buildConnector.Options & { readonly allowH2?: boolean }

/**
 * A connector that counts the connections it has made. Callers that cannot read HTTP/2 ask for a
 * connection without it, and `connectors.http1` makes that one.
 */
export function countConnections(
  connectors: {
    readonly preferred: buildConnector.connector
    readonly http1: buildConnector.connector
  },
  onConnected: () => void,
): buildConnector.connector {
  return (options, callback) => {
    const connect = (options as Wish).allowH2 === false ? connectors.http1 : connectors.preferred
    return connect(options, (...result) => {
      if (result[0] === null) onConnected()
      callback(...result)
    })
  }
}
