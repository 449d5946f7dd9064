import { isResilienceError, ResilienceError } from '../../../kernel/errors.ts'
import { causeOf, isAuthFailure, TIME_OUT } from './failure-cause.ts'

/**
 * What a failure asks for. `passing`: try again at once. `name`: the same, more slowly, since names
 * are looked up in threads that others need. `wrong-node`: ask again where the master is. `setting`:
 * somebody has to change something first.
 */
export type FailureKind = 'passing' | 'name' | 'wrong-node' | 'setting'

/** A reason that is found by us and needs no further explanation. */
export class ConnectionFault extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

const NAME = /^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/
const TLS = /CERT|TLS|SSL|EPROTO|SIGNATURE|ISSUER/
/** Also from within a script, where older servers put it after a dash. */
const WRONG_NODE = /(?:^|[-\s])(?:READONLY|MASTERDOWN)\b/

/** Whether a reply means that this server is not the master that was looked for. */
export function isWrongNode(error: Error): boolean {
  return WRONG_NODE.test(error.message)
}

export function kindOfFailure(error: unknown): FailureKind {
  if (error instanceof ConnectionFault) return error.kind
  if (!(error instanceof Error)) return 'passing'
  if (isResilienceError(error) && error.cause instanceof Error) {
    const inner = kindOfFailure(error.cause)
    if (inner !== 'passing') return inner
  }
  const cause = causeOf(error)
  if (isAuthFailure(cause) || TLS.test(cause)) return 'setting'
  if (NAME.test(cause)) return 'name'
  return isWrongNode(error) ? 'wrong-node' : 'passing'
}

/** Where the client says it in words of its own. */
function wordFor(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  if (message.startsWith('Command timed out')) return TIME_OUT
  if (/^(Unknown RESP type|Protocol error)/.test(message)) return 'protocol'
  if (/^ERR max number of clients/.test(message)) return 'maxclients'
  return causeOf(error)
}

/**
 * The same failure as it is told to operators: what is wrong and what to do. What Redis or the system
 * said is its `cause`; its own text is never shown, since it may have keys or values in it.
 */
export function asUnavailable(error: unknown): ResilienceError {
  if (isResilienceError(error)) return error
  const message = error instanceof ConnectionFault ? error.message : explain(wordFor(error))
  return new ResilienceError('ERR_L2_UNAVAILABLE', message, { cause: error })
}

const TEXTS: readonly (readonly [cause: RegExp, text: string])[] = [
  [
    /^ECONNREFUSED$/,
    'Redis refused the connection (ECONNREFUSED): check that it runs and listens at this address and port.',
  ],
  [
    NAME,
    'The host name of Redis cannot be resolved (%): check the name and the DNS of this machine.',
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/,
    'There is no way to the host of Redis (%): check the address, the network and the firewall.',
  ],
  [
    new RegExp(`^${TIME_OUT}$`),
    'Redis does not answer (time-out): check the network, the firewall, whether the server hangs, and whether the port is one for TLS.',
  ],
  [
    /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    'The connection to Redis was cut (%): if it lasts, check maxclients, the load balancer, and whether the port expects TLS.',
  ],
  [/^NOAUTH$/, 'Redis asks for a password (NOAUTH): set password, or credentials in url.'],
  [/^WRONGPASS$/, 'Redis refused the credentials (WRONGPASS): check username and password.'],
  [
    /^NOPERM$/,
    'The user is not allowed what the cache needs (NOPERM): see the ACL rules in the guide to Redis.',
  ],
  [
    /^DENIED$/,
    'Redis is in protected mode (DENIED): give it a password, or let it bind to the right interface.',
  ],
  [
    /^(READONLY|MASTERDOWN)$/,
    'The server is a replica (%): give the address of the master, or sentinels that know it.',
  ],
  [/^LOADING$/, 'Redis is still loading its data (LOADING): it is used as soon as it has.'],
  [
    /^protocol$/,
    'What answers is not Redis, or not in its protocol: check the port, and whether it expects TLS.',
  ],
  [
    /^maxclients$/,
    'Redis has all the connections it takes (maxclients): raise maxclients, or close idle clients.',
  ],
  [
    /EXPIRED/,
    'The certificate of Redis has expired (%): renew it on the server; the clock of this machine may also be wrong.',
  ],
  [
    /ALTNAME/,
    'The certificate of Redis is for another name (%): use the name in the certificate, or set tls.servername.',
  ],
  [
    /SELF_SIGNED|ISSUER|UNABLE_TO|SIGNATURE/,
    'The certificate of Redis is not trusted (%): give the certificate of its authority as tls.ca.',
  ],
  [
    /EPROTO|SSL|TLS|CERT/,
    'The TLS handshake with Redis failed (%): check that this port speaks TLS, and the options in tls.',
  ],
]

function explain(cause: string): string {
  const found = TEXTS.find(([pattern]) => pattern.test(cause))
  const text =
    found?.[1] ?? 'The connection to Redis failed (%): see its cause, and the log of the server.'
  return text.replace('%', () => cause)
}
