/**
The answer to one probe as plain data: what every printer of it prints.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../judge/exit-status.js';
import type {Endpoint} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {Contradiction, LegExplanation} from '../../judge/explain/explain-leg.js';
import type {ActorName, Credentials} from '../../scenario/types.js';
import type {Environment, RulesSummary} from '../shared-types.js';
import type {TypeResult} from '../run/types.js';

/** What was asked: who connects, as whom, and to where. `asked` is the destination as the user named it. */
export type ProbeQuestion = {
	readonly from: ActorName;
	readonly credentials: Credentials;
	readonly asked: string;
	readonly to: Endpoint;
	/** Undefined where the route chose it. */
	readonly source: string | undefined;
	/** The mark of its socket (SO_MARK); none unless given. */
	readonly mark?: number;
	/** The device that its socket is bound to (SO_BINDTODEVICE). */
	readonly bindDevice?: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
};

/** What the kernel did, and why, by the rules. */
export type ProbeReport = Pick<TypeResult, 'actors' | 'legs' | 'loop' | 'gaps' | 'observedRoles'> & {
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly question: ProbeQuestion;
	/** One for each leg. */
	readonly explanations: readonly LegExplanation[];
	/** Only the first leg was asked for; the others are left out. */
	readonly isFirstLegOnly: boolean;
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** Where our reading of the rules and the kernel differ, with the leg, counted from 0. */
export function contradictionsOf({explanations}: Pick<ProbeReport, 'explanations'>): ReadonlyArray<{readonly leg: number; readonly contradiction: Contradiction}> {
	return explanations.flatMap(({contradictions}, leg) => contradictions.map(contradiction => ({leg, contradiction})));
}

/** 0: the kernel has answered. 3: the evidence has a gap, or there is none. */
export function exitStatusOfProbe({gaps, legs}: Pick<ProbeReport, 'gaps' | 'legs'>): ExitStatus {
	return exitStatus(tallyOf(gaps.length === 0 && legs.length > 0 ? 'passed' : 'inconclusive'));
}
