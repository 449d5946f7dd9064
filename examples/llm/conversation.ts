/** What a customer asks the help desk of a shop for tax documents, and what the help desk says. */
export interface Turn {
  readonly question: string
  readonly answer: string
  /** Seconds before the question. */
  readonly after: number
}

const MINUTE = 60

export const TURNS: readonly Turn[] = [
  {
    after: 0,
    question: 'A supplier says that my credit note 120 is wrong. How do I find out?',
    answer:
      'Look at its reference first: a credit note has to name the invoice that it corrects, by type, folio and date. Then compare the amounts: net amount, VAT of 19 % and total must be those of the lines that it gives back. If all that is right, ask the supplier which rule he means.',
  },
  {
    after: 40,
    question: 'The reference names invoice 88, and it has no date.',
    answer:
      'That is what is wrong: rule 4.8 wants type, folio and date of the document referred to. A credit note that was sent cannot be changed. Issue another one that names invoice 88 with its date, and tell the supplier the folio of the new one.',
  },
  {
    after: 35,
    question: 'Do I have to cancel the first one?',
    answer:
      'Yes. Two credit notes would give the amount back twice. Issue a debit note that refers to credit note 120 and has the same amounts; then issue the new credit note. Keep all three, in that order.',
  },
  {
    after: 50,
    question: 'Can I do that in one step?',
    answer:
      'No. Each document corrects one other, and the tax authority reads them in the order of their folios. But both may have the date of today, and the supplier may be sent both at the same time.',
  },
  {
    after: 30,
    question: 'How long may the supplier take to claim it?',
    answer:
      'Eight days from the day on which he receives it. When they are over it counts as accepted, and can be changed by another document only, as you do now.',
  },
  {
    after: 45,
    question: 'What if he has claimed invoice 88 as well?',
    answer:
      'Then there is nothing left for a credit note to correct: a claimed invoice counts as not received. Look at the state of invoice 88 in the register of purchases before you issue anything.',
  },
  {
    after: 20 * MINUTE,
    question: 'I am back. The invoice is accepted. What next?',
    answer:
      'Good. Then go on as we said: first the debit note against credit note 120, with the same net amount and VAT, then the new credit note against invoice 88, with its date of issue.',
  },
  {
    after: 40,
    question: 'Summarise all steps for my accountant, please.',
    answer:
      'One: debit note, reference credit note 120, code 1, all amounts as there. Two: credit note, reference invoice 88 with type 33 and its date, code 3, the amounts that are given back. Three: send both to the supplier. Four: after eight days look at their state. Five: keep them with invoice 88.',
  },
  {
    after: 60,
    question: 'Which code of reference is it for the debit note?',
    answer:
      'Code 1: it cancels the document that it refers to. Code 2 corrects text and code 3 corrects amounts; neither is what you want here.',
  },
  {
    after: 30,
    question: 'And may the total be rounded?',
    answer:
      'Only the VAT is rounded, to the nearest peso. The total is the exact sum of net amount, exempt amount and VAT, and has to be that of credit note 120.',
  },
  {
    after: 40,
    question: 'Does the new credit note need lines of detail?',
    answer:
      'Yes, one for each line of invoice 88 that is given back, with its quantity and price. The sum of the lines is the net amount.',
  },
  {
    after: 90 * MINUTE,
    question: 'Thank you, I have sent them. Is there anything else to look at?',
    answer:
      'The authorisation of your folios: it must not be older than six months on the day of issue. If it is, ask for a new range first.',
  },
]

/** The turn at which two windows of the same customer show the answer while it is being written. */
export const SHARED_TURN = 7
/** The question that is sent twice, because the button was clicked twice. */
export const DOUBLE_CLICK = 3
