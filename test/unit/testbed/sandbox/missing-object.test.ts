/** What is missing, in the tools' messages (iptables 1.8.9, nft 1.0.6) and in ours. */

import test from 'ava';
import {missingObjectOf} from '../../../../testbed/sandbox/missing-object.js';

const after = (said: string): string => `iptables-nft-restore v1.8.9 (nf_tables): ${said}\n\nError occurred at line: 3\nTry \`iptables-nft-restore -h' or 'iptables-nft-restore --help' for more information.\n`;
const input = (rule: string): string => `*nat\n-A OUTPUT -p tcp -j ACCEPT\n${rule}\nCOMMIT\n`;

const cases: ReadonlyArray<readonly [rule: string, said: string, what: string]> = [
	['-A OUTPUT -m geoip --src-cc DE -j RETURN', after('Couldn\'t load match `geoip\':No such file or directory'), 'iptables on this machine has no extension for the match geoip'],
	['-A OUTPUT -j NOSUCH', after('Couldn\'t load target `NOSUCH\':No such file or directory'), 'NOSUCH is neither a chain in this table nor a target of iptables on this machine'],
	['-A OUTPUT -j NOSUCH', 'iptables-nft-restore v1.8.9 (nf_tables): Chain \'NOSUCH\' does not exist\nError occurred at line: 4\n', 'NOSUCH is neither a chain in this table nor a target of iptables on this machine'],
	['-A OUTPUT -m ipvs --ipvs -j RETURN', 'Warning: Extension ipvs revision 0 not supported, missing kernel module?\niptables-restore: line 4 failed\n', 'this kernel has no module for ipvs (xt_ipvs)'],
	['ip daddr @nosuch accept', '/dev/stdin:4:11-17: Error: No such file or directory\n ip daddr @nosuch accept\n          ^^^^^^^\n', 'the set @nosuch is missing from this table'],
];

for (const [index, [rule, said, what]] of cases.entries()) {
	test(`${index + 1}. ${rule}: ${what}`, t => {
		const missing = missingObjectOf(said, input(rule));
		t.is(missing?.what, what);
		t.is(missing?.line, 3, 'the line of the rule, whichever the tool named');
		t.regex(missing?.hint ?? '', /\.$/u);
		t.is(missingObjectOf(said, '*nat\nCOMMIT\n')?.line, undefined);
	});
}

test('a name that begins like another one is another', t => {
	t.is(missingObjectOf(after('Couldn\'t load match `geo\':No such file or directory'), input('-A OUTPUT -m geoip --src-cc DE -j RETURN'))?.line, undefined);
});

test('anything else is nothing that is missing', t => {
	t.is(missingObjectOf(after('unknown option "--dport"'), input('-A OUTPUT --dport 80')), undefined);
});
