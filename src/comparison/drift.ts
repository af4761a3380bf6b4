/**
What a live pod's rules do differently from those that it should have, in terms of behavior, and which of the usual causes left a trace.
*/

import {rangeText} from '../identity/identify.js';
import type {Identity} from '../mesh/identity.js';
import {dnsPort} from '../mesh/actor-set.js';
import {redirects} from '../mesh/unknown.js';
import type {Backend, RuleSet} from '../netfilter/types.js';
import type {Comparison} from './comparison.js';
import type {Statement} from './moves.js';

/** What is different, the most severe first. */
export const driftFindings = ['nothing-captured', 'outbound-bypass', 'inbound-bypass', 'dns-bypass', 'lost', 'loop', 'captured', 'elsewhere'] as const;

/** What may have led to it. */
export const driftCauses = ['no-rules', 'partly-installed', 'two-back-ends', 'other-rules', 'other-release', 'proxy-user'] as const;

/** The result of a check: no finding if the pod does what it should. Texts are sentences. */
export type Drift = {
	readonly findings: ReadonlyArray<{readonly kind: typeof driftFindings[number]; readonly text: string}>;
	readonly causes: ReadonlyArray<{readonly kind: typeof driftCauses[number]; readonly text: string}>;
};

/** The live side: its rules, what they are, every back end that has rules there, and what does not fit the processes that listen. */
export type LiveSide = {
	readonly place: string;
	readonly ruleSet: RuleSet;
	readonly identity: Identity;
	readonly backend: Backend;
	readonly filled: readonly Backend[];
	readonly proxyFault: string | undefined;
};

/** The drift of a live pod from a comparison whose second side it is. */
export function driftOf({statements}: Pick<Comparison, 'statements'>, {expected, live}: {readonly expected: {readonly source: string; readonly release: string | null}; readonly live: LiveSide}): Drift {
	const moved = statements.filter(({severity}) => severity !== 'path');
	const kinds = new Set(moved.map(statement => findingOf(statement)));
	if (!redirects(live.ruleSet) && (kinds.has('outbound-bypass') || kinds.has('inbound-bypass'))) {
		kinds.add('nothing-captured').delete('outbound-bypass');
		kinds.delete('inbound-bypass');
		kinds.delete('dns-bypass');
	}

	return {
		findings: driftFindings.filter(kind => kinds.has(kind)).map(kind => ({kind, text: findingTexts[kind]})),
		causes: moved.length === 0 ? [] : causesOf(moved, {expected, live}),
	};
}

const findingTexts: Readonly<Record<typeof driftFindings[number], string>> = {
	'nothing-captured': 'Nothing is captured: all traffic passes the sidecar by.',
	'outbound-bypass': 'Outbound traffic that the sidecar should get passes it by.',
	'inbound-bypass': 'Inbound traffic that the sidecar should get passes it by.',
	'dns-bypass': 'DNS queries that the sidecar should get pass it by.',
	lost: 'Traffic that should arrive is lost.',
	loop: 'Traffic loops through the proxy.',
	captured: 'Traffic that should go straight to its destination is captured.',
	elsewhere: 'Traffic arrives somewhere else than it should.',
};

function findingOf({severity, from, example: {origin, destination}}: Statement): typeof driftFindings[number] {
	switch (severity) {
		case 'bypass': {
			return origin === 'remote' ? 'inbound-bypass' : (destination.port === dnsPort ? 'dns-bypass' : 'outbound-bypass');
		}

		case 'lost':
		case 'loop': {
			return severity;
		}

		case 'elsewhere':
		case 'path': {
			return from[0] === 'direct' ? 'captured' : 'elsewhere';
		}
	}
}

/** How many rules of others are shown. */
const shownMax = 3;

function causesOf(moved: readonly Statement[], {expected, live}: {readonly expected: {readonly source: string; readonly release: string | null}; readonly live: LiveSide}): Drift['causes'] {
	const {identity: {kind, missing, releases}, filled, backend, proxyFault, place} = live;
	const causes: Array<Drift['causes'][number]> = [];
	if (kind === 'nothing') {
		causes.push({kind: 'no-rules', text: `No program has written rules in ${place}. Usually the init container failed or never ran (kubectl logs POD -c istio-init), or the pod was started before the CNI plug-in was ready (the log of istio-cni-node; a pod that is started again has rules).`});
	}

	if (missing.length > 0 && kind !== 'nothing') {
		causes.push({kind: 'partly-installed', text: `The rules are incomplete: ${missing.join(', ')}. Usually the program that writes them failed in the middle; its log says why.`});
	}

	const others = filled.filter(each => each !== backend);
	if (others.length > 0) {
		causes.push({kind: 'two-back-ends', text: `Rules are in ${[backend, ...others].join(' and in ')} at once, and the kernel asks all of them; only those of ${backend} were compared. Usually an image with another version of iptables wrote the second ones.`});
	}

	const foreign = [...new Set(moved.flatMap(({cause: {kind: change, to}}) => change === 'added' && to !== null && to.role === null ? [`${to.place} (${to.text})`] : []))];
	if (foreign.length > 0) {
		causes.push({kind: 'other-rules', text: `Rules that ${expected.source} does not write decide there: ${foreign.slice(0, shownMax).join(', ')}${foreign.length > shownMax ? ' and others' : ''}. Usually another tool wrote them (a VPN, a network policy, a second mesh).`});
	}

	const age = releases === null || expected.release === null ? 0 : ageOf(expected.release, releases);
	if (age !== 0) {
		causes.push({kind: 'other-release', text: `The rules are those of ${rangeText(releases!)}, and ${expected.release} was expected. Usually ${age < 0 ? 'they are left from before an upgrade, and the pod was not started again' : 'the mesh was upgraded, and the expectation was not'}.`});
	}

	if (proxyFault !== undefined) {
		causes.push({kind: 'proxy-user', text: proxyFault});
	}

	return causes;
}

/** Whether rules are of older (negative) or newer releases (positive) than one; 0 if it is among them. */
function ageOf(release: string, {from, to}: NonNullable<Identity['releases']>): number {
	if (to !== null && compareVersions(to, release) < 0) {
		return -1;
	}

	return from !== null && compareVersions(from, release) > 0 ? 1 : 0;
}

/** Compares versions by the parts that both have: `1.24` is neither older nor newer than `1.24.3`. */
function compareVersions(one: string, other: string): number {
	const partsOf = (version: string): readonly number[] => version.split('.').map(Number);
	const [first, second] = [partsOf(one), partsOf(other)];
	const place = first.findIndex((part, index) => second[index] !== undefined && part !== second[index]);
	return place === -1 ? 0 : first[place]! - second[place]!;
}
