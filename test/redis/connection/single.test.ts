import { singleBehaviours } from './single-behaviours.ts'

singleBehaviours()
