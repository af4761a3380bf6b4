import test from 'ava';
import {parseSave, printSave} from '../../../src/netfilter/iptables/save.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {applyEdit, describeEdit, EditFault} from '../../../src/workshop/edits.js';
import type {RuleAt, RuleEdit} from '../../../src/workshop/protocol.js';
import {valuesOf} from '../../../src/workshop/rule-values.js';

const dump = `*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:SIDE -
-A OUTPUT -p tcp -j SIDE
-A SIDE -o lo -m owner ! --uid-owner 1337 -j RETURN
-A SIDE -m owner --uid-owner 1337 -j RETURN
-A SIDE -d 127.0.0.1/32 -j RETURN
-A SIDE -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001
COMMIT
`;
const rules = parseSave(dump, 'ipv4');
const at = (number: number, chain = 'SIDE'): RuleAt => ({family: 'ip', table: 'nat', chain, number});
const textsOf = (ruleSet: RuleSet, chain = 'SIDE'): readonly string[] => ruleSet.tables[0]!.chains.find(({name}) => name === chain)!.rules.map(({number, text}) => `${number} ${text}`);

const edits: ReadonlyArray<readonly [title: string, edit: RuleEdit, line: number, text: string]> = [
	['delete', {kind: 'delete', at: at(1)}, 1, '-m owner --uid-owner 1337 -j RETURN'],
	['move down', {kind: 'move', at: at(1), to: 4}, 4, '-o lo -m owner ! --uid-owner 1337 -j RETURN'],
	['move up', {kind: 'move', at: at(4), to: 1}, 1, '-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001'],
	['negate', {kind: 'negate', at: at(2), condition: 0}, 2, '-m owner ! --uid-owner 1337 -j RETURN'],
	['negate back', {kind: 'negate', at: at(1), condition: 1}, 1, '-o lo -m owner --uid-owner 1337 -j RETURN'],
	['another user', {kind: 'value', at: at(2), condition: 0, value: '2000'}, 2, '-m owner --uid-owner 2000 -j RETURN'],
	['a range of users', {kind: 'value', at: at(2), condition: 0, value: '1337-1338'}, 2, '-m owner --uid-owner 1337-1338 -j RETURN'],
	['another port', {kind: 'value', at: at(4), condition: 1, value: '8080'}, 4, '-p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 15001'],
	['another port of the target', {kind: 'value', at: at(4), value: '15006'}, 4, '-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15006'],
	['another address', {kind: 'value', at: at(3), condition: 0, value: '127.0.0.6'}, 3, '-d 127.0.0.6/32 -j RETURN'],
	['another text', {kind: 'text', at: at(3), text: '-d 127.0.0.0/8 -j RETURN'}, 3, '-d 127.0.0.0/8 -j RETURN'],
	['a text as a dump has it', {kind: 'text', at: at(3), text: '-A SIDE -p udp -j RETURN'}, 3, '-p udp -j RETURN'],
	['one more', {kind: 'insert', at: at(1), text: '-p udp -j ACCEPT'}, 1, '-p udp -j ACCEPT'],
	['one more at the end', {kind: 'insert', at: at(5), text: '-j DROP'}, 5, '-j DROP'],
];

for (const [title, edit, line, text] of edits) {
	test(`an edit, ${title}: it stands there, and the rest is as it was`, t => {
		const changed = applyEdit(rules, edit);
		t.is(textsOf(changed)[line - 1], `${line} ${text}`);
		t.is(textsOf(changed).length, 4 + (edit.kind === 'insert' ? 1 : 0) - (edit.kind === 'delete' ? 1 : 0));
		t.deepEqual(textsOf(changed, 'OUTPUT'), textsOf(rules, 'OUTPUT'));
		// What is printed is read as the same rules.
		t.deepEqual(textsOf(parseSave(printSave(changed, 'ipv4'), 'ipv4')), textsOf(changed));
		t.regex(describeEdit(rules, edit), /^SIDE#\d/u);
	});
}

const refused: ReadonlyArray<readonly [title: string, edit: RuleEdit, message: RegExp]> = [
	['a rule that is not there', {kind: 'delete', at: at(5)}, /There is no SIDE#5: the chain has 4 rules/u],
	['a chain that is not there', {kind: 'delete', at: at(1, 'OTHER')}, /no chain OTHER in table nat/u],
	['a place that is not there', {kind: 'move', at: at(1), to: 5}, /cannot be moved to 5/u],
	['a user that is none', {kind: 'value', at: at(2), condition: 0, value: 'root'}, /"root" cannot replace UID 1337/u],
	['a port that is none', {kind: 'value', at: at(4), value: '70000'}, /"70000" cannot replace/u],
	['a condition that is not there', {kind: 'negate', at: at(2), condition: 7}, /cannot be written/u],
	['a protocol beside its port, negated', {kind: 'negate', at: at(4), condition: 0}, /cannot be written/u],
	['a text that is no rule', {kind: 'text', at: at(1), text: '-p tcp --port 80'}, /This is not a valid rule of SIDE/u],
	['a jump to nowhere', {kind: 'text', at: at(1), text: '-j NOWHERE'}, /no chain NOWHERE/u],
	['a jump to a built-in chain', {kind: 'text', at: at(1), text: '-j INPUT'}, /no chain INPUT/u],
	['a second line', {kind: 'text', at: at(1), text: '-j RETURN\nCOMMIT\n*filter'}, /one line/u],
	['a place behind the end', {kind: 'insert', at: at(6), text: '-j DROP'}, /can have a number from 1 to 5/u],
];

for (const [title, edit, message] of refused) {
	test(`an edit is refused, and says why: ${title}`, t => {
		t.throws(() => applyEdit(rules, edit), {instanceOf: EditFault, message});
	});
}

const native = parseNft(`table inet istio-proxy-nat {
	chain output {
		type nat hook output priority dstnat; policy accept;
		meta l4proto tcp counter packets 0 bytes 0 jump side
	}

	chain side {
		meta skuid 1337 counter packets 0 bytes 0 return
		tcp dport 80 counter packets 0 bytes 0 redirect to :15001
	}
}
`);
const nativeAt = (number: number): RuleAt => ({family: 'inet', table: 'istio-proxy-nat', chain: 'side', number});

test('native rules are changed in their own words', t => {
	const texts = (edit: RuleEdit): readonly string[] => applyEdit(native, edit).tables[0]!.chains.find(({name}) => name === 'side')!.rules.map(({text}) => text);
	t.regex(texts({kind: 'value', at: nativeAt(1), condition: 0, value: '2000'})[0]!, /^meta skuid 2000 .*return$/u);
	t.regex(texts({kind: 'negate', at: nativeAt(1), condition: 0})[0]!, /^meta skuid != 1337/u);
	t.regex(texts({kind: 'value', at: nativeAt(2), value: '15006'})[1]!, /redirect to :15006$/u);
	t.is(texts({kind: 'text', at: nativeAt(1), text: 'meta skgid 1337 return'})[0], 'meta skgid 1337 return');
	for (const text of ['include "/etc/passwd"', 'meta skuid 1337 return; flush ruleset', 'meta skuid $X return', 'meta skuid 1337 return } chain x {']) {
		t.throws(() => texts({kind: 'text', at: nativeAt(1), text}), {instanceOf: EditFault}, text);
	}
});

test('values are told with what can be done with them', t => {
	const [address, port] = rules.tables[0]!.chains.find(({name}) => name === 'SIDE')!.rules.slice(2);
	t.deepEqual(valuesOf(address!), [{
		condition: 0, name: 'destination', value: '127.0.0.1/32', canNegate: true, canChange: true,
	}]);
	t.deepEqual(valuesOf(port!).map(({name, value, condition}) => [name, value, condition]), [['protocol', 'tcp', 0], ['port', '80', 1], ['to port', '15001', null]]);
});
