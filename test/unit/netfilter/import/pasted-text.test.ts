/** Rules as people paste them: what stands around a dump changes nothing of it, and what cannot be read is refused for its true reason. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import fastCheck from 'fast-check';
import {importRules, type FamilyHints, type Kind} from '../../../../src/netfilter/import/import-rules.js';
import {ParseError, printSave} from '../../../../src/netfilter/iptables/save.js';
import {printNft} from '../../../../src/netfilter/nftables/ruleset.js';
import type {AddressFamily, RuleSet} from '../../../../src/netfilter/types.js';
import {mangleOf, randomRule} from '../../../helpers/random-rules.js';
import {root} from '../../../helpers/root.js';

const folder = new URL('test/fixtures/pasted/', root);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

function tally({tables}: RuleSet): readonly string[] {
	return tables.map(({family, name, chains}) => `${family} ${name}: ${chains.reduce((sum, {rules}) => sum + rules.length, 0)}`);
}

type Case = {readonly file: string; readonly kind: Kind; readonly tables: readonly string[]; readonly warnings?: readonly RegExp[]; readonly families?: readonly AddressFamily[]};

const cases: readonly Case[] = [
	{
		file: '07-native-nft-sail-1.27.nft', kind: 'nft', tables: ['inet istio-proxy-nat: 18'], families: ['ipv4', 'ipv6'], warnings: [/^line 1: ignored because it is not a rule: root@curl-6c88b89ddf-kbzn6:\$ nft list ruleset$/],
	},
	{
		file: '10-cni-list-L-v-n.txt', kind: 'iptables-L', tables: ['ip nat: 11'], warnings: [/^line 1: no table is named; assumed nat because of the targets$/, /^The rules were converted from iptables -L/],
	},
	{file: '19-stern-cni.log', kind: 'init-log', tables: ['ip nat: 19']},
	{file: '23-linkerd-log-2021.log', kind: 'init-log', tables: ['ip nat: 8']},
	{
		file: '30-kubeproxy-node.save', kind: 'iptables-save', tables: ['ip nat: 21'], warnings: [/^line 1: ignored because it is not a rule: # iptables-save$/],
	},
	{
		file: '38-ambient-1.21-doc.txt', kind: 'iptables-save', tables: ['ip mangle: 9', 'ip nat: 5'],
		warnings: [/^line 1: ignored because it is not a rule: \$ kubectl debug /, /^line 3: ignored because it is not a rule: Defaulting debug container name to debugger-m44qc\.$/],
	},
	{
		file: '45-empty-nat.save', kind: 'iptables-save', tables: ['ip nat: 0'],
	},
	{
		file: '59-v4v6-30868.log', kind: 'init-log', tables: ['ip nat: 9', 'ip6 nat: 8'], families: ['ipv4', 'ipv6'],
	},
	{
		file: '67-native-plus-docker.nft', kind: 'nft', tables: ['inet istio-proxy-nat: 18', 'ip filter: 1'], families: ['ipv4', 'ipv6'],
	},
	{
		file: 'listing-nft-1.0.6.nft', kind: 'nft', tables: ['ip nat: 18'], warnings: [/^table ip nat looks like one that iptables-nft wrote/],
	},
	{
		file: 'listing-nft-1.1.3.nft', kind: 'nft', tables: ['ip nat: 18'], warnings: [/^table ip nat looks like one that iptables-nft wrote/],
	},
	{
		file: 'listing-nft-1.1.nft', kind: 'nft', tables: ['ip mangle: 17', 'ip nat: 13'], warnings: [/^table ip mangle looks like one that iptables-nft wrote/, /^table ip nat looks/],
	},
];

const refusedFiles: ReadonlyArray<readonly [file: string, line: number, reason: RegExp]> = [
	['05-docker-nft-xt.nft', 9, /^rule 1 of chain POSTROUTING in table ip nat was written by iptables-nft, and nft does not show the values of xt target "MASQUERADE"; use iptables-save and ip6tables-save$/],
	['14-bpf-object-pinned.save', 10, /^-m bpf --object-pinned names a BPF program that is pinned in a file on the machine that the rules come from\. .* does not exist here/],
];

test('every pasted text has its case', t => {
	t.deepEqual(readdirSync(folder).filter(name => name !== 'README.md').toSorted(), [...cases.map(({file}) => file), ...refusedFiles.map(([file]) => file)].toSorted());
});

for (const {file, kind, tables, warnings = [], families = ['ipv4']} of cases) {
	test(`${file} is ${kind}`, t => {
		const imported = importRules(read(file));
		t.is(imported.kind, kind);
		t.deepEqual(tally(imported.ruleSet), tables);
		t.deepEqual(imported.families, families);
		t.is(imported.warnings.length, warnings.length, imported.warnings.join('\n'));
		for (const [index, pattern] of warnings.entries()) {
			t.regex(imported.warnings[index] ?? '', pattern);
		}
	});
}

for (const [file, line, reason] of refusedFiles) {
	test(`${file} is refused for the right reason`, t => {
		const error = t.throws(() => importRules(read(file)), {instanceOf: ParseError});
		t.is(error.line, line);
		t.regex(error.reason, reason);
	});
}

test('a text that shows its family has that family, whatever the default is', t => {
	for (const hints of [{}, {fallback: 'ipv6'}, {fallback: 'ipv4'}] satisfies readonly FamilyHints[]) {
		t.deepEqual(importRules(read('19-stern-cni.log'), hints).families, ['ipv4']);
		t.deepEqual(importRules(read('59-v4v6-30868.log'), hints).families, ['ipv4', 'ipv6']);
	}

	const untold = '*nat\n-A OUTPUT -p tcp -j RETURN\nCOMMIT';
	t.deepEqual(importRules(untold, {fallback: 'ipv6'}).families, ['ipv6']);
	t.deepEqual(importRules(untold, {fallback: 'ipv6'}).warnings, []);
	t.throws(() => importRules(read('19-stern-cni.log'), {family: 'ipv6'}), {message: /the IPv4 address/});
});

const dump = read('19-stern-cni.log').split('\n').flatMap(line => /^istio-cni-node-aaaaa (?<rest>[#*:\-C].*)$/u.exec(line)?.groups?.['rest'] ?? []);
const nft = read('07-native-nft-sail-1.27.nft').split('\n').slice(2);
const wanted = printSave(importRules(dump.join('\n')).ruleSet, 'ipv4');
const wantedNft = printNft(importRules(nft.join('\n')).ruleSet);

type Around = readonly [title: string, wrap: (lines: readonly string[]) => string];
const eachLine = (change: (line: string, index: number) => string) => (lines: readonly string[]): string => lines.map((line, index) => change(line, index)).join('\n');
const between = (before: string, behind: string) => (lines: readonly string[]): string => `${before}${lines.join('\n')}${behind}`;

/** What people's programs put around rules. */
const wrappers: readonly Around[] = [
	['line ends of Windows', lines => lines.join('\r\n')],
	['line ends of a pseudo-TTY', lines => lines.join('\r\r\n')],
	['line ends of old Macs', lines => lines.join('\r')],
	['tabulators', eachLine(line => `\t\t${line}\t`)],
	['a byte order mark', between('\uFEFF', '')],
	['no-break spaces', eachLine(line => line.replaceAll(' ', '\u00A0'))],
	['narrow spaces', eachLine(line => line.replaceAll(' ', '\u2009'))],
	['characters without width', eachLine(line => `\u200B${line}\u2060`)],
	['a code fence', between('```console\n', '\n```\n')],
	['GitHub\'s folded section', between('<details><summary>iptables-save</summary>\n<p>\n\n```\n', '\n```\n</p>\n</details>\n')],
	['HTML for text as it is', between('<pre>\n', '\n</pre>\n')],
	['each line as code', eachLine(line => line === '' ? '' : `\`${line}\``)],
	['quote marks of mail', eachLine(line => `> ${line}`)],
	['a quoted quote', eachLine(line => `>> ${line}`)],
	['a quoted fence', lines => ['```', ...lines, '```'].map(line => `> ${line}`).join('\n')],
	['a frame of k9s', lines => [`┌${'─'.repeat(8)} Logs(default/x)[tail] ${'─'.repeat(8)}┐`, ...lines.map(line => `│ ${line.padEnd(150)} │`), `└${'─'.repeat(100)}┘`].join('\n')],
	['a frame of plain bars', lines => ['+-----+', ...lines.map(line => `| ${line.padEnd(100)} |`), '+-----+'].join('\n')],
	['numbers of cat -n', eachLine((line, index) => `${String(index + 1).padStart(6)}\t${line}`)],
	['numbers of grep -n', eachLine((line, index) => `${index + 1}:${line}`)],
	['kubectl logs --timestamps', eachLine(line => `2024-05-01T10:00:00.123456789Z ${line}`)],
	['kubectl logs --prefix', eachLine(line => `[pod/web-1/istio-validation] ${line}`)],
	['prefix and time', eachLine(line => `[pod/web-1/istio-validation] 2024-05-01T10:00:00.123456789Z ${line}`)],
	['stern', eachLine(line => `web-7f9c4 istio-validation ${line}`)],
	['docker compose', eachLine(line => `web-1  | ${line}`)],
	['the runtime\'s own file', eachLine(line => `2024-05-01T10:00:00.123456789Z stdout F ${line}`)],
	['colors', eachLine(line => `\u001B[32m${line}\u001B[0m\u001B[K`)],
	['a title and bracketed paste', between('\u001B]0;root@web: /\u0007\u001B[?2004hroot@web:/# iptables-save\r\n\u001B[?2004l', '\r\n\u001B[?2004hroot@web:/# ')],
	['kubectl exec', between('$ kubectl exec -it web-1 -c istio-proxy -- sh -c "iptables-save"\nDefaulted container "web" out of: web, istio-proxy, istio-init (init)\n', '\ncommand terminated with exit code 1\n')],
	['kubectl exec over several lines', between('$ kubectl exec -it web-1 \\\n    -c istio-proxy \\\n    -- iptables-save\n', '\n')],
	['kubectl exec without a prompt', between('kubectl exec web-1 -c istio-proxy -- iptables-save\n', '\n')],
	['kubectl debug', between('Targeting container "web". If you don\'t see processes from this container it may be because the container runtime doesn\'t support this feature.\n--profile=legacy is deprecated and will be removed in the future.\nDefaulting debug container name to debugger-x7k2p.\nAll commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don\'t see a command prompt, try pressing enter.\n/ # iptables-save\n', '\n/ # exit\nSession ended, resume using \'kubectl attach web -c debugger-x7k2p -i -t\' command when the pod is running\n')],
	['kubectl\'s warnings', between('Warning: would violate PodSecurity "restricted:latest"\nI0612 20:59:22.598644   12345 request.go:697] Waited for 1.1s due to client-side throttling\n', '\npod "web-debug" deleted\n')],
	['oc debug', between('Starting pod/node-1-debug ...\nTo use host binaries, run `chroot /host`\nPod IP: 10.0.0.5\nIf you don\'t see a command prompt, try pressing enter.\nsh-4.4# iptables-save\n', '\nsh-4.4# exit\nexit\n\nRemoving debug pod ...\n')],
	['sudo and a prompt', between('[sudo] password for joe: \njoe@node:~$ sudo nsenter -t 4711 -n iptables-save\n', '\njoe@node:~$ ')],
	['root\'s prompt', between('[root@node-1 ~]# iptables-save\n', '\n[root@node-1 ~]# ')],
	['PowerShell', between('PS C:\\Users\\joe> kubectl exec web-1 -- iptables-save\r\n', '\r\nPS C:\\Users\\joe>')],
	['cmd', between('C:\\Users\\joe>kubectl exec web-1 -- iptables-save\r\n', '\r\nC:\\Users\\joe>')],
	['zsh', between('joe@mac ~ % kubectl exec web-1 -- iptables-save\n', '\njoe@mac ~ % ')],
	['a fancy prompt', between('➜  ~ kubectl exec web-1 -- iptables-save\n', '\n➜  ~ ')],
	['a Python environment', between('(venv) joe@node:~$ ssh node-1 sudo iptables-save\n', '\nConnection to node-1 closed.\n')],
];

for (const [title, wrap] of wrappers) {
	test(`around a dump: ${title}`, t => {
		t.is(printSave(importRules(wrap(dump)).ruleSet, 'ipv4'), wanted);
	});

	test(`around a listing of nft: ${title}`, t => {
		t.is(printNft(importRules(wrap(nft).replaceAll('iptables-save', 'nft list ruleset')).ruleSet), wantedNft);
	});
}

const logged: readonly Around[] = [
	['JSON of a container runtime', eachLine(line => JSON.stringify({log: `${line}\n`, stream: 'stdout', time: '2024-05-01T10:00:00Z'}))],
	['JSON in JSON', eachLine(line => JSON.stringify({log: `${JSON.stringify({level: 'info', msg: line})}\n`, stream: 'stdout'}))],
	['logfmt, whole in one message', lines => `time="2024-05-01T10:00:00Z" level=info msg="Running iptables-restore with the following input:\\n${lines.join(String.raw`\n`).replaceAll('"', String.raw`\"`)}\\n" component=cni\n`],
	['logfmt, line by line', eachLine(line => `ts=2024-05-01T10:00:00Z level=info msg="${line.replaceAll('"', String.raw`\"`)}"`)],
];

for (const [title, wrap] of logged) {
	test(`in a log: ${title}`, t => {
		t.is(printSave(importRules(wrap(dump)).ruleSet, 'ipv4'), wanted.replaceAll(/^:(?!ISTIO|PREROUTING|INPUT|OUTPUT|POSTROUTING).*\n/gmu, ''));
	});
}

test('law: noise around random rules does not change them', t => {
	fastCheck.assert(fastCheck.property(fastCheck.array(randomRule('ipv4'), {minLength: 1, maxLength: 6}), fastCheck.constantFrom(...wrappers), fastCheck.constantFrom(...wrappers.slice(3)), (rules, [, inner], [, outer]) => {
		const text = mangleOf([...rules, '-s 10.0.0.1/32 -j RETURN']);
		const lines = text.trimEnd().split('\n');
		t.is(printSave(importRules(inner(lines)).ruleSet, 'ipv4'), text);
		// Around what a terminal showed stands at most what a mail or a page puts around it.
		const isQuote = /quote|fence/u.test(String(outer)) || outer === wrappers[12]![1];
		t.is(printSave(importRules(isQuote ? outer(inner(lines).split('\n')) : outer(lines)).ruleSet, 'ipv4'), text);
	}), {numRuns: 300});
});

test('each rule knows its line, whatever surrounds it', t => {
	const text = ['```', '$ iptables-save', '> *nat', '', '> -A OUTPUT -s 10.0.0.1/32 -j RETURN   # why?', '> COMMIT', '```'].join('\n');
	const {lines, ruleSet, warnings} = importRules(text);
	t.deepEqual([...lines].map(([{text: rule}, line]) => [rule, line]), [['-s 10.0.0.1/32 -j RETURN', 5]]);
	t.deepEqual(tally(ruleSet), ['ip nat: 1']);
	t.deepEqual(warnings, ['line 5: ignored a remark after a rule: # why?', 'line 2: ignored because it is not a rule: $ iptables-save']);
});

const inNat = (...lines: readonly string[]): string => ['*nat', ...lines, '-A OUTPUT -d 127.0.0.1/32 -j RETURN', 'COMMIT'].join('\n');
const natRules = (text: string): readonly string[] => importRules(text).ruleSet.tables[0]!.chains.flatMap(({rules}) => rules.map(rule => `${rule.chain}: ${rule.text}`));

for (const [remark, isRemark] of [['# here', true], ['#1', true], ['<-- this one', true], ['<== this', true], ['← this', true], ['// why?', true], ['-m comment --comment "a # b <-- c // d"', false]] as const) {
	test(`a remark after a rule: ${remark}`, t => {
		const {warnings} = importRules(inNat(`-A OUTPUT -p tcp -j RETURN ${remark}`));
		t.is(natRules(inNat(`-A OUTPUT -p tcp -j RETURN ${remark}`))[0], `OUTPUT: -p tcp ${isRemark ? '' : `${remark} `}-j RETURN`.replace(/^(?<head>OUTPUT: -p tcp) (?<comment>-m .*) -j RETURN$/u, '$<head> -j RETURN $<comment>'));
		t.is(warnings.length, isRemark ? 1 : 0);
	});
}

test('remarks after nft rules', t => {
	const text = nft.join('\n').replace('meta skuid 1337 return', 'meta skuid 1337 return   <--- the proxy');
	t.is(printNft(importRules(text).ruleSet), wantedNft);
	t.regex(importRules(text).warnings[0] ?? '', /^line \d+: ignored a remark after a rule: <--- the proxy$/);
	t.is(printNft(importRules(nft.map(line => line.endsWith('return') ? `${line} # handle 7` : line).join('\n')).ruleSet), wantedNft);
});

test('Markdown\'s backslashes are removed, with a note', t => {
	const text = dump.join('\n').replaceAll('_', String.raw`\_`);
	t.is(printSave(importRules(text).ruleSet, 'ipv4'), wanted);
	t.true(importRules(text).warnings.some(warning => /^line \d+: the text has Markdown's backslashes \(\\_ for _\), which were removed$/u.test(warning)));
	t.is(natRules(inNat(String.raw`-A OUTPUT -m comment --comment "a\\_b" -j RETURN`))[0], String.raw`OUTPUT: -m comment --comment "a\\_b" -j RETURN`);
});

test('the comment behind a new chain is nothing, and anything else is no name', t => {
	t.is(importRules('*nat\n-N MINE -m comment --comment "a b"\n-A MINE -d 1.2.3.4/32 -j RETURN\nCOMMIT').ruleSet.tables[0]!.chains.at(-1)!.name, 'MINE');
	t.throws(() => importRules('*nat\n-N MINE -j RETURN\nCOMMIT'), {message: /bad chain name "MINE -j RETURN"/});
});

const refusals: ReadonlyArray<readonly [text: string, line: number, reason: RegExp]> = [
	[inNat('–A OUTPUT -p tcp -j RETURN'), 2, /^an en dash \(U\+2013\) where a plain hyphen belongs/],
	[inNat('-A OUTPUT –p tcp -j RETURN'), 2, /^an en dash \(U\+2013\)/],
	[inNat('-A OUTPUT -p tcp -m tcp —dport 80 -j RETURN'), 2, /^an em dash \(U\+2014\).*"--" before a long option$/],
	[inNat('-A OUTPUT −p tcp -j RETURN'), 2, /^a minus sign \(U\+2212\)/],
	['–A OUTPUT -j RETURN', 1, /^an en dash/],
	['iptables –t nat -A OUTPUT -j RETURN', 1, /^an en dash/],
	[nft.join('\n').replace('priority dstnat', 'priority –100'), 3, /^an en dash/],
	[inNat('-A OUTPUT -m comment --comment “a b” -j RETURN'), 2, /^a curly quotation mark \(U\+201C\)/],
	[dump.slice(2).join('\n'), 1, /^the beginning is missing: there is no line \*TABLE \(\*nat, \*mangle, \*raw or \*filter\) before this, so the text was cut off or filtered/],
	[dump.slice(14).join('\n'), 1, /^the beginning is missing/],
	[['2024-05-01T10:00:00Z\tinfo\tRunning iptables-restore with the following input:', ...dump.slice(2), 'ip6tables-restore', '* nat', '-A OUTPUT -d ::1/128 -j RETURN', 'COMMIT'].join('\n'), 2, /^the beginning is missing/],
	[[...dump, ...dump.slice(2)].join('\n'), 32, /^the beginning is missing/],
	[dump.filter(line => line !== 'COMMIT').join('\n'), 29, /^table nat \(line 2\) has no COMMIT: the end of the text is missing, possibly with rules$/],
	[nft.slice(5).join('\n'), 2, /^the beginning is missing: there is no line "table FAMILY NAME {" before this/],
	[nft.slice(0, -4).join('\n'), 28, /^chain istio-output without its end: the text is cut off$/],
	['$ kubectl exec web-1 -- iptables-save\nDefaulted container "web" out of: web, istio-proxy\n', 1, /^the text has only prompts and notices but no rules/],
	['*nat\n-A OUTPUT -j RETURN\n\u001B[2Jx\nCOMMIT', 3, /^not a text file: it has bytes that never occur in rules/],
	['root@x:/# nft add rule inet mesh output accept\ntable inet mesh {\n}', 1, /is not a command that is understood here/],
	[['Hello,', ...dump].join('\n'), 1, /^not a line of iptables-save$/],
	[inNat('-A OUTPUT -m comment --comment &quot;a&quot; -j RETURN'), 2, /^&quot; is HTML's notation for a character/],
	[inNat('-A OUTPUT &#33; -d 1.2.3.4 -j RETURN'), 2, /^&#33; is HTML's notation for a character/],
	[['--- a', '+++ b', '@@ -1,3 +1,3 @@', ...dump.map(line => ` ${line}`)].join('\n'), 1, /^this is a diff of two texts/],
	[['$ iptables-save', ...dump, '$ nft list ruleset', ...nft].join('\n'), 34, /^the text has both nft and iptables rules, and the two tools may show the same rules\. Pass them separately/],
	['# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n', 1, /^it has no rules of iptables-nft, only a warning that iptables-legacy has some: use iptables-legacy-save/],
	['# Generated by iptables-save v1.8.9 (nf_tables) on Sun Nov 29 05:00:00 2026\n', 1, /^comments only: the program that printed this found no table/],
	['sh: iptables-save: not found\ncommand terminated with exit code 127\n', 1, /^an error message of a container without the program/],
	['error: Internal error occurred: OCI runtime exec failed: exec failed: exec: "iptables-save": executable file not found in $PATH: unknown', 1, /^an error message of a container without the program/],
	['iptables-save v1.8.7 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)', 1, /^an error message of a program without the privileges to read the rules/],
];

for (const [index, [text, line, reason]] of refusals.entries()) {
	test(`refusal ${index + 1}: ${JSON.stringify(text).slice(0, 100)}`, t => {
		const error = t.throws(() => importRules(text), {instanceOf: ParseError});
		t.is(error.line, line, error.message);
		t.regex(error.reason, reason);
	});
}

test('a no-break space in a comment stays', t => {
	t.is(natRules(inNat('-A OUTPUT -m comment --comment "a\u00A0b" -j RETURN'))[0], 'OUTPUT: -m comment --comment "a\u00A0b" -j RETURN');
});

test('a dash in a comment stays a dash', t => {
	t.is(natRules(inNat('-A OUTPUT -m comment --comment "a – “b”" -j RETURN'))[0], 'OUTPUT: -m comment --comment "a – “b”" -j RETURN');
});

test('nothing of a text without rules is shown', t => {
	for (const text of ['hunter2', '> hunter2', '│ hunter2 │', '$ hunter2', '{"password": "hunter2"}', '– hunter2', 'web-1 hunter2\nweb-1 hunter2\nweb-1 hunter2', 'level=info msg="hunter2"']) {
		const error = t.throws(() => importRules(text), {instanceOf: ParseError});
		t.false(error.message.includes('hunter2'), error.message);
	}
});

const docker = read('05-docker-nft-xt.nft');

test('an iptables-nft table with a hidden part, besides a native table, is named and left out if it decides nothing', t => {
	const {ruleSet, warnings} = importRules(`${nft.join('\n')}\n${docker}`);
	t.deepEqual(tally(ruleSet), ['inet istio-proxy-nat: 18']);
	t.is(warnings.length, 2);
	t.regex(warnings[0] ?? '', /^line 49: ignored table ip nat: iptables-nft wrote it, and nft does not show the values of xt target "MASQUERADE" in rule 1 of chain POSTROUTING\. On the path of a socket's packets, nothing in that table drops or redirects$/);
	t.regex(warnings[1] ?? '', /^line 81: ignored table ip filter/);
});

for (const [title, change] of [
	['drops', docker.replace('iifname "docker0" counter packets 0 bytes 0 return', 'counter drop')],
	['redirects', docker.replace('xt target "MASQUERADE"', 'xt target "REDIRECT"')],
	['has a policy that drops', docker.replace('hook output priority dstnat; policy accept', 'hook output priority dstnat; policy drop')],
] as const) {
	test(`a table with a hidden part that ${title} is refused by the rule`, t => {
		t.not(change, docker);
		t.throws(() => importRules(`${nft.join('\n')}\n${change}`), {message: /in table ip nat was written by iptables-nft, and nft does not show the values of xt/});
	});
}

test('tables of the families bridge and arp are named and left out', t => {
	const {ruleSet, warnings} = importRules(`table bridge filter {\n\tset s {\n\t\ttype ether_addr\n\t}\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\tether type arp drop\n\t}\n}\n${nft.join('\n')}`);
	t.deepEqual(tally(ruleSet), ['inet istio-proxy-nat: 18']);
	t.deepEqual(warnings, ['line 1: ignored table bridge filter: packets of sockets do not meet it']);
	t.throws(() => importRules('table netdev x {\n}'), {message: /a table of family netdev/});
});

/** What nft 1.0.6 printed of two tables of iptables-nft with one redirect each: none in the second family. */
const bothFamilies = ['ip6', 'ip'].map((family, index) => `table ${family} nat {\n\tchain OUTPUT {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta l4proto tcp counter packets 0 bytes 0 ${index === 0 ? 'redirect to :15001' : ''}\n\t}\n}\n`).join('');

test('an iptables-nft rule of which nft prints no target is refused, with its name', t => {
	for (const text of [bothFamilies, bothFamilies.replaceAll(/ +$/gmu, '')]) {
		t.throws(() => importRules(text), {message: /^line 10: rule 1 of chain OUTPUT in table ip nat was written by iptables-nft, and nft shows no target of it: .*; use iptables-save and ip6tables-save/u});
	}

	// Beside a native table as well, for the rule may redirect.
	t.throws(() => importRules(`${nft.join('\n')}\n${bothFamilies}`), {message: /shows no target of it/u});
	// A rule of a native table may only count.
	t.is(importRules(`${nft.join('\n')}\ntable inet counts {\n\tchain c {\n\t\ttype filter hook output priority 0; policy accept;\n\t\ttcp dport 80 counter packets 0 bytes 0\n\t}\n}\n`).ruleSet.tables.length, 2);
});
