import test from 'ava';
import type {Leg} from '../../../../src/netfilter/path.js';
import {printText} from '../../../../src/report/run/text.js';
import {repetitionOf} from '../../../../src/report/run/text-path.js';
import type {Report} from '../../../../src/report/run/types.js';
import {typeIds} from '../../../../src/istio/traffic/six-types.js';
import type {Gap} from '../../../../src/trace/gap.js';
import {observed} from '../../../helpers/observed.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {
	deleteRule, insertRule, moveRule, replaceRule, sketchReport, type RunSketch,
} from '../../../helpers/reports.js';

const lost: readonly Gap[] = [
	{kind: 'lost-events', message: 'The trace socket overflowed 3 times; how many events were lost is not known.'},
	{kind: 'counter-mismatch', message: 'ISTIO_OUTPUT#9 counted 2 packets, and the trace shows 1.'},
];

const bigUser = {uid: 4_294_967_294, gid: 4_294_967_294};
const longComment = '-p tcp -m comment --comment "a comment that says more of this rule than fits on any line of a terminal, and does not end before it" -m tcp --dport 8080 -j ACCEPT';

/** A report for each thing that the text has to say. The names are those of the goldens. */
const sketches: Readonly<Record<string, RunSketch>> = {
	'six-types': {},
	'both-families': {families: ['ipv4', 'ipv6'], ids: ['1', '6']},
	'all-types-legacy': {ids: typeIds, isLegacy: true, actors: {agent: {uid: 0, gid: 0}}},
	'passthrough-source-deleted': {ids: ['1', '4'], mutate: deleteRule('ISTIO_OUTPUT', 1)},
	'hairpin-deleted': {ids: ['4', '5'], mutate: deleteRule('ISTIO_OUTPUT', 2)},
	'bypass-deleted': {ids: ['2'], mutate: deleteRule('ISTIO_OUTPUT', 4)},
	'capture-deleted': {ids: ['2', '4'], mutate: deleteRule('ISTIO_OUTPUT', 9)},
	'bypass-moved': {ids: ['4'], mutate: moveRule('ISTIO_OUTPUT', {from: 4, to: 2})},
	'redirect-port-changed': {ids: ['2'], mutate: replaceRule('ISTIO_REDIRECT', 1, '-p tcp -j REDIRECT --to-ports 15999')},
	'foreign-rule': {ids: ['2'], mutate: insertRule('OUTPUT', 1, longComment)},
	'proxy-of-another-user': {ids: ['2', '4'], actors: {proxy: {uid: 1338, gid: 1338}}},
	'two-uids': {input: 'release:1.30 -u 64535,1337', ids: ['4', '5']},
	'surplus-leg': {ids: ['3'], mutate: deleteRule('ISTIO_INBOUND', 2)},
	'another-actor': {ids: ['2'], tamper: ({path}) => observed(path.legs.map(leg => ({...leg, actor: 'agent'})))},
	inconclusive: {ids: ['1', '2'], tamper: ({path}, {id}) => observed(path.legs, {gaps: id === '2' ? lost : []})},
	'nothing-observed': {ids: ['2'], tamper: () => observed([])},
	'not-accepted': {
		ids: ['2', '6'],
		tamper: ({path}, {id}) => observed(path.legs.map((leg): Leg => ({...leg, end: id === '2' ? {kind: 'unreachable', reason: 'EHOSTUNREACH'} : {kind: 'dropped', by: undefined}})).slice(0, 1)),
	},
	'wide-values': {
		families: ['ipv6'], ids: ['4'], actors: {app: bigUser, proxy: {uid: 1337, gid: 4_294_967_294}},
	},
};

function reportOf(sketch: RunSketch): Report {
	return sketchReport(sketch);
}

function print(report: Report, options: Partial<Parameters<typeof printText>[1]> = {}): string {
	return printText(report, {
		color: false, verbose: false, width: 80, ...options,
	});
}

for (const [name, sketch] of Object.entries(sketches)) {
	test(`text: ${name}`, t => {
		compareWithGolden(t, `text/${name}.txt`, print(reportOf(sketch)));
	});
}

test('text: verbose', t => {
	compareWithGolden(t, 'text/verbose.txt', print(reportOf({ids: ['1', '4']}), {verbose: true}));
	compareWithGolden(t, 'text/verbose-legacy.txt', print(reportOf({ids: ['2'], isLegacy: true}), {verbose: true}));
});

test('text: hints and long times', t => {
	const report = {...reportOf({ids: ['6']}), hints: ['The rules exempt UID 1337 as the proxy, but the proxy of this run has UID 0, so its connections are captured again.'], durationMs: 12_345};
	compareWithGolden(t, 'text/hints.txt', print(report));
});

function ruleTextsOf({types}: Report): readonly string[] {
	const traversals = types.flatMap(({legs}) => legs.flatMap(leg => leg.traversals));
	return traversals.flatMap(({hits}) => hits.map(({text}) => text ?? ''));
}

const colors = new RegExp(String.raw`${'\u001B'}\[\d+m`, 'gu');

for (const [name, sketch] of Object.entries(sketches)) {
	for (const verbose of [false, true]) {
		test(`no line is too long, nothing is cut off, and color changes no letter: ${name}${verbose ? ', verbose' : ''}`, t => {
			const report = reportOf(sketch);
			const plain = print(report, {verbose});
			t.false(plain.includes('\u001B'));
			t.is(print(report, {verbose, color: true}).replaceAll(colors, ''), plain);
			for (const line of plain.split('\n')) {
				t.true(line.length <= 80, line);
				t.is(line, line.trimEnd());
			}

			for (const width of [80, 100]) {
				const words = print(report, {verbose, width}).split(/\s+/).join(' ');
				t.true(ruleTextsOf(report).every(text => words.includes(text)));
			}
		});
	}
}

test('color is used if it is wanted', t => {
	t.regex(print(reportOf({}), {color: true}), colors);
});

test('on a narrow terminal lines are short, and no word is lost', t => {
	const words = (text: string) => text.replaceAll(/\s+/g, '');
	t.is(words(print(reportOf({}), {width: 40})), words(print(reportOf({}), {width: 200})));
});

for (const [items, expected] of [
	['', [0, 0, 1]],
	['abc', [0, 3, 1]],
	['abbbb', [1, 1, 4]],
	['abab', [0, 2, 2]],
	['xababab', [1, 2, 3]],
	['abbbc', [1, 1, 3]],
	['ababa', [0, 2, 2]],
] as ReadonlyArray<readonly [string, readonly [number, number, number]]>) {
	test(`the repetition in "${items}"`, t => {
		const {start, length, rounds} = repetitionOf([...items]);
		t.deepEqual([start, length, rounds], [...expected]);
	});
}

for (const kind of ['nothing', 'node']) {
	test(`rules that capture nothing (${kind}): two lines at most for each type, everything with --verbose`, t => {
		const sketch = sketchReport({mutate: ({tables}) => ({tables: tables.map(table => ({...table, chains: table.chains.map(chain => ({...chain, rules: []}))}))})});
		const report: Report = {...sketch, rules: {...sketch.rules, identity: {...sketch.rules.identity, kind}}};
		const options = {color: false, width: 80};
		const short = printText(report, {...options, verbose: false}).split('\n');
		t.true(short.length <= 24, short.join('\n'));
		t.is(short.filter(line => /^[✔✖?] \d/u.test(line)).length, report.types.length);
		t.regex(short.join('\n'), /--verbose\s+shows\s+everything\.\n\n.* failed/u);
		t.true(printText(report, {...options, verbose: true}).split('\n').length > 40);
		const doubtful = sketchReport({ids: ['1', '2'], tamper: ({path}) => observed(path.legs, {gaps: lost})});
		t.regex(printText({...doubtful, rules: {...doubtful.rules, identity: {...doubtful.rules.identity, kind}}}, {...options, verbose: false}), /overflowed 3 times/u);
	});
}
