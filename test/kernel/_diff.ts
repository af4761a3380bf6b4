/**
Runs `testbed diff` as a process, summarizes its result, and runs the commands that it prints.
*/

import path from 'node:path';
import process from 'node:process';
import {execa, type Options} from 'execa';
import {onceAround} from '../../src/comparison/rounds.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {testbed} from './_cli.js';

/** A move in the JSON. */
export type JsonMove = {
	readonly severity: string;
	readonly families: readonly string[];
	readonly traffic: readonly string[];
	readonly was: readonly string[];
	readonly is: readonly string[];
	readonly because: {readonly kind: string; readonly text: string; readonly from: {readonly role: string | null} | null; readonly to: {readonly role: string | null} | null};
	readonly classes: number;
	readonly witness: {readonly packet: string; readonly destination: {readonly address: string; readonly port: number}};
	readonly replay: {readonly from: string; readonly to: string};
};

/** The comparison's JSON. */
export type JsonDiff = {
	readonly version: number;
	readonly environment: Readonly<Record<string, string>>;
	readonly from: Readonly<Record<string, string | null>>;
	readonly to: Readonly<Record<string, string | null>>;
	readonly outcome: string;
	readonly compared: ReadonlyArray<{readonly family: string; readonly classes: number; readonly probes: number; readonly fields: readonly string[]; readonly leftOut: readonly unknown[]}>;
	readonly moved: readonly JsonMove[];
	readonly gaps: ReadonlyArray<{readonly kind: string; readonly message: string}>;
	readonly hints: readonly string[];
	readonly summary: {readonly classes: number; readonly probes: number; readonly moved: number};
	readonly durationMs: number;
};

/** Compares, and reads the JSON. */
export async function diffJson(given: readonly string[], options?: Options): Promise<{readonly exitCode: number | undefined; readonly diff: JsonDiff}> {
	const {exitCode, stdout, stderr} = await testbed(['diff', ...given, '--format', 'json'], options);
	try {
		return {exitCode, diff: JSON.parse(stdout) as JsonDiff};
	} catch (error) {
		throw new Error(`testbed diff ${given.join(' ')} ended with ${exitCode} and no JSON: ${stderr}`, {cause: error});
	}
}

/** One move in one line, without its reason. */
export function sentenceOf({severity, families, traffic, was, is}: JsonMove): string {
	return `${severity} ${families.join('+')} ${traffic.join(' | ')}: ${was.join(' > ')} → ${is.join(' > ')}`;
}

const launcher = path.resolve('scripts/run.cjs');

type ReplayedLeg = {readonly hooks: ReadonlyArray<{readonly chain: string; readonly rules: ReadonlyArray<{readonly chain: string; readonly text: string}>}>};
type Replayed = {readonly stops: readonly string[]; readonly path: readonly string[]; readonly loop?: boolean; readonly legs?: readonly ReplayedLeg[]};

const {proxyAsks} = defaultTopology;

/** Runs a printed command in a shell. Returns where each leg arrived, in the comparison's notation. */
export async function replay(command: string, port: number): Promise<readonly string[]> {
	const shell = `testbed() { '${process.execPath}' '${launcher}' testbed "$@"; }\n${command}${command.includes('--batch') ? '' : ' --format json'}`;
	const {stdout, stderr, exitCode} = await execa('sh', ['-c', shell], {reject: false});
	if (exitCode !== 0) {
		throw new Error(`${command} ended with ${exitCode}: ${stderr}`);
	}

	const {stops, path: steps, loop = false, legs = []} = JSON.parse(stdout) as Replayed;
	if (loop) {
		// A comparison tells a loop up to the end of its first round; `probe` sends it on until it is cut.
		return onceAround({arrivals: [...stops, 'loop'], roles: legs.map(({hooks}) => hooks.flatMap(({rules}) => rules.map(rule => `${rule.chain} ${rule.text}`)))}).arrivals;
	}

	// A last leg that nobody listens for has no stop, but its path says that it came to its end.
	const arrivals = steps.at(-1) === stops.at(-1) ? stops : [...stops, steps.at(-1)!];
	// What the proxy asks on localhost to answer for itself comes where it was sent, too, and is behind the last leg of what was asked.
	const errands: ReadonlySet<string> = new Set([`proxy:${proxyAsks!.admin}`, `agent:${proxyAsks!.agent}`]);
	const last = arrivals.findLastIndex(arrival => !errands.has(arrival));
	return arrivals.map((arrival, place) => errands.has(arrival) || (place === last && (arrival === 'refused' || arrival.endsWith(`:${port}`))) ? 'direct' : arrival);
}
