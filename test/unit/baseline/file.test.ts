/** The file of a baseline: read as it was written, and each kind of damage named. */

import test from 'ava';
import {baselineVersion, parseBaseline, printBaseline} from '../../../src/baseline/file.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {baselineOf} from '../../helpers/baselines.js';

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`a baseline is read as it was written: ${backend}`, t => {
		const baseline = baselineOf(backend);
		const text = printBaseline(baseline);
		t.is(printBaseline(parseBaseline(text)), text);
		t.deepEqual(parseBaseline(text).classes, baseline.classes);
		t.deepEqual(parseBaseline(text).cases, baseline.cases);
		t.deepEqual(parseBaseline(text).rules.markRules, baseline.rules.markRules);
		t.notThrows(() => {
			JSON.parse(text);
		});
	});
}

test('one class per line, in an order that does not depend on that of the recording', t => {
	const baseline = baselineOf();
	const text = printBaseline(baseline);
	t.is(text, printBaseline({...baseline, classes: baseline.classes.toReversed()}));
	t.is(text.split('\n').filter(line => line.startsWith('\t\t{"family":')).length, 2);
	t.is(parseBaseline(printBaseline({...baseline, cases: []})).cases.length, 0);
});

type Json = Record<string, unknown>;
const damages: ReadonlyArray<readonly [title: string, damage: (json: Json) => unknown, message: string]> = [
	['another document', json => ({...json, kind: 'report'}), 'This is not a baseline: "kind" is not "sidecar-netfilter-baseline". testbed baseline create writes one.'],
	['a list', () => [], 'This baseline is damaged: the whole is an empty list; expected a mapping.'],
	['a newer version', json => ({...json, version: baselineVersion + 1}), `This baseline is of version ${baselineVersion + 1}, but this testbed reads up to version ${baselineVersion}: a newer one wrote it.`],
	['no version', ({version, ...json}) => json, 'This baseline is damaged: "version" is missing; expected a number.'],
	['a version that is a word', json => ({...json, version: 'one'}), 'This baseline is damaged: "version" is "one"; expected a number.'],
	['no class', json => ({...json, classes: []}), 'This baseline is damaged: "classes" is an empty list; expected a list of classes with at least one item.'],
	['classes that are no list', json => ({...json, classes: 'all'}), 'This baseline is damaged: "classes" is "all"; expected a list of classes.'],
	['version 0', json => ({...json, version: 0}), 'This baseline is damaged: "version" is 0; expected 2.'],
	['an older version', json => ({...json, version: 1}), 'This baseline is of version 1, from before the proxy behaved like Envoy: connections to ports 15090 and 15021 now continue to ports 15000 and 15020 on localhost, and connections to the proxy\'s own ports are closed, so old records would always differ. Create it again: testbed baseline create, with the rules that it was made of (release:1.30 -x "10.0.0.0/8").'],
	['an older version that names no rules', json => ({...json, version: 1, rules: null}), 'This baseline is of version 1, from before the proxy behaved like Envoy: connections to ports 15090 and 15021 now continue to ports 15000 and 15020 on localhost, and connections to the proxy\'s own ports are closed, so old records would always differ. Create it again: testbed baseline create, with the rules that it was made of.'],
	['a class of a family that is not recorded', json => withClass({...json, rules: {...json['rules'] as Json, families: ['ipv6']}}, {family: 'ipv4'}), 'This baseline is damaged: "classes[0].family" is ipv4, which is not in "rules.families".'],
	['a port of the source that there is not', json => withProbe(json, {sourcePort: 65_536}), 'This baseline is damaged: "classes[0].probe.sourcePort" is 65536; expected a whole number from 0 to 65535.'],
	['a back end that is none', json => ({...json, rules: {...json['rules'] as Json, backend: 'pf'}}), 'This baseline is damaged: "rules.backend" is "pf"; expected one of iptables-nft, iptables-legacy, nftables.'],
	['a source that is a number', json => ({...json, rules: {...json['rules'] as Json, source: 1}}), 'This baseline is damaged: "rules.source" is 1; expected a string.'],
	['rules of one family only', json => ({...json, ruleText: {ipv4: (json['ruleText'] as Json)['ipv4']}}), 'This baseline is damaged: "ruleText.ipv6" is missing; expected the lines of the rules.'],
	['rules that are not understood', json => ({...json, ruleText: {...json['ruleText'] as Json, ipv4: ['*nat', '-A NOWHERE -j ACCEPT', 'COMMIT']}}), 'This baseline is damaged: "ruleText.ipv4" has rules that are not understood: '],
	['a probe to no address', json => withProbe(json, {to: '10.0.0.1'}), 'This baseline is damaged: "classes[0].probe.to" is not an ipv4 address with a port.'],
	['a probe to a port that there is not', json => withProbe(json, {to: '10.0.0.1:70000'}), 'This baseline is damaged: "classes[0].probe.to" is not an ipv4 address with a port.'],
	['a probe of another family', json => withProbe(json, {to: '[::1]:80'}), 'This baseline is damaged: "classes[0].probe.to" is not an ipv4 address with a port.'],
	['a negative user', json => withProbe(json, {uid: -1}), 'This baseline is damaged: "classes[0].probe.uid" is -1; expected a whole number of at least 0.'],
	['a class that arrived nowhere', json => withClass(json, {arrivals: []}), 'This baseline is damaged: "classes[0].arrivals" is an empty list; expected a list with at least one item.'],
	['roles that are no lists', json => withClass(json, {roles: ['inbound-jump']}), 'This baseline is damaged: "classes[0].roles[0]" is "inbound-jump"; expected a list.'],
];

function withClass(json: Json, change: Json): Json {
	const [one, ...rest] = json['classes'] as readonly Json[];
	return {...json, classes: [{...one, ...change}, ...rest]};
}

function withProbe(json: Json, change: Json): Json {
	const [one] = json['classes'] as readonly Json[];
	return withClass(json, {probe: {...one!['probe'] as Json, ...change}});
}

for (const [title, damage, message] of damages) {
	test(`refused: ${title}`, t => {
		const text = JSON.stringify(damage(JSON.parse(printBaseline(baselineOf())) as Json));
		const error = t.throws(() => parseBaseline(text), {instanceOf: InputError});
		t.true(error.message.startsWith(message), error.message);
	});
}

test('refused: text that is not JSON, and a file that was cut off', t => {
	t.throws(() => parseBaseline(''), {instanceOf: InputError, message: /^This is not a baseline: it is not JSON/u});
	t.throws(() => parseBaseline(printBaseline(baselineOf()).slice(0, -40)), {instanceOf: InputError, message: /^This is not a baseline: it is not JSON/u});
});
