/** What iptables is given beside the fields: options of modules that are known, and nothing that runs a program or opens a file. */

import test from 'ava';
import fastCheck from 'fast-check';
import {extensionTargets} from '../../../../src/netfilter/built-in.js';
import {isOwnOption, knownMatches, knownTargets} from '../../../../src/netfilter/iptables/extensions.js';
import {matchModules} from '../../../../src/netfilter/iptables/match-modules.js';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {unknownExtensions} from '../../../../src/netfilter/import/check-rules.js';
import {RuleSyntaxError} from '../../../../src/netfilter/words.js';

const program = '/nowhere/testbed-marker';

for (const text of [
	`-m ttl --ttl-eq 5 --modprobe=${program} -j RETURN`,
	`-j DNAT --to-destination 1.1.1.1 --modprobe ${program}`,
	`-j DNAT --to-destination 1.1.1.1 --modp=${program}`,
	`-j LOG --log-uid "--modprobe=${program}"`,
	`-j LOG --log-prefix x "--modprobe=${program}"`,
	`-j LOG "-M" ${program}`,
	`-m foo --bar "--modprobe=${program}"`,
	`-m foo --bar "-M${program}"`,
	`-m foo --modprobe=${program}`,
	`-m foo --mod ${program}`,
	'-m foo --table filter',
	'-j NEWTARGET --append OUTPUT',
	`-m bpf --object-pinned ${program}`,
	`-m bpf --object=${program}`,
	'-m ../x --bar',
	'-m "x y" --bar',
	'-j ../x --bar',
	'-m string --algo ../../x --string y',
	'-m string --string y --algo=odd',
	'-j CT --helper odd',
	'-j DNAT --to-destination -m tcp',
	'-j DNAT --to-destination ! x',
	'-j DNAT --to-destination 1.1.1.1 --',
	'-j LOG --',
	'-m limit --odd 5',
]) {
	test(`refused: ${text}`, t => {
		t.throws(() => parseRuleText(text, 'ipv4'), {instanceOf: RuleSyntaxError});
	});
}

for (const text of [
	'-j LOG --log-prefix "--modprobe=x "',
	'-j LOG --log-pre "-x " --log-uid',
	'-m comment --comment "--modprobe=x"',
	'-m string --string "-x" --algo bm',
	'-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0" -j RETURN',
	'-p tcp -j CT --helper ftp',
	'-m set --match-set s src,dst -j RETURN',
	'-m recent --name x --rcheck --seconds 60 -j RETURN',
	'-p tcp -m tcp --dport 80 -m hashlimit --hashlimit-upto 5/sec --hashlimit-name x -j RETURN',
	'-m foo --bar baz -j NEWTARGET --with it',
	'-m statistic --mode random --probability 0.5 -j RETURN',
]) {
	test(`taken: ${text}`, t => {
		t.notThrows(() => parseRuleText(text, 'ipv4'));
	});
}

test('the option that names a program is refused, whatever surrounds it', t => {
	const word = fastCheck.oneof(
		fastCheck.constantFrom('-m', '-j', '-g', '-p', 'tcp', 'ttl', 'LOG', 'DNAT', 'foo', 'comment', '!', '--comment', '--log-prefix', '--to-destination', '--ttl-eq', '5', '"a b"', 'x', '--bar', '--log-uid', '--random', '-i', '-c', '1', '--dport', '-s', '10.0.0.1', '--mode', 'bpf', '--bytecode', 'string', '--string'),
		fastCheck.constantFrom(`--modprobe=${program}`, `"--modprobe=${program}"`, '--modprobe', '--modp', '"--mo"', '-M', '"-M"', `-M${program}`),
	);
	let taken = 0;
	fastCheck.assert(fastCheck.property(fastCheck.array(word, {maxLength: 10}), words => {
		let rule;
		try {
			rule = parseRuleText(words.join(' '), 'ipv4');
		} catch (error) {
			t.true(error instanceof RuleSyntaxError, String(error));
			return;
		}

		taken++;
		// As getopt_long(3) goes through it: an option that takes a value takes the next word, whatever it is.
		const left = rule.text.match(/"(?:\\.|[^"\\])*"|\S+/gu) ?? [];
		const takes = /^(?:-[mjgpisd]|--(?:comment|log-prefix|to-destination|ttl-eq|dport|mode|bytecode|string))$/u;
		for (const [index, found] of left.entries()) {
			if (/^"?(?:--mo(?!de)|-M)/u.test(found)) {
				t.regex(left[index - 1] ?? '', takes, rule.text);
			}
		}
	}), {numRuns: 5000});
	t.true(taken > 50, String(taken));
});

test('every module with fields has all of its options in the table, and the options that iptables has as well are known', t => {
	for (const [name, options] of matchModules) {
		for (const option of options.keys()) {
			t.true(knownMatches.get(name)?.has(option) === true, `${name} ${option}`);
		}
	}

	t.deepEqual([...extensionTargets].filter(name => !knownTargets.has(name)), ['AUDIT', 'IDLETIMER', 'LED']);
	// An exact name goes before a beginning (getopt_long(3)); these begin, or are, one of iptables' own names.
	const shared = [...knownMatches, ...knownTargets].flatMap(([name, options]) => [...options.keys()].filter(option => isOwnOption(option)).map(option => `${name} ${option}`));
	t.deepEqual(shared, ['connlabel --set', 'policy --pol', 'policy --proto', 'recent --set', 'set --set', 'CLUSTERIP --new']);
});

const iptables = (...rules: readonly string[]): RuleSet => parseSave(['*filter', ':MINE - [0:0]', ...rules.map(rule => `-A MINE ${rule}`), 'COMMIT'].join('\n'), 'ipv4');

test('unknown names are listed, each once, with the first rule', t => {
	const set = iptables('-j RETURN', '-m limit --limit 5/sec -j LOG', '-m foo --bar 1 -j RETURN', '-m foo -j ODD --with it', '-m ipvs --ipvs -j AUDIT --type accept');
	t.deepEqual(unknownExtensions(set, 'iptables-nft').map(({flag, name, place}) => `${place} ${flag} ${name}`), [
		'filter:MINE#3 -m foo', 'filter:MINE#4 -j ODD', 'filter:MINE#5 -m ipvs', 'filter:MINE#5 -j AUDIT',
	]);
});

test('a set that was made by hand is checked like one that was read', t => {
	const good = iptables('-m limit --limit 5/sec -j LOG');
	const [table] = good.tables;
	const chain = table!.chains.find(({name}) => name === 'MINE')!;
	const [rule] = chain.rules;
	t.deepEqual(unknownExtensions(good, 'iptables-nft'), []);
	const forged = (changes: object): RuleSet => ({tables: [{...table!, chains: [{...chain, ...changes}]}]});
	for (const set of [
		forged({rules: [{...rule!, text: `-j LOG --modprobe=${program}`}]}),
		forged({rules: [{...rule!, text: '-j ACCEPT\nCOMMIT\n*nat'}]}),
		forged({rules: [{...rule!, chain: 'MINE -j ACCEPT\n-A MINE'}]}),
		forged({name: 'MINE - [0:0]\n-A OUTPUT -j DROP\n:X'}),
		forged({policy: 'ACCEPT\n-A OUTPUT -j DROP'}),
		{tables: [{...table!, name: 'filter\n-A OUTPUT -j DROP'}]},
	]) {
		t.throws(() => unknownExtensions(set, 'iptables-legacy'), {instanceOf: RuleSyntaxError});
	}
});
