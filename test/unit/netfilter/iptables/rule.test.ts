import test from 'ava';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {RuleSyntaxError} from '../../../../src/netfilter/words.js';

function rulesOfMine(...lines: readonly string[]) {
	return parseSave(['*nat', ':MINE - [0:0]', ...lines, 'COMMIT'].join('\n'), 'ipv4').tables[0]?.chains.find(({name}) => name === 'MINE')?.rules ?? [];
}

for (const [text, now] of [
	['-p tcp --dport ! 80 -j RETURN', '-p tcp ! --dport 80 -j RETURN'],
	['-s ! 1.2.3.4 -i  !   eth0 -p ! tcp', '! -s 1.2.3.4 ! -i  eth0 ! -p tcp'],
	['-m owner --uid-owner ! 5 -c 1 2 -j RETURN', '-m owner ! --uid-owner 5 -j RETURN'],
	['-m conntrack --ctstate ! NEW', '-m conntrack ! --ctstate NEW'],
	['-p tcp --tcp-flags ! SYN,RST SYN', '-p tcp ! --tcp-flags SYN,RST SYN'],
] as const) {
	test(`a "!" after its option is moved before it, because no current tool reads it there: ${text}`, t => {
		const [rule] = rulesOfMine(`-A MINE ${text}`);
		t.is(rule?.text, now);
		t.deepEqual(rule?.matches, rulesOfMine(`-A MINE ${now}`)[0]?.matches);
	});
}

for (const [short, whole] of [
	['-m owner --uid 5', '-m owner --uid-owner 5'],
	['--prot tcp --sp 5', '-p tcp --sport 5'],
	['-p tcp -j REDIRECT --to-port 80', '-p tcp -j REDIRECT --to-ports 80'],
	['-p tcp -j REDIRECT --to-p=80', '-p tcp -j REDIRECT --to-ports 80'],
	['-p tcp --destination-port=80', '-p tcp --dport 80'],
	['-s 10/8', '-s 10.0.0.0/8'],
	['-d 0/0', '-d 0.0.0.0/0'],
	['-m conntrack --ctstate new,established', '-m conntrack --ctstate NEW,ESTABLISHED'],
	['-p 41', '-p ipv6'],
	['-p icmp -m icmp --icmp-type 8', '-p icmp --icmp-type 8'],
	['-j CT --zone 0x5', '-j CT --zone 5'],
] as const) {
	test(`means the same: ${short}`, t => {
		const [one, other] = rulesOfMine(`-A MINE ${short}`, `-A MINE ${whole}`);
		t.deepEqual([one?.matches, one?.target], [other?.matches, other?.target]);
		t.is(one?.text, short);
	});
}

test('a list of addresses becomes a rule for each, as in iptables', t => {
	t.deepEqual(rulesOfMine('-A MINE -s 1.1.1.1,2.2.2.2 -d 3.3.3.3,4.4.4.4 -m comment --comment "a,b -s 1,2" -j RETURN').map(({text}) => text.slice(0, 21)), [
		'-s 1.1.1.1 -d 3.3.3.3', '-s 1.1.1.1 -d 4.4.4.4', '-s 2.2.2.2 -d 3.3.3.3', '-s 2.2.2.2 -d 4.4.4.4',
	]);
	t.deepEqual(rulesOfMine('-I MINE --source 1.1.1.1,2.2.2.2 -j RETURN').map(({text}) => text), ['--source 2.2.2.2 -j RETURN', '--source 1.1.1.1 -j RETURN']);
});

for (const [text, value, mask] of [
	['--set-xmark 0x1/0xff', 1, 0xFF],
	['--set-mark 0x100/0xff', 0x1_00, 0x1_FF],
	['--set-mark 7', 7, 0xFF_FF_FF_FF],
	['--and-mark 0xff', 0, 0xFF_FF_FF_00],
	['--or-mark 0x4000', 0x40_00, 0x40_00],
	['--xor-mark 0x4000', 0x40_00, 0],
] as const) {
	test(`a mark: ${text}`, t => {
		t.deepEqual(rulesOfMine(`-A MINE -j MARK ${text}`, `-A MINE -j CONNMARK ${text}`).map(({target}) => target), [{kind: 'set-mark', value, mask}, {kind: 'set-connmark', value, mask}]);
	});
}

test('options of an unknown module stay with it, also after the target', t => {
	const [rule] = rulesOfMine('-A MINE -j LOG --log-level 7 -m foo --bar 5');
	t.deepEqual(rule?.matches, [{kind: 'opaque', text: '-m foo --bar 5'}]);
	t.deepEqual(rule?.target, {kind: 'extension', name: 'LOG', options: '--log-level 7'});
});

test('an option that a known module already has belongs to the unknown one', t => {
	const [rule] = rulesOfMine('-A MINE -m mark --mark 1 -m foo --mark 2 -j RETURN');
	t.deepEqual(rule?.matches.at(-1), {kind: 'opaque', text: '-m foo --mark 2'});
});

test('one rule cannot have a list of addresses', t => {
	t.throws(() => parseRuleText('-s 1.1.1.1,2.2.2.2', 'ipv4'), {instanceOf: RuleSyntaxError, message: /^a list of addresses "1\.1\.1\.1,2\.2\.2\.2": iptables makes one rule of each/});
});

test('a netmask of IPv6 may be an address', t => {
	t.deepEqual(parseRuleText('-s 2001:db8::/ffff:ffff::', 'ipv6').matches, [{kind: 'source', negated: false, address: '2001:db8::/32'}]);
	t.throws(() => parseRuleText('-s 2001:db8::/ffff::ffff', 'ipv6'), {instanceOf: RuleSyntaxError, message: /^bad address/});
});
