import test from 'ava';
import fc from 'fast-check';
import {dataOfFragment, fragmentOf, linkLengthMax, linkPrefix} from '../../../src/workshop/link.js';
import type {RuleAt, RuleEdit, RulesChoice, SharedState} from '../../../src/workshop/protocol.js';
import {readAction, readSharedState} from '../../../src/workshop/requests.js';

const line = fc.string({unit: 'grapheme', minLength: 1, maxLength: 60}).filter(text => !/\p{Cc}/u.test(text));
const at: fc.Arbitrary<RuleAt> = fc.record({
	family: fc.constantFrom('ip' as const, 'ip6' as const, 'inet' as const), table: fc.constantFrom('nat', 'istio-proxy-nat'), chain: fc.constantFrom('OUTPUT', 'ISTIO_OUTPUT', 'a.b/c-d'), number: fc.integer({min: 1, max: 100_000}),
});
const inFamily: fc.Arbitrary<RuleEdit> = fc.oneof(
	fc.record({kind: fc.constant('delete' as const), at}),
	fc.record({kind: fc.constant('move' as const), at, to: fc.integer({min: 1, max: 100_000})}),
	fc.record({kind: fc.constant('negate' as const), at, condition: fc.integer({min: 0, max: 100})}),
	fc.record({kind: fc.constant('value' as const), at, condition: fc.integer({min: 0, max: 100}), value: line}, {requiredKeys: ['kind', 'at', 'value']}),
	fc.record({kind: fc.constant('text' as const), at, text: line}),
	fc.record({kind: fc.constant('insert' as const), at, text: line}),
);
const edit: fc.Arbitrary<RuleEdit> = fc.oneof(inFamily, fc.tuple(inFamily, fc.boolean()).map(([one, inBoth]): RuleEdit => ({...one, inBoth})));
const backend = fc.constantFrom('iptables-nft' as const, 'iptables-legacy' as const, 'nftables' as const);
const rules: fc.Arbitrary<RulesChoice> = fc.oneof(
	fc.record({kind: fc.constant('generated' as const), input: line, backend}, {requiredKeys: ['kind', 'input']}),
	fc.record({
		kind: fc.constant('text' as const), name: line, text: fc.string({unit: 'binary', minLength: 1, maxLength: 200}), backend,
	}, {requiredKeys: ['kind', 'name', 'text']}),
);
const state: fc.Arbitrary<SharedState> = fc.record({
	version: fc.constant(1 as const),
	rules,
	edits: fc.array(edit, {maxLength: 6}),
	family: fc.constantFrom('ipv4' as const, 'ipv6' as const),
	question: fc.oneof(
		fc.constant(null),
		fc.record({kind: fc.constant('type' as const), type: fc.constantFrom('1', '4b', 'X')}),
		fc.record({
			kind: fc.constant('connection' as const), from: fc.constantFrom('app' as const, 'remote' as const), to: line, uid: fc.integer({min: 0, max: 0xFF_FF_FF_FE}), protocol: fc.constantFrom('tcp' as const, 'udp' as const),
		}, {requiredKeys: ['kind', 'from', 'to']}),
	),
});

test('a state comes back from its link as it was, whatever stands in its texts', t => {
	fc.assert(fc.property(state, given => {
		const fragment = fragmentOf(given);
		if (fragment === undefined) {
			return JSON.stringify(given).length * 9 > linkLengthMax;
		}

		t.deepEqual(readSharedState(dataOfFragment(fragment)), given);
		// Nothing of it needs to be quoted in a shell, a mail or a page.
		return /^#state=[\w\-.~%!'()*]*$/u.test(fragment);
	}), {numRuns: 300});
});

test('a fragment that holds no state holds none', t => {
	for (const fragment of ['', '#', '#other', `${linkPrefix}`, `${linkPrefix}%`, `${linkPrefix}%7B`, 'state=1']) {
		t.is(dataOfFragment(fragment), undefined, fragment);
	}
});

test('a state that is too long is no link', t => {
	const long: SharedState = {
		version: 1, rules: {kind: 'text', name: 'long', text: 'x'.repeat(linkLengthMax)}, edits: [], family: 'ipv4', question: null,
	};
	t.is(fragmentOf(long), undefined);
});

test('what a link must not hold is refused with its place', t => {
	const whole: SharedState = {
		version: 1, rules: {kind: 'generated', input: 'release:1.31'}, edits: [], family: 'ipv4', question: null,
	};
	t.deepEqual(readSharedState(whole), whole);
	for (const [broken, message] of [
		[{...whole, version: 2}, /version/u],
		[{...whole, rules: {kind: 'file', path: '/etc/passwd'}}, /rules/u],
		[{...whole, rules: {kind: 'generated', input: 'release:1.31\nX'}}, /input/u],
		[{...whole, edits: [{kind: 'text', at: {family: 'ip', table: 'nat', chain: 'A', number: 1}, text: '-j RETURN\n-A X'}]}, /text/u],
		[{...whole, edits: [{kind: 'delete', at: {family: 'ip', table: 'nat', chain: 'A B', number: 1}}]}, /chain/u],
		[{...whole, question: {kind: 'connection', from: 'root', to: 'x:1'}}, /from/u],
		[{...whole, extra: 1}, /extra/u],
		[null, /./u],
	] as const) {
		t.throws(() => readSharedState(broken), {message});
	}
});

test('an action is one of those that are known, with all its parts', t => {
	t.deepEqual(readAction({kind: 'undo'}), {kind: 'undo'});
	t.deepEqual(readAction({kind: 'guess', candidate: null}), {kind: 'guess', candidate: null});
	for (const broken of [{}, {kind: 'shell', command: 'id'}, {kind: 'guess'}, {kind: 'guess', candidate: -1}, {kind: 'send'}, [], 'undo', {kind: 'undo', path: '/'}]) {
		t.throws(() => readAction(broken), {message: /This request/u}, JSON.stringify(broken));
	}
});
