/**
The expectation walks the options, the sketch walks the rules that the real istio-iptables writes for them: for any options, an honest run over those rules has to pass. What both have in common is only who sends what.
*/

import test from 'ava';
import fc from 'fast-check';
import {typeIds} from '../../../../src/istio/traffic/six-types.js';
import {outcomesOf, sketchReport} from '../../../helpers/reports.js';

const ports = ['8080', '15012', '15090', '80', '8000:9000', '15000:16000'];
const ranges = ['10.244.1.0/24', '10.244.1.20/32', '10.96.0.0/12', '0.0.0.0/0', '192.168.0.0/16', '2001:db8:1::/64', '2001:db8:96::/108'];

function list(items: readonly string[], maxLength = 2): fc.Arbitrary<string> {
	return fc.uniqueArray(fc.constantFrom(...items), {maxLength}).map(found => found.join(','));
}

function flag(name: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> {
	return fc.option(values, {nil: undefined}).map(value => value === undefined ? '' : `${name} "${value}"`);
}

const options = fc.tuple(
	flag('-b', fc.oneof(fc.constant('*'), list(ports))),
	flag('-d', list(ports, 3)),
	flag('-o', list(ports)),
	flag('-q', list(ports)),
	flag('-i', fc.oneof(fc.constant('*'), list(ranges))),
	flag('-x', list(ranges)),
	flag('-e', fc.constantFrom('8080', '15090', '15008')),
	flag('-p', fc.constantFrom('15001', '15003')),
	flag('-z', fc.constantFrom('15006', '15007')),
	// The proxy's is the first: the rules of a later UID are shadowed on lo, which is a fault of such rules and not of the expectation.
	flag('-u', fc.constantFrom('1337', '1337,64535')),
	flag('-g', fc.constantFrom('1337', '1000', '0', '5,1337', '')),
).map(parts => parts.filter(part => part !== '').join(' '));

const user = fc.record({uid: fc.constantFrom(0, 1000, 1337), gid: fc.constantFrom(0, 1000, 1337)});

test('rules as the options say pass, whatever the options', t => {
	t.notThrows(() => {
		fc.assert(fc.property(options, fc.record({app: user, agent: user}), fc.boolean(), fc.constantFrom('ipv4' as const, 'ipv6' as const), (text, actors, isLegacy, family) => {
			const report = sketchReport({
				input: `release:1.30 ${text}`, actors, families: [family], ids: typeIds, isLegacy,
			});
			t.is(outcomesOf(report), typeIds.map(id => `${id} pass`).join(', '), text);
		}), {numRuns: 1500, seed: 1337});
	});
});
