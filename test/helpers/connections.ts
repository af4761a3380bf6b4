/** Connections for tests of drawings, of any size. They are no observation: what they say was never seen. */

import type {
	AskedStep, Connection, DrawnChain, DrawnLeg, Terminal, Visit,
} from '../../src/drawing/connection.js';

/** How a connection is to be. */
export type ConnectionSketch = {
	/** Rules of the longest chain. */
	readonly rules?: number;
	readonly legs?: number;
	readonly name?: string;
	readonly address?: string;
	/** How the last leg ends. */
	readonly end?: 'accepted' | 'nobody' | 'unknown' | 'dropped';
	/** How many rules of the chain the packets are asked. */
	readonly asked?: number;
};

const inPod = (name: string): Terminal => ({name, about: 'uid 1337, gid 1337', isInPod: true});

/** A connection whose legs loop in the pod, and then out of it. */
export function sketchConnection({rules = 9, legs = 2, name = 'ISTIO_OUTPUT', address = '10.244.1.20', end = 'accepted', asked = rules}: ConnectionSketch = {}): Connection {
	const texts = Array.from({length: rules}, (_, index) => `-d ${address} -p tcp -m tcp --dport ${1000 + index} -m comment --comment "${name} ${index}" -j RETURN`);
	const chains: readonly DrawnChain[] = [
		{
			family: 'ip', table: 'nat', name: 'OUTPUT', policy: 'ACCEPT', priority: -100, rules: [{number: 1, text: `-j ${name}`, purpose: 'Hands what the pod sends to the chain.'}],
		},
		{
			family: 'ip', table: 'nat', name, policy: null, priority: 0, rules: texts.map((text, index) => ({number: index + 1, text, purpose: `Is there to be rule ${index + 1} of the chain, and to have a purpose of more than one line.`})),
		},
	];
	const purposeOf = (index: number): string | null => chains[1]!.rules[index]?.purpose ?? null;
	const visit = (leg: number): Visit => ({
		hook: 'output',
		family: 'ip',
		table: 'nat',
		chain: 'OUTPUT',
		asked: [
			{
				chain: 'OUTPUT', number: 1, text: `-j ${name}`, purpose: 'Hands what the pod sends to the chain.', state: 'matched', because: 'goes on', jump: name,
			},
			...texts.slice(0, asked).map((text, index): AskedStep => ({
				chain: name, number: index + 1, text, purpose: purposeOf(index), state: index === Math.min(asked, rules) - 1 - (leg % Math.max(1, Math.min(3, asked))) ? 'decided' : 'missed', because: 'the port is another', jump: null,
			})),
		],
		left: {by: 'policy'},
		rewrites: leg === 0 ? [{what: 'destination', from: `${address}:443`, to: '127.0.0.1:15001'}] : [],
	});
	const names = ['app', 'proxy', 'agent'];
	const all = Array.from({length: legs}, (_, leg): DrawnLeg => {
		const isLast = leg === legs - 1;
		const sender = inPod(names[leg % names.length]!);
		const terminal: Terminal = isLast ? {name: `remote-${name}`, about: address, isInPod: false} : inPod(names[(leg + 1) % names.length]!);
		return {
			sender,
			to: `${address}:443`,
			visits: [visit(leg)],
			end: isLast && end === 'dropped' ? {kind: 'dropped'} : {kind: isLast && end !== 'dropped' ? end : 'accepted', terminal, label: `:${15_000 + leg}`},
			endName: isLast ? end : `${terminal.name}:${15_000 + leg}`,
		};
	});
	return {
		title: `Sketch of ${name}`, summary: ['app', ...all.map(({endName}) => endName)].join(' → '), legs: all, chains, notes: legs > 4 ? ['A loop: legs 1 to 3 were seen 7 times and are drawn once.'] : [],
	};
}
