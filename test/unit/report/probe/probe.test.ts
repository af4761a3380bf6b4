import test from 'ava';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';
import {parseNftRule} from '../../../../src/netfilter/nftables/rule.js';
import {printBrief} from '../../../../src/report/probe/brief.js';
import {probeToJson} from '../../../../src/report/probe/json.js';
import {printProbe} from '../../../../src/report/probe/text.js';
import {exitStatusOfProbe, type ProbeReport} from '../../../../src/report/probe/types.js';
import {describeTarget} from '../../../../src/report/rules/describe-rule.js';
import {observed} from '../../../helpers/observed.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {sketchProbe, type ProbeSketch} from '../../../helpers/probes.js';
import {
	deleteRule, insertRule, replaceRule, type Mutation,
} from '../../../helpers/reports.js';

/** Many rules of somebody else in front. */
function foreignRules(count: number): Mutation {
	return ruleSet => {
		let installed = ruleSet;
		for (let number = 1; number <= count; number++) {
			installed = insertRule('OUTPUT', number, `-d 192.0.2.${number}/32 -j DROP`)(installed);
		}

		return installed;
	};
}

/** An answer for each thing that it has to say. The names are those of the goldens. */
const sketches: Readonly<Record<string, ProbeSketch>> = {
	'app-to-remote': {},
	'remote-to-app': {id: '1'},
	'own-service': {id: '4'},
	'first-leg': {id: '4', isFirstLegOnly: true},
	'ipv6-legacy': {families: ['ipv6'], isLegacy: true},
	'foreign-rules': {mutate: foreignRules(30), isFirstLegOnly: true},
	loop: {mutate: deleteRule('ISTIO_OUTPUT', 4), isFirstLegOnly: false},
	'not-understood': {isFirstLegOnly: true, misread: replaceRule('ISTIO_OUTPUT', 4, '-m addrtype --dst-type LOCAL -j RETURN')},
	misread: {isFirstLegOnly: true, misread: replaceRule('ISTIO_OUTPUT', 4, '-m owner --uid-owner 1000 -j RETURN')},
	'out-of-way': {isFirstLegOnly: true, misread: deleteRule('ISTIO_REDIRECT', 1)},
	inconclusive: {tamper: ({path}) => observed(path.legs, {gaps: [{kind: 'lost-events', message: 'The trace socket overflowed 3 times: events are lost.'}]})},
	'nothing-observed': {tamper: () => observed([])},
};

function print(report: ProbeReport, options: Partial<Parameters<typeof printProbe>[1]> = {}): string {
	return printProbe(report, {
		color: false, verbose: false, width: 80, ...options,
	});
}

for (const [name, sketch] of Object.entries(sketches)) {
	test(`text: ${name}`, t => {
		const text = print(sketchProbe(sketch));
		compareWithGolden(t, `probe/${name}.txt`, text);
		t.true(text.split('\n').every(line => line.length <= 80));
	});
}

test('brief: one line, with what is missing or found', t => {
	t.is(printBrief(sketchProbe(sketches['app-to-remote'])), 'answered: app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > remote:8080\n');
	t.regex(printBrief(sketchProbe(sketches['inconclusive'])), /^inconclusive: app > .* \(The trace socket overflowed 3 times: events are lost\.\)\n$/u);
	t.regex(printBrief(sketchProbe(sketches['misread'])), /^answered: app > .* \(1 finding; without --brief, the answer shows it\)\n$/u);
	t.regex(printBrief(sketchProbe(sketches['nothing-observed'])), /^inconclusive: no packet was seen[^\n]*\n$/u);
});

test('text: every hook and every rule with --verbose', t => {
	compareWithGolden(t, 'probe/verbose.txt', print(sketchProbe(sketches['foreign-rules']), {verbose: true}));
});

test('color changes nothing but color', t => {
	for (const name of ['app-to-remote', 'misread', 'inconclusive', 'foreign-rules', 'not-understood']) {
		const report = sketchProbe(sketches[name]);
		const colored = print(report, {color: true});
		t.not(colored, print(report));
		t.is(colored.replaceAll(/\u001B\[\d+m/gu, ''), print(report)); // eslint-disable-line no-control-regex -- The colors.
	}
});

test('JSON: a complete answer', t => {
	compareWithGolden(t, 'probe/answer.json', `${JSON.stringify(probeToJson(sketchProbe({id: '2'})), undefined, '\t')}\n`);
});

test('JSON: a contradiction of each kind, gaps, and every key where nothing was observed', t => {
	const jsonOf = (name: string) => probeToJson(sketchProbe(sketches[name])) as Readonly<Record<string, unknown>>;
	t.like(jsonOf('misread'), {outcome: 'answered', contradictions: [{leg: 0, kind: 'match-without-hit', rule: {chain: 'ISTIO_OUTPUT', number: 4}}]});
	t.like(jsonOf('out-of-way'), {contradictions: [{kind: 'out-of-way', rule: {chain: 'ISTIO_REDIRECT', number: 1}}]});
	const [withGap, withNothing] = [jsonOf('inconclusive'), jsonOf('nothing-observed')];
	t.like(withGap, {outcome: 'inconclusive', gaps: [{kind: 'lost-events'}]});
	t.like(withNothing, {outcome: 'inconclusive', stops: [], path: [], legs: [], gaps: [{kind: 'not-traced'}]});
	t.deepEqual(Object.keys(withNothing), Object.keys(jsonOf('app-to-remote')));
});

test('the exit status', t => {
	t.is(exitStatusOfProbe(sketchProbe()), 0);
	t.is(exitStatusOfProbe(sketchProbe(sketches['misread'])), 0, 'the kernel has answered all the same');
	t.is(exitStatusOfProbe(sketchProbe(sketches['inconclusive'])), 3);
	t.is(exitStatusOfProbe({gaps: [], legs: []}), 3, 'what nobody saw is no answer');
});

/** Rules, and what they do, in words. A rule stands in a user chain unless it says otherwise. */
const deeds: ReadonlyArray<readonly [rule: string, does: string]> = [
	['-j RETURN', 'returns: nothing more in this chain'],
	['-j ACCEPT', 'accepts: nothing more in this table here'],
	['-j DROP', 'drops it'],
	['-j QUEUE', 'hands it to a program in user space'],
	['-j ISTIO_OUTPUT', 'continues in ISTIO_OUTPUT'],
	['-g OTHER', 'continues in OTHER and does not come back here'],
	['-p tcp -j REDIRECT --to-ports 15001', 'redirects to port 15001'],
	['-p tcp -j REDIRECT --to-ports 1-9', 'redirects to port 1 to 9'],
	['-j REDIRECT', 'redirects to this host and keeps the port'],
	['-p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff', 'gives it to the transparent listener on port 15006, marked 0x539'],
	['-p tcp -j TPROXY --on-port 15006', 'gives it to the transparent listener on port 15006'],
	['-j MARK --set-xmark 0x539/0xffffffff', 'sets the mark to 0x539; the next rule follows'],
	['-j MARK --set-xmark 0x111/0xfff', 'sets the mark to 0x111 in the bits 0xfff; the next rule follows'],
	['-j CONNMARK --set-xmark 0x111/0xfff', 'sets the connection\'s mark to 0x111 in the bits 0xfff; the next rule follows'],
	['-j CONNMARK --save-mark', 'copies the mark to the connection; the next rule follows'],
	['-j CONNMARK --restore-mark', 'copies the connection\'s mark to the packet; the next rule follows'],
	['-j CT --zone 1', 'puts the connection into conntrack zone 1; the next rule follows'],
	['-j LOG --log-prefix hello', 'does LOG --log-prefix hello'],
	['-j MASQUERADE', 'does MASQUERADE'],
	['-p tcp', 'only counts; the next rule follows'],
	['tcp dport 1 counter redirect to :15001', 'redirects to port 15001'],
];

test('what a rule does, in words', t => {
	for (const [text, does] of deeds) {
		const {target} = text.startsWith('-') ? parseRuleText(text, 'ipv4') : parseNftRule(text);
		t.is(describeTarget(target, {isInBaseChain: false}), does, text);
	}

	t.is(describeTarget({kind: 'verdict', verdict: 'return'}, {isInBaseChain: true}), 'returns: nothing more in this chain, its policy decides');
});
