/**
Sentences of a report on mutants, shared by all printers.
*/

import {familyNames} from '../../netfilter/address.js';
import type {MutantStatus, ReportedMutant, Score} from '../../mutation/status.js';
import type {Mutant} from '../../mutation/mutants.js';
import type {Statement} from '../../comparison/moves.js';
import {describeChange} from '../comparison/describe.js';
import {printReplay, usualProgram} from '../terminal/probe-command.js';
import {quote} from '../terminal/shell-quote.js';
import type {MutationReport} from './types.js';

/** Beyond this many gaps, only the number is printed. */
const gapsNamed = 2;

/** `ISTIO_OUTPUT#4 proxy-uid-bypass: uid 1337 → uid 1338`. */
export function describeMutant({place, role, rule, text}: Pick<ReportedMutant, 'place' | 'role' | 'rule' | 'text'>): string {
	return `${place} ${role ?? `(${rule.text})`}: ${text}`;
}

/** `TCP into the pod, port 15008: was direct, is proxy:15006 > direct`. */
export function describeStatement(statement: Statement): string {
	const {traffic, severity, cause} = statement;
	return `${traffic[0] ?? ''}${traffic.length > 1 ? ` and ${traffic.length - 1} more` : ''}: ${describeChange(statement)}${severity === 'path' ? ` by other rules, because ${cause.text}` : ''}`;
}

/** The command that shows the difference of a mutant: the mutant's rules, and the probe. `program` as in {@link printReplay}. */
export function replayOf({id}: Pick<Mutant, 'id'>, {example}: Pick<Statement, 'example'>, {rules: {source, backend}, families, program = usualProgram}: Pick<MutationReport, 'rules' | 'families'> & {readonly program?: string | undefined}): string {
	const family = families.length > 1 ? ' --family both' : (families[0] === 'ipv6' ? ' --family ipv6' : '');
	const print = `${program} mutate ${quote(source)} --backend ${backend}${family} --print ${id}`;
	return example.sourcePort === undefined
		? `${print} | ${printReplay(example, {source: '-', backend}, {program})}`
		: `${print} > mutant.rules; ${printReplay(example, {source: 'mutant.rules', backend}, {program})}`;
}

/** A percentage. It is 100 only if all are killed. */
export function printShare(killed: number, of: number): string {
	return of === 0 ? '–' : `${Math.floor(100 * killed / of)} %`;
}

/** `92 of 101 (91 %)`. */
export function printScore({killed, of, inconclusive}: Score): string {
	return `${killed} of ${of} (${printShare(killed, of)})${inconclusive === 0 ? '' : `, ${inconclusive} inconclusive`}`;
}

/** Why a mutant is not counted, or what it changes. */
export function describeMutantStatus(mutantStatus: MutantStatus): string {
	switch (mutantStatus.kind) {
		case 'rejected': {
			return `cannot be installed: ${mutantStatus.reason.replaceAll(/\s+/gu, ' ')}`;
		}

		case 'equivalent': {
			return `equivalent: ${mutantStatus.classes} packet classes compared with ${mutantStatus.probes} probes on each side, all take the same path by the same rules`;
		}

		case 'differs': {
			return describeStatement(mutantStatus.statements[0]!);
		}

		case 'inconclusive': {
			const {gaps} = mutantStatus;
			return `not known to differ: ${gaps.slice(0, gapsNamed).map(({message}) => message).join(' ')}${gaps.length > gapsNamed ? ` And ${gaps.length - gapsNamed} more gaps.` : ''}`;
		}
	}
}

/** The totals: how many mutants there are, by status. */
export function describeCounts({results, families}: Pick<MutationReport, 'results' | 'families'>): string {
	const count = (kind: MutantStatus['kind']): number => results.filter(({mutantStatus}) => mutantStatus.kind === kind).length;
	const byPaths = results.filter(({mutantStatus}) => mutantStatus.kind === 'differs' && !mutantStatus.isByStops).length;
	return `${results.length} in ${families.map(family => familyNames[family]).join(' and ')}: ${count('differs')} differ (${byPaths} of them only by the rules on the path), ${count('equivalent')} are equivalent, ${count('rejected')} cannot be installed${count('inconclusive') === 0 ? '' : `, ${count('inconclusive')} inconclusive`}`;
}
