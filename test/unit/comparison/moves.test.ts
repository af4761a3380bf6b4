/** What moved: how it is named, weighed, ordered and told in few statements. */

import test from 'ava';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {
	arrivalsOf, isSame, rolesOnPath, severities, severityOf, type ProbedLeg, type Severity,
} from '../../../src/comparison/moves.js';
import {rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';
import {compareSets} from '../../helpers/probe-results.js';
import {ofIstio} from '../../helpers/mesh.js';

const leg: ProbedLeg = {
	actor: 'app', family: 'ipv4', protocol: 'tcp', from: {address: '10.244.1.10', port: 40_000}, to: {address: '192.0.2.1', port: 80}, socket: {uid: 1000, gid: 1000}, traversals: [], end: {kind: 'accepted', stop: 'remote:80'}, deliveredTo: {address: '192.0.2.1', port: 80},
};
const redirected = {address: '127.0.0.1', port: 15_001};

const arrivals: ReadonlyArray<readonly [expected: string, change: Partial<ProbedLeg>]> = [
	['direct', {}],
	['direct', {end: {kind: 'refused'}}],
	['proxy:15001', {end: {kind: 'accepted', stop: 'proxy:15001'}, deliveredTo: redirected}],
	['port 15001, where nobody listens', {end: {kind: 'refused'}, deliveredTo: redirected}],
	['port 15001, whose answer does not come back', {end: {kind: 'unknown', reason: 'no answer came in time'}, deliveredTo: redirected}],
	['proxy:80', {end: {kind: 'accepted', stop: 'proxy:80'}, isLedAway: true}],
	['port 80, where nobody listens', {end: {kind: 'refused'}, isLedAway: true}],
	['dropped', {end: {kind: 'dropped', by: undefined}, deliveredTo: undefined}],
	['dropped', {end: {kind: 'dropped', by: undefined}}],
	['unreachable', {end: {kind: 'unreachable', reason: 'no route'}, deliveredTo: undefined}],
	['nowhere (172.17.0.2:80)', {
		end: {
			kind: 'nowhere', at: {address: '172.17.0.2', port: 80}, by: undefined, reason: '',
		}, deliveredTo: undefined,
	}],
	['lost', {
		end: {
			kind: 'lost', at: redirected, by: undefined, reason: '',
		}, deliveredTo: undefined,
	}],
	['answer-dropped', {
		end: {
			kind: 'answer-dropped', at: redirected, by: undefined, reason: '',
		}, deliveredTo: undefined,
	}],
	['unknown', {end: {kind: 'unknown', reason: 'nobody saw it'}, deliveredTo: undefined}],
];

for (const [expected, change] of arrivals) {
	test(`a leg that was ${(change.end ?? leg.end).kind} at ${change.deliveredTo?.port ?? 'no'} port arrived: ${expected}, of ${Object.keys(change).length} changes`, t => {
		t.deepEqual(arrivalsOf({legs: [{...leg, ...change}], gaps: [], isLoop: false}), [expected]);
		t.deepEqual(arrivalsOf({legs: [leg, {...leg, ...change}], gaps: [], isLoop: true}), ['direct', expected, 'loop']);
	});
}

const weights: ReadonlyArray<readonly [severity: Severity, from: readonly string[], to: readonly string[]]> = [
	['path', ['direct'], ['direct']],
	['path', ['dropped'], ['dropped']],
	['bypass', ['proxy:15001', 'direct'], ['direct']],
	['bypass', ['agent:15053'], ['direct']],
	['lost', ['direct'], ['dropped']],
	['lost', ['proxy:15001', 'direct'], ['proxy:15001', 'unreachable']],
	['lost', ['direct'], ['port 15001, where nobody listens']],
	['lost', ['direct'], ['port 15001, whose answer does not come back']],
	['lost', ['direct'], ['unknown']],
	['lost', ['direct'], ['nowhere (172.17.0.2:80)']],
	['lost', ['proxy:15001', 'direct'], ['lost']],
	['lost', ['proxy:15001', 'direct'], ['proxy:15001', 'answer-dropped']],
	['elsewhere', ['nowhere (172.17.0.2:80)'], ['lost']],
	['loop', ['direct'], ['proxy:15001', 'proxy:15001', 'loop']],
	['elsewhere', ['direct'], ['proxy:15001', 'direct']],
	['elsewhere', ['dropped'], ['direct']],
	['elsewhere', ['dropped'], ['unreachable']],
	['elsewhere', ['proxy:15001', 'loop'], ['proxy:15006', 'loop']],
	['elsewhere', ['proxy:15001', 'direct'], ['proxy:15001', 'proxy:15006', 'direct']],
];

for (const [severity, from, to] of weights) {
	test(`${severity}: ${from.join(' > ')} → ${to.join(' > ')}`, t => {
		t.is(severityOf(from, to), severity);
	});
}

test('the order of words counts, and their number', t => {
	t.true(isSame([], []));
	t.true(isSame(['a', 'b'], ['a', 'b']));
	t.false(isSame(['a', 'b'], ['b', 'a']));
	t.false(isSame(['a'], ['a', 'b']));
});

test('a rule without a role goes by its text, and without one by its handle', t => {
	const hit = {family: 'ip', table: 'nat', chain: 'OUTPUT', verdict: 'return'} as const;
	const met: ProbedLeg = {
		...leg, traversals: [{
			hook: 'output', family: 'ip', table: 'nat', chain: 'OUTPUT', hits: [{
				...hit, number: 1, handle: 7, text: '-p tcp -m tcp --dport 80 -j RETURN',
			}, {
				...hit, number: undefined, handle: 8, text: undefined,
			}, {
				...hit, number: undefined, handle: undefined, text: undefined,
			}], end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: 'eth0', source: leg.from, destination: leg.to,
		}],
	};
	t.deepEqual(rolesOnPath(met, ofIstio(rulesOfTable('nat', ['-A OUTPUT -p tcp -m tcp --dport 80 -j RETURN']))), ['OUTPUT -p tcp -m tcp --dport 80 -j RETURN', 'OUTPUT handle 8', 'OUTPUT handle ?']);
});

const base = ['-A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN', '-A OUTPUT -p tcp -o eth0 -j REDIRECT --to-ports 15001'];

function withRules(...lines: readonly string[]) {
	return rulesOfTable('nat', [...lines, ...base]);
}

test('the most severe comes first: bypass, lost, loop, elsewhere, path', t => {
	const filtered = parseSave(['*nat', ':OUTPUT ACCEPT', '-A OUTPUT -p tcp -m tcp --dport 6000:6999 -j RETURN', '-A OUTPUT -p tcp -m tcp --dport 4000 -j REDIRECT --to-ports 15053', '-A OUTPUT -p tcp -m tcp --dport 5000 -j REDIRECT --to-ports 15001', ...base, 'COMMIT', '*filter', ':OUTPUT ACCEPT', '-A OUTPUT -p udp -m udp --dport 7000 -j DROP', 'COMMIT', ''].join('\n'), 'ipv4');
	const {statements, outcome} = compareSets(withRules(), filtered, {arePathsCompared: true});
	t.is(outcome, 'moved');
	const found = statements.map(({severity}) => severity);
	t.deepEqual(found, found.toSorted((one, other) => severities.indexOf(one) - severities.indexOf(other)));
	t.deepEqual([...new Set(found)], ['bypass', 'lost', 'loop', 'elsewhere', 'path']);
});

test('packets that moved in the same way are one statement, over ranges, with its cause and a probe that shows it', t => {
	const {statements} = compareSets(withRules(), withRules('-A OUTPUT -p tcp -d 10.96.0.0/12 -m multiport --dports 80,443 -j RETURN'));
	t.deepEqual(statements.map(({severity, traffic, from, to}) => ({
		severity, traffic, from, to,
	})), [{
		severity: 'bypass', traffic: ['TCP from any user but 1337 to 10.96.0.0/12, port 80, 443'], from: ['proxy:15001', 'direct'], to: ['direct'],
	}]);
	const [{cause, example, classes, families}] = statements as [typeof statements[number]];
	t.is(cause.text, 'OUTPUT#1 (-p tcp -d 10.96.0.0/12 -m multiport --dports 80,443 -j RETURN) is new');
	t.is(example.kind, 'inner');
	t.true([80, 443].includes(example.destination.port));
	t.is(classes, 1);
	t.deepEqual(families, ['ipv4']);
});

test('the same move in both families is one statement; different ones are two', t => {
	const [from, to] = [rulesOfRelease('release:1.30'), rulesOfRelease('release:1.30 -o 9090')];
	const [both, ...more] = compareSets(from, to, {families: ['ipv4', 'ipv6']}).statements.filter(statement => statement.severity === 'bypass' && statement.from[0] === 'proxy:15001');
	t.deepEqual(more, []);
	t.deepEqual(both!.families, ['ipv4', 'ipv6']);
	const alone = compareSets(from, to).statements.find(statement => statement.severity === 'bypass' && statement.from[0] === 'proxy:15001');
	t.deepEqual(alone!.families, ['ipv4']);
	t.deepEqual(both!.traffic, alone!.traffic);
	t.true(both!.classes > alone!.classes);
	const {statements} = compareSets(from, rulesOfRelease('release:1.30 -x 10.1.0.0/16,2001:db8:5::/64'), {families: ['ipv4', 'ipv6']});
	t.deepEqual(statements.filter(statement => statement.severity === 'bypass' && statement.from[0] === 'proxy:15001').map(({families}) => families.join(' ')).toSorted(), ['ipv4', 'ipv6']);
});
