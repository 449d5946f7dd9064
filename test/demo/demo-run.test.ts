import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DemoResult } from '../../examples/demo/report/result.ts'

const DEMO = new URL('../../examples/demo/', import.meta.url).pathname
const RUN_MS = 60_000

/** The folder for the temporary files of one test, which also marks its processes. */
let folder: string
const runs: Run[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
})

afterEach(async () => {
  // Where a test failed half-way.
  for (const { child, ended } of runs.splice(0)) {
    child.kill('SIGTERM')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly printed: { out: string; err: string }
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

function run(file: string, ...flags: string[]): Run {
  const child = spawn(process.execPath, [join(DEMO, file), ...flags], {
    env: { ...process.env, TMPDIR: folder, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    printed.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    printed.err += chunk
  })
  const result: Run = { child, printed, ended: once(child, 'close').then(([code]) => code) }
  runs.push(result)
  return result
}

async function waitFor(pattern: RegExp, { child, printed }: Run): Promise<string> {
  for (;;) {
    const found = pattern.exec(printed.out)?.[0]
    if (found) return found
    if (child.exitCode !== null) throw new Error(`ended early: ${printed.out}${printed.err}`)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
  }
}

/** The processes that were started for this test; known on Linux only. */
async function processes(): Promise<{ pid: number; command: string }[]> {
  if (process.platform !== 'linux') return []
  const read = (pid: string, file: string) =>
    readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const ours = (await read(pid, 'environ')).includes(`TMPDIR=${folder}`)
      return ours ? [{ pid: Number(pid), command: await read(pid, 'cmdline') }] : []
    }),
  )
  return found.flat()
}

async function expectNothingLeft() {
  expect(await readdir(folder)).toEqual([])
  expect(await processes()).toEqual([])
}

describe('the demo', { timeout: RUN_MS }, () => {
  it('shows the same answers for fewer calls and less money, and cleans up', async () => {
    const demo = run('demo.ts', '--requests=150', '--concurrency=10', '--seed=e2e', '--json')
    expect(await demo.ended, demo.printed.err).toBe(0)

    const result = JSON.parse(demo.printed.out) as DemoResult
    const [without, cold, restarted] = result.phases
    expect(result).toMatchObject({ identical: true, requests: 150, concurrency: 10, seed: 'e2e' })
    expect(result.checkedAnswers).toBeGreaterThan(250)

    expect(without.upstreamCalls).toMatchObject({ tax: 150, partners: 300 })
    expect(without.hitRate).toEqual({ l1: 0, l2: 0 })
    expect(cold.upstreamCalls.tax).toBeLessThan(result.documents * 1.3)
    expect(cold.usd).toBeLessThan(without.usd * 0.6)
    expect(cold.hitRate.l1).toBeGreaterThan(0.3)
    expect(restarted.upstreamCalls.llm).toBeLessThan(result.documents * 0.2)
    expect(restarted.hitRate.l2).toBeGreaterThan(0.05)
    expect(restarted.usd).toBeLessThan(cold.usd * 0.2)
    await expectNothingLeft()
  })

  it('cleans up when it is interrupted', async () => {
    const demo = run('demo.ts', '--requests=5000')
    await waitFor(/1 without: \d/, demo)
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(130)
    expect(demo.printed.err).toContain('Interrupted')
    await expectNothingLeft()
  })

  it.runIf(process.platform === 'linux')('fails and cleans up when a part dies', async () => {
    const demo = run('demo.ts', '--requests=5000')
    await waitFor(/1 without: \d/, demo)
    const service = (await processes()).find(({ command }) => command.includes('service.ts'))
    process.kill(service?.pid as number, 'SIGKILL')
    expect(await demo.ended).toBe(1)
    expect(demo.printed.err).toMatch(/service\.ts ended unexpectedly \(SIGKILL\)/)
    await expectNothingLeft()
  })

  it('says what is wrong with a flag', async () => {
    const demo = run('demo.ts', '--requests=none')
    expect(await demo.ended).toBe(1)
    expect(demo.printed.err).toContain('--requests must be a whole number from 10 to 100000')
  })
})

describe('the service alone', { timeout: RUN_MS }, () => {
  it('answers a document from the cache the second time, and closes cleanly', async () => {
    const service = run('service.ts')
    const url = await waitFor(/http:\/\/[\d.]+:\d+/, service)

    const xml = await (await fetch(`${url}/sample`)).text()
    const post = async (body: string) => {
      const response = await fetch(`${url}/documents`, { method: 'POST', body })
      return { status: response.status, answer: await response.json() }
    }
    const first = await post(xml)
    expect(first).toMatchObject({ status: 200, answer: { tax: { accepted: true } } })
    expect(await post(xml)).toEqual(first)

    const wrong = await post(xml.replace(/<MntTotal>\d/, '<MntTotal>9'))
    expect(wrong).toMatchObject({ answer: { tax: { accepted: false }, review: null } })
    expect(await post('hello')).toMatchObject({ status: 400 })

    const { hits, stale, misses } = (await (await fetch(`${url}/stats`)).json()) as {
      hits: { l1: number }
      stale: number
      misses: number
    }
    // A partner may have become stale where the machine is slow.
    expect({ misses, answered: hits.l1 + stale }).toEqual({ misses: 5, answered: 6 })

    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
    await expectNothingLeft()
  })
})
