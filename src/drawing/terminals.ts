/**
Arranges the actors: the sockets of the pod in the middle, actors outside above and below, and the route of each leg between them. The order in the middle is the one in which the fewest legs cross.
*/

import type {Connection, DrawnLeg, Terminal} from './connection.js';

/** The part of the drawing where an actor is. */
export type Zone = 'above' | 'sockets' | 'below';

/** An actor, with the legs that it opens and receives, each from left to right. */
export type Stand = {readonly zone: Zone; readonly terminal: Terminal; readonly opens: readonly number[]; readonly gets: readonly number[]};

/** The route of a leg. */
export type Route = {
	readonly leg: number;
	readonly from: 'above' | 'sockets';
	/** Through the hooks before the sockets. */
	readonly passesUpper: boolean;
	/** Through the hooks after the sockets. */
	readonly passesLower: boolean;
	/** From below back to the top, through the loopback device. */
	readonly wraps: boolean;
	/** Where it ends; `rule` is the rule that dropped it. */
	readonly to: 'sockets' | 'below' | 'rule';
};

/** The positions and routes of a connection. Both orders of tracks count from the left. */
export type Plan = {
	readonly stands: readonly Stand[];
	readonly routes: readonly Route[];
	/** Legs through the hooks before the sockets. */
	readonly upper: readonly number[];
	/** Legs through the hooks after the sockets. */
	readonly lower: readonly number[];
	readonly crossings: number;
};

/** Up to this many actors in the pod, all orders are tried. */
const triedMax = 6;

/** Plans where each actor is and which route each leg takes. */
export function planTerminals({legs}: Pick<Connection, 'legs'>): Plan {
	const routes = legs.map((leg, index) => routeOf(leg, index));
	const names = [...new Set(legs.flatMap(({sender, end}) => [sender, ...(end.kind === 'dropped' ? [] : [end.terminal])]).filter(({isInPod}) => isInPod).map(({name}) => name))];
	let best: Plan | undefined;
	for (const order of names.length > triedMax ? [names] : permutations(names)) {
		const plan = planInOrder(legs, routes, order);
		if (best === undefined || plan.crossings < best.crossings) {
			best = plan;
		}
	}

	return best!;
}

function routeOf({sender, visits, end}: DrawnLeg, leg: number): Route {
	const from = sender.isInPod ? 'sockets' : 'above';
	const hooks = new Set(visits.map(({hook}) => hook));
	const isForwarded = hooks.has('forward') || (from === 'above' && end.kind !== 'dropped' && !end.terminal.isInPod);
	const passesLower = from === 'sockets' || isForwarded;
	const isInUpper = hooks.has('prerouting') || hooks.has('input');
	const isInside = end.kind !== 'dropped' && end.terminal.isInPod;
	const wraps = from === 'sockets' && (isInside || isInUpper);
	return {
		leg,
		from,
		passesLower,
		passesUpper: from === 'above' || wraps,
		wraps,
		to: end.kind === 'dropped' ? 'rule' : (end.terminal.isInPod ? 'sockets' : 'below'),
	};
}

function planInOrder(legs: readonly DrawnLeg[], routes: readonly Route[], order: readonly string[]): Plan {
	const byWrap = (one: number, other: number): number => Number(routes[other]!.wraps) - Number(routes[one]!.wraps) || one - other;
	const inPod = order.map((name): Stand => ({
		zone: 'sockets',
		terminal: mostTold(legs, name, true),
		opens: routes.filter(({leg, from}) => from === 'sockets' && legs[leg]!.sender.name === name).map(({leg}) => leg).toSorted(byWrap),
		gets: routes.filter(({leg, to}) => to === 'sockets' && endName(legs[leg]!) === name).map(({leg}) => leg),
	}));
	const through = routes.filter(({from, passesLower}) => from === 'above' && passesLower).map(({leg}) => leg);
	const lower = [...inPod.flatMap(({opens}) => opens), ...through];
	// Legs that come back go up in the order in which they went down; those from outside are right of them.
	const byLower = (one: number, other: number): number => Number(routes[other]!.wraps) - Number(routes[one]!.wraps) || lower.indexOf(one) - lower.indexOf(other);
	const sorted = inPod.map(stand => ({...stand, gets: stand.gets.toSorted(byLower)}));
	const droppedAbove = routes.filter(({to, passesUpper}) => to === 'rule' && passesUpper).map(({leg}) => leg).toSorted(byLower);
	const upper = [...sorted.flatMap(({gets}) => gets), ...droppedAbove, ...through.filter(leg => !droppedAbove.includes(leg))];
	return {
		stands: [...outside(legs, routes, {zone: 'above', tracks: upper}), ...sorted, ...outside(legs, routes, {zone: 'below', tracks: lower})],
		routes,
		upper,
		lower,
		crossings: crossingsOf({routes, upper, lower}),
	};
}

/** How many pairs of legs must cross: at the bottom, one that comes back and one to its right that continues; at the top, one from outside and one that comes back, or two that come back in another order. */
function crossingsOf({routes, upper, lower}: Pick<Plan, 'routes' | 'upper' | 'lower'>): number {
	const wraps = (leg: number): boolean => routes[leg]!.wraps;
	const pairs = (legs: readonly number[], isCrossing: (left: number, right: number) => boolean): number =>
		legs.flatMap((left, index) => legs.slice(index + 1).filter(right => isCrossing(left, right))).length;
	return pairs(lower, (left, right) => !wraps(left) && wraps(right))
		+ pairs(upper, (left, right) => wraps(right) && (!wraps(left) || lower.indexOf(left) > lower.indexOf(right)));
}

/** All actors outside, in the order of the tracks that lead there. */
function outside(legs: readonly DrawnLeg[], routes: readonly Route[], {zone, tracks}: {
	readonly zone: 'above' | 'below'; readonly tracks: readonly number[];
}): readonly Stand[] {
	const own = tracks.filter(leg => zone === 'above' ? routes[leg]!.from === 'above' : routes[leg]!.to === 'below');
	const nameOf = (leg: number): string => zone === 'above' ? legs[leg]!.sender.name : endName(legs[leg]!) ?? '';
	return [...new Set(own.map(leg => nameOf(leg)))].map(name => {
		const mine = own.filter(leg => nameOf(leg) === name);
		return {
			zone, terminal: mostTold(legs, name, false), opens: zone === 'above' ? mine : [], gets: zone === 'below' ? mine : [],
		};
	});
}

function endName({end}: DrawnLeg): string | undefined {
	return end.kind === 'dropped' ? undefined : end.terminal.name;
}

/** The terminal with a name, from the leg that says most about it. */
function mostTold(legs: readonly DrawnLeg[], name: string, isInPod: boolean): Terminal {
	const all = legs.flatMap(({sender, end}) => [sender, ...(end.kind === 'dropped' ? [] : [end.terminal])]).filter(terminal => terminal.name === name && terminal.isInPod === isInPod);
	return all.find(({about}) => about !== null) ?? all[0]!;
}

function permutations(items: readonly string[]): ReadonlyArray<readonly string[]> {
	return items.length <= 1 ? [items] : items.flatMap((item, index) => permutations([...items.slice(0, index), ...items.slice(index + 1)]).map(rest => [item, ...rest]));
}
