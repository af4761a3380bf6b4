/**
Progress reports of long-running work.
*/

/** How much of a step is done, and the total if known. */
export type Progressed = {readonly done: number; readonly total?: number | undefined; readonly unit?: string | undefined};

/** Called with the current step, as part of a sentence: `sending probes through 2 rule sets`. The text of a step stays the same while its numbers change. */
export type OnProgress = (step: string, progressed?: Progressed) => void;
