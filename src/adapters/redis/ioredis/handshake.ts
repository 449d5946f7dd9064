import type { Clock } from '../../../contracts/clock.ts'
import type { Command, Reply } from '../transport.ts'
import type { ServerInfo } from './discovery.ts'
import { ConnectionFault } from './redis-errors.ts'
import { isLoading, parseInfo } from './server-info.ts'
import type { Credentials } from './settings.ts'

const LOADING_MS = 50

export interface Login {
  readonly credentials: Credentials
  readonly db: number
  readonly name: string
}

interface Greeting {
  readonly clock: Clock
  /** Absent: somebody else has logged in. */
  readonly login?: Login
  send(commands: readonly Command[]): Promise<readonly Reply[]>
  /** The server has answered, but has to load its data first. */
  onLoading(error: Error): void
}

/**
 * Logs in, asks the server what it is, and waits while it loads its data. Empty where the user may
 * not ask.
 * @throws what the server replied
 */
export async function greet(greeting: Greeting): Promise<ServerInfo> {
  const { login, send } = greeting
  let info = await firstLook(
    login ? await send([...loginCommands(login), ['INFO']]) : await send([['INFO']]),
    login,
  )
  while (info ? isLoading(info) : await isLoadingByPing(send)) {
    greeting.onLoading(new Error('LOADING Redis is loading the dataset in memory'))
    await new Promise<void>((resolve) => {
      greeting.clock.setTimeout(resolve, LOADING_MS, { unref: true })
    })
    if (info) info = infoOf((await send([['INFO']]))[0])
  }
  return info ?? {}
}

function loginCommands({ credentials: { username, password }, db, name }: Login): Command[] {
  const commands: Command[] = [['CLIENT', 'SETNAME', name]]
  if (db !== 0) commands.unshift(['SELECT', db])
  if (password !== undefined) {
    commands.unshift(username === undefined ? ['AUTH', password] : ['AUTH', username, password])
  }
  return commands
}

function firstLook(replies: readonly Reply[], login: Login | undefined): ServerInfo | undefined {
  let at = 0
  if (login?.credentials.password !== undefined) checkAuth(replies[at++])
  if (login && login.db !== 0) checkSelect(replies[at++], login.db)
  return infoOf(replies.at(-1))
}

function checkAuth(reply: Reply | undefined): void {
  if (!(reply instanceof Error)) return
  // A server that asks for none takes everybody: it is told, not refused, by the doctor.
  if (/no password is set|without any password configured/i.test(reply.message)) return
  throw reply
}

function checkSelect(reply: Reply | undefined, db: number): void {
  if (!(reply instanceof Error)) return
  if (!/^ERR/.test(reply.message)) throw reply
  throw new ConnectionFault(
    'setting',
    `Redis has no database ${db}: check db or the end of url.`,
    reply,
  )
}

/** `undefined` where the server does not say. */
function infoOf(reply: Reply | undefined): ServerInfo | undefined {
  if (reply instanceof Error) {
    if (/^(NOAUTH|ERR max number of clients|DENIED|MASTERDOWN)/.test(reply.message)) throw reply
    return undefined
  }
  return Buffer.isBuffer(reply) ? parseInfo(reply.toString('latin1')) : undefined
}

async function isLoadingByPing(send: Greeting['send']): Promise<boolean> {
  const [reply] = await send([['PING']])
  if (!(reply instanceof Error)) return false
  if (/^(NOAUTH|MASTERDOWN)/.test(reply.message)) throw reply
  return reply.message.startsWith('LOADING')
}
