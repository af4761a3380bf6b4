/** Which rules a packet can have come to, by its trace. */

import test from 'ava';
import {canMatter, farthestRules} from '../../../src/mutation/farthest-rules.js';
import {isOnWithout} from '../../../src/netfilter/conntrack-need.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {findRule} from '../../../src/netfilter/lookup.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {Leg, RuleHit, Traversal} from '../../../src/netfilter/path.js';
import type {RuleSet, Verdict} from '../../../src/netfilter/types.js';

const ruleSet = parseSave(`*nat
:PREROUTING ACCEPT
:OUTPUT ACCEPT
:ONE -
:TWO -
-A OUTPUT -d 10.0.0.1 -j ACCEPT
-A OUTPUT -p tcp -j ONE
-A OUTPUT -p udp -j ONE
-A OUTPUT -d 10.0.0.9 -j ACCEPT
-A ONE -d 10.0.0.2 -j RETURN
-A ONE -d 10.0.0.3 -j TWO
-A ONE -d 10.0.0.4 -g TWO
-A ONE -d 10.0.0.5 -j RETURN
-A TWO -p tcp -d 10.0.0.6 -j REDIRECT --to-ports 15001
-A TWO -d 10.0.0.7 -j ACCEPT
COMMIT
*mangle
:OUTPUT ACCEPT
-A OUTPUT -p tcp -j ACCEPT
COMMIT
`, 'ipv4');

type Ended = 'rule' | 'policy' | 'open';

/** A packet through nat OUTPUT that hits rules, given as `ONE#2`. */
function traversalOf(hits: readonly string[], by: Ended, {family = 'ip', table = 'nat', verdict}: {readonly family?: 'ip' | 'inet'; readonly table?: string; readonly verdict?: Verdict} = {}): Traversal {
	return {
		hook: 'output', family, table, chain: 'OUTPUT',
		hits: hits.map((place): RuleHit => {
			const [chain, number] = place.split('#');
			return {
				family, table, chain: chain!, number: number === '?' ? undefined : Number(number), handle: undefined, text: undefined, verdict,
			};
		}),
		end: by === 'open' ? {by} : {by, verdict: 'accept'},
	} as unknown as Traversal;
}

function legOf(...traversals: readonly Traversal[]): Leg {
	return {traversals} as unknown as Leg;
}

/** How far a packet came, as `OUTPUT#2 ONE#all`. */
function farthestOf(traversals: readonly Traversal[], rules: RuleSet = ruleSet): string {
	const farthest = farthestRules([legOf(...traversals)], rules);
	return farthest === undefined ? 'unknown' : [...farthest].map(([key, number]) => `${key.split(' ').at(-1)!}#${number === Number.POSITIVE_INFINITY ? 'all' : number}`).toSorted().join(' ');
}

const walks: ReadonlyArray<readonly [title: string, hits: readonly string[], by: Ended, farthest: string]> = [
	['no rule matches', [], 'policy', 'OUTPUT#all'],
	['a rule ends the walk', ['OUTPUT#1'], 'rule', 'OUTPUT#1'],
	['the packet leaves a chain by its end', ['OUTPUT#2'], 'policy', 'ONE#all OUTPUT#all'],
	['the packet leaves a chain by its end, and another rule leads there again', ['OUTPUT#2', 'OUTPUT#4'], 'rule', 'ONE#all OUTPUT#4'],
	['RETURN', ['OUTPUT#2', 'ONE#1'], 'policy', 'ONE#1 OUTPUT#all'],
	['RETURN, and a later rule ends the walk', ['OUTPUT#2', 'ONE#1', 'OUTPUT#4'], 'rule', 'ONE#1 OUTPUT#4'],
	['a chain is entered twice', ['OUTPUT#2', 'ONE#1', 'OUTPUT#3', 'ONE#4'], 'policy', 'ONE#4 OUTPUT#all'],
	['a rule of a third chain ends the walk', ['OUTPUT#2', 'ONE#2', 'TWO#1'], 'rule', 'ONE#2 OUTPUT#2 TWO#1'],
	['the packet comes back through two chains', ['OUTPUT#2', 'ONE#2'], 'policy', 'ONE#all OUTPUT#all TWO#all'],
	['goto', ['OUTPUT#2', 'ONE#3', 'TWO#2'], 'rule', 'ONE#3 OUTPUT#2 TWO#2'],
	['goto does not come back to its chain, which counts as asked to the end all the same', ['OUTPUT#2', 'ONE#3', 'OUTPUT#4'], 'rule', 'ONE#all OUTPUT#4 TWO#all'],
	['a rule that is not in the set', ['OUTPUT#?'], 'rule', 'unknown'],
	['a rule with a number that the chain does not have', ['OUTPUT#9'], 'rule', 'unknown'],
	['a chain that is not in the set', ['OUTPUT#2', 'GONE#1'], 'rule', 'unknown'],
	['a chain that nothing led to', ['TWO#1'], 'rule', 'unknown'],
];

for (const [title, hits, by, farthest] of walks) {
	test(`how far: ${title}`, t => {
		t.is(farthestOf([traversalOf(hits, by)]), farthest);
	});
}

test('of several packets, the one that came farthest counts', t => {
	t.is(farthestOf([traversalOf(['OUTPUT#1'], 'rule'), traversalOf(['OUTPUT#4'], 'rule'), traversalOf(['OUTPUT#2', 'ONE#1', 'OUTPUT#4'], 'rule')]), 'ONE#1 OUTPUT#4');
});

test('an end that the trace does not say counts as the end of the chain', t => {
	t.is(farthestOf([traversalOf(['OUTPUT#1'], 'open')]), 'OUTPUT#all');
});

test('a verdict map of nft leads to a chain that the trace does not name', t => {
	const native = parseNft('table inet t { chain OUTPUT { type nat hook output priority -100; ip daddr vmap { 10.0.0.1 : jump ONE, 10.0.0.2 : return } } \n chain ONE { tcp dport 80 redirect to :15001 } }');
	const inet = {family: 'inet', table: 't'} as const;
	t.is(farthestOf([traversalOf(['OUTPUT#1', 'ONE#1'], 'rule', {...inet, verdict: 'jump'})], native), 'unknown');
	t.is(farthestOf([traversalOf(['OUTPUT#1'], 'policy', {...inet, verdict: 'return'})], native), 'unknown');
});

/** Whether a change of a rule matters to these packets; of an extra rule, if the chain has none with that number. */
function matters(traversals: readonly Traversal[], chain: string, number: number, {table = 'nat', rules = ruleSet}: {readonly table?: string; readonly rules?: RuleSet} = {}): boolean {
	const rule = findRule(rules, {
		family: 'ip', table, chain, number,
	}) ?? {...rules.tables[0]!.chains.find(({rules}) => rules.length > 0)!.rules[0]!, number};
	return canMatter({
		family: 'ip', table, chain, rule,
	}, farthestRules([legOf(...traversals)], rules), rules);
}

test('a change matters up to the last rule that was asked', t => {
	const packets = [traversalOf(['OUTPUT#2', 'ONE#1', 'OUTPUT#4'], 'rule')];
	t.deepEqual([1, 2, 3, 4].map(number => matters(packets, 'ONE', number)), [true, false, false, false]);
	t.deepEqual([1, 4, 5].map(number => matters(packets, 'OUTPUT', number)), [true, true, false]);
	t.false(matters(packets, 'TWO', 2), 'no packet entered it');
	t.false(matters(packets, 'PREROUTING', 1));
});

test('outside nat every change matters, and where the trace does not say', t => {
	const packets = [traversalOf(['OUTPUT#1'], 'rule'), traversalOf([], 'policy', {table: 'mangle'})];
	t.deepEqual([...farthestRules([legOf(...packets)], ruleSet)!.keys()], ['ip nat OUTPUT']);
	t.false(matters(packets, 'TWO', 2));
	t.true(matters(packets, 'OUTPUT', 1, {table: 'mangle'}));
	t.true(matters([traversalOf(['OUTPUT#?'], 'rule')], 'TWO', 2));
	t.true(matters(packets, 'TWO', 2, {table: 'unknown'}));
});

test('a change of the only rule that turns conntrack on matters to every packet, for nat is skipped without it', t => {
	const rules = (second: string): RuleSet => parseSave(`*nat\n:OUTPUT ACCEPT\n:ONE -\n-A OUTPUT -d 10.0.0.1 -j ACCEPT\n-A OUTPUT -p tcp -j ONE\n-A ONE -p tcp -j REDIRECT --to-ports 1\n-A ONE -p udp ${second}\nCOMMIT\n`, 'ipv4');
	const packets = [traversalOf(['OUTPUT#1'], 'rule')];
	t.true(matters(packets, 'ONE', 1, {rules: rules('-j ACCEPT')}));
	t.false(matters(packets, 'ONE', 2, {rules: rules('-j ACCEPT')}));
	t.false(matters(packets, 'ONE', 1, {rules: rules('-j REDIRECT --to-ports 2')}));
});

test('conntrack is counted by family', t => {
	const inet = parseNft('table inet t { chain OUTPUT { type nat hook output priority -100; tcp dport 1 accept; tcp dport 2 redirect to :15001 } } \n table ip6 u { chain OUTPUT { type filter hook output priority 0; ct state new accept } }');
	const rule = findRule(inet, {
		family: 'inet', table: 't', chain: 'OUTPUT', number: 2,
	})!;
	t.false(isOnWithout(rule, 'inet', inet), 'no other rule needs it for IPv4');
	t.true(isOnWithout(rule, 'ip6', inet));
	t.false(isOnWithout(rule, 'ip', inet));
});
