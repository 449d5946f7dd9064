import type Anthropic from '@anthropic-ai/sdk'
import { agent, chat, type Setting, template } from './conversations.ts'
import { Prng } from './prng.ts'
import { textBlock, textOf, toolOf } from './prompt-text.ts'
import { byTime, type TimedRequest } from './timed-request.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

type Stream = (setting: Setting, name: string, start: number, random: Prng) => TimedRequest[]

const STREAMS: readonly Stream[] = [chats, chats, templates, templates, agents, oneOffs]

/**
 * 10 to 200 requests of a program that nobody has planned: several routes, each of one kind or two,
 * with prompts below and above the minimum, and gaps from seconds to hours.
 */
export function randomWorkload(seed: number): TimedRequest[] {
  const random = new Prng(Math.imul(seed + 1, 0x9e3779b1))
  const wanted = random.between(10, 200)
  const settings = Array.from({ length: random.between(1, 4) }, (_, index) =>
    settingOf(`route ${index}`, random),
  )
  const kinds = settings.map(() => [random.pick(STREAMS), random.pick(STREAMS)])
  const spread = random.magnitude(MINUTE, 12 * HOUR)
  const requests: TimedRequest[] = []
  for (let stream = 0; requests.length < wanted; stream++) {
    const which = random.between(0, settings.length - 1)
    // Most of a route's traffic is of one kind.
    const kind = kinds[which]?.[random.chance(0.85) ? 0 : 1] as Stream
    const start = stream === 0 ? 0 : random.next() * spread
    requests.push(...kind(settings[which] as Setting, `${seed}-${stream}`, start, random))
  }
  return byTime(requests).slice(0, wanted)
}

/** From far below the least that is cached to far above it. */
function settingOf(route: string, random: Prng): Setting {
  const systemTokens = Math.round(random.magnitude(60, 12_000))
  const name = `You serve ${route}`
  const tools = Array.from({ length: random.chance(0.5) ? random.between(1, 12) : 0 }, (_, index) =>
    toolOf(`tool_${index}`, Math.round(random.magnitude(60, 900)), random),
  )
  return {
    route,
    ...(random.chance(0.9) && {
      system: random.chance(0.5)
        ? textOf(name, systemTokens, random)
        : [textBlock(name, systemTokens, random)],
    }),
    ...(tools.length > 0 && { tools }),
  }
}

function chats(setting: Setting, name: string, start: number, random: Prng): TimedRequest[] {
  const mean = random.magnitude(10 * SECOND, 10 * MINUTE)
  const pauses = random.chance(0.4) ? random.next() * 0.2 : 0
  const shape = {
    name: `Customer ${name}`,
    turns: random.between(1, 30),
    userTokens: Math.round(random.magnitude(20, 1500)),
    answerTokens: Math.round(random.magnitude(50, 1000)),
    start,
    gapAfter: () =>
      random.chance(pauses) ? random.magnitude(6 * MINUTE, 3 * HOUR) : SECOND + random.gap(mean),
  }
  return chat(setting, shape, random)
}

/** Some keep instructions of their own at the beginning of the message, behind the system prompt. */
function templates(setting: Setting, name: string, start: number, random: Prng): TimedRequest[] {
  const mean = random.magnitude(2 * SECOND, HOUR)
  const documentTokens = Math.round(random.magnitude(50, 6000))
  const examples: Anthropic.Messages.ContentBlockParam[] = random.chance(0.35)
    ? [textBlock(`Examples for ${name}`, Math.round(random.magnitude(200, 6000)), random)]
    : []
  return template(setting, {
    name,
    count: random.between(3, 80),
    outputTokens: random.between(50, 500),
    start,
    gapAfter: () => random.gap(mean),
    parts: (index) => [...examples, textBlock(`Document ${name}-${index}`, documentTokens, random)],
  })
}

function agents(setting: Setting, name: string, start: number, random: Prng): TimedRequest[] {
  const mean = random.magnitude(3 * SECOND, 2 * MINUTE)
  const toolsPerStep = random.chance(0.6) ? 1 : random.between(2, 14)
  const shape = {
    name: `Agent ${name}`,
    steps: random.between(2, 30),
    taskTokens: Math.round(random.magnitude(50, 2000)),
    toolsPerStep,
    remarkTokens: random.chance(0.5) ? random.between(10, 80) : 0,
    useTokens: random.between(40, 150),
    resultTokens: Math.round(random.magnitude(50, 2500) / Math.sqrt(toolsPerStep)),
    start,
    gapAfter: () => SECOND + random.gap(mean),
  }
  return agent(setting, shape, random)
}

/** Each with a system prompt of its own: nothing of it ever comes again. */
function oneOffs(setting: Setting, name: string, start: number, random: Prng): TimedRequest[] {
  const mean = random.magnitude(10 * SECOND, HOUR)
  const requests: TimedRequest[] = []
  let at = start
  for (let index = random.between(1, 12); index > 0; index--) {
    const own = {
      route: setting.route,
      system: textOf(`Once ${name}-${index}`, Math.round(random.magnitude(60, 6000)), random),
    }
    const tokens = Math.round(random.magnitude(50, 6000))
    requests.push(
      ...template(own, {
        name,
        count: 1,
        outputTokens: random.between(50, 500),
        start: at,
        gapAfter: () => 0,
        parts: () => [textBlock(`Question ${name}-${index}`, tokens, random)],
      }),
    )
    at += random.gap(mean)
  }
  return requests
}
