import type { Clock } from '../../contracts/clock.ts'
import { realClock } from '../../kernel/real-clock.ts'
import type { ModelProfile } from '../models/model-profile.ts'
import { findProfile } from '../models/profiles.ts'
import type { NormalizedUsage } from '../usage/normalized-usage.ts'
import type { Block } from './block.ts'
import { createBlockReader } from './block-reader.ts'
import { BoundedMap } from './bounded-map.ts'
import { checkPlanInput } from './check-planner-options.ts'
import { type Chosen, nothingChosen } from './choose.ts'
import { chooseWithin } from './choose-within.ts'
import { digestKey } from './digest.ts'
import { type Expectation, expect, isSound, learn } from './expectation.ts'
import { ModelMemory } from './model-memory.ts'
import type {
  AnthropicLike,
  Breakpoint,
  Plan,
  PlanInput,
  PlannerReport,
  PrefixPlanner,
  PrefixPlannerOptions,
  PrefixWarning,
} from './plan.ts'
import {
  breakpointsOf,
  cumulated,
  forecastOf,
  hasClientMarker,
  hintedBlock,
  prefixOf,
} from './plan-parts.ts'
import { type Candidate, candidatesOf } from './points.ts'
import { type PrefixNode, PrefixTree } from './prefix-tree.ts'
import { type ReadRequest, readRequest } from './request-shape.ts'
import { RiskBudget } from './risk-budget.ts'
import { RouteMemory } from './route-memory.ts'
import { applySnapshot, takeSnapshot } from './snapshot.ts'
import { staticEnd } from './static-part.ts'
import { type CacheTerms, shortTtlOf, TTL_OF_MESSAGES, termsOf } from './terms.ts'
import { createToolArrangement } from './tool-set.ts'
import { type Walk, walk } from './walk.ts'
import { type ConversationState, conversationWarnings } from './warn-conversation.ts'
import { type PlacementFacts, placementWarnings } from './warn-placement.ts'
import { latestOf, staticWarnings } from './warn-static.ts'

const MOST_NODES = 50_000
const MOST_ROUTES = 1000
const MOST_MODELS = 1000
const MOST_CONVERSATIONS = 5000

/** The estimate of tokens is not exact: up to this much below the minimum a marker is set all the same. */
const MARGIN = 0.1

/** All that is known of a request while it is planned. */
interface Scene {
  readonly input: PlanInput<AnthropicLike>
  readonly request: AnthropicLike
  readonly owner: string
  readonly now: number
  readonly profile: ModelProfile
  readonly model: ModelMemory
  readonly terms: CacheTerms | undefined
  readonly read: ReadRequest
  readonly route: RouteMemory
  readonly root: PrefixNode
  readonly walk: Walk
  /** Tokens up to the end of each block. */
  readonly tokens: readonly number[]
  readonly total: number
  readonly estimated: number
}

export class Planner implements PrefixPlanner {
  readonly #options: PrefixPlannerOptions
  readonly #clock: Clock
  readonly #tree: PrefixTree
  readonly #reader
  readonly #arrange
  readonly #routes = new BoundedMap<RouteMemory>(MOST_ROUTES)
  readonly #models = new BoundedMap<ModelMemory>(MOST_MODELS)
  readonly #budgets = new BoundedMap<RiskBudget>(MOST_ROUTES)
  readonly #conversations = new BoundedMap<ConversationState>(MOST_CONVERSATIONS)
  /** By the breakpoints of the plan, which a copy of the plan with another request still has. */
  readonly #expected = new WeakMap<readonly Breakpoint[], Expectation>()
  #latestRoute: RouteMemory | undefined

  constructor(options: PrefixPlannerOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#tree = new PrefixTree(options.maxNodes ?? MOST_NODES)
    this.#reader = createBlockReader(options.estimateTokens)
    this.#arrange = createToolArrangement(options.tools ?? 'preserve')
  }

  plan<R extends AnthropicLike>(input: PlanInput<R>): Plan<R> {
    checkPlanInput(input)
    const scene = this.#sceneOf(input)
    const { read, terms, now, route, walk: way } = scene
    const candidates = terms ? this.#candidates(scene, terms) : []
    const chosen = terms ? this.#choose(candidates, scene, terms) : nothingChosen(scene.total)
    const staticAt = staticEnd(read.prompt, way)
    const staticTokens = scene.tokens[staticAt] ?? 0
    const pathOf = (at: number): string => read.pointer(read.prompt.blocks[at] as Block)
    const warnings = this.#warningsOf(scene, { candidates, chosen, staticAt, staticTokens, pathOf })
    // Before the plan makes others of them.
    const prefix = prefixOf(scene.root, way.nodes, chosen, { staticAt, staticTokens, now })

    const breakpoints = breakpointsOf(chosen, terms, pathOf)
    if (terms) {
      const expectation = expect(chosen, way.nodes, terms, now)
      const { model, estimated } = scene
      this.#expected.set(breakpoints, { ...expectation, route, model, estimated })
    }
    if (staticAt >= 0) route.staticUntil = pathOf(staticAt)
    route.staticTokens = staticTokens
    return {
      request: this.#marked(scene, chosen) as R,
      breakpoints,
      expected: forecastOf(chosen, scene.total),
      warnings,
      ...prefix,
    }
  }

  observe(
    plan: Plan<unknown>,
    usage: NormalizedUsage,
    times: { readonly startedAt: number; readonly firstByteAt?: number },
  ): void {
    const expectation = this.#expected.get(plan.breakpoints)
    if (!expectation) return
    this.#expected.delete(plan.breakpoints)
    if (isSound(usage, times.startedAt)) learn(expectation, usage, times.startedAt)
  }

  explain(route?: string): PlannerReport {
    if (route === undefined) return (this.#latestRoute ?? new RouteMemory('')).report()
    let found: RouteMemory | undefined
    // Of several, as for two tenants, the one used last.
    for (const [, memory] of this.#routes.entries()) if (memory.name === route) found = memory
    return (found ?? new RouteMemory(route)).report()
  }

  snapshot(): Uint8Array {
    return takeSnapshot(this.#memory(), this.#instants())
  }

  restore(snapshot: Uint8Array): void {
    applySnapshot(snapshot, this.#memory(), this.#instants(), (name) => this.#model(name), {
      shortMs: TTL_OF_MESSAGES.shortMs,
      longMs: TTL_OF_MESSAGES.longMs,
    })
  }

  #sceneOf(input: PlanInput<AnthropicLike>): Scene {
    const { provider = 'anthropic', tenant, thread } = input
    const now = input.now ?? this.#clock.now()
    const name = input.request.model
    const profile = findProfile(provider, name, this.#options.profiles)
    const model = this.#model(`${provider}/${name}`)
    const terms = termsOf(profile, model.minTokens(profile))
    const reader = this.#reader.forModel(name)
    const options = { thinkingTier: profile.thinkingTier, shortTtl: shortTtlOf(profile) }
    const readOf = (one: AnthropicLike) => readRequest(provider, one, reader, options)
    let request = this.#arranged(input.request)
    let read = readOf(request)
    if (request !== input.request && this.#leavesAlone(read)) {
      request = input.request
      read = readOf(request)
    }
    // A digest: names of tenants are nothing for a snapshot.
    const owner = digestKey(JSON.stringify([provider, tenant ?? null]))
    const route = this.#route(owner, input.route ?? name)
    const root = this.#tree.root(`${owner}/${name}`)
    const { shortMs, longMs } = terms ?? TTL_OF_MESSAGES
    const way = walk(root, read.prompt, now, thread !== undefined, {
      tree: this.#tree,
      statsOf: (place) => route.statsOf(place, shortMs, longMs),
      shortMs,
      longMs,
    })
    route.requests++
    if (way.tail === 'tail:extends') route.extended++
    const estimated = read.prompt.blocks.reduce((sum, { tokens }) => sum + tokens, 0)
    const tokens = cumulated(read.prompt.blocks, model.scale)
    return {
      input,
      request,
      owner,
      now,
      profile,
      model,
      terms,
      read,
      route,
      root,
      walk: way,
      tokens,
      total: tokens.at(-1) ?? 0,
      estimated,
    }
  }

  #candidates(scene: Scene, terms: CacheTerms): Candidate[] {
    const { read, walk: way, tokens, now, input, profile } = scene
    return candidatesOf({
      prompt: read.prompt,
      walk: way,
      tokens,
      terms,
      leastTokens: terms.minTokens * (profile.minTokens === null ? 1 : 1 - MARGIN),
      now,
      mayAdd: this.#mayAdd(scene),
      hint: input.hint,
      hintAt: hintedBlock(read.prompt, input.hint),
    })
  }

  #choose(candidates: readonly Candidate[], scene: Scene, terms: CacheTerms): Chosen {
    const { owner, total, walk: way, route } = scene
    const budget = this.#budgets.getOrMake(owner, () => new RiskBudget())
    const isKnown = (at: number): boolean => at < way.known
    const isProven = (at: number): boolean => {
      const place = at === way.nodes.length - 1 ? way.tail : way.places.get(at)
      return place !== undefined && route.statsOf(place, terms.shortMs, terms.longMs).isProven
    }
    const chosen = chooseWithin(budget, candidates, { total, terms, isKnown, isProven })
    budget.book(total, chosen.outcome.cost)
    return chosen
  }

  #mayAdd({ read }: Scene): boolean {
    return this.#options.mode !== 'observe' && !read.isSettled && !this.#leavesAlone(read)
  }

  #leavesAlone({ prompt }: ReadRequest): boolean {
    return this.#options.mode === 'respect' && hasClientMarker(prompt)
  }

  #marked(scene: Scene, chosen: Chosen): AnthropicLike {
    const { read, request, terms, profile, total } = scene
    if (!terms || !this.#mayAdd(scene)) return request
    const marks = chosen.choices.filter(({ isClients }) => !isClients)
    // Where the provider would mark by itself, no marker has to be said; below its minimum it does not.
    const mustRefuse = profile.explicitBreakpoints === true && total >= terms.minTokens
    return marks.length > 0 || mustRefuse ? read.mark(request, marks) : request
  }

  #warningsOf(scene: Scene, facts: PlacementView): PrefixWarning[] {
    const { read, route, walk: way, terms, profile, owner, input, request } = scene
    const { prompt } = read
    const latest = latestOf(request, prompt)
    const warnings = [
      ...staticWarnings(route.latest, latest, request),
      ...conversationWarnings(
        { prompt, model: request.model, owner, thread: input.thread },
        this.#conversations,
      ),
    ]
    route.latest = latest
    if (terms) {
      const statsOf = (place: string) => route.statsOf(place, terms.shortMs, terms.longMs)
      warnings.push(...placementWarnings({ ...facts, prompt, walk: way, terms, profile, statsOf }))
    }
    route.warn(warnings)
    return warnings
  }

  #arranged(request: AnthropicLike): AnthropicLike {
    const { mode } = this.#options
    if (!this.#arrange || mode === 'observe' || !Array.isArray(request.tools)) return request
    const tools = this.#arrange(request.tools)
    return tools === request.tools ? request : { ...request, tools }
  }

  #route(owner: string, name: string): RouteMemory {
    const route = this.#routes.getOrMake(`${owner}\n${name}`, () => new RouteMemory(name))
    this.#latestRoute = route
    return route
  }

  #model(name: string): ModelMemory {
    return this.#models.getOrMake(name, () => new ModelMemory())
  }

  #memory() {
    return { tree: this.#tree, routes: this.#routes, models: this.#models }
  }

  #instants() {
    return { now: this.#clock.now(), wall: this.#clock.wall() }
  }
}

type PlacementView = Pick<
  PlacementFacts,
  'candidates' | 'chosen' | 'staticAt' | 'staticTokens' | 'pathOf'
>
