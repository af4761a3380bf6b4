/** A comparison that sends from sockets bound to eth0: the kernel does what the model says of them, and what differs for them alone is told. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import {compareInputs} from '../../testbed/analysis/compare.js';
import {probeClasses} from '../../testbed/analysis/probe-classes.js';
import {judgeComparison} from '../../src/comparison/comparison.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';

const folder = await dir({unsafeCleanup: true});

test.after.always(async () => {
	await folder.cleanup();
});

const options = {
	timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal, onProgress: () => undefined,
};

/** Rules of OUTPUT, in the words of a back end. */
function load(name: string, rules: readonly string[], {backend, family}: {readonly backend: Backend; readonly family: AddressFamily}): RuleInput {
	const source = path.join(folder.path, `${name}-${backend}-${family}`);
	writeFileSync(source, backend === 'nftables'
		? `table ${family === 'ipv4' ? 'ip' : 'ip6'} own {\n\tchain out {\n\t\ttype filter hook output priority 0; policy accept;\n${rules.map(rule => `\t\t${rule}\n`).join('')}\t}\n}\n`
		: ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules.map(rule => `-A OUTPUT ${rule}`), 'COMMIT', ''].join('\n'));
	return loadRuleInput({
		source, source6: undefined, families: [family], backend,
	});
}

async function compare(from: RuleInput, to: RuleInput, families: readonly AddressFamily[], arePathsCompared = false): Promise<ComparisonReport> {
	return compareInputs({
		...options, from, to, families, credentials: usualCredentials({}, from.intent, from), arePathsCompared,
	});
}

function sentencesOf({statements}: Pick<ComparisonReport, 'statements'>): readonly string[] {
	return statements.map(({severity, traffic, from, to}) => `${severity} ${traffic.join('; ')}: ${from.join(' > ')} → ${to.join(' > ')}`);
}

for (const backend of backends) {
	for (const family of addressFamilies) {
		const loopback = family === 'ipv4' ? '127.0.0.0/8' : '::1/128';
		const to = family === 'ipv4' ? 'any loopback address' : '::1';
		test.serial(`${backend}, ${family}: a rule for what leaves for a loopback address`, async t => {
			const [other, rule] = backend === 'nftables'
				? ['meta l4proto udp counter', `oifname "eth0" ${family === 'ipv4' ? 'ip' : 'ip6'} daddr ${loopback} meta l4proto tcp counter drop`] as const
				: ['-p udp', `-d ${loopback} -o eth0 -p tcp -j DROP`] as const;
			const report = await compare(load('without', [other], {backend, family}), load('with', [other, rule], {backend, family}), [family]);
			t.deepEqual(report.gaps, []);
			t.deepEqual(sentencesOf(report), [`elsewhere TCP of sockets bound to eth0 to ${to}: lost → dropped`]);
			t.is(report.outcome, 'moved');
			t.is(report.statements[0]!.example.bindDevice, 'eth0');
		});
	}
}

test.serial('the rule for localhost decides for bound sockets alone: another path, and no move', async t => {
	const [from] = ['release:1.30'].map(source => loadRuleInput({source, families: ['ipv4'], backend: 'iptables-nft'})) as [RuleInput];
	const nat = from.ruleSet.tables.find(({name}) => name === 'nat')!;
	const without = {
		...from, ruleSet: {
			tables: [{...nat, chains: nat.chains.map(chain => ({...chain, rules: chain.rules.filter(({text}) => text !== '-d 127.0.0.1/32 -j RETURN').map((rule, index) => ({...rule, number: index + 1}))}))}],
		},
	};
	const report = await compare(from, without, ['ipv4']);
	t.deepEqual(report.gaps, []);
	t.is(report.outcome, 'equal');
	const paths = await compare(from, without, ['ipv4'], true);
	t.deepEqual(paths.gaps, []);
	t.true(sentencesOf(paths).length > 0);
	t.true(sentencesOf(paths).every(sentence => /^path (?:TCP|UDP) of sockets bound to eth0 .* to 127\.0\.0\.1.*: lost → lost$/u.test(sentence)), sentencesOf(paths).join('\n'));
});

test.serial('every class of them, of rules in two languages: the kernel does what the model says, and both do the same', async t => {
	for (const source of ['release:1.30', 'release:1.30 --redirect-dns', 'release:1.30 -m TPROXY']) {
		const sides = [loadRuleInput({source, families: addressFamilies, backend: 'iptables-nft'}), loadRuleInput({source: `${source} --native-nftables`, families: addressFamilies, backend: 'nftables'})] as const;
		const probed = await probeClasses({ // eslint-disable-line no-await-in-loop -- One after the other.
			...options, inputs: sides, families: addressFamilies, credentials: usualCredentials({}, sides[0].intent, sides[0]), hasBound: true,
		});
		const {outcome, gaps, statements} = judgeComparison(probed.map(({sides: [one, other], ...rest}) => ({...rest, sides: {from: one!, to: other!}})), {arePathsCompared: false});
		t.deepEqual(gaps, [], source);
		t.deepEqual(sentencesOf({statements}), [], source);
		t.is(outcome, 'equal');
		for (const {representatives, sides: [one]} of probed) {
			const ends = representatives.flatMap(({bindDevice}, place) => bindDevice === undefined ? [] : [one!.probeResults[place]!.legs[0]!.end.kind]);
			t.true(ends.length > 10);
			t.true(ends.includes('lost'), 'what is redirected');
		}
	}
});
