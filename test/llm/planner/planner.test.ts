import { describe, expect, it } from 'vitest'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import { MODEL, marks, request, text, usageOf, user, world } from './planner-world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const SYSTEM = text('Rules', 3000)

function question(index: number, tokens = 500) {
  return request({ system: SYSTEM, messages: [user(text(`Question ${index}`, tokens))] })
}

function turns(count: number, tokens = 300): unknown[] {
  const messages = [user(text('Turn 1', tokens))]
  for (let turn = 2; turn <= count; turn++) {
    messages.push({ role: 'assistant', content: text(`Answer ${turn}`, tokens) })
    messages.push(user(text(`Turn ${turn}`, tokens)))
  }
  return messages
}

describe('where markers are set', () => {
  it('marks the end of the system prompt at first sight, and not the question', () => {
    const { plan } = world().call(question(1))
    expect(marks(plan)).toEqual(['/system 5m'])
    expect(plan.breakpoints[0]?.reason).toBe('static')
    expect(plan.request.system).toEqual([
      { type: 'text', text: SYSTEM, cache_control: { type: 'ephemeral' } },
    ])
  })

  it('reads at the second call what the first has written, and says so beforehand', () => {
    const { call } = world()
    call(question(1))
    const { plan, bill } = call(question(2))
    expect(bill.read).toBe(3000)
    expect(plan.expected).toMatchObject({ read: 3000, write5m: 0, baseline: 3500, cost: 800 })
  })

  it('marks the tail of a conversation once it is seen to be one', () => {
    const { call } = world()
    call(request({ system: SYSTEM, messages: turns(1) }))
    call(request({ system: SYSTEM, messages: turns(2) }))
    const { plan, bill } = call(request({ system: SYSTEM, messages: turns(3) }))
    expect(marks(plan)).toContain('/messages/4/content 5m')
    expect(bill.read).toBe(3900)
  })

  it('finds out where the fixed part of a message ends', () => {
    const { call } = world()
    const ask = (index: number) =>
      request({
        messages: [
          user(
            { type: 'text', text: text('Examples', 3000) },
            { type: 'text', text: text(`Case ${index}`, 400) },
          ),
        ],
      })
    expect(marks(call(ask(1)).plan)).toEqual([])
    expect(marks(call(ask(2)).plan)).toEqual(['/messages/0/content/0 5m'])
    expect(call(ask(3)).bill.read).toBe(3000)
  })

  it('writes for an hour when requests come between 5 minutes and an hour apart', async () => {
    const { call, clock } = world()
    for (let index = 0; index < 3; index++) {
      call(question(index))
      await clock.advance(12 * MINUTE)
    }
    const { plan, bill } = call(question(9))
    expect(bill.read).toBe(3000)
    expect(marks(plan)).toEqual(['/system 1h'])
  })

  it('sets a marker on an entry that is too far back to be found from the tail', () => {
    const { call } = world()
    const first = [user(text('Task', 1500))]
    const step = (at: number) => [
      {
        role: 'assistant',
        content: Array.from({ length: 14 }, (_, index) => [
          { type: 'text', text: text(`Remark ${at}.${index}`, 30) },
          { type: 'tool_use', id: `t${at}_${index}`, name: 'look', input: {} },
        ]).flat(),
      },
      user(
        ...Array.from({ length: 14 }, (_, index) => ({
          type: 'tool_result',
          tool_use_id: `t${at}_${index}`,
          content: 'found',
        })),
      ),
    ]
    const messages = [...first]
    for (let at = 1; at <= 3; at++) {
      call(request({ system: SYSTEM, messages: [...messages] }))
      messages.push(...step(at))
    }
    const { plan, bill } = call(request({ system: SYSTEM, messages }))
    expect(plan.breakpoints.map(({ reason }) => reason)).toContain('known')
    expect(bill.read).toBe(plan.expected.read)
    expect(bill.read).toBeGreaterThan(4500)
  })

  it('sets nothing where the prompt is far below the minimum', () => {
    const { plan } = world().call(request({ system: text('Short', 200) }))
    expect(marks(plan)).toEqual([])
  })

  it('sets one where the estimate is a little below the minimum, since it may be wrong', () => {
    const { plan } = world().call(request({ system: text('Nearly', 1000) }))
    expect(marks(plan)).toEqual(['/system 5m'])
    expect(plan.expected.write5m).toBe(0)
  })

  it('takes a hint for what it says', () => {
    const { call } = world()
    const two = [
      { type: 'text', text: text('Examples', 3000) },
      { type: 'text', text: 'x' },
    ]
    const { plan } = call(request({ messages: [user(...two)] }), {
      hint: { staticUntil: { message: 0, block: 0 } },
    })
    expect(marks(plan)).toEqual(['/messages/0/content/0 5m'])
    expect(plan.breakpoints[0]?.reason).toBe('hint')
    const rare = call(question(1), { hint: { staticUntil: 'system', expectReuse: 0.1 } })
    expect(marks(rare.plan)).toEqual([])
    const chat = call(request({ messages: [user(text('Chat', 2000))] }), { hint: { kind: 'chat' } })
    expect(marks(chat.plan)).toEqual(['/messages/0/content 5m'])
  })

  it('learns nothing about one tenant from another', () => {
    const { planner } = world()
    const plan = (tenant: string) => planner.plan({ request: question(1), tenant })
    const first = plan('a')
    const second = plan('b')
    expect(second.expected.read).toBe(0)
    expect(second.prefixId).not.toBe(first.prefixId)
  })
})

describe('what is never done', () => {
  it('leaves the object given as it is, and shares what leads to no marker', () => {
    const { call } = world()
    const asked = request({ system: SYSTEM, messages: turns(4), metadata: { user_id: 'x' } })
    const before = structuredClone(asked)
    call(request({ system: SYSTEM, messages: turns(3) }))
    const { plan } = call(asked)
    expect(asked).toEqual(before)
    expect(plan.request.messages[0]).toBe(asked.messages[0])
    expect(plan.request.metadata).toBe(asked.metadata)
  })

  it.each([
    ['thoughts', { type: 'thinking', thinking: text('Thought', 900), signature: 's' }],
    ['empty text', { type: 'text', text: '' }],
    [
      'what code called',
      { type: 'tool_use', id: 'a', name: 'n', input: {}, caller: { type: 'code' } },
    ],
  ])('puts no marker on %s', (_, last) => {
    const { call } = world()
    const messages = [
      ...turns(2, 900),
      { role: 'assistant', content: [{ type: 'text', text: text('Before', 900) }, last] },
    ]
    const { plan } = call(request({ system: SYSTEM, messages }), { hint: { kind: 'chat' } })
    expect(
      JSON.stringify((plan.request.messages[3] as { content: object[] }).content[1]),
    ).not.toContain('cache')
    expect(marks(plan)).toContain('/messages/3/content/0 5m')
  })

  it('counts the markers of the client and its automatic one, and goes not beyond four', () => {
    const marked = (name: string, ttl?: string) => ({
      type: 'text',
      text: text(name, 1100),
      cache_control: ttl ? { type: 'ephemeral', ttl } : { type: 'ephemeral' },
    })
    const { call } = world()
    const asked = request({
      cache_control: { type: 'ephemeral' },
      system: [marked('A', '1h'), marked('B'), marked('C')],
      messages: turns(3, 800),
    })
    const { plan } = call(asked, { hint: { kind: 'chat' } })
    expect(marks(plan)).toHaveLength(4)
    expect(plan.request).toBe(asked)
  })

  it('never lets 5 minutes come before an hour, whatever the client has set', async () => {
    const { call, clock } = world()
    const asked = (index: number) =>
      request({
        system: [
          { type: 'text', text: text('A', 1500) },
          { type: 'text', text: text('B', 1500), cache_control: { type: 'ephemeral', ttl: '1h' } },
        ],
        messages: [user(text(`Q ${index}`, 900))],
      })
    for (let index = 0; index < 5; index++) {
      const { plan } = call(asked(index), { hint: { kind: 'chat' } })
      const ttls = plan.breakpoints.map(({ ttl }) => ttl)
      expect(ttls.toSorted()).toEqual(ttls)
      await clock.advance(20 * MINUTE)
    }
  })

  it("adds nothing to a client's markers with mode 'respect', and nothing at all with 'observe'", () => {
    const asked = request({
      system: [{ type: 'text', text: SYSTEM, cache_control: { type: 'ephemeral' } }],
      messages: turns(3),
    })
    const respectful = createPrefixPlanner({ mode: 'respect' })
    expect(respectful.plan({ request: asked, hint: { kind: 'chat' } }).request).toBe(asked)
    expect(marks(respectful.plan({ request: question(1) }))).toEqual(['/system 5m'])
    const bare = question(1)
    expect(createPrefixPlanner({ mode: 'observe' }).plan({ request: bare }).request).toBe(bare)
  })

  it('plans nothing for a model of which no rule is known', () => {
    const asked = { model: 'other-1', messages: turns(3, 900) }
    const plan = createPrefixPlanner().plan({ request: asked, provider: 'other' })
    expect(plan.request).toBe(asked)
    expect(plan.breakpoints).toEqual([])
  })
})

describe('what answers teach', () => {
  it('corrects the size of tokens', () => {
    const { planner, clock } = world()
    const plan = planner.plan({ request: question(1) })
    const bill = { read: 0, write5m: 6000, write1h: 0, input: 1000, cost: 0 }
    planner.observe(plan, usageOf(bill), { startedAt: clock.now() })
    expect(planner.plan({ request: question(2) }).expected.baseline).toBe(7000)
  })

  it('counts a hit that did not come, and writes anew', () => {
    const { planner, call, clock } = world()
    call(question(1))
    const plan = planner.plan({ request: question(2) })
    const bill = { read: 0, write5m: 0, write1h: 0, input: 3500, cost: 3500 }
    planner.observe(plan, usageOf(bill), { startedAt: clock.now() })
    expect(planner.explain(MODEL)).toMatchObject({ unexplainedMisses: 1, expectedRead: 3000 })
    expect(planner.plan({ request: question(3) }).expected).toMatchObject({
      read: 0,
      write5m: 3000,
    })
  })

  it('takes a copy of a plan for the plan', () => {
    const { planner, clock } = world()
    const plan = planner.plan({ request: question(1) })
    const bill = { read: 0, write5m: 3000, write1h: 0, input: 500, cost: 0 }
    planner.observe({ ...plan, request: {} }, usageOf(bill), { startedAt: clock.now() })
    expect(planner.plan({ request: question(2) }).prefixIsWarm).toBe(true)
  })

  it('learns the minimum of a model that nobody has told', () => {
    const model = 'claude-haiku-5-5'
    const { call, planner } = world({}, model)
    const small = (index: number) => ({ ...question(index, 10), model, system: text('Small', 500) })
    expect(marks(call(small(1)).plan)).toEqual(['/system 5m'])
    const { plan } = call(small(2))
    expect(marks(plan)).toEqual([])
    expect(planner.explain(model).warnings.map(({ code }) => code)).toContain('UNKNOWN_MODEL')
  })
})

describe('the shared prefix', () => {
  it('has the same name for all that share it, and is warm when an answer has begun', () => {
    const { planner, clock } = world()
    const plans = [1, 2, 3].map((index) => planner.plan({ request: question(index) }))
    expect(new Set(plans.map(({ prefixId }) => prefixId)).size).toBe(1)
    expect(new Set(plans.map(({ tailId }) => tailId)).size).toBe(3)
    expect(plans.map(({ prefixIsWarm }) => prefixIsWarm)).toEqual([false, false, false])
    expect(plans[2]?.prefixTokens).toBe(3000)
    const bill = { read: 0, write5m: 3000, write1h: 0, input: 500, cost: 0 }
    planner.observe(plans[0] as never, usageOf(bill), { startedAt: clock.now() })
    expect(planner.plan({ request: question(4) }).prefixIsWarm).toBe(true)
  })

  it('stays the same while a conversation goes on', () => {
    const { call } = world()
    const ids = [1, 2, 3, 4].map(
      (count) => call(request({ system: SYSTEM, messages: turns(count) })).plan.prefixId,
    )
    expect(new Set(ids).size).toBe(1)
  })
})

describe('options', () => {
  it.each([
    [{ maxNode: 3 }, "did you mean 'maxNodes'?"],
    [{ mode: 'optimize' }, "did you mean 'optimise'?"],
    [{ tools: 'pins' }, "did you mean 'pin'?"],
    [{ maxNodes: 0 }, 'maxNodes must be a whole number ≥ 1, got 0'],
    [{ estimateTokens: 4 }, 'estimateTokens must be a function, got a number'],
  ])('%o says what is right', (options, message) => {
    expect(() => createPrefixPlanner(options as never)).toThrow(message)
  })

  it('says what plan takes', () => {
    expect(() => createPrefixPlanner().plan({} as never)).toThrow('plan takes { request }')
  })

  it('forgets the prefixes used least recently beyond maxNodes', () => {
    const { call } = world({ maxNodes: 8 })
    call(question(0))
    for (let index = 1; index < 20; index++) {
      call(request({ system: text(`Other ${index}`, 2000) }))
    }
    const { plan } = call(question(1))
    expect(plan.expected.read).toBe(0)
  })

  it('asks estimateTokens of each block', () => {
    const { planner } = world({ estimateTokens: () => 2000 })
    expect(planner.plan({ request: question(1) }).expected.baseline).toBe(4000)
  })
})
