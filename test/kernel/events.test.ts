import { afterEach, describe, expect, it, vi } from 'vitest'
import { Events } from '../../src/kernel/events.ts'

interface Map {
  a: number
  b: string
}

afterEach(() => {
  vi.restoreAllMocks()
})

const warnings = () => vi.spyOn(process, 'emitWarning').mockImplementation(() => {})

describe('Events', () => {
  it('tells every listener of the name, in the order they came', () => {
    const events = new Events<Map>()
    const seen: unknown[] = []
    events.on('a', (n) => seen.push(['first', n]))
    events.on('a', (n) => seen.push(['second', n]))
    events.on('b', (text) => seen.push(text))
    events.emit('a', 1)
    expect(seen).toEqual([
      ['first', 1],
      ['second', 1],
    ])
  })

  it('knows whether anybody listens', () => {
    const events = new Events<Map>()
    expect(events.has('a')).toBe(false)
    const off = [events.on('a', () => {}), events.on('a', () => {})]
    off[0]?.()
    expect(events.has('a')).toBe(true)
    off[1]?.()
    expect(events.has('a')).toBe(false)
  })

  it('stops a listener that came twice once at a time', () => {
    const events = new Events<Map>()
    const listener = vi.fn()
    const off = events.on('a', listener)
    events.on('a', listener)
    events.emit('a', 1)
    expect(listener).toHaveBeenCalledTimes(2)
    off()
    events.emit('a', 2)
    expect(listener).toHaveBeenCalledTimes(3)
  })

  it('stops nobody else when a listener is stopped again', () => {
    const events = new Events<Map>()
    const off = events.on('a', () => {})
    off()
    const later = vi.fn()
    events.on('a', later)
    off()
    events.emit('a', 1)
    expect(later).toHaveBeenCalledTimes(1)
  })

  it('lets listeners come and go while it tells', () => {
    const events = new Events<Map>()
    const late = vi.fn()
    const once = vi.fn(() => {
      off()
      events.on('a', late)
    })
    const off = events.on('a', once)
    events.emit('a', 1)
    expect(late).not.toHaveBeenCalled()
    events.emit('a', 2)
    expect(once).toHaveBeenCalledTimes(1)
    expect(late).toHaveBeenCalledTimes(1)
  })

  it('turns what a listener throws into a warning, and goes on', () => {
    const warn = warnings()
    const events = new Events<Map>()
    const after = vi.fn()
    events.on('a', () => {
      throw new Error('broken')
    })
    events.on('a', after)
    expect(() => events.emit('a', 1)).not.toThrow()
    expect(after).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      "a listener of the event 'a' failed: broken",
      'ResilientCacheWarning',
    )
  })

  it('turns what an async listener rejects with into a warning', async () => {
    const warn = warnings()
    const events = new Events<Map>()
    events.on('a', async () => {
      throw new Error('broken later')
    })
    events.emit('a', 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      "a listener of the event 'a' failed: broken later",
      'ResilientCacheWarning',
    )
  })
})
