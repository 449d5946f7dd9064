import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type Finding, problem, warning } from '../doctor/finding.ts'
import { plain } from '../text.ts'
import { faultOf } from './fault.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

interface Shown {
  readonly subject: string
  readonly names: string
  readonly from: Date
  readonly until: Date
}

/** `certificate CN=redis valid until 2027-01-31`. */
export function certificateText(socket: TLSSocket): string {
  const shown = certificateOf(socket)
  return shown ? `certificate ${shown.subject} valid until ${day(shown.until)}` : 'no certificate'
}

/** What is wrong with the certificate of the server, or soon will be. */
export function checkCertificate(
  socket: TLSSocket,
  host: string,
  now: number,
): Finding | undefined {
  const shown = certificateOf(socket)
  const code = codeOf(socket.authorizationError)
  if (code !== undefined) return refused(code, shown, host)
  const days = shown ? Math.floor((shown.until.getTime() - now) / DAY_MS) : Infinity
  if (days >= SOON_DAYS || !shown) return undefined
  return warning(
    'certificate',
    `The certificate ${shown.subject} ends in ${days} days, on ${day(shown.until)}`,
    'From then on no process gets a connection, and all go on without Redis.',
    'Renew it on the server.',
  )
}

function refused(code: string, shown: Shown | undefined, host: string): Finding {
  const why = 'The library refuses the connection, before any password is sent.'
  const name = shown ? `The certificate ${shown.subject}` : 'The certificate'
  if (shown && code === 'CERT_HAS_EXPIRED') {
    return problem(
      'certificate',
      `${name} has expired on ${day(shown.until)} (${code})`,
      why,
      'Renew it on the server. If that date is still to come, the clock of this machine is wrong.',
    )
  }
  if (shown && code === 'CERT_NOT_YET_VALID') {
    return problem(
      'certificate',
      `${name} is not valid before ${day(shown.from)} (${code})`,
      why,
      'Set the clock of this machine, or install the certificate that is valid today.',
    )
  }
  if (shown && code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return problem(
      'certificate',
      `${name} is for ${shown.names || 'no host name'}, not for ${plain(host)} (${code})`,
      why,
      'Connect by a name that is in it, give that name as --tls-servername, or issue one for this host.',
    )
  }
  const { fix } = faultOf(Object.assign(new Error(code), { code }))
  return problem('certificate', `${name} is not trusted (${code})`, why, fix)
}

/** Node gives an error or its code, depending on the check that failed. */
function codeOf(error: unknown): string | undefined {
  if (!error) return undefined
  const { code, message } = error as { code?: string; message?: string }
  return plain(code ?? message ?? String(error))
}

function certificateOf(socket: TLSSocket): Shown | undefined {
  const { raw } = socket.getPeerCertificate()
  if (!raw) return undefined
  const certificate = new X509Certificate(raw)
  return {
    subject: plain(certificate.subject.split('\n').at(-1) ?? ''),
    names: plain((certificate.subjectAltName ?? '').replace(/(DNS|IP Address):/g, '')),
    from: new Date(certificate.validFrom),
    until: new Date(certificate.validTo),
  }
}

function day(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10)
}
