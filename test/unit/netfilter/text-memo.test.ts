/** A memory of results: what is remembered, what is forgotten, and what rules that share it look like. */

import test from 'ava';
import fc from 'fast-check';
import {normalizeRule, normalText} from '../../../src/netfilter/iptables/normalize.js';
import {parseRuleText, readRule} from '../../../src/netfilter/iptables/rule.js';
import {TextMemo} from '../../../src/netfilter/text-memo.js';
import {RuleSyntaxError} from '../../../src/netfilter/words.js';
import {randomRule} from '../../helpers/random-rules.js';

test('a text is computed once while it is remembered, and the memory stays small', t => {
	const computed: string[] = [];
	const memo = new TextMemo(text => {
		computed.push(text);
		return {text};
	}, 3);
	for (const text of ['a', 'b', 'c', 'a']) {
		t.deepEqual(memo.of(text), {text});
	}

	t.is(memo.of('a'), memo.of('a'));
	t.deepEqual(computed, ['a', 'b', 'c']);
	t.deepEqual([memo.of('d'), memo.of('a')].map(({text}) => text), ['d', 'a'], 'the fourth begins anew, and knows the first three');
	t.deepEqual(computed, ['a', 'b', 'c', 'd']);
	t.deepEqual(['e', 'f', 'b'].map(text => memo.of(text).text), ['e', 'f', 'b']);
	t.deepEqual(computed, ['a', 'b', 'c', 'd', 'e', 'f', 'b'], 'b was not asked for again in time');
});

test('a long text and an error are not remembered', t => {
	let count = 0;
	const memo = new TextMemo(text => {
		count++;
		if (text === 'bad') {
			throw new RangeError(`number ${count}`);
		}

		return {text};
	}, 3);
	t.throws(() => memo.of('bad'), {message: 'number 1'});
	t.throws(() => memo.of('bad'), {message: 'number 2'});
	memo.of('x'.repeat(1001));
	memo.of('x'.repeat(1001));
	t.is(count, 4);
});

test('a rule that was read before reads the same, by each family alone', t => {
	fc.assert(fc.property(randomRule('ipv4'), text => {
		const first = structuredClone(readRule(text, 'ipv4'));
		t.deepEqual(readRule(text, 'ipv4'), first);
		t.is(readRule(text, 'ipv4'), readRule(text, 'ipv4'));
		const rule = {...parseRuleText(text, 'ipv4'), chain: 'OUTPUT', number: 1};
		t.deepEqual(normalizeRule(rule, 'ipv4'), {...rule, ...structuredClone(parseRuleText(normalText(text, 'ipv4'), 'ipv4'))});
		t.is(normalizeRule(rule, 'ipv4').matches, normalizeRule({...rule}, 'ipv4').matches);
	}), {numRuns: 100});
	t.notThrows(() => readRule('-d 10.0.0.0/8 -j RETURN', 'ipv4'));
	t.throws(() => readRule('-d 10.0.0.0/8 -j RETURN', 'ipv6'), {instanceOf: RuleSyntaxError});
	t.throws(() => readRule('-d 10.0.0.0/8 -j RETURN', 'ipv6'), {instanceOf: RuleSyntaxError});
});
