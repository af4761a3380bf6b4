import test from 'ava';
import fastCheck from 'fast-check';
import {parseNft, printNft} from '../../../../src/netfilter/nftables/ruleset.js';
import {ParseError} from '../../../../src/netfilter/parse-error.js';
import {readFixture} from '../../../helpers/fixtures.js';
import {readNativeRuns} from '../../../helpers/istio-nft.js';

function inChain(...lines: readonly string[]): string {
	return ['table inet t {', '\tchain c {', ...lines.map(line => `\t\t${line}`), '\t}', '}', ''].join('\n');
}

function rulesOf(text: string): readonly string[] {
	return parseNft(text).tables.flatMap(({chains}) => chains.flatMap(({rules}) => rules.map(rule => rule.text)));
}

/** What stands in the fixture before the next line of this kind. */
function listing(options: string): string {
	const [, text = ''] = readFixture('nft', 'objects.txt').split(`#### nft ${options}\n`);
	return text.replace(/#### nft [^]*$/u, '');
}

test('rules loaded by the real program are printed as nft lists them', t => {
	let listings = 0;
	for (const {nft} of readNativeRuns().filter(run => run.nft !== '')) {
		const counted = nft.replaceAll(/packets \d+ bytes \d+/gu, 'packets 0 bytes 0');
		// The recording left out blank lines.
		t.is(printNft(parseNft(nft), {counters: true}).replaceAll('\n\n', '\n'), `${counted}\n`);
		listings++;
	}

	t.is(listings, 54);
});

test('sets, maps, objects, comments, policies and flags are printed as nft prints them', t => {
	const text = listing('-s list ruleset');
	t.true(text.includes('flags dormant'));
	t.is(printNft(parseNft(text)), text);
	t.is(printNft(parseNft(listing('list ruleset')), {counters: true}), listing('list ruleset'));
});

test('handles and counts are not part of the rules', t => {
	t.is(printNft(parseNft(listing('list ruleset'))), listing('-s list ruleset'));
	t.is(printNft(parseNft(listing('-a list ruleset'))), listing('-s list ruleset'));
});

test('numbers in place of names mean the same', t => {
	const named = inChain('type nat hook prerouting priority dstnat; policy accept;', 'meta l4proto tcp ct state established,related counter accept', 'ct state ! new meta l4proto ipv6-icmp drop');
	const numbered = inChain('type nat hook prerouting priority -100; policy accept;', 'meta l4proto 6 ct state 0x2,0x4 counter packets 1 bytes 2 accept', 'ct state ! 0x8 meta l4proto 58 drop');
	t.is(printNft(parseNft(numbered)), named);
});

test('a chain has its declaration as fields', t => {
	const [table] = parseNft(listing('-s list ruleset')).tables;
	const [chain] = table?.chains ?? [];
	t.deepEqual(chain?.base, {type: 'filter', hook: 'input', priority: 5});
	t.is(chain?.policy, 'DROP');
	t.is(chain?.comment, 'a chain');
	t.is(table?.chains[1]?.policy, undefined);
	t.deepEqual(table?.objects?.map(({kind, name}) => `${kind} ${name}`.trim()), ['flags', 'comment', 'counter cnt', 'quota qq', 'limit ll', 'ct helper ftp', 'ct timeout tt', 'ct expectation ee', 'set s', 'map m']);
});

for (const [hook, written, printed] of [
	['prerouting', '-100', 'dstnat'],
	['output', '-100', '-100'],
	['output', 'dstnat', '-100'],
	['postrouting', '100', 'srcnat'],
	['prerouting', '100', '100'],
	['output', '-140', 'mangle + 10'],
	['output', '-139', '-139'],
	['input', 'filter - 5', 'filter - 5'],
	['input', 'raw+1', 'raw + 1'],
	['input', 'security', 'security'],
	['forward', '0', 'filter'],
] as const) {
	test(`priority ${written} at ${hook} is printed ${printed}`, t => {
		t.is(printNft(parseNft(inChain(`type filter hook ${hook} priority ${written}; policy drop;`))), inChain(`type filter hook ${hook} priority ${printed}; policy drop;`));
	});
}

test('a script is applied', t => {
	const script = [
		'# rules of mine',
		'add table t',
		'flush table ip t',
		'add chain t base { type nat hook output priority -100 ; comment "x" ; }',
		'add chain ip t c',
		'add rule t c tcp dport { 80,',
		'  443 } counter return; add rule t c \\',
		'  accept',
		'insert rule t c drop',
		'insert rule t c index 1 counter',
		'add rule t c index 0 log',
		'add set t s { type ipv4_addr; }',
		'table ip t { chain c { goto d; }; chain d { } }',
		'create table inet gone',
		'delete table inet gone',
	].join('\r\n');
	t.is(printNft(parseNft(script)), [
		'table ip t {',
		'\tset s { type ipv4_addr; }',
		'',
		'\tchain base {',
		'\t\tcomment "x"',
		'\t\ttype nat hook output priority -100; policy accept;',
		'\t}',
		'',
		'\tchain c {',
		'\t\tdrop',
		'\t\tlog',
		'\t\tcounter',
		'\t\ttcp dport { 80, 443 } counter return',
		'\t\taccept',
		'\t\tgoto d',
		'\t}',
		'',
		'\tchain d {',
		'\t}',
		'}',
		'',
	].join('\n'));
});

test('flush and delete keep what they do not name', t => {
	t.deepEqual(rulesOf('table ip a { chain c { drop; }; }\ntable ip b { chain c { accept; }; chain d { log; } }\nflush chain ip b c\nflush table a'), ['log']);
	t.deepEqual(parseNft('table ip a { }\nflush ruleset').tables, []);
});

test('a base chain can be changed later', t => {
	const [table] = parseNft('add table t\nadd chain t c { type filter hook input priority 0; }\nadd chain t c { policy drop; }').tables;
	t.is(table?.chains[0]?.policy, 'DROP');
});

test('a named counter, or one in a text, is not a count', t => {
	const text = inChain('counter name "x" log prefix "counter " counter accept comment "a counter b"');
	t.is(printNft(parseNft(text)), text);
	t.true(printNft(parseNft(text), {counters: true}).includes('counter name "x" log prefix "counter " counter packets 0 bytes 0 accept comment "a counter b"'));
});

type Refusal = {readonly text: string; readonly line: number; readonly reason: RegExp};

const refusals: readonly Refusal[] = [
	{text: 'table netdev x {\n}', line: 1, reason: /^a table of family netdev/},
	{text: 'table ip ok { }\nadd table bridge x', line: 2, reason: /^a table of family bridge/},
	{text: 'add chain arp x c', line: 1, reason: /^a table of family arp/},
	{text: inChain('counter xt target CT'), line: 3, reason: /^rule 1 of chain c in table inet t was written by iptables-nft, and nft does not show the values of xt target CT; use iptables-save/},
	{text: inChain('xt match string counter'), line: 3, reason: /^rule 1 of chain c .* does not show the values of xt match string; use iptables-save/},
	{text: inChain('accept\n\t\txt match "string" counter'), line: 4, reason: /^rule 2 of chain c .* does not show the values of xt match "string"; use iptables-save/},
	{text: inChain('meta l4proto tcp # xt_owner'), line: 3, reason: /^rule 1 of chain c .* does not show the values of xt_owner; use iptables-save/},
	{text: inChain('type filter hook ingress device "lo" priority filter; policy accept;'), line: 3, reason: /^a chain at hook ingress/},
	{text: inChain('type odd hook input priority 0;'), line: 3, reason: /^unknown chain type "odd"/},
	{text: inChain('type filter hook input priority high;'), line: 3, reason: /^bad priority "high"/},
	{text: inChain('type filter hook input priority filter ++ 5;'), line: 3, reason: /^bad priority/},
	{text: inChain('type filter'), line: 3, reason: /^a base chain is declared as/},
	{text: inChain('policy drop;'), line: 3, reason: /^chain c has a policy but no type and hook$/},
	{text: inChain('policy reject'), line: 3, reason: /^bad policy "reject"/},
	{text: inChain('jump'), line: 3, reason: /^jump without a chain$/},
	{text: inChain('log prefix "a'), line: 3, reason: /^a quote that is never closed$/},
	{text: 'table ip t {\n\tchain c {\n', line: 2, reason: /^chain c without its end: the text is cut off$/},
	{text: 'table ip t {\n', line: 1, reason: /^table t without its end: the text is cut off$/},
	{text: 'table ip t {\n\tset s {\n', line: 2, reason: /^a block without its end$/},
	{text: 'table ip t {\n\todd s {\n\t}\n}', line: 2, reason: /^"odd s" is not understood in a table/},
	{text: 'table ip t {\n\tcounter\n}', line: 2, reason: /^"counter" is not understood in a table$/},
	{text: 'table ip t { }\n}', line: 2, reason: /^"}" without its beginning$/},
	{text: 'add chain t c { type nat', line: 1, reason: /^"{" without its end$/},
	{text: 'add rule inet t c accept', line: 1, reason: /^no table inet t$/},
	{text: 'add table', line: 1, reason: /^the table is missing$/},
	{text: 'add table inet t drop', line: 1, reason: /^unexpected "drop" after "add table inet t"$/},
	{text: 'add table t\nadd chain t', line: 2, reason: /^the chain is missing$/},
	{text: 'add table t\nadd chain t c drop', line: 2, reason: /^"drop" is not understood in the declaration of a chain$/},
	{text: 'add table t\nadd chain t c { accept; }', line: 2, reason: /^"accept" is not understood in the declaration of a chain$/},
	{text: 'add table t\nadd rule t', line: 2, reason: /^the chain is missing$/},
	{text: 'add table t\nadd rule t c accept', line: 2, reason: /^no chain c in table ip t$/},
	{text: 'add table t\nadd chain t c\ninsert rule t c index 0 accept', line: 3, reason: /^no rule with index 0 in chain c, which has 0 rules$/},
	{text: 'add table t\nadd chain t c\nadd rule t c handle 5 accept', line: 3, reason: /^a rule placed by handle/},
	{text: 'add table t\nadd chain t c\nadd rule t c', line: 3, reason: /^a rule without a statement$/},
	{text: 'delete rule t c handle 5', line: 1, reason: /^"delete rule" is not a command that is understood here/},
	{text: 'define x = 5', line: 1, reason: /^"define" is an nft command/},
	{text: 'include "x"', line: 1, reason: /^"include" is an nft command/},
	{text: '*nat\n-A OUTPUT -j RETURN\nCOMMIT', line: 1, reason: /^"\*nat" is not a command/},
];

for (const {text, line, reason} of refusals) {
	test(`refusal: ${JSON.stringify(text)}`, t => {
		const error = t.throws(() => parseNft(text), {instanceOf: ParseError});
		t.is(error.line, line);
		t.regex(error.reason, reason);
		t.is(error.lineText, text.split('\n')[line - 1]!.trim());
	});
}

const number = (max: number) => fastCheck.integer({min: 0, max});
const negation = fastCheck.constantFrom('', '!= ');
const ports = fastCheck.oneof(
	number(65_535).map(String),
	fastCheck.uniqueArray(number(65_535), {minLength: 2, maxLength: 4}).map(list => `{ ${list.toSorted((one, other) => one - other).join(', ')} }`),
	fastCheck.tuple(number(30_000), number(30_000)).map(([from, length]) => `${from}-${from + length + 1}`),
);
const name = fastCheck.stringMatching(/^[a-z][a-z\d]{0,9}\*?$/);
const word = fastCheck.stringMatching(/^[ !#-~]{1,12}$/);
const mark = number(0xFF_FF_FF_FF).map(value => `0x${value.toString(16).padStart(8, '0')}`);
const condition = fastCheck.oneof(
	fastCheck.tuple(fastCheck.constantFrom('tcp', 'udp'), fastCheck.constantFrom('sport', 'dport'), negation, ports).map(parts => `${parts[0]} ${parts[1]} ${parts[2]}${parts[3]}`),
	fastCheck.tuple(fastCheck.constantFrom('saddr', 'daddr'), negation, fastCheck.ipV4()).map(([field, not, address]) => `ip ${field} ${not}${address}`),
	fastCheck.tuple(fastCheck.constantFrom('iifname', 'oifname'), negation, name).map(([key, not, text]) => `${key} ${not}"${text}"`),
	fastCheck.tuple(fastCheck.constantFrom('meta skuid', 'meta skgid'), negation, number(0xFF_FF_FF_FF)).map(([key, not, id]) => `${key} ${not}${id}`),
	fastCheck.tuple(fastCheck.constantFrom('meta mark', 'ct mark'), negation, mark).map(([key, not, value]) => `${key} ${not}${value}`),
	fastCheck.constantFrom('ct state established,related', 'meta l4proto { tcp, udp }', 'ip daddr @s', 'limit rate 5/second', 'fib daddr type local', 'ct status dnat', 'tcp flags syn / fin,syn'),
);
const action = fastCheck.oneof(
	fastCheck.constantFrom('accept', 'drop', 'return', 'jump other', 'goto other', 'redirect to :15001', 'meta mark set ct mark', 'ct mark set meta mark', 'ct zone set 2', 'masquerade', 'notrack', 'tcp dport vmap { 80 : accept }'),
	mark.map(value => `meta mark set ${value}`),
	word.map(text => `log prefix "${text}"`),
	word.map(text => `accept comment "${text}"`),
);
const rule = fastCheck.tuple(fastCheck.array(condition, {maxLength: 4}), fastCheck.boolean(), action).map(([conditions, counts, last]) => [...conditions, ...(counts ? ['counter'] : []), last].join(' '));
const head = fastCheck.constantFrom('type nat hook prerouting priority dstnat; policy accept;', 'type route hook output priority mangle + 3; policy drop;', 'type filter hook input priority 77; policy accept;');
const table = fastCheck.tuple(fastCheck.constantFrom('ip', 'ip6', 'inet'), head, fastCheck.array(rule, {maxLength: 6})).map(([family, first, rules]) => [
	`table ${family} t-${family} {`, '\tset s {', '\t\ttype ipv4_addr', '\t}', '', '\tchain base {', `\t\t${first}`, ...rules.map(text => `\t\t${text}`), '\t}', '', '\tchain other {', '\t}', '}', '',
].join('\n'));

test('law: any text in the form of nft -s is printed as it was read', t => {
	fastCheck.assert(fastCheck.property(fastCheck.uniqueArray(table, {maxLength: 3, selector: text => text.split(' ')[1]}), tables => {
		const text = tables.join('');
		const set = parseNft(text);
		t.is(printNft(set), text);
		t.deepEqual(parseNft(printNft(set, {counters: true})), set);
	}));
});

test('ten thousand rules are read, and none is lost', t => {
	const text = inChain(...Array.from({length: 10_000}, (_, index) => `oifname "lo" ip daddr != 10.0.${Math.floor(index / 256)}.${index % 256} tcp dport != { 53, 15008 } meta skuid 1337 counter packets 5 bytes 300 return # handle ${index}`));
	const rules = rulesOf(text);
	t.is(rules.length, 10_000);
	t.is(new Set(rules).size, 10_000);
});
