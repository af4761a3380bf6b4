/** The contract of a back end, checked for every driver without a kernel. */

import test from 'ava';
import {factsOf} from '../../../../src/netfilter/backends.js';
import {parseText, printTexts, textFamilies} from '../../../../src/netfilter/rule-texts.js';
import {backends} from '../../../../src/netfilter/types.js';
import {
	canFollow, driverOf, drivers, runOrderOf,
} from '../../../../testbed/sandbox/backends/drivers.js';
import {packageOf} from '../../../../testbed/system/missing-program.js';

test('every back end has its own driver, with the facts of its name', t => {
	t.deepEqual(drivers.map(({name}) => name), [...backends]);
	for (const driver of drivers) {
		t.is(driverOf(driver.name), driver);
		t.like(driver, factsOf(driver.name));
	}
});

test('every text of a back end goes to one of its own tools', t => {
	for (const {name, language, programFor, tools} of drivers) {
		for (const family of textFamilies(language, ['ipv4', 'ipv6'])) {
			t.true(tools.some(({program}) => program === programFor(family)), `${name}, ${String(family)}`);
			t.is(packageOf(programFor(family)), name === 'nftables' ? 'nftables' : 'iptables');
		}
	}

	t.throws(() => driverOf('iptables-nft').programFor(null), {instanceOf: RangeError});
});

test('samples are rules of the language, and what a line names comes first', t => {
	for (const {name, language, samples, samplesNamedIn, traceSample} of drivers) {
		for (const family of textFamilies(language, ['ipv4', 'ipv6'])) {
			const {each, together} = samples(family);
			t.true(each.length > 5, name);
			t.is(new Set(each.map(({text}) => text)).size, each.length, name);
			for (const text of [...each.map(sample => sample.text), ...(together === undefined ? [] : [together])]) {
				t.true(parseText({family, text}).tables.some(({chains}) => chains.some(({rules}) => rules.length > 0)), text);
			}

			const {text, table} = traceSample(family ?? 'ipv4');
			const owner = samplesNamedIn({family, line: language === 'nft' ? 'meta skuid 0 return' : '-A OUTPUT -m owner --uid-owner 0', input: text}).find(({kind}) => kind !== 'table');
			t.is(owner?.what, 'owner match', name);
			t.is(parseText({family, text}).tables[0]?.name, table);
			t.is(printTexts(language, parseText({family, text}), ['ipv4']).length, 1);
		}
	}
});

test('one back end does not need from the kernel what only the other needs', t => {
	const needsOf = (backend: typeof backends[number]) => driverOf(backend).samples(backend === 'nftables' ? null : 'ipv6').each.find(({what}) => what.startsWith('REDIRECT'))?.needs;
	t.deepEqual(backends.map(backend => needsOf(backend)), ['nft_redir (and nft_compat)', 'xt_REDIRECT', 'nft_redir']);
});

test('rules that cannot be removed are followed only by rules of their own back end, and come last', t => {
	t.deepEqual(backends.map(before => backends.filter(backend => canFollow(before, backend))), [[...backends], ['iptables-legacy'], [...backends]]);
	const order = backends.toSorted((one, other) => runOrderOf(one) - runOrderOf(other));
	t.deepEqual(order, ['iptables-nft', 'nftables', 'iptables-legacy']);
	for (const [place, backend] of order.entries()) {
		t.true(order.slice(0, place).every(before => canFollow(before, backend)), backend);
	}
});
