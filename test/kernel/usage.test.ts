/** Exit statuses and messages: invalid requests say what is possible, and nothing is installed. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {testbed} from './_cli.js';
import {defaultDump} from './_run.js';

/** Arguments, what stdin holds, and what the message must say. All end with status 2. */
const mistakes: ReadonlyArray<{readonly given: readonly string[]; readonly input?: string; readonly message: RegExp}> = [
	{given: ['--types', '7'], message: /^testbed: There is no type 7\.\n→ The types of istio are 1, 2, 3, 4, 4b, 5, 6\. A range such as 1-6 or all works as well\./u},
	{given: ['--types', ','], message: /--types ,: it must name at least one type\./u},
	{given: ['--family', 'ipv5'], message: /^testbed: --family ipv5: it must be ipv4, ipv6 or both\. Did you mean ipv4 or ipv6\?/u},
	{given: ['--backend', 'pf'], message: /^testbed: --backend pf: it must be iptables-nft, iptables-legacy, nftables or all\./u},
	...([['--proxy-uid', 'root'], ['--proxy-gid', '-1'], ['--agent-uid', '4294967295'], ['--agent-gid', '1.5'], ['--app-uid', '0x10'], ['--app-gid', '']] as const)
		.map(([option, value]) => ({given: [`${option}=${value}`], message: new RegExp(`${option}.*whole number from 0 to 4294967294`, 'u')})),
	{given: ['--timeout', '0'], message: /--timeout.*whole number from 1/u},
	{given: ['--trace-buffer', 'big'], message: /--trace-buffer.*whole number from 1/u},
	{given: ['--format', 'xml'], message: /--format xml: it must be text, json, html, tap, junit, markdown, github, svg or mermaid\. Did you mean junit\?/u},
	{given: ['run', 'scenarios/udp.yaml', '--format', 'markdwn'], message: /Did you mean markdown\?/u},
	{given: ['--rules', 'release:1.30', '--redirect-dns'], message: /^testbed: run has no option --redirect-dns\.[\s\S]*inside the quotes of the input/u},
	{given: ['prob', '--to', 'x'], message: /^testbed: There is no command "prob"\. Did you mean probe\?/u},
	{given: ['help', 'prob'], message: /^testbed: There is no command "prob"\. Did you mean probe\?/u},
	{given: ['--rules', 'release:1.30', '--rules', 'release:1.20'], message: /^testbed: --rules is given twice \(release:1\.30 and release:1\.20\)/u},
	{given: ['--output', ''], message: /^testbed: --output is empty \(an unset variable\?\)/u},
	{given: ['diff', 'release:1.30', 'ambient-host:1.30'], message: /ambient-host:1\.30 names the rules of the node/u},
	{given: ['diff', 'release:1.30', 'release:1.29', '--to6', '/etc/hostname'], message: /^testbed: --to6 works only with a dump/u},
	{given: ['--rules', '-'], input: '*nat\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A OUTPUT -j A\n-A A -j A\nCOMMIT\n', message: /^testbed: -: line 5: chain A jumps to itself[\s\S]*Nothing was installed/u},
	{given: ['--rulez'], message: /^testbed: run has no option --rulez\. Did you mean --rules\?/u},
	{given: ['walk'], message: /^testbed: There is no command "walk"\.[\s\S]*A scenario is a file that ends in \.yaml/u},
	{given: ['run', '/nowhere/a.yaml'], message: /The scenario cannot be read: \/nowhere\/a\.yaml: no such file\./u},
	{given: ['run', 'schemas/empty/', '--jobs', '1'], message: /The scenario cannot be read: schemas\/empty\/: no such file\./u},
	{given: ['run', 'testbed/sandbox'], message: /The folder testbed\/sandbox contains no scenarios/u},
	{given: ['run', 'scenarios/udp.yaml', '--types', '1'], message: /--types cannot be used with a scenario/u},
	{given: ['run', 'scenarios/udp.yaml', '--rules', 'release:1.30'], message: /--rules cannot be used with a scenario/u},
	{given: ['run', 'scenarios/udp.yaml', '--app-uid', '5'], message: /--app-uid cannot be used with a scenario/u},
	{given: ['run', 'package.json'], message: /package\.json: line \d+, column \d+: "\w+" is not a key of a scenario/u},
	{given: ['run', 'scenarios/udp.yaml', 'scenarios/dual-stack.yaml', '--keep'], message: /--keep works with a single run/u},
	{given: ['--rules', '/nowhere/rules'], message: /The rules cannot be read: \/nowhere\/rules: no such file\./u},
	{given: ['--rules', '/'], message: /testbed: \/ is a folder; expected a file\./u},
	{given: ['--rules', '-'], message: /standard input is empty: nothing came through the pipe\.[\s\S]*→ Rules can be/u},
	{given: ['--rules', '-'], input: '*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j\nCOMMIT\n', message: /line 3: .*-A OUTPUT -p tcp -j[\s\S]*Nothing was installed/u},
	{given: ['--rules', '-'], input: '*nat\n-A OUTPUT -j NOSUCH\nCOMMIT\n', message: /line 2: .*NOSUCH[\s\S]*Nothing was installed/u},
	{given: ['--rules', '-'], input: '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j RETURN\n', message: /line 3: .*COMMIT[\s\S]*Nothing was installed/u},
	{given: ['--rules', '-'], input: 'Chain OUTPUT (policy ACCEPT)\ntarget     prot opt source               destination\n', message: /line [12]: [\s\S]*Nothing was installed/u},
	{given: ['--rules', '-'], input: '# mine\n\n*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', message: /-: line 4: -m nosuchmatch is not a known match[\s\S]*Nothing was installed[\s\S]*--allow-modules/u},
	{given: ['--rules', '-', '--allow-modules'], input: '# mine\n\n*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', message: /iptables-nft-restore rejected line 4 of the input, .*-m nosuchmatch -j RETURN[\s\S]*nothing is left installed/u},
	{given: ['--rules', '-', '--allow-modules', '--backend', 'iptables-legacy'], input: '*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', message: /iptables-legacy-restore rejected .*-m nosuchmatch -j RETURN[\s\S]*nothing is left installed/u},
	{given: ['--rules', 'release:0.1'], message: /release 0\.1 is older than 1\.5, the oldest one known; the nearest is 1\.5[\s\S]*Nothing was installed/u},
	{given: ['--rules', 'release:'], message: /^testbed: release:: no version was given; write one as 1\.31 or 1\.31\.0, or latest for the newest one known[\s\S]*Nothing was installed/u},
	{given: ['--rules', 'ambient:'], message: /no version was given/u},
	{given: ['--rules', 'release:1.4'], message: /release 1\.4 is older than 1\.5/u},
	{given: ['--rules', '1.0'], message: /release 1\.0 is older than 1\.5/u},
	{given: ['--rules', 'release:1.30.x'], message: /"1\.30\.x" is not a version \(did you mean 1\.30\?\)/u},
	{given: ['--rules', 'relase:1.30'], message: /The rules cannot be read: relase:1\.30: no such file[\s\S]*Did you mean release:1\.30\?/u},
	{given: ['--rules', 'release:1.30 --nope'], message: /--nope: unknown flag: --nope[\s\S]*Nothing was installed/u},
	{given: ['--rules', 'release:1.20 --native-nftables'], message: /--native-nftables: unknown flag[\s\S]*Nothing was installed/u},
	{given: ['--rules', 'release:1.20', '--backend', 'nftables'], message: /release:1\.20: It writes no native nftables rules; the first release that does is 1\.27\.[\s\S]*Use --backend/u},
	{given: ['--rules', 'release:1.30 --native-nftables', '--backend', 'iptables-nft'], message: /--native-nftables writes native nft rules, but --backend names iptables-nft[\s\S]*Remove one of the two/u},
	{given: ['--rules', 'release:1.30', '--cni'], message: /--cni works only with pod:FILE/u},
	{given: ['--rules', 'release:1.30', '--release', '1.20'], message: /--release works only with pod:FILE/u},
	{given: ['--rules', 'pod:/nowhere/pod.yaml'], message: /The rules cannot be read: \/nowhere\/pod\.yaml: no such file\./u},
	{given: ['--rules', 'ambient:1.20'], message: /release 1\.20 is older than 1\.30, the oldest one whose ambient rules are known; the nearest is 1\.30/u},
	{given: ['--rules', 'ambient-host:1.30'], message: /names the rules of the node[\s\S]*bin\/testbed rules ambient-host:1\.30/u},
	{given: ['--rules', 'ambient:1.30 --nope'], message: /ambient mode has no such flag/u},
	{given: ['--rules', 'release:1.30 -k eth0 -m TPROXY'], message: /no expectation for --kube-virt-interfaces with an interface of the pod under TPROXY[\s\S]*bin\/testbed rules '/u},
	{given: ['--dns-servers', 'dns.example'], message: /"dns\.example" is not an IP address/u},
	{given: ['--jobs', '0'], message: /--jobs.*whole number from 1/u},
	{given: ['--rules', '-', '--backend', 'iptables-nft'], input: 'table inet x {\n\tchain y {\n\t\taccept\n\t}\n}\n', message: /- holds native nft rules, which --backend iptables-nft cannot install[\s\S]*Omit --backend/u},
	{given: ['--rules', '-', '--backend', 'nftables'], input: defaultDump(), message: /- holds iptables rules, which --backend nftables cannot install[\s\S]*Use iptables-nft or iptables-legacy/u},
	{given: ['--rules', '-'], input: defaultDump('ipv6'), message: /is an IPv6 dump, but IPv4 was requested[\s\S]*--family ipv6/u},
	{given: ['--rules6', '/etc/hostname'], message: /--rules6 works only with a dump/u},
	{given: ['--rules', '-', '--family', 'both'], input: defaultDump(), message: /IPv6 was requested as well[\s\S]*--rules6 FILE/u},
];

test('wrong uses: status 2, the message on stderr, nothing on stdout', async t => {
	// Two at a time: each is a process, and there are two cores.
	const queue = [...mistakes];
	const work = async (): Promise<void> => {
		for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
			const {given, input = '', message} = next;
			const {exitCode, stdout, stderr} = await testbed(given, {input}); // eslint-disable-line no-await-in-loop -- One after the other.
			const title = given.join(' ');
			t.is(exitCode, 2, `${title}\n${stderr}`);
			t.is(stdout, '', title);
			t.regex(stderr, message, title);
			t.notRegex(stderr, /^\s+at /mu, `${title}: a stack is no message`);
		}
	};

	await Promise.all([work(), work()]);
});

test('a report that cannot be written', async t => {
	const {exitCode, stdout, stderr} = await testbed(['--types', '3', '--output', '/nowhere/report']);
	t.is(exitCode, 2);
	t.is(stdout, '');
	t.regex(stderr, /cannot be written to \/nowhere\/report/u);
});

test('a summary for GitHub that cannot be written: status 2, and the annotations are printed', async t => {
	const {exitCode, stdout, stderr} = await testbed(['--types', '3', '--format', 'github'], {env: {GITHUB_STEP_SUMMARY: '/nowhere/summary'}});
	t.is(exitCode, 2);
	t.is(stdout, '1 passed, 0 failed, 0 inconclusive\n');
	t.regex(stderr, /cannot be written to \/nowhere\/summary, which GITHUB_STEP_SUMMARY names/u);
});

test('a broken IPv6 dump is reported with its own line, even if the IPv4 one is good', async t => {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, 'six');
	writeFileSync(file, '*nat\n-A OUTPUT -d 10.0.0.1/32 -j RETURN\nCOMMIT\n');
	const {exitCode, stderr} = await testbed(['--rules', '-', '--rules6', file, '--family', 'both'], {input: defaultDump()});
	t.is(exitCode, 2, stderr);
	t.regex(stderr, /10\.0\.0\.1/u);
	await folder.cleanup();
});

test('help and version: status 0, on stdout', async t => {
	const [help, runHelp, version] = await Promise.all([testbed(['--help']), testbed(['run', '--help']), testbed(['--version'])]);
	t.deepEqual([help, runHelp, version].map(({exitCode}) => exitCode), [0, 0, 0]);
	t.regex(help.stdout, /Usage: testbed/u);
	for (const option of ['--rules', '--rules6', '--backend', '--family', '--types', '--proxy-uid', '--agent-gid', '--app-uid', '--format', '--output', '--verbose', '--keep', '--timeout', '--trace-buffer']) {
		t.true(runHelp.stdout.includes(option), option);
	}

	t.regex(version.stdout, /^testbed \d[\s\S]*\nkernel \d[\s\S]*\niptables \d[\s\S]*\nnft \d[\s\S]*\nnode \d/u);
});

test('not root, for what only root can do: status 4, with the command that fixes it', async t => {
	// A user who may read every file, for the checkout may be in root's own home.
	const mayRead = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
	const {exitCode, stdout, stderr} = await execa('setpriv', ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...mayRead, 'sh', '-c', '"$0" scripts/run.cjs testbed clean; exit $?', process.execPath], {reject: false});
	t.is(exitCode, 4, stderr);
	t.is(stdout, '');
	t.regex(stderr, /root[\s\S]*sudo/u);
});

test('help at 40 columns: descriptions are wrapped in their own column', async t => {
	for (const command of ['run', 'probe', 'diff', 'mutate']) {
		const {stdout} = await testbed([command, '--help'], {env: {COLUMNS: '40'}}); // eslint-disable-line no-await-in-loop -- One after the other.
		const described = stdout.slice(stdout.indexOf('Options:'), stdout.indexOf('Examples:')).split('\n');
		t.true(described.length > 20, command);
		// A word that is longer than its column stands alone.
		t.deepEqual(described.filter(line => line.length > 40 && / \S+ \S+$/u.test(line.slice(24).trimEnd()) && line.slice(24).trim().includes(' ')), [], command);
	}
});
