import test from 'ava';
import {parseNftJson} from '../../../../src/netfilter/nftables/json.js';
import {parseNft, printNft} from '../../../../src/netfilter/nftables/ruleset.js';
import {ParseError} from '../../../../src/netfilter/parse-error.js';
import {readFixture} from '../../../helpers/fixtures.js';

/** Every rule that nft printed in `measured.jsonl`, as text and as JSON. */
const text = readFixture('nft', 'measured.txt');
const json = readFixture('nft', 'measured.json');

function documentOf(...items: readonly unknown[]): string {
	return JSON.stringify({nftables: [{metainfo: {version: '1.0.6'}}, {table: {family: 'inet', name: 't', handle: 1}}, ...items]});
}

function ruleOf(...expr: readonly unknown[]): string {
	return documentOf(
		{
			chain: {
				family: 'inet', table: 't', name: 'c', handle: 1,
			},
		},
		{
			rule: {
				family: 'inet', table: 't', chain: 'c', handle: 2, expr,
			},
		},
	);
}

function textOf(...expr: readonly unknown[]): string | undefined {
	return parseNftJson(ruleOf(...expr)).tables[0]?.chains[0]?.rules[0]?.text;
}

test('JSON and text of the same rules are the same rule set', t => {
	const set = parseNft(text);
	t.true(set.tables.flatMap(({chains}) => chains.flatMap(({rules}) => rules)).length > 300);
	t.deepEqual(parseNftJson(json), set);
	t.is(printNft(set), text);
});

for (const [expression, printed] of [
	[{redirect: {port: {range: [80, 90]}, flags: ['random', 'persistent']}}, 'redirect to :80-90 random,persistent'],
	[{dnat: {family: 'ip6', addr: '2001:db8::1', port: 80}}, 'dnat ip6 to [2001:db8::1]:80'],
	[{reject: null}, 'reject'],
	[{limit: {rate: 5, per: 'second', burst: 9}}, 'limit rate 5/second burst 9 packets'],
	[{
		limit: {
			rate: 5, per: 'second', burst: 9, rate_unit: 'kbytes', burst_unit: 'kbytes',
		},
	}, 'limit rate 5 kbytes/second burst 9 kbytes'],
	[{match: {op: '==', left: {payload: {base: 'th', offset: 0, len: 16}}, right: 53}}, '@th,0,16 53'],
	[{match: {op: '!=', left: {'&': [{payload: {protocol: 'tcp', field: 'flags'}}, ['fin', 'syn']]}, right: 'syn'}}, 'tcp flags != syn / fin,syn'],
	[{vmap: {key: {numgen: {mode: 'random', mod: 2, offset: 3}}, data: {set: [[3, {drop: null}]]}}}, 'numgen random mod 2 offset 3 vmap { 3 : drop }'],
	[{match: {op: '==', left: {'tcp option': {name: 'sack-perm'}}, right: false}}, 'tcp option sack-perm missing'],
	[{counter: 'x'}, 'counter name "x"'],
] as const) {
	test(`text of ${JSON.stringify(expression)}`, t => {
		t.is(textOf(expression), printed);
	});
}

test('a comment belongs to its rule, and a head to its chain', t => {
	const set = parseNftJson(documentOf(
		{
			chain: {
				family: 'inet', table: 't', name: 'c', handle: 1, type: 'filter', hook: 'input', prio: 5, policy: 'drop', comment: 'mine',
			},
		},
		{
			rule: {
				family: 'inet', table: 't', chain: 'c', handle: 2, comment: 'a b', expr: [{accept: null}],
			},
		},
	));
	t.is(printNft(set), 'table inet t {\n\tchain c {\n\t\tcomment "mine"\n\t\ttype filter hook input priority filter + 5; policy drop;\n\t\taccept comment "a b"\n\t}\n}\n');
});

for (const [title, document, reason] of [
	['not JSON', '{', /^not valid JSON$/],
	['another document', '{"a": 1}', /^not the output of nft -j list ruleset/],
	['an item without a name', '{"nftables": [5]}', /^expression 5 is not understood in JSON; use the text/],
	['an item without content', '{"nftables": [{"table": 5}]}', /^"table" is not understood/],
	['a set', documentOf({set: {family: 'inet', name: 's', table: 't'}}), /^"set" is not understood in JSON; use the text of nft list ruleset \(at nftables\[2]\)$/],
	['flags of a table', documentOf({table: {family: 'ip', name: 'u', flags: 'dormant'}}), /^what nft says about table u besides its name/],
	['another family', documentOf({table: {family: 'bridge', name: 'u'}}), /^a table of family bridge/],
	['another hook', documentOf({
		chain: {
			family: 'inet', table: 't', name: 'c', type: 'filter', hook: 'ingress', prio: 0, dev: 'lo',
		},
	}), /^a chain at hook ingress/],
	['a chain of no table', documentOf({chain: {family: 'inet', table: 'u', name: 'c'}}), /^no table inet u \(at nftables\[2]\)$/],
	['a rule of no chain', documentOf({
		rule: {
			family: 'inet', table: 't', chain: 'd', expr: [{accept: null}],
		},
	}), /^no chain d in table inet t \(at nftables\[\d]\)$/],
	['a rule without expressions', documentOf({rule: {family: 'inet', table: 't', chain: 'd'}}), /^a rule without expr is not understood/],
	['an unknown statement', ruleOf({xt: {type: 'target', name: 'CT'}}), /^expression xt is not understood in JSON/],
	['an unknown expression', ruleOf({match: {op: '==', left: {osf: {key: 'name'}}, right: 'Linux'}}), /^expression osf is not understood/],
	['an unknown key', ruleOf({redirect: {port: 5, odd: 1}}), /^key "odd" of expression redirect is not understood/],
	['two statements in one', ruleOf({accept: null, drop: null}), /^expression {"accept":null,"drop":null} is not understood/],
	['a statement that is a text', ruleOf('accept'), /^expression "accept" is not understood/],
	['a match that is a text', ruleOf({match: 'x'}), /^expression match is not understood/],
	['a range of three', ruleOf({match: {op: '==', left: {meta: {key: 'mark'}}, right: {range: [1, 2, 3]}}}), /^expression range is not understood/],
	['a set that is a text', ruleOf({match: {op: '==', left: {meta: {key: 'mark'}}, right: {set: 'x'}}}), /^expression set is not understood/],
	['an element of three', ruleOf({vmap: {key: {meta: {key: 'mark'}}, data: {set: [[1, 2, 3]]}}}), /^an element of a map is not understood/],
	['a port that is a list', ruleOf({redirect: {port: 5, flags: [{}]}}), /^expression redirect is not understood/],
	['a limit by name', ruleOf({limit: 'x'}), /^expression limit is not understood/],
	['a limit without a rate', ruleOf({limit: {per: 'second'}}), /^expression limit is not understood/],
	['a key of Object', ruleOf({toString: null}), /^expression toString is not understood/],
] as const) {
	test(`refusal: ${title}`, t => {
		const error = t.throws(() => parseNftJson(document), {instanceOf: ParseError});
		t.regex(error.reason, reason);
		t.is(error.line, 1);
		t.true(error.lineText.length <= 201);
	});
}
