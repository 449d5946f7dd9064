import type { Redis } from 'ioredis'
import type { Argument, Command, Reply } from '../transport.ts'

type CommandClass = new (
  name: string,
  args: (string | number | Buffer)[],
  /** Replies stay bytes. */
  options: { replyEncoding: null },
) => { readonly promise: Promise<unknown> }

/**
 * Sends commands in one write and collects their replies. By single commands and a corked socket,
 * which takes about half the time of the client's own pipeline; a command that is made here also
 * knows nothing of a `keyPrefix`, so that the keys of all processes agree.
 * @throws when the connection was lost, or the client gave a command up
 */
export function sendCommands(client: Redis, commands: readonly Command[]): Promise<Reply[]> {
  const ClientCommand = commandClassOf(client)
  const stream = client.stream
  return new Promise((resolve, reject) => {
    const replies = new Array<Reply>(commands.length)
    let left = commands.length
    if (left === 0) resolve(replies)
    const take = (at: number, reply: Reply): void => {
      replies[at] = reply
      left--
      if (left === 0) resolve(replies)
    }
    if (left > 1) stream?.cork()
    try {
      for (const [at, [name, ...rest]] of commands.entries()) {
        const args = rest.map(asArgument)
        const command = new ClientCommand(String(name), args, { replyEncoding: null })
        command.promise.then(
          (reply) => take(at, reply as Reply),
          (error) => (isReply(error) ? take(at, withoutCommand(error)) : reject(error)),
        )
        client.sendCommand(command as never)
      }
    } catch (error) {
      reject(error)
    } finally {
      if (commands.length > 1) stream?.uncork()
    }
  })
}

/** By the method that makes them: one for each copy of the client. */
const classes = new WeakMap<object, CommandClass>()

/**
 * Of the client's own version, which another copy of the package may have made. The class of the
 * client does not lead there, its constructor is hidden by a mixin: so one is made and looked at.
 */
function commandClassOf({ callBuffer }: Redis): CommandClass {
  const known = classes.get(callBuffer)
  if (known) return known
  const maker = { options: {}, sendCommand: (command: unknown) => command }
  const made = callBuffer.call(maker as never, 'PING') as unknown as { constructor: CommandClass }
  classes.set(callBuffer, made.constructor)
  return made.constructor
}

/** The client takes bytes of any other kind for text. */
function asArgument(argument: Argument): string | number | Buffer {
  if (!(argument instanceof Uint8Array)) return argument
  if (Buffer.isBuffer(argument)) return argument
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** The client adds the arguments, keys and values among them. */
function withoutCommand(error: Error & { command?: unknown }): Error {
  delete error.command
  return error
}
