import { nearestName } from '../../kernel/options.ts'
import { count, plain } from '../text.ts'
import { masterOf, type SentinelAnswer } from '../wire/ask-sentinel.ts'
import { addressText } from '../wire/route.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const NO_MASTER = 'The cache does not learn where the master is, and goes on without Redis.'
const FEWEST = 3
const LOGIN_FIX =
  'Sentinels have credentials of their own: set REDIS_SENTINEL_PASSWORD, or give --sentinel-password (sentinelPassword).'

/** What each of them says, then whether they agree and could act. */
export function checkSentinels(
  answers: readonly SentinelAnswer[],
  masterName: string,
): readonly Finding[] {
  const answering = answers.filter(({ master }) => master !== undefined)
  return [
    ...answers.flatMap((answer) => checkOne(answer, masterName, answering.length > 0)),
    ...(answers.some(({ isReached }) => isReached) ? [] : [noneReached(answers)]),
    ...(answering.length > 0 ? checkTogether(answers, answering) : []),
  ]
}

function checkOne(
  answer: SentinelAnswer,
  masterName: string,
  othersAnswer: boolean,
): readonly Finding[] {
  const name = addressText(answer.endpoint)
  if (!answer.isReached) {
    return answer.findings
      .filter(({ level }) => level === 'problem')
      .map((finding) => ({
        ...finding,
        check: 'sentinel',
        level: othersAnswer ? 'warning' : 'problem',
        message: `${name}: ${finding.message}`,
        ...(finding.check === 'login' && { fix: LOGIN_FIX }),
        why: othersAnswer
          ? 'The others are enough at present; with each one less, the next failure may be one too many.'
          : NO_MASTER,
      }))
  }
  const rest = answer.findings
    .filter(({ level }) => level !== 'ok')
    .map((finding) => ({ ...finding, message: `${name}: ${finding.message}` }))
  return [...rest, checkAnswer(answer, name, masterName)]
}

function checkAnswer(answer: SentinelAnswer, name: string, masterName: string): Finding {
  const { master, refusal, names, flags } = answer
  if (refusal !== undefined) return refused(name, refusal)
  if (!master) return unknownMaster(name, masterName, names)
  const says = `${name} names ${addressText(master)}`
  if (!/[so]_down/.test(flags)) return ok('sentinel', says)
  return problem(
    'sentinel',
    `${says}, and sees it as down (${plain(flags)})`,
    'Until one is promoted there is no master, and the cache works without Redis.',
    'Look into the log of the master and of this sentinel.',
  )
}

function refused(name: string, refusal: string): Finding {
  if (refusal === 'ERR') {
    return problem(
      'sentinel',
      `${name} is not a sentinel`,
      NO_MASTER,
      'Give the addresses of the sentinels (port 26379 unless set otherwise), or the server as a url.',
    )
  }
  if (refusal === 'NOPERM') {
    return problem(
      'sentinel',
      `${name} does not let this user ask (NOPERM)`,
      NO_MASTER,
      'On the sentinels: ACL SETUSER <user> +sentinel +subscribe +ping allchannels',
    )
  }
  return problem(
    'sentinel',
    `${name} does not answer (${refusal})`,
    NO_MASTER,
    'Check its log, and whether it hangs.',
  )
}

function unknownMaster(name: string, masterName: string, names: readonly string[]): Finding {
  const nearest = nearestName(masterName, names) ?? (names.length === 1 ? names[0] : undefined)
  const known =
    names.length === 0 ? 'It watches none.' : `It watches ${names.map(plain).join(', ')}.`
  return problem(
    'sentinel',
    `${name} knows no master called ${plain(masterName)}`,
    NO_MASTER,
    nearest === undefined
      ? `${known} Check sentinel.conf.`
      : `${known} Give --master-name ${plain(nearest)} (masterName).`,
  )
}

function noneReached(answers: readonly SentinelAnswer[]): Finding {
  return problem(
    'sentinels',
    answers.length === 1
      ? 'The only sentinel that is listed cannot be asked'
      : `None of the ${answers.length} sentinels can be asked`,
    'The cache goes to the last known master, then to standalone if that is set, else on without Redis.',
    'Check addresses and ports from this machine, and the firewall in between.',
  )
}

function checkTogether(
  answers: readonly SentinelAnswer[],
  answering: readonly SentinelAnswer[],
): readonly Finding[] {
  return [
    checkAgreement(answering),
    checkQuorum(answering),
    checkNumber(answers, answering),
  ].filter((finding) => finding !== undefined)
}

function checkAgreement(answering: readonly SentinelAnswer[]): Finding {
  const masters = new Set(answering.map(({ master }) => master && addressText(master)))
  const chosen = masterOf(answering)
  const name = chosen ? addressText(chosen) : ''
  if (masters.size === 1)
    return ok('agreement', `${count(answering.length, 'sentinel')} of one mind: ${name}`)
  return problem(
    'agreement',
    `They name ${masters.size} different masters`,
    'Either a failover is under way, or the network is split: what is written to one side is lost.',
    'Run this again in a few seconds. If it stays, check the network between the sentinels.',
  )
}

function checkQuorum(answering: readonly SentinelAnswer[]): Finding | undefined {
  const asked = answering.flatMap(({ endpoint, quorum }) => (quorum ? [{ endpoint, quorum }] : []))
  const without = asked.find(({ quorum }) => !quorum.isReachable)
  if (!without) return asked.length > 0 ? ok('quorum', 'enough of them for a failover') : undefined
  return problem(
    'quorum',
    `${addressText(without.endpoint)} cannot bring about a failover: ${plain(without.quorum.text.replace(/^NOQUORUM /, ''))}`,
    'When the master dies nobody is promoted.',
    'Start the sentinels that are missing, and check that they reach each other.',
  )
}

function checkNumber(
  answers: readonly SentinelAnswer[],
  answering: readonly SentinelAnswer[],
): Finding | undefined {
  const known = answering.map(({ others }) => others).filter((others) => others !== undefined)
  if (known.length === 0) return undefined
  const all = Math.max(...known) + 1
  if (all < FEWEST) {
    return warning(
      'number',
      `There ${all === 1 ? 'is one sentinel' : `are ${all} sentinels`}`,
      'When one machine is lost, the rest is no majority, and nobody is promoted.',
      'Run three, on different machines.',
    )
  }
  if (all <= answers.length) return ok('number', `all ${all} are listed`)
  return warning(
    'number',
    `There are ${all} sentinels, of which ${answers.length} ${answers.length === 1 ? 'is' : 'are'} listed`,
    'When the listed ones are gone, a service that starts finds no master.',
    'List all of them.',
  )
}
