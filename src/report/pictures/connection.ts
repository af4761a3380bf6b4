/**
Turns what a run or a probe found about one connection into the input of a drawing. All text of the drawing is chosen here.
*/

import {
	printEndpoint, printLegEnd, stepsOfTraversal, type Leg, type Traversal,
} from '../../netfilter/path.js';
import {baseChainOf, tablesOf} from '../../netfilter/lookup.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {
	AskedStep, Connection, DrawnChain, DrawnEnd, DrawnLeg, Rewrite, Terminal, Visit,
} from '../../drawing/connection.js';
import type {AskedChain, AskedRule, LegExplanation} from '../../judge/explain/explain-leg.js';
import type {MeshRules} from '../../mesh/mesh.js';
import {livesInPod} from '../../mesh/actor-set.js';
import type {Credentials} from '../../mesh/traffic.js';
import {describeAnswer, describeTarget} from '../rules/describe-rule.js';
import {repetitionOf} from '../run/text-path.js';

/** What is known about a connection. `explanations` has one entry for each leg. */
export type Witnessed = {
	readonly title: string;
	readonly family: AddressFamily;
	readonly legs: readonly Leg[];
	/** Users and groups by actor name. */
	readonly actors: Readonly<Record<string, Credentials>>;
	readonly explanations: readonly LegExplanation[];
	/** The rules as installed in the kernel. */
	readonly rules: MeshRules;
	readonly isLoop: boolean;
	/** Missing evidence, and other remarks. */
	readonly notes: readonly string[];
};

/** The connection to draw. For a loop, one round is drawn. */
export function connectionOf({title, family, legs: all, actors, explanations, rules, isLoop, notes}: Witnessed): Connection {
	const {start, length, rounds} = repetitionOf(all.map(leg => [leg.actor, ...leg.traversals.flatMap(traversal => stepsOfTraversal(traversal)), printLegEnd(leg.end)].join(' ')));
	const legs = rounds > 1 ? all.slice(0, start + length) : all;
	const ends = legs.map(({end}) => printLegEnd(end));
	return {
		title,
		summary: [...legs.slice(0, 1).map(({actor}) => actor), ...ends, ...(isLoop ? ['… (a loop)'] : [])].join(' → '),
		legs: legs.map((leg, index) => drawnLeg(leg, explanations[index], {all, actors})),
		chains: chainsOf(rules, family),
		notes: [...(rounds > 1 ? [`A loop: legs ${start + 1} to ${start + length} were seen ${rounds} times and are drawn once.`] : (isLoop ? ['A loop: the flow comes back to a listener that it had left.'] : [])), ...notes],
	};
}

/** All legs, and the identity of their actors. */
type ActorGroup = {readonly all: readonly Leg[]; readonly actors: Readonly<Record<string, Credentials>>};

function drawnLeg(leg: Leg, explanation: LegExplanation | undefined, group: ActorGroup): DrawnLeg {
	const {actor, socket, to, traversals, end} = leg;
	return {
		sender: {name: actor, about: aboutOwner(socket ?? group.actors[actor]), isInPod: isSenderInPod(actor, group.all)},
		to: printEndpoint(to),
		visits: traversals.map((traversal, index) => visitOf(traversal, traversals[index + 1], explanation?.chains[index])),
		end: endOf(leg, group),
		endName: 'reason' in end && end.reason !== '' ? `${printLegEnd(end)} (${end.reason})` : printLegEnd(end),
	};
}

/** Every leg that starts in the pod leaves through OUTPUT. If no rule is attached there, the socket was seen or the actor is known by name. */
function isSenderInPod(name: string, legs: readonly Leg[]): boolean {
	const own = legs.filter(({actor}) => actor === name);
	if (own.some(({socket, traversals}) => socket !== undefined || traversals[0]?.hook === 'output')) {
		return true;
	}

	return name === 'pod' || (own.every(({traversals}) => traversals.length === 0) && isKnownInPod(name) === true);
}

function isKnownInPod(name: string): boolean | undefined {
	return Object.hasOwn(livesInPod, name) ? livesInPod[name as keyof typeof livesInPod] : undefined;
}

/** Traffic from outside goes to the pod; traffic that leaves through lo stays in it. */
function isDeliveredInPod(leg: Leg, name: string, all: readonly Leg[]): boolean {
	const last = leg.traversals.at(-1);
	if (last?.hook === 'input' || last?.outInterface === 'lo') {
		return true;
	}

	if (last?.hook === 'postrouting' && last.outInterface !== undefined) {
		return false;
	}

	return isKnownInPod(name) ?? (all.some(({actor}) => actor === name) ? isSenderInPod(name, all) : !isSenderInPod(leg.actor, all));
}

function endOf(leg: Leg, {all, actors}: ActorGroup): DrawnEnd {
	const {end, traversals, to} = leg;
	if (end.kind === 'dropped') {
		return end;
	}

	if (end.kind === 'accepted') {
		const at = end.stop.lastIndexOf(':');
		const name = at === -1 ? end.stop : end.stop.slice(0, at);
		return {kind: 'accepted', terminal: {name, about: aboutOwner(actors[name] ?? all.find(({actor, socket}) => actor === name && socket !== undefined)?.socket), isInPod: isDeliveredInPod(leg, name, all)}, label: at === -1 ? null : end.stop.slice(at)};
	}

	const where = printEndpoint(traversals.at(-1)?.destination ?? to);
	const terminal = (name: string, about: string): Terminal => ({name, about, isInPod: isDeliveredInPod(leg, '', all)});
	switch (end.kind) {
		case 'refused': {
			return {kind: 'nobody', terminal: terminal('refused', `nobody listens at ${where}`), label: null};
		}

		case 'unreachable':
		case 'nowhere':
		case 'lost':
		case 'answer-dropped': {
			return {kind: 'nobody', terminal: terminal(end.kind.replace('-', ' '), end.reason), label: null};
		}

		case 'unknown': {
			return {kind: 'unknown', terminal: terminal('unknown', end.reason), label: null};
		}
	}
}

function aboutOwner(owner: Credentials | undefined): string | null {
	return owner === undefined ? null : `uid ${owner.uid}, gid ${owner.gid}`;
}

function visitOf(traversal: Traversal, next: Traversal | undefined, chain: AskedChain | undefined): Visit {
	const {hook, family, table, chain: name, end} = traversal;
	const asked = chain?.rules.map(rule => stepOf(rule, chain)) ?? [];
	// Rules that the model did not reach are shown anyway, because the trace contains them.
	const left = traversal.hits.filter(hit => !chain?.rules.some(({isHit, rule}) => isHit && rule.chain === hit.chain && rule.number === hit.number));
	return {
		hook,
		family,
		table,
		chain: name,
		asked: [...asked, ...left.map((hit): AskedStep => ({
			chain: hit.chain, number: hit.number ?? null, text: hit.text ?? 'a rule that is not in the installed set', purpose: null, state: 'matched', because: 'the trace shows it', jump: null,
		}))],
		left: end.by === 'open' ? null : {by: end.by},
		rewrites: next === undefined ? [] : rewritesBetween(traversal, next),
	};
}

function rewritesBetween(one: Traversal, next: Traversal): readonly Rewrite[] {
	return (['source', 'destination'] as const).flatMap(what => {
		// The kernel chooses the source port. Leaving it out makes drawings of two runs identical.
		const [from, to] = what === 'source' ? [one.source.address, next.source.address] : [printEndpoint(one.destination), printEndpoint(next.destination)];
		return from === to ? [] : [{what, from, to}];
	});
}

function stepOf(rule: AskedRule, {language}: AskedChain): AskedStep {
	const {rule: {chain, number, text}, purpose, isHit, isDeciding, target} = rule;
	return {
		chain,
		number,
		text,
		purpose,
		state: isHit ? (isDeciding ? 'decided' : 'matched') : 'missed',
		because: isHit ? describeTarget(target, rule) : describeAnswer(rule, {language}),
		jump: isHit && (target.kind === 'jump' || target.kind === 'goto') ? target.chain : null,
	};
}

const chainsByRules = new WeakMap<MeshRules, Map<AddressFamily, readonly DrawnChain[]>>();

/** The chains of one family, listed once for all connections through the same rules. */
function chainsOf(rules: MeshRules, family: AddressFamily): readonly DrawnChain[] {
	const known = chainsByRules.get(rules) ?? new Map<AddressFamily, readonly DrawnChain[]>();
	chainsByRules.set(rules, known);
	const listed = known.get(family) ?? listChains(rules, family);
	known.set(family, listed);
	return listed;
}

function listChains(rules: MeshRules, family: AddressFamily): readonly DrawnChain[] {
	const {mesh} = rules;
	return tablesOf(rules, family).flatMap(table => table.chains.map((chain): DrawnChain => {
		const base = baseChainOf(table, chain);
		return {
			family: table.family,
			table: table.name,
			name: chain.name,
			policy: base === undefined ? null : chain.policy ?? 'ACCEPT',
			priority: base?.priority ?? 0,
			rules: chain.rules.map(rule => {
				const role = mesh.roleOf(rule, table.name, chain);
				return {number: rule.number, text: rule.text, purpose: role === undefined ? null : mesh.roles[role]?.purpose ?? null};
			}),
		};
	}));
}
