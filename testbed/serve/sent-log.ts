/**
What was sent in a session, for the list of connections.
*/

import type {Answer, Sent} from '../../src/workshop/protocol.js';

/** So many are listed. */
const sentMax = 50;

/** The connections, the newest first. */
export class SentLog {
	#entries: readonly Sent[] = [];

	get entries(): readonly Sent[] {
		return this.#entries;
	}

	/** Notes one that was sent under rules with so many changes. */
	note({name, outcome, stops, deciding, durationMs}: Answer, {source, changes}: {readonly source: string; readonly changes: number}): void {
		this.#entries = [{
			id: (this.#entries[0]?.id ?? 0) + 1, name, rules: `${source}${changes === 0 ? '' : `, ${changes} ${changes === 1 ? 'change' : 'changes'}`}`, outcome, stops, deciding: deciding.join(' · '), durationMs,
		}, ...this.#entries].slice(0, sentMax);
	}
}
