import test from 'ava';
import {ChainWalk} from '../../../src/trace/chain-walk.js';
import type {NftTraceEvent} from '../../../src/trace/decode/event.js';
import {nftEnd, nftEvent, nftPolicy} from './_events.js';

const rule = (chain: string, verdict: NftTraceEvent['verdict'], target?: string): NftTraceEvent => nftEvent({chain, verdict, target});
const end = (chain: string): NftTraceEvent => nftEnd({chain});
const policy = nftPolicy();

/** Walks from OUTPUT. The last event is the one that is asked for; those before it must follow. */
const rows: ReadonlyArray<readonly [title: string, follows: boolean, events: readonly NftTraceEvent[]]> = [
	['a policy at once', true, [policy]],
	['a policy behind the end of the chain', true, [end('OUTPUT'), policy]],
	['a rule of the base chain', true, [rule('OUTPUT', 'continue')]],
	['a jump and its target', true, [rule('OUTPUT', 'jump', 'A'), rule('A', 'continue')]],
	['back by a return', true, [rule('OUTPUT', 'jump', 'A'), rule('A', 'return'), rule('OUTPUT', 'continue')]],
	['back by the end of the chain', true, [rule('OUTPUT', 'jump', 'A'), end('A'), rule('OUTPUT', 'continue')]],
	['two jumps and back', true, [rule('OUTPUT', 'jump', 'A'), rule('A', 'jump', 'B'), end('B'), end('A'), end('OUTPUT'), policy]],
	['the same chain twice', true, [rule('OUTPUT', 'jump', 'A'), end('A'), rule('OUTPUT', 'jump', 'A'), end('A')]],
	['a goto from the base chain leaves it', true, [rule('OUTPUT', 'goto', 'A'), end('A'), policy]],
	['a goto from a chain that was jumped to', true, [rule('OUTPUT', 'jump', 'A'), rule('A', 'goto', 'B'), rule('B', 'return'), rule('OUTPUT', 'continue')]],
	['a return from the base chain', true, [rule('OUTPUT', 'return'), policy]],

	['a rule behind the end of the base chain', false, [end('OUTPUT'), rule('OUTPUT', 'continue')]],
	['a rule behind the policy', false, [policy, rule('OUTPUT', 'continue')]],
	['a second policy', false, [policy, policy]],
	['a policy behind accept', false, [rule('OUTPUT', 'accept'), policy]],
	['a policy behind drop', false, [rule('OUTPUT', 'drop'), policy]],
	['a policy of another chain', false, [nftPolicy({chain: 'POSTROUTING'})]],
	['a policy without the way back', false, [rule('OUTPUT', 'jump', 'A'), policy]],
	['a policy without the end of a chain that was gone to', false, [rule('OUTPUT', 'goto', 'A'), policy]],
	['another chain without a jump', false, [rule('OUTPUT', 'continue'), rule('A', 'continue')]],
	['another chain than the jump says', false, [rule('OUTPUT', 'jump', 'A'), rule('B', 'continue')]],
	['the chain itself instead of the jump\'s target', false, [rule('OUTPUT', 'jump', 'A'), rule('OUTPUT', 'continue')]],
	['a chain that was left', false, [rule('OUTPUT', 'jump', 'A'), end('A'), rule('A', 'continue')]],
	['the chain that a goto left', false, [rule('OUTPUT', 'goto', 'A'), end('A'), rule('OUTPUT', 'continue')]],
	['a jump that does not say where', false, [rule('OUTPUT', 'jump'), rule('A', 'continue')]],
];

for (const [title, follows, events] of rows) {
	test(`${follows ? 'follows' : 'cannot follow'}: ${title}`, t => {
		const walk = new ChainWalk('OUTPUT');
		t.true(events.slice(0, -1).every(event => walk.follows(event)));
		t.is(walk.follows(events.at(-1)!), follows);
	});
}
