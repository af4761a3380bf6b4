/**
Reports for tests: a rule set, made wrong where a test wants it, the sketch of a run over it, judged as the conductor does.
*/

import {intentOf} from '../../src/istio/intent.js';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import {roleOf, type Role} from '../../src/istio/roles/roles.js';
import {sidecarRuleSet} from '../../src/istio/iptables/sidecar.js';
import {judge} from '../../src/judge/judge.js';
import type {Difference} from '../../src/judge/outcome.js';
import {comparePublished} from '../../src/judge/published.js';
import {ruleNotes} from '../../src/judge/rule-notes.js';
import type {Identity} from '../../src/mesh/identity.js';
import {parseRuleText} from '../../src/netfilter/iptables/rule.js';
import type {
	AddressFamily, Chain, Rule, RuleSet,
} from '../../src/netfilter/types.js';
import type {Report, TypeResult} from '../../src/report/run/types.js';
import {defaultTypeIds, sixTypes} from '../../src/istio/traffic/six-types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {
	ActorCredentials, ActorName, TrafficCase, TypeId,
} from '../../src/mesh/traffic.js';
import type {Observation} from '../../src/trace/observation.js';
import {defaultActors, observe} from './observed.js';
import {ofIstio} from './mesh.js';

/** What makes a rule set wrong. */
export type Mutation = (ruleSet: RuleSet) => RuleSet;

/** A run to make a report of. */
export type RunSketch = {
	readonly input?: string;
	readonly actors?: Partial<ActorCredentials>;
	readonly families?: readonly AddressFamily[];
	readonly ids?: readonly TypeId[];
	readonly mutate?: Mutation;
	/** Makes something else of what was observed. */
	readonly tamper?: (observation: Observation, traffic: TrafficCase) => Observation;
	readonly isLegacy?: boolean;
};

/** The report of a run over the sketch. Everything that a machine would give is fixed. */
export function sketchReport({input = 'release:1.30', actors: some = {}, families = ['ipv4'], ids = defaultTypeIds, mutate = same, tamper = same, isLegacy = false}: RunSketch = {}): Report & {readonly ruleSet: RuleSet} {
	const actors = {...defaultActors, ...some};
	const {release, options} = parseReleaseInput(input);
	const reference = sidecarRuleSet(release, options, families);
	const ruleSet = mutate(reference);
	const intent = intentOf({options, release});
	const cases = families.flatMap(family => sixTypes({
		intent, actors, topology: defaultTopology, family, ids,
	}));
	const types = cases.map((traffic): TypeResult => {
		const observation = tamper(observe({
			ruleSet, intent, actors, isLegacy,
		}, traffic), traffic);
		const {legs} = observation.path;
		const names = new Set<ActorName>([traffic.probe.actor, ...legs.map(({actor}) => actor as ActorName)]);
		return {
			id: traffic.id,
			name: traffic.name,
			family: traffic.probe.family,
			actors: Object.fromEntries([...names].map(name => [name, actors[name]])),
			...judge({traffic, observation, ruleSet: ofIstio(ruleSet)}),
			legs,
			loop: observation.loop,
			expected: traffic.expected,
			published: comparePublished({
				traffic, observation, ruleSet: ofIstio(ruleSet), intent,
			}),
			gaps: observation.gaps,
		};
	});
	return {
		environment: {
			kernel: '6.18.0', iptables: '1.8.9 (nf_tables)', nft: '1.0.6', node: '20.19.0',
		},
		rules: {
			source: input, release: release.name, backend: isLegacy ? 'iptables-legacy' : 'iptables-nft', identity: plainIdentity, sha256: '0123456789abcdef'.repeat(4), notes: [],
		},
		types,
		ruleNotes: ruleNotes({ruleSet: ofIstio(ruleSet), reference: ofIstio(reference), results: types}),
		hints: [],
		durationMs: 412,
		loaded: {rules: ofIstio(ruleSet), intent},
		ruleSet,
	};
}

/** What the rules of a report are, for printers that do not care. */
export const plainIdentity: Identity = {
	kind: 'istio-sidecar', text: 'Istio sidecar, release 1.30.', releases: {from: '1.30', to: '1.30'}, missing: [], assumed: [],
};

function same<T>(value: T): T {
	return value;
}

/** The type of that number, of the first family. */
export function typeOf({types}: Report, id: TypeId): TypeResult {
	const found = types.find(result => result.id === id);
	if (found === undefined) {
		throw new Error(`no type ${id}`);
	}

	return found;
}

/** The differences of a type that failed. */
export function differencesOf(report: Report, id: TypeId): readonly Difference[] {
	const {outcome} = typeOf(report, id);
	return outcome.kind === 'fail' ? outcome.differences : [];
}

/** The outcomes as a line: `1 pass, 2 fail`. */
export function outcomesOf({types}: Report): string {
	return types.map(({id, outcome}) => `${id} ${outcome.kind}`).join(', ');
}

function changeChain(name: string, change: (chain: Chain) => ReadonlyArray<Pick<Rule, 'text' | 'matches' | 'target'>>): Mutation {
	return ({tables}) => ({
		tables: tables.map(table => ({
			...table,
			chains: table.chains.map(chain => chain.name === name
				? {...chain, rules: change(chain).map((rule, index) => ({...rule, chain: name, number: index + 1}))}
				: chain),
		})),
	});
}

/** Deletes a rule, as `iptables -D CHAIN NUMBER`. */
export function deleteRule(chain: string, number: number): Mutation {
	return changeChain(chain, ({rules}) => rules.filter(rule => rule.number !== number));
}

/** Inserts a rule, as `iptables -I CHAIN NUMBER`. */
export function insertRule(chain: string, number: number, text: string): Mutation {
	return changeChain(chain, ({rules}) => [...rules.slice(0, number - 1), parseRuleText(text, 'ipv4'), ...rules.slice(number - 1)]);
}

/** Puts another rule in the place of one. */
export function replaceRule(chain: string, number: number, text: string): Mutation {
	return changeChain(chain, ({rules}) => rules.map(rule => rule.number === number ? parseRuleText(text, 'ipv4') : rule));
}

/** Takes a rule out and puts it in elsewhere; `to` counts without it. */
export function moveRule(chain: string, {from, to}: {readonly from: number; readonly to: number}): Mutation {
	return changeChain(chain, ({rules}) => {
		const rest = rules.filter(({number}) => number !== from);
		return [...rest.slice(0, to - 1), ...rules.filter(({number}) => number === from), ...rest.slice(to - 1)];
	});
}

/** The number of the first rule of a role in nat, IPv4. */
export function numberOf({tables}: RuleSet, role: Role): number | undefined {
	return tables
		.filter(({family, name}) => family === 'ip' && name === 'nat')
		.flatMap(({name, chains}) => chains.flatMap(chain => chain.rules.filter(rule => roleOf(rule, name, chain) === role)))[0]?.number;
}
