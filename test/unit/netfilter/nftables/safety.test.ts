/** What nft is given is rules: nothing in it opens a file or runs a command, wherever somebody puts it. */

import test from 'ava';
import fastCheck from 'fast-check';
import {parseNft, printNft} from '../../../../src/netfilter/nftables/ruleset.js';
import {parseNftJson} from '../../../../src/netfilter/nftables/json.js';
import {checkNftRule} from '../../../../src/netfilter/nftables/safety.js';
import {ParseError} from '../../../../src/netfilter/parse-error.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../../../src/netfilter/words.js';
import {readFixture} from '../../../helpers/fixtures.js';

const marker = '/nowhere/testbed-marker.nft';
const includes = `include "${marker}"`;

/** Words of nft outside of strings and comments, as its lexer tells them apart. */
function bareWords(text: string): readonly string[] {
	return text.replaceAll(/"[^"]*"/gu, ' "" ').replaceAll(/#.*$/gmu, '').match(/[A-Za-z_.][\w./-]*|\$/gu) ?? [];
}

function opensNothing(printed: string): boolean {
	return !bareWords(printed).some(word => ['include', 'define', 'undefine', 'redefine', '$'].includes(word.toLowerCase()));
}

const head = 'table inet t {\n';
for (const [place, text, line] of [
	['the top', `${includes}\ntable inet t {\n}\n`, 1],
	['a table', `${head}\t${includes}\n\tchain c {\n\t}\n}\n`, 2],
	['the head of a chain', `${head}\tchain c {\n\t\t${includes}\n\t\ttype filter hook input priority 0;\n\t}\n}\n`, 3],
	['a chain', `${head}\tchain c {\n\t\taccept\n\t\t${includes}\n\t}\n}\n`, 4],
	['a rule', `${head}\tchain c {\n\t\ttcp dport 80 ${includes} accept\n\t}\n}\n`, 3],
	['a chain, behind a semicolon', `${head}\tchain c {\n\t\taccept; ${includes}; drop\n\t}\n}\n`, 3],
	['a chain, over two lines', `${head}\tchain c {\n\t\taccept\n\t\tinclude \\\n"${marker}"\n\t}\n}\n`, 4],
	['braces of a rule', `${head}\tchain c {\n\t\ttcp dport { 80, ${includes} }\n\t}\n}\n`, 3],
	['a set', `${head}\tset s {\n\t\ttype ipv4_addr\n\t\t${includes}\n\t}\n}\n`, 4],
	['the elements of a set', `${head}\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 1.1.1.1,\n\t\t\t${includes} }\n\t}\n}\n`, 5],
	['a map', `${head}\tmap m {\n\t\t${includes}\n\t\ttype ipv4_addr : verdict\n\t}\n}\n`, 3],
	['a flowtable', `${head}\tflowtable f {\n\t\t${includes}\n\t}\n}\n`, 3],
	['a counter', `${head}\tcounter n {\n\t\tpackets 0 bytes 0\n\t\t${includes}\n\t}\n}\n`, 4],
	['a helper', `${head}\tct helper h {\n\t\ttype "ftp" protocol tcp; ${includes}\n\t}\n}\n`, 3],
	['a command', `add table t\nadd chain t c\nadd rule t c accept ${includes}\n`, 3],
	['the set of a command', `add table t\nadd set t s { type ipv4_addr; ${includes}; }\n`, 2],
	['the head of a command', `add table t\nadd chain t c { type filter hook input priority 0; ${includes}; }\n`, 2],
] as const) {
	test(`include is refused in ${place}`, t => {
		const error = t.throws(() => parseNft(text), {instanceOf: ParseError});
		t.is(error.line, line);
		t.regex(error.reason, /"include" is an nft command/u);
	});
}

for (const word of ['define', 'undefine', 'redefine', '$x', 'INCLUDE']) {
	test(`refused in a chain: ${word}`, t => {
		t.throws(() => parseNft(`${head}\tchain c {\n\t\ttcp dport ${word} accept\n\t}\n}\n`), {instanceOf: ParseError, message: /^line 3: /u});
	});
}

for (const text of ['accept; drop', 'accept\ndrop', 'accept } chain d {', String.raw`accept \ drop`, 'accept # x', 'tcp dport { 80', 'log prefix "a', 'log prefix "a\nb"', 'log prefix "\u001B[2J"', 'accept\rdrop', 'accept }']) {
	test(`not a rule: ${JSON.stringify(text)}`, t => {
		t.throws(() => {
			checkNftRule(text);
		}, {instanceOf: RuleSyntaxError});
	});
}

test('the forbidden words are allowed in texts, names and comments', t => {
	const text = `${head}\tchain includes {\n\t\tcomment "define; include }"\n\t\tlog prefix "include \\"x" drop comment "${marker} $x; { #"\n\t}\n}\n`.replace(String.raw` \"`, ' ');
	t.is(printNft(parseNft(text)), text);
	t.is(printNft(parseNft(text.replace('\t\tlog', `\t\t# ${includes}\n\t\tlog`))), text);
	t.true(opensNothing(text));
});

for (const [place, expr, path] of [
	['a value', {match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: `80; ${includes}; tcp dport`}}, 'nftables[3].rule.expr[0].match.right'],
	['a value of a set', {match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: {set: [80, `81 } ; ${includes}`]}}}, 'nftables[3].rule.expr[0].match.right.set[1]'],
	['a field', {match: {op: '==', left: {payload: {protocol: 'tcp', field: `dport 80\n${includes}`}}, right: 80}}, 'nftables[3].rule.expr[0].match.left.payload.field'],
	['a chain to jump to', {jump: {target: `c; ${includes}`}}, 'nftables[3].rule.expr[0].jump.target'],
	['a prefix', {log: {prefix: `x" ; ${includes} ; log prefix "y`}}, 'nftables[3].rule.expr[0].log.prefix'],
	['a name of an interface', {match: {op: '==', left: {meta: {key: 'iifname'}}, right: `lo" ; ${includes} "`}}, 'nftables[3].rule.expr[0].match.right'],
	['a variable', {match: {op: '==', left: {meta: {key: 'l4proto'}}, right: '$x'}}, 'nftables[3].rule.expr[0].match.right'],
] as const) {
	test(`JSON: refused in ${place}, with its path`, t => {
		const text = JSON.stringify({nftables: [{metainfo: {}}, {table: {family: 'inet', name: 't'}}, {chain: {family: 'inet', table: 't', name: 'c'}}, {rule: {family: 'inet', table: 't', chain: 'c', expr: [expr]}}]});
		const error = t.throws(() => parseNftJson(text), {instanceOf: ParseError});
		t.true(error.reason.endsWith(`(at ${path})`), error.reason);
	});
}

for (const [place, item] of [
	['a table', {table: {family: 'inet', name: `u { } ${includes}`}}],
	['a chain', {chain: {family: 'inet', table: 't', name: `c { } } ${includes} table x {`}}],
	['a comment of a chain', {chain: {family: 'inet', table: 't', name: 'c', comment: `x"\n${includes}\ncomment "y`}}],
	['a comment of a rule', {rule: {family: 'inet', table: 't', chain: 'd', expr: [{accept: null}], comment: `x"\n${includes}\n"`}}],
] as const) {
	test(`JSON: refused in the name of ${place}`, t => {
		const text = JSON.stringify({nftables: [{table: {family: 'inet', name: 't'}}, {chain: {family: 'inet', table: 't', name: 'd'}}, item]});
		t.throws(() => parseNftJson(text), {instanceOf: ParseError, message: /at nftables\[2\]/u});
	});
}

test('a set that was made by hand is printed with rules only', t => {
	const good = parseNft(`${head}\tset s {\n\t\ttype ipv4_addr\n\t}\n\n\tchain c {\n\t\taccept\n\t}\n}\n`);
	const [table] = good.tables;
	const [chain] = table!.chains;
	const [rule] = chain!.rules;
	const [object] = table!.objects!;
	t.notThrows(() => printNft(good));
	const forged: readonly RuleSet[] = [
		{tables: [{...table!, name: `t { } ${includes} #`}]},
		{tables: [{...table!, chains: [{...chain!, name: `c { ${includes} } chain d`}]}]},
		{tables: [{...table!, chains: [{...chain!, comment: `"\n${includes}\n"`}]}]},
		{tables: [{...table!, chains: [{...chain!, rules: [{...rule!, text: `accept\n${includes}`}]}]}]},
		{tables: [{...table!, objects: [{...object!, text: `set s {\n\t${includes}\n}`}]}]},
		{tables: [{...table!, objects: [{...object!, text: 'set s { type ipv4_addr } } table inet u {'}]}]},
		{tables: [{...table!, objects: [{kind: 'flags', name: '', text: `flags dormant; ${includes}`}]}]},
		{tables: [{...table!, objects: [{kind: 'comment', name: '', text: `comment "x" ${includes}`}]}]},
	];
	for (const set of forged) {
		t.throws(() => printNft(set), {instanceOf: RuleSyntaxError});
	}
});

const soup = fastCheck.array(fastCheck.constantFrom('accept', 'tcp', 'dport', '80', '{', '}', '{ 1, 2 }', ';', '\n', '"', '"a b"', '#', '\\\n', '\\', ',', ':', 'counter', 'comment', 'chain d {', 'table inet u {', 'set s {', 'elements =', 'type filter hook input priority 0;', 'add rule t c', 'log prefix', '$', '@s', '(', ')', '\r', '\t', includes, 'include', `'${marker}'`, 'define x = 1'), {maxLength: 24}).map(words => words.join(' '));

test('a forbidden statement, anywhere and in any words: refused, or not a statement in what nft receives', t => {
	const seen = {refused: 0, taken: 0};
	fastCheck.assert(fastCheck.property(soup, soup, fastCheck.boolean(), (before, after, isWhole) => {
		const inner = `${before} ${includes} ${after}`;
		const text = isWhole ? inner : `${head}\tchain c {\n\t\taccept\n\t\t${inner}\n\t}\n}\n`;
		let printed: string;
		try {
			printed = printNft(parseNft(text));
		} catch (error) {
			t.true(error instanceof ParseError, String(error));
			seen.refused++;
			return;
		}

		seen.taken++;
		t.true(opensNothing(printed), printed);
	}), {numRuns: 3000});
	// Comments and texts around it are taken: the law has been asked both ways.
	t.true(seen.refused > 100);
	t.true(seen.taken > 10, JSON.stringify(seen));
});

test('any string anywhere in JSON: refused, or not a statement in what nft receives', t => {
	const strings = fastCheck.oneof(soup, fastCheck.string({maxLength: 12}), soup.map(text => `${text} ${includes}`), fastCheck.constantFrom('tcp', 'lo', 'c', '80'));
	fastCheck.assert(fastCheck.property(strings, strings, strings, fastCheck.nat(5), (one, two, three, shape) => {
		const expr = [
			{match: {op: '==', left: {payload: {protocol: one, field: two}}, right: three}},
			{match: {op: one, left: {meta: {key: two}}, right: {set: [three]}}},
			{log: {prefix: one, level: two, flags: [three]}},
			{jump: {target: one}},
			{mangle: {key: {meta: {key: one}}, value: two}},
			{vmap: {key: {ct: {key: one, dir: two}}, data: {set: [[three, {drop: null}]]}}},
		][shape];
		const text = JSON.stringify({nftables: [{table: {family: 'ip', name: 't'}}, {chain: {family: 'ip', table: 't', name: 'c', comment: two}}, {rule: {family: 'ip', table: 't', chain: 'c', expr: [expr], comment: three}}]});
		try {
			t.true(opensNothing(printNft(parseNftJson(text))));
		} catch (error) {
			t.true(error instanceof ParseError, String(error));
		}
	}), {numRuns: 3000});
});

test('what nft itself prints is taken', t => {
	for (const text of readFixture('nft', 'objects.txt').split(/#### nft [^\n]*\n/u).filter(part => part.trim() !== '')) {
		t.notThrows(() => printNft(parseNft(text)));
	}
});
