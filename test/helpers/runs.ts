/**
Many runs for tests of what is printed of them.
*/

import type {RunEntry, Runs} from '../../src/report/run/many.js';
import type {Backend} from '../../src/netfilter/types.js';
import {observed} from './observed.js';
import {deleteRule, sketchReport, type RunSketch} from './reports.js';

/** Type 6 has lost an event. */
export const doubt: NonNullable<RunSketch['tamper']> = ({path, loop}, {id}) => observed(path.legs, {loop, gaps: id === '6' ? [{kind: 'lost-events', message: 'An event was lost.'}] : []});

/** A run of a release, as one of many. */
export function reportEntry(release: string, backend: Backend, {hints = [], ...sketch}: RunSketch & {readonly hints?: readonly string[]} = {}): RunEntry {
	const {ruleSet: _, ...report} = sketchReport(sketch);
	const source = 'release:all';
	return {
		kind: 'report', source, release, backend, report: {...report, hints, rules: {...report.rules, source, release, backend}},
	};
}

/** A run that cannot be. */
export const missing: RunEntry = {
	kind: 'unavailable', source: 'release:all', release: '1.20', backend: 'nftables', reason: 'release 1.20 writes no native nftables rules.',
};
/** A run whose rules were not taken. */
export const rejected: RunEntry = {
	kind: 'rejected', source: 'mine.rules', release: null, backend: 'iptables-nft', reason: 'iptables-nft-restore rejected line 3.',
};

/** A run that the machine could not play. */
export const unplayable: RunEntry = {
	kind: 'inconclusive', source: 'release:1.30', release: '1.30', backend: 'iptables-legacy', reason: 'This machine cannot install what the rules need: the nat table. → modprobe iptable_nat',
};

/** Many runs, in a time that is fixed. */
export function runsOf(...entries: readonly RunEntry[]): Runs {
	return {entries, durationMs: 2345};
}

/** One of each: passed, failed, unavailable, in doubt with a hint, rejected. */
export const mixed = runsOf(
	reportEntry('1.20', 'iptables-nft'),
	reportEntry('1.30', 'iptables-nft', {mutate: deleteRule('ISTIO_OUTPUT', 9), ids: ['1', '2']}),
	missing,
	reportEntry('1.30', 'nftables', {tamper: doubt, ids: ['5', '6'], hints: ['A hint that is longer than the eighty columns of a terminal, so that it goes on in the next line.']}),
	rejected,
);
