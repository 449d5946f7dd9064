import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Replicated, startReplicated } from '../servers/replicated.ts'
import { type Sentinels, startSentinels } from '../servers/sentinels.ts'
import { startServer } from '../servers/server.ts'
import { Driver } from './driver.ts'
import { targetOf } from './settings.ts'

let data: Replicated
let group: Sentinels

beforeAll(async () => {
  data = await startReplicated({ replicas: 1, requirepass: 'of-the-data' })
  group = await startSentinels(data.master, { sentinelPassword: 'of-the-sentinels' })
})

afterAll(async () => {
  await Promise.all([data?.stop(), group?.stop()])
})

async function connect(password: string | undefined, { addresses }: Sentinels = group) {
  const sentinelCredentials = password === undefined ? {} : { password }
  const target = targetOf(addresses, { sentinelCredentials })
  const driver = new Driver(target, { credentials: { password: 'of-the-data' } })
  try {
    return await driver.connect()
  } finally {
    driver.discovery.stop()
  }
}

describe('sentinels with a password', () => {
  it('are asked with their own credentials', async () => {
    expect(await connect('of-the-sentinels')).toMatchObject({ port: data.master.port })
  })

  it.each([
    [undefined, 'NOAUTH'],
    ['of-nobody', 'WRONGPASS'],
  ])('say what is wrong with %s, without the password', async (password, cause) => {
    const error = (await connect(password).catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toContain(`sentinels: ${cause} (3)). Check user name and password.`)
    expect(error.message).not.toContain('of-')
  })

  it('may be given a password that they do not have', async () => {
    const master = await startServer({ requirepass: 'of-the-data' })
    const open = await startSentinels(master, { count: 1, quorum: 1 })
    try {
      expect(await connect('of-the-sentinels', open)).toMatchObject({ port: master.port })
    } finally {
      await Promise.all([open.stop(), master.stop()])
    }
  })
})
