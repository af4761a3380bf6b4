import test from 'ava';
import {coverageOf, unreachedBy, type CoveredLegs, type RuleCoverage} from '../../../src/judge/rule-coverage.js';
import type {Leg, RuleHit, Traversal} from '../../../src/netfilter/path.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {describeUnreached} from '../../../src/report/coverage/describe.js';
import {ofIstio} from '../../helpers/mesh.js';

function setOf(...rules: readonly string[]): RuleSet {
	return parseSave(`*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:ONE -\n:TWO -\n${rules.map(rule => `-A ${rule}\n`).join('')}COMMIT\n`, 'ipv4');
}

/** A leg of the app to port 8080 that met some rules in OUTPUT, written `ONE#2`. */
function legThrough(ruleSet: RuleSet, ...places: readonly string[]): CoveredLegs[number] {
	const [source, destination] = [{address: '10.244.1.10', port: 40_000}, {address: '10.244.1.20', port: 8080}];
	const hits = places.map((place): RuleHit => {
		const [chain = '', number] = place.split('#');
		const rule = ruleSet.tables[0]!.chains.find(({name}) => name === chain)!.rules[Number(number) - 1]!;
		return {
			family: 'ip', table: 'nat', chain, number: rule.number, handle: undefined, text: rule.text, verdict: undefined,
		};
	});
	const traversal: Traversal = {
		hook: 'output', family: 'ip', table: 'nat', chain: 'OUTPUT', hits, end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: 'eth0', source, destination,
	};
	const leg: Leg = {
		actor: 'app', family: 'ipv4', protocol: 'tcp', from: source, to: destination, socket: {uid: 1000, gid: 1000}, traversals: [traversal], end: {kind: 'refused'},
	};
	return {leg, mark: 0};
}

function coverage(ruleSet: RuleSet, complete: CoveredLegs, types: CoveredLegs = []): ReadonlyMap<string, RuleCoverage> {
	const all = coverageOf(ofIstio(ruleSet), {families: ['ipv4'], cases: {types, complete}, complete});
	return new Map(all.map(rule => [rule.place, rule]));
}

function whyOf(ruleSet: RuleSet, complete: CoveredLegs, place: string): string {
	const rule = coverage(ruleSet, complete).get(place)!;
	return rule.unreached === null ? 'reached' : describeUnreached(rule.unreached, rule);
}

test('hits are counted by case, and the deciding one is told apart', t => {
	const ruleSet = setOf('OUTPUT -j ONE', 'ONE -p tcp -j REDIRECT --to-ports 15001');
	const leg = legThrough(ruleSet, 'OUTPUT#1', 'ONE#1');
	const all = coverage(ruleSet, [leg, leg], [leg]);
	t.deepEqual(all.get('OUTPUT#1')!.reach, {types: {hits: 1, decided: 0}, complete: {hits: 2, decided: 0}});
	t.deepEqual(all.get('ONE#1')!.reach, {types: {hits: 1, decided: 1}, complete: {hits: 2, decided: 2}});
	t.is(all.get('ONE#1')!.unreached, null);
});

test('a rule after one that takes its packets is shadowed by it', t => {
	const ruleSet = setOf('OUTPUT -j ONE', 'ONE -p tcp -j ACCEPT', 'ONE -p tcp -m tcp --dport 8080 -j ACCEPT');
	t.is(whyOf(ruleSet, [legThrough(ruleSet, 'OUTPUT#1', 'ONE#1')], 'ONE#2'), 'shadowed: what it would match is handled earlier, by ONE#1 (1 packet)');
});

test('a rule after one that takes only other packets is not shadowed by it', t => {
	const ruleSet = setOf('OUTPUT -j ONE', 'ONE -p tcp -j ACCEPT', 'ONE -p udp -j ACCEPT');
	t.is(whyOf(ruleSet, [legThrough(ruleSet, 'OUTPUT#1', 'ONE#1')], 'ONE#2'), 'earlier rules end the path of all 1 packets that enter its chain, and it would match none of them');
});

test('a rule that is tested and never matches is reported with the condition that fails', t => {
	const ruleSet = setOf('OUTPUT -o docker0 -p tcp -j ACCEPT', 'OUTPUT -m owner --uid-owner 5 -j ACCEPT');
	const legs = [legThrough(ruleSet), legThrough(ruleSet)];
	t.is(whyOf(ruleSet, legs, 'OUTPUT#1'), '2 packets enter its chain, and none meets its conditions: -o docker0 (2)');
	t.is(whyOf(ruleSet, legs, 'OUTPUT#2'), '2 packets enter its chain, and none meets its conditions: --uid-owner 5 (2)');
});

test('a chain that no packet reaches is reported with the rules that lead to it', t => {
	const ruleSet = setOf('OUTPUT -p udp -j ONE', 'ONE -j ACCEPT', 'TWO -j ACCEPT', 'PREROUTING -j ACCEPT');
	const legs = [legThrough(ruleSet)];
	t.is(whyOf(ruleSet, legs, 'ONE#1'), 'no packet enters its chain; OUTPUT#1 would lead there');
	t.is(whyOf(ruleSet, legs, 'TWO#1'), 'no rule leads to its chain');
	t.is(whyOf(ruleSet, legs, 'PREROUTING#1'), 'no packet reaches the hook of its chain');
});

test('what a scenario reaches is reachable, even if no class of the default topology reaches it', t => {
	const ruleSet = setOf('OUTPUT -p tcp -j ACCEPT');
	const all = coverage(ruleSet, [legThrough(ruleSet)], [legThrough(ruleSet, 'OUTPUT#1')]);
	t.is(all.get('OUTPUT#1')!.unreached, null);
});

test('cases are measured by what is reachable, the complete ones by everything', t => {
	const ruleSet = setOf('OUTPUT -p tcp -j ONE', 'ONE -p udp -j ACCEPT');
	const all = [...coverage(ruleSet, [legThrough(ruleSet, 'OUTPUT#1')]).values()];
	t.deepEqual(unreachedBy(all, 'types').map(({place}) => place), ['OUTPUT#1']);
	t.deepEqual(unreachedBy(all, 'complete').map(({place}) => place), ['ONE#1']);
});
