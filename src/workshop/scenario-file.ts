/**
A state as a scenario file for `testbed run`: the current rules, and the connections with their expectations.
*/

import {stringify} from 'yaml';
import type {ActorCredentials, ExpectedPath, TrafficCase} from '../mesh/traffic.js';
import {printEndpoint} from '../netfilter/path.js';
import type {AddressFamily, Backend} from '../netfilter/types.js';

/** The content of the file. */
export type ScenarioContent = {
	readonly name: string;
	readonly about: string;
	/** A rule input that names its rules (`release:1.31`), or the text of a dump. */
	readonly rules: string;
	readonly backend: Backend;
	readonly family: AddressFamily;
	readonly credentials: ActorCredentials;
	readonly cases: readonly TrafficCase[];
	/** Users of senders that are not usual actors, by their names. */
	readonly senders: Readonly<Record<string, {readonly uid: number; readonly gid: number; readonly namespace: string}>>;
};

/** The file's text. */
export function printScenario({name, about, rules, backend, family, credentials: {proxy, app}, cases, senders}: ScenarioContent): string {
	return stringify({
		version: 1,
		name,
		about,
		rules,
		backends: [backend],
		families: [family],
		// The actors do not depend on the rules that are tried.
		actors: {proxy: {uid: proxy.uid, gid: proxy.gid}, app: {uid: app.uid, gid: app.gid}, ...senders},
		probes: cases.map(({name: probe, probe: {actor, protocol, destination}, expected}) => ({
			name: probe,
			from: actor,
			to: printEndpoint(destination),
			...(protocol === 'udp' ? {protocol} : {}),
			expect: expectationOf(expected),
		})),
	}, {lineWidth: 0});
}

/** The outcomes with which a list of stops can end. */
const ends: ReadonlySet<string> = new Set(['refused', 'dropped', 'unreachable', 'nowhere', 'lost', 'answer-dropped']);

function expectationOf({legs, loop, closed}: ExpectedPath): {readonly stops: readonly string[]; readonly outcome?: string} {
	const stops = legs.map(({stop}) => stop);
	const last = stops.at(-1) ?? '';
	return ends.has(last)
		? {stops: stops.slice(0, -1), outcome: last}
		: {stops, ...(loop === undefined ? {} : {outcome: 'loop'}), ...(closed === undefined ? {} : {outcome: 'closed'})};
}

/** A file name for a scenario: its words joined by hyphens. */
export function fileNameOf(name: string): string {
	const words = name.toLowerCase().replaceAll(/[^a-z\d]+/gu, '-').replaceAll(/^-+|-+$/gu, '');
	return `${words === '' ? 'workshop' : words.slice(0, 60)}.yaml`;
}

