/**
The report of all shards of `testbed mutate`.
*/

import {describeMissing, type Gathered} from '../../../src/sharding/gather.js';
import {normalizeReport} from '../../../src/sharding/normalize.js';
import {printShard} from '../../../src/sharding/shard.js';
import type {Detection, MutantResult, ReportedMutant} from '../../../src/mutation/status.js';
import {exitStatusOfMutation, type CaseSummary, type MutationReport} from '../../../src/report/mutation/types.js';
import {TestbedError} from '../../errors.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeMutation} from '../output/write-mutation.js';
import type {MutateFrame} from './mutate-shard.js';

type OwnResult = Pick<MutantResult, 'mutantStatus' | 'detections'>;

/** The text of a mutant's result without what differs from run to run. */
export function keyOfMutant(result: unknown): string {
	const {mutantStatus, detections} = result as OwnResult;
	// What was observed of a move is for drawings, and has the ports of that run.
	return normalizeReport(JSON.stringify([mutantStatus, [...detections]], (key, value: unknown) => key === 'shown' ? undefined : (typeof value === 'bigint' ? String(value) : value)));
}

/**
Prints the report, and returns the exit status.

@throws {TestbedError} INPUT if no shard has a result, or the shards ran on different kernels or tools: a report on mutants names one.
*/
export async function mergeMutants(gathered: Gathered, flags: PrintFlags): Promise<number> {
	const {question: {plan}, results, missing, files, durationMs} = gathered;
	const framed = files.flatMap(({name, header: {frame, shard}}) => frame === null ? [] : [{name, shard: printShard(shard), frame: frame as MutateFrame}]);
	const [first] = framed;
	if (first === undefined) {
		throw new TestbedError('INPUT', {message: `No file has a mutant. ${describeMissing(gathered).join(' ')}`, state: 'Nothing was merged.', hint: 'Add the files of the other shards.'});
	}

	const other = framed.find(({frame}) => JSON.stringify(frame.environment) !== JSON.stringify(first.frame.environment));
	if (other !== undefined) {
		throw new TestbedError('INPUT', {message: `${first.name} and ${other.name} come from different kernels or tools (${describe(first.frame)}; ${describe(other.frame)}), and a report on mutants names one.`, state: 'Nothing was merged.', hint: 'Run all shards on machines of one kind.'});
	}

	const doubts = new Map(framed.map(({shard, frame}) => [shard, doubtsOf(frame, framed.map(one => one.frame))]));
	const shardOf = new Map(files.flatMap(({header: {shard}, pieces}) => pieces.map(({piece}) => [piece, printShard(shard)] as const)));
	const reasons = new Map(missing.map(({id, reason}) => [id, reason]));
	const report: MutationReport = {
		...first.frame,
		cases: mergedCases(framed.map(({frame}) => frame)),
		results: plan.map(({id, about}): MutantResult => {
			const mutant = about as ReportedMutant;
			const found = results.get(id);
			const result = found?.result as OwnResult | undefined;
			return result === undefined
				? {mutant, mutantStatus: {kind: 'inconclusive', gaps: [{kind: 'not-sent', message: reasons.get(id)!}]}, detections: new Map()}
				: {mutant, ...withDoubts(result, doubts.get(shardOf.get(id)!)!), durationMs: found!.ms};
		}),
		hints: [...new Set(framed.flatMap(({frame}) => frame.hints))],
		durationMs,
	};
	await writeMutation(report, flags);
	return exitStatusOfMutation(report);
}

function describe({environment: {kernel, iptables, nft, node}}: MutateFrame): string {
	return `Linux ${kernel}, iptables ${iptables}, nft ${nft}, Node ${node}`;
}

/** The chosen cases. One that did not pass with the original on any machine counts for none. */
function mergedCases(frames: readonly MutateFrame[]): readonly CaseSummary[] {
	const names = [...new Set(frames.flatMap(({cases}) => cases.map(({name}) => name)))];
	const widest = frames.toSorted((one, other) => other.cases.length - one.cases.length)[0]!.cases.map(({name}) => name);
	return [...widest, ...names.filter(name => !widest.includes(name))].map(name => {
		const own = frames.flatMap(({cases}) => cases.filter(set => set.name === name));
		return {...own[0]!, count: Math.min(...own.map(({count}) => count)), untrusted: [...new Set(own.flatMap(({untrusted}) => untrusted))]};
	});
}

/** For each set of cases, which of them other shards could use and this one could not. */
function doubtsOf({cases}: MutateFrame, all: readonly MutateFrame[]): ReadonlyMap<string, readonly string[]> {
	return new Map(cases.map(({name, untrusted}) => {
		const isCommon = (text: string): boolean => all.every(frame => frame.cases.find(set => set.name === name)?.untrusted.includes(text) ?? true);
		return [name, untrusted.filter(text => !isCommon(text))];
	}));
}

/** A mutant that survived fewer cases than others were tried with is not known to survive. */
function withDoubts({mutantStatus, detections}: OwnResult, doubts: ReadonlyMap<string, readonly string[]>): OwnResult {
	return {
		mutantStatus,
		detections: new Map([...detections].map(([name, detection]): [string, Detection] => {
			const reasons = doubts.get(name) ?? [];
			return [name, detection.kind === 'survived' && reasons.length > 0 ? {kind: 'inconclusive', reasons} : detection];
		})),
	};
}
