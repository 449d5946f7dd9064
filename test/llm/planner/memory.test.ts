import { deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import { createDigestMemo } from '../../../src/llm/planner/digest.ts'
import { PrefixTree } from '../../../src/llm/planner/prefix-tree.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { marks, request, text, user, world } from './planner-world.ts'

const MINUTE = 60_000
const SYSTEM = text('Rules', 3000)

function question(index: number) {
  return request({ system: SYSTEM, messages: [user(text(`Question ${index}`, 500))] })
}

describe('snapshots', () => {
  it('carry what was learnt to another process, ages and all', async () => {
    const { call, clock, planner } = world()
    for (let index = 0; index < 3; index++) {
      call(question(index))
      await clock.advance(10 * MINUTE)
    }
    const heir = createPrefixPlanner({ clock: new FakeClock(clock.wall() + 5 * MINUTE) })
    heir.restore(planner.snapshot())
    const plan = heir.plan({ request: question(9) })
    expect(plan.expected.read).toBe(3000)
    expect(marks(plan)).toEqual(['/system 1h'])

    const late = createPrefixPlanner({ clock: new FakeClock(clock.wall() + 90 * MINUTE) })
    late.restore(planner.snapshot())
    expect(late.plan({ request: question(9) }).expected.read).toBe(0)
  })

  it('hold no text and no name of a tenant', () => {
    const planner = createPrefixPlanner()
    planner.plan({ request: question(1), tenant: 'acme-corp' })
    const bytes = inflateRawSync(planner.snapshot()).toString()
    expect(bytes).not.toContain('acme-corp')
    expect(bytes).not.toContain('Rules')
  })

  it('are ignored when they are none, or broken, or of another version', () => {
    const { planner, call } = world()
    call(question(1))
    const good = planner.snapshot()
    const other = inflateRawSync(good).toString().replace(':1\n', ':2\n')
    const foreign = [
      new Uint8Array(),
      Buffer.from('hello'),
      good.slice(0, 20),
      deflateRawSync(other),
    ]
    for (const bytes of foreign) {
      const heir = createPrefixPlanner()
      heir.restore(bytes)
      expect(heir.plan({ request: question(2) }).expected.read).toBe(0)
    }
  })

  it('are ignored whatever is in them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const heir = createPrefixPlanner()
        const head = 'rc-prefix-plan:1\n'
        heir.restore(deflateRawSync(head + JSON.stringify(value)))
        heir.restore(
          deflateRawSync(
            head + JSON.stringify({ wall: 0, nodes: [value], routes: [value], ratios: [value] }),
          ),
        )
        expect(heir.plan({ request: question(2) }).expected.read).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})

describe('the arrangement of tools', () => {
  const tool = (name: string) => ({ name, description: name, input_schema: { type: 'object' } })

  it("'pin' sends them as they were first seen", () => {
    const planner = createPrefixPlanner({ tools: 'pin' })
    const send = (...tools: object[]) => planner.plan({ request: request({ tools }) }).request.tools
    send(tool('b'), tool('a'))
    const { name, ...rest } = tool('b')
    const again = send(tool('a'), { ...rest, name })
    expect(JSON.stringify(again)).toBe(JSON.stringify([tool('b'), tool('a')]))
    expect(send(tool('a'))).toEqual([tool('a')])
  })

  it("'sort' orders them by name, and leaves them alone where one is marked", () => {
    const planner = createPrefixPlanner({ tools: 'sort' })
    const send = (...tools: object[]) => planner.plan({ request: request({ tools }) }).request.tools
    expect(send(tool('b'), tool('a'))).toEqual([tool('a'), tool('b')])
    const marked = [{ ...tool('b'), cache_control: { type: 'ephemeral' } }, tool('a')]
    expect(send(...marked)).toEqual(marked)
  })
})

describe('tools that are pinned or sorted', () => {
  const tool = (type: string) => ({
    name: 'fetch',
    input_schema: { type: 'object', properties: { cache_control: { type } } },
  })

  it('are not taken for others whose schemas differ in a member named like a marker', () => {
    const planner = createPrefixPlanner({ tools: 'pin' })
    planner.plan({ request: request({ tools: [tool('string')] }) })
    const { request: sent } = planner.plan({ request: request({ tools: [tool('number')] }) })
    expect(sent.tools).toEqual([tool('number')])
  })

  it('may bring functions, and are then sent as they come', () => {
    const planner = createPrefixPlanner({ tools: 'pin' })
    const asked = request({ tools: [{ ...tool('string'), run: () => 'done' }] })
    expect(planner.plan({ request: asked }).request.tools).toEqual(asked.tools)
  })

  it('are left alone by a planner that only observes', () => {
    const planner = createPrefixPlanner({ tools: 'sort', mode: 'observe' })
    const asked = request({ tools: [{ name: 'b' }, { name: 'a' }] })
    expect(planner.plan({ request: asked }).request).toBe(asked)
  })

  it('are left alone in a request with markers that is to be respected', () => {
    const planner = createPrefixPlanner({ tools: 'sort', mode: 'respect' })
    const asked = request({
      tools: [{ name: 'b' }, { name: 'a' }],
      system: [{ type: 'text', text: SYSTEM, cache_control: { type: 'ephemeral' } }],
    })
    expect(planner.plan({ request: asked }).request).toBe(asked)
  })
})

describe('numbers that are none', () => {
  it('in usage teach nothing', () => {
    const { planner, call, clock } = world()
    const plan = planner.plan({ request: question(1) })
    const wrong = { provider: 'anthropic', model: 'm', inputUncached: 0, output: 0, raw: undefined }
    const usage = { ...wrong, inputTotal: Number.NaN, cacheRead: Number.NaN, cacheWrite: {} }
    planner.observe(plan, usage, { startedAt: clock.now() })
    expect(planner.explain().actualRead).toBe(0)
    expect(call(question(2)).plan.expected.baseline).toBe(3500)
  })

  it('are refused as an instant', () => {
    const asked = { request: question(1), now: Number.NaN }
    expect(() => createPrefixPlanner().plan(asked)).toThrow(
      'now of plan must be an instant in milliseconds',
    )
  })

  it('in a snapshot make it none', () => {
    const { planner, call } = world()
    for (let index = 0; index < 3; index++) call(question(index))
    const text = inflateRawSync(planner.snapshot()).toString()
    const foreign = text.replace(/\["system",\[(\d+),/, '["system",["$1",')
    expect(foreign).not.toBe(text)
    const heir = createPrefixPlanner()
    heir.restore(deflateRawSync(foreign))
    expect(heir.explain(planner.explain().route).requests).toBe(0)
  })
})

describe('plans of any conversation', () => {
  const block = fc.record({
    type: fc.constant('text'),
    text: fc.integer({ min: 0, max: 9000 }).map((length) => 'word '.repeat(length / 5)),
  })
  const asked = fc.record({
    system: fc.array(block, { maxLength: 3 }),
    blocks: fc.array(block, { minLength: 1, maxLength: 12 }),
    gap: fc.integer({ min: 0, max: 80 }),
    ttl: fc.option(fc.constantFrom('5m', '1h')),
  })

  it('are valid, change nothing but markers, and cost what they say', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 6 }), (calls) => {
        const { planner, oracle } = world()
        let now = 0
        for (const { system, blocks, gap, ttl } of calls) {
          now += gap * MINUTE
          const own = request({ system, messages: blocks.map((one) => user([one])) })
          const given = ttl ? { ...own, cache_control: { type: 'ephemeral', ttl } } : own
          const plan = planner.plan({ request: given, now, hint: { kind: 'chat' } })
          const ttls = plan.breakpoints.map((point) => point.ttl)
          expect(ttls.length).toBeLessThanOrEqual(4)
          expect(ttls.toSorted()).toEqual(ttls)
          expect(bare(plan.request)).toBe(bare(given))
          expect(oracle.call(plan.request as never, now).cost).toBeCloseTo(plan.expected.cost)
        }
      }),
      { numRuns: 60 },
    )
  })

  function bare(value: unknown): string {
    return JSON.stringify(value, (key, inner) => (key === 'cache_control' ? undefined : inner))
  }
})

describe('what is remembered', () => {
  it('is bounded: the tree drops ends before beginnings', () => {
    const tree = new PrefixTree(5)
    const root = tree.root('r')
    const way = (...keys: string[]) => {
      const nodes = []
      let node = root
      for (const key of keys) {
        node = tree.find(node, key) ?? tree.add(node, key)
        nodes.push(node)
      }
      tree.use(nodes)
    }
    way('a', 'b', 'c')
    way('a', 'd', 'e')
    way('a', 'f')
    expect(tree.size).toBe(5)
    const a = tree.find(root, 'a')
    expect(a && tree.find(a, 'f')).toBeDefined()
    expect(a && tree.find(a, 'd')).toBeDefined()
    const b = a && tree.find(a, 'b')
    expect(b && tree.find(b, 'c')).toBeUndefined()
  })

  it('is nothing of a root from which nothing grows', () => {
    const tree = new PrefixTree(5)
    const root = tree.root('r')
    expect(tree.root('r')).not.toBe(root)
    tree.use([tree.add(root, 'a')])
    expect(tree.root('r')).toBe(root)
  })

  it('is no more than allowed after a snapshot of a planner that may remember more', () => {
    const { planner, call } = world()
    for (let index = 0; index < 20; index++) call(question(index))
    const heir = createPrefixPlanner({ maxNodes: 5 })
    heir.restore(planner.snapshot())
    const { nodes } = JSON.parse(
      inflateRawSync(heir.snapshot()).toString().replace('rc-prefix-plan:1\n', ''),
    )
    expect(nodes).toHaveLength(5)
  })

  it('of one tenant says nothing of another', () => {
    const { planner, call } = world()
    for (let index = 0; index < 3; index++) call(question(index), { tenant: 'a' })
    const own = planner.plan({ request: question(5), tenant: 'a' })
    const other = planner.plan({ request: question(5), tenant: 'b' })
    expect([own.expected.read, own.prefixIsWarm]).toEqual([3000, true])
    expect([other.expected.read, other.prefixIsWarm]).toEqual([0, false])
    expect(other.prefixId).not.toBe(own.prefixId)
  })

  it('sees that a block was changed since it was sent', () => {
    const { planner } = world()
    const result = { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'a' }] }
    const idOf = () => planner.plan({ request: request({ messages: [user([result])] }) }).tailId
    const before = idOf()
    expect(idOf()).toBe(before)
    Object.assign(result, { cache_control: { type: 'ephemeral' } })
    expect(idOf()).toBe(before)
    Object.assign(result.content[0] as object, { text: 'b' })
    expect(idOf()).not.toBe(before)
  })

  it('digests of long texts are told apart, those of one length too', () => {
    const memo = createDigestMemo(100_000)
    const texts = Array.from({ length: 8 }, (_, index) => 'x'.repeat(20_000) + index)
    const keys = texts.map((one) => memo.of(one).key)
    expect(new Set(keys).size).toBe(8)
    expect(texts.map((one) => memo.of(one).key)).toEqual(keys)
    expect(memo.of('äöü"').jsonBytes).toBe(Buffer.byteLength(JSON.stringify('äöü"')))
  })
})
