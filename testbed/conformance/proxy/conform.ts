/**
`npm run conformance -- --proxy envoy`: what the stub does with connections, compared on this kernel with what another proxy does.
*/

import type {RunEntry} from '../../../src/report/run/many.js';
import type {Backend} from '../../../src/netfilter/types.js';
import {findProxy} from '../../actors/proxies.js';
import type {OtherProxy, Proxy} from '../../actors/proxy.js';
import {runMany} from '../../run/run-many.js';
import {shareActors} from '../../run/share-actors.js';
import {proxyCases, type ProxyCase} from './cases.js';
import {compareEntries, type Comparison} from './compare.js';
import {
	isAsRowSays, knownRows, rowOf, type KnownRow,
} from './known-rows.js';

/** What was compared, and what it says in lines. */
export type Conformance = {readonly status: 0 | 1 | 3; readonly lines: readonly string[]};

/** Runs all cases with one proxy. */
async function runCases(cases: readonly ProxyCase[], proxy: Proxy | undefined): Promise<readonly RunEntry[]> {
	return runMany(shareActors(cases.map(({options}) => ({...options, proxy}))), {jobs: 2});
}

/**
Compares all cases.

@throws {TestbedError} as `findProxy` does, and as `runMany` does.
*/
export async function compareWithStub(name: OtherProxy, {program, backends, signal = new AbortController().signal}: {
	readonly program?: string | undefined; readonly backends?: readonly Backend[] | undefined; readonly signal?: AbortSignal;
}): Promise<Conformance> {
	const proxy = await findProxy(name, program);
	const {cases, leftOut} = proxyCases({signal, ...(backends === undefined ? {} : {backends})});
	return summarize(await compareCases(cases, proxy), {
		name, version: proxy.version ?? '', leftOut, rows: knownRows[name],
	});
}

/** Runs cases with the stub and with another proxy, and compares each connection. */
export async function compareCases(cases: readonly ProxyCase[], proxy: Proxy): Promise<readonly Comparison[]> {
	const [stub, other] = await Promise.all([runCases(cases, undefined), runCases(cases, proxy)]);
	return cases.flatMap(({name, options: {rules: {backend}}}, index) => compareEntries({case: name, backend}, {stub: stub[index]!, other: other[index]!}));
}

/** Sums up: what differs, what nobody can say, and which rows of the table were met. */
export function summarize(comparisons: readonly Comparison[], {name, version, leftOut, rows}: {
	readonly name: OtherProxy; readonly version: string; readonly leftOut: readonly string[]; readonly rows: readonly KnownRow[];
}): Conformance {
	const title = `${name[0]!.toUpperCase()}${name.slice(1)}`;
	const judged = comparisons.map(comparison => {
		const row = rowOf(comparison, rows);
		return {comparison, row, isKnown: row !== undefined && isAsRowSays(comparison, row)};
	});
	const unknown = judged.filter(({isKnown}) => !isKnown);
	// Whoever reads the table relies on it, so a row that no longer holds is a difference as well.
	const stale = unknown.filter(({comparison, row}) => row !== undefined && comparison.kind === 'equal');
	const different = unknown.filter(({comparison}) => comparison.kind === 'different');
	const inconclusive = unknown.filter(({comparison}) => comparison.kind === 'inconclusive');
	const equal = unknown.length - stale.length - different.length - inconclusive.length;
	const met = rows.flatMap(row => {
		const count = judged.filter(({isKnown, row: own}) => isKnown && own === row).length;
		return count === 0 ? [] : [`  ${count} as the table in docs/limits.md says: ${title} ${row.row} …`];
	});
	const lines = [
		`${title} ${version} and the stub: ${comparisons.length} connections in ${new Set(comparisons.map(comparison => `${comparison.case} ${comparison.backend}`)).size} cases`,
		`  ${equal} equal: the same stops, and the same rules on each leg`,
		...met,
		...(different.length === 0 ? [] : [`  ${different.length} different`]),
		...(stale.length === 0 ? [] : [`  ${stale.length} equal, and a row of the table in docs/limits.md says otherwise`]),
		...(inconclusive.length === 0 ? [] : [`  ${inconclusive.length} inconclusive`]),
		...leftOut.map(text => `  left out: ${text}`),
		...[...different, ...stale, ...inconclusive].flatMap(({comparison}) => ['', ...describe(comparison, name)]),
	];
	const isNothing = equal === 0 && different.length === 0;
	return {status: different.length + stale.length > 0 ? 1 : (inconclusive.length > 0 || isNothing ? 3 : 0), lines};
}

function describe(comparison: Comparison, name: OtherProxy): readonly string[] {
	const head = `${comparison.case} ${comparison.backend} ${comparison.connection}: ${comparison.kind}`;
	switch (comparison.kind) {
		case 'equal': {
			return [head];
		}

		case 'different': {
			const width = Math.max('stub'.length, name.length);
			const at = [...comparison.stub.keys(), ...comparison.other.keys()].find(index => comparison.stub[index] !== comparison.other[index]) ?? 0;
			return [
				`${head}, first at leg ${at + 1}`,
				`  ${'stub'.padEnd(width)}  ${comparison.stub[at] ?? '(no such leg)'}`,
				`  ${name.padEnd(width)}  ${comparison.other[at] ?? '(no such leg)'}`,
			];
		}

		case 'inconclusive': {
			return [`${head} for ${comparison.whose === 'stub' ? 'stub' : name}`, ...comparison.reasons.map(reason => `  ${reason}`)];
		}
	}
}
