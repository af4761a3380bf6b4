/** What confined tools can see, and that the rule tools work the same confined as outside. */

import process from 'node:process';
import {once} from 'node:events';
import {
	copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setImmediate as turn, setTimeout as wait} from 'node:timers/promises';
import test from 'ava';
import {execa} from 'execa';
import {ConfinedTools} from '../../testbed/confinement/confined-tools.js';
import {TestbedError} from '../../testbed/errors.js';
import {CommandError} from '../../testbed/system/commands.js';
import {loadConfinement} from '../../testbed/confinement/run-confined.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {listenTransparently} from '../../testbed/syscalls/transparent.js';
import {systemPath} from './_run.js';

const faccessat = process.arch === 'arm64' ? 48 : 269;
const launcher = path.resolve('scripts/run.cjs');

function withPerl(): ConfinedTools {
	return new ConfinedTools({searchPath: systemPath, programs: ['ip', 'nft', 'perl']});
}

async function perl(tools: ConfinedTools, text: string): Promise<readonly string[]> {
	const {stdout, stderr, exitCode} = await tools.run({
		program: 'perl', arguments: ['-'], netns: undefined, input: text, environment: {A: 'b'}, timeoutMs: 60_000,
	});
	if (exitCode !== 0) {
		throw new Error(`perl: ${stderr}`);
	}

	return stdout.split('\n').filter(line => line !== '');
}

test('a tool can write only to the devices, and sees nothing but its own root', async t => {
	// Access is asked for, not taken (access(2), W_OK = 2), so that a fault here would change nothing. Without Landlock, which does not let `/` be listed.
	await using tools = new ConfinedTools({searchPath: systemPath, programs: ['ip', 'nft', 'perl'], without: ['landlock']});
	const lines = await perl(tools, `
		sub walk {
			my ($at, $depth) = @_;
			my $path = $at eq '' ? '/' : $at;
			$seen++;
			print("writable $path\\n") if !-l $path && syscall(${faccessat}, -100, $path, 2, 0) == 0;
			return if -l $path || !-d $path || $path =~ m{^/proc/[0-9]};
			opendir(my $d, $path) or return;
			for my $name (sort(readdir($d))) {
				next if $name eq '.' || $name eq '..';
				print("at $at/$name\\n") if $depth == 0 || $at eq '/etc' || $at eq '/dev' || $at eq '/usr';
				walk("$at/$name", $depth + 1);
			}
		}
		walk('', 0);
		print("seen ", ($seen > 1000 ? 'many' : $seen), "\\n");
	`);
	t.deepEqual(lines.filter(line => line.startsWith('writable')), ['writable /dev/null', 'writable /dev/urandom']);
	t.true(lines.includes('seen many'));
	const allowed = /^at \/(?:dev|etc|proc|usr|lib\w*|dev\/(?:fd|null|stderr|stdin|stdout|urandom)|etc\/(?:connlabel\.conf|group|iproute2|ld\.so\.cache|localtime|nftables|nsswitch\.conf|passwd|protocols|services|xtables)|usr\/(?:bin|s?bin|lib\w*|local|share))$/u;
	t.deepEqual(lines.filter(line => line.startsWith('at ') && !allowed.test(line)), []);
});

test('a tool sees only itself and the first process, and has three descriptors, the given environment, and two capabilities', async t => {
	await using tools = withPerl();
	const lines = await perl(tools, `
		opendir(my $d, '/proc'); print('processes ', join(' ', sort(grep { /^[0-9]/ } readdir($d))), "\\n"); closedir($d);
		print("self $$\\n");
		opendir($d, '/proc/self/fd'); print('descriptors ', scalar(grep { /^[0-9]/ && readlink("/proc/self/fd/$_") !~ m{^/proc/[0-9]+/fd} } readdir($d)), "\\n");
		print('environment ', join(' ', map { "$_=$ENV{$_}" } keys %ENV), "\\n");
		open(my $f, '<', '/proc/self/status'); print(grep { /^(?:CapPrm|CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs|Seccomp):/ } <$f>);
	`);
	const self = /^self (?<pid>\d+)$/mu.exec(lines.join('\n'))!.groups!['pid']!;
	const none = '0'.repeat(16);
	const both = '0000000000003000'; // CAP_NET_ADMIN is 12, CAP_NET_RAW 13.
	t.deepEqual(lines, [
		`processes 1 ${self}`, `self ${self}`, 'descriptors 3', 'environment A=b',
		`CapInh:\t${none}`, `CapPrm:\t${both}`, `CapEff:\t${both}`, `CapBnd:\t${both}`, `CapAmb:\t${none}`, 'NoNewPrivs:\t1', 'Seccomp:\t2',
	]);
});

test('a tool inherits nothing of what the testbed itself inherited', async t => {
	const program = path.join(mkdtempSync(path.join(tmpdir(), 'testbed-inherit-')), 'inherit.mjs');
	t.teardown(() => {
		rmSync(path.dirname(program), {recursive: true});
	});
	writeFileSync(program, `import {ConfinedTools} from ${JSON.stringify(path.resolve('dist/testbed/confinement/confined-tools.js'))};
const tools = new ConfinedTools({searchPath: ${JSON.stringify(systemPath)}, programs: ['ip', 'perl']});
const {stdout} = await tools.run({program: 'perl', arguments: ['-e', 'print(open(F, "<&=77") ? "open" : "closed: $!")'], netns: undefined, timeoutMs: 60000});
console.log(stdout);
`);
	// A descriptor that Node does not close: it looks at the first ones only.
	const {stdout} = await execa('bash', ['-c', 'exec 77</dev/zero; perl -e \'open(F, "<&=77") or exit(9)\' && exec "$0" "$1"', process.execPath, program]);
	t.is(stdout, 'closed: Bad file descriptor');
});

/** Rules with names of all kinds, whose numbers the tools find in files. */
const named = {
	'iptables-nft': '*nat\n:NAMED - [0:0]\n-A OUTPUT -p tcp -m tcp --dport http -m owner --uid-owner nobody --gid-owner nogroup -j NAMED\n-A NAMED -p udp -m multiport --dports domain,ntp -m comment --comment "a, b" -j RETURN\nCOMMIT\n*mangle\n-A PREROUTING -i lo -p tcp -m conntrack --ctstate INVALID -j CONNMARK --save-mark\nCOMMIT\n',
	nft: 'table inet named {\n\tchain output {\n\t\ttype nat hook output priority -100\n\t\tiif lo meta skuid nobody meta skgid nogroup tcp dport http counter redirect to :15001\n\t\tmeta hour "10:00"-"11:00" ct state invalid counter drop\n\t}\n}\n',
} as const;

for (const [restore, saveProgram, saveArguments, input] of [
	['iptables-nft-restore', 'iptables-nft-save', [], named['iptables-nft']],
	['ip6tables-nft-restore', 'ip6tables-nft-save', [], named['iptables-nft']],
	['iptables-legacy-restore', 'iptables-legacy-save', [], named['iptables-nft']],
	['ip6tables-legacy-restore', 'ip6tables-legacy-save', [], named['iptables-nft']],
	['nft', 'nft', ['-s', 'list', 'ruleset'], named.nft],
] as const) {
	test(`${restore}: rules loaded by a confined tool are the same as those loaded by an unconfined one, read by both`, async t => {
		await using inside = Netns.create('inside');
		await using outside = Netns.create('outside');
		const given = restore === 'nft' ? ['-f', '-'] : [];
		const environment = {XTABLES_LOCKFILE: '/dev/null'};
		// One without a lock, as none is needed; others with that of a run.
		await using lockFile = await LockFile.create();
		await inside.runConfined(restore, given, {input});
		await outside.run(restore, given, {input, environment});
		const texts = await Promise.all([
			inside.runConfined(saveProgram, saveArguments, {environment: {XTABLES_LOCKFILE: lockFile.path}}), outside.runConfined(saveProgram, saveArguments),
			inside.run(saveProgram, saveArguments, {environment}), outside.run(saveProgram, saveArguments, {environment}),
		]);
		const [first, ...others] = texts.map(text => text.replaceAll(/^#.*\n?/gmu, '').replaceAll(/\[\d+:\d+\]/gu, '[]'));
		t.regex(first ?? '', /80|http/u);
		for (const other of others) {
			t.is(other, first ?? '');
		}
	});
}

test('many tools at once, each in its own namespace, and none in the machine\'s', async t => {
	const all = Array.from({length: 12}, (_, index) => Netns.create(`many-${index}`));
	try {
		await Promise.all(all.map(async (netns, index) => netns.runConfined('ip', ['link', 'add', `many${index}`, 'type', 'veth', 'peer', 'name', `peer${index}`])));
		const seen = await Promise.all(all.map(async netns => netns.runConfined('ip', ['-o', 'link'])));
		for (const [index, text] of seen.entries()) {
			t.deepEqual([...new Set([...text.matchAll(/many\d+/gu)].map(([name]) => name))], [`many${index}`]);
		}

		t.notRegex(readFileSync('/proc/net/dev', 'utf8'), /many\d/u);
	} finally {
		await Promise.all(all.map(async netns => netns[Symbol.asyncDispose]()));
	}
});

// Serial, because other tests start programs in other ways, which hold copies for a moment.
test.serial('a socket that is closed while tools run is really closed: no tool that is just starting keeps a copy', async t => {
	await using netns = Netns.create('copies');
	await netns.runConfined('ip', ['link']);
	const listen = (): number => netns.enter(() => listenTransparently({family: 'ipv4', protocol: 'tcp', port: 15_001}));
	for (let round = 0; round < 100; round++) {
		const fd = listen();
		const running = netns.runConfined('ip', ['link']);
		await turn(); // eslint-disable-line no-await-in-loop -- The tool is started by then.
		closeDescriptor(fd);
		closeDescriptor(listen()); // EADDRINUSE, if there were a copy.
		await running; // eslint-disable-line no-await-in-loop -- One after the other.
	}

	t.pass();
});

test('the message and the status of a failing tool are passed on', async t => {
	await using netns = Netns.create('fails');
	const error = await t.throwsAsync(async () => netns.runConfined('nft', ['-f', '-'], {input: 'table inet a {\n\tnonsense\n}\n'}), {instanceOf: CommandError});
	t.is(error.exitCode, 1);
	t.regex(error.message, /^`nft -f -` failed with status 1: \/dev\/stdin:2:/u);
	t.is(await netns.runConfined('ip', ['link', 'show', 'nobody'], {acceptStatus: [1]}), '');
});

test('nft opens no file of the machine, even if the rules ask for one', async t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-include-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	const file = path.join(folder, 'words');
	writeFileSync(file, 'words of a file\n');
	await using netns = Netns.create('include');
	const given = {input: `include "${file}"\n`};
	const outside = await t.throwsAsync(async () => netns.run('nft', ['-f', '-'], given), {instanceOf: CommandError});
	t.regex(outside.message, /words of a file/u);
	const inside = await t.throwsAsync(async () => netns.runConfined('nft', ['-f', '-'], given), {instanceOf: CommandError});
	t.notRegex(inside.message, /words of a file/u);
	t.regex(inside.message, /not found|No such file/iu);
});

test('a tool that takes too long is killed', async t => {
	await using tools = withPerl();
	const {signal, exitCode, timedOut} = await tools.run({
		program: 'perl', arguments: ['-e', 'sleep(600)'], netns: undefined, timeoutMs: 50,
	});
	t.deepEqual({signal, exitCode, timedOut}, {signal: 'SIGKILL', exitCode: null, timedOut: true});
});

test('a tool waits for the lock of a run while somebody holds it', async t => {
	await using lockFile = await LockFile.create();
	await using netns = Netns.create('lock');
	const holder = execa('flock', [lockFile.path, 'sh', '-c', 'echo held; read line'], {stdin: 'pipe', buffer: false});
	await once(holder.stdout, 'data');
	let isOver = false;
	const restored = (async () => {
		await netns.runConfined('iptables-legacy-restore', ['-w'], {input: '*raw\nCOMMIT\n', environment: {XTABLES_LOCKFILE: lockFile.path}});
		isOver = true;
	})();
	// The kernel's list of locks shows who waits: `->`.
	const inode = statSync(lockFile.path).ino;
	while (!readFileSync('/proc/locks', 'utf8').split('\n').some(line => line.includes('->') && line.includes(`:${inode} `))) {
		await wait(5); // eslint-disable-line no-await-in-loop -- Until it waits; the limit is the test's own.
	}

	t.false(isOver);
	holder.stdin.end('\n');
	await restored;
	t.true(isOver);
});

test('a missing program, and a script in place of a program', async t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-path-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	for (const [name, text] of [['nft', 'no program\n'], ['iptables-nft-save', '#!/bin/sh\necho "$1 $(cat)"\n']] as const) {
		writeFileSync(path.join(folder, name), text, {mode: 0o755});
	}

	const elsewhere = mkdtempSync(path.join(folder, 'elsewhere-'));
	copyFileSync('/bin/cat', path.join(elsewhere, 'cat'));
	symlinkSync(path.join(elsewhere, 'cat'), path.join(folder, 'cat-by-another-name'));
	const given = {searchPath: `${folder}:${systemPath}`, programs: ['ip', 'nft', 'iptables-nft-save', 'no-such-tool', 'cat-by-another-name']};
	await using tools = new ConfinedTools(given);
	const asked = {arguments: ['-V'], netns: undefined, timeoutMs: 60_000, environment: {PATH: systemPath}, input: 'input'};
	await t.throwsAsync(async () => tools.run({program: 'no-such-tool', ...asked}), {instanceOf: TestbedError, code: 'MISSING_PROGRAM'});
	const error = await t.throwsAsync(async () => tools.run({program: 'nft', ...asked}), {instanceOf: TestbedError, code: 'MACHINE'});
	t.is(error.message, `nft cannot be run confined: ${folder}/nft: it is not a 64-bit ELF program.`);
	// A script has its interpreter; what it starts has to be named.
	t.like(await tools.run({program: 'iptables-nft-save', ...asked}), {exitCode: 0, stdout: '-V \n'});
	await using more = new ConfinedTools({...given, programs: [...given.programs, 'cat']});
	t.like(await more.run({program: 'iptables-nft-save', ...asked}), {exitCode: 0, stdout: '-V input\n'});
	// A program in a folder that is in no list of ours, by a link.
	t.like(await tools.run({program: 'cat-by-another-name', ...asked, arguments: []}), {exitCode: 0, stdout: 'input'});
});

test('without permission to change the root, no tool runs: status 4, with the reason and a way to fix it', async t => {
	const {exitCode, stderr, stdout} = await execa('setpriv', ['--bounding-set', '-sys_chroot', '--inh-caps', '-sys_chroot', process.execPath, launcher, 'testbed', 'run'], {reject: false});
	t.is(exitCode, 4, stderr);
	t.is(stdout, '');
	t.regex(stderr, /The rule tools cannot be confined on this machine: setns\(CLONE_NEWNS\) failed: EPERM\nNo tool was run on the rules\.\n→ Run it as root/u);
});

test('killed at any moment, the testbed leaves no process and no mount', async t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-killed-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	const program = path.join(folder, 'killed.mjs');
	writeFileSync(program, `import {readdirSync, readFileSync} from 'node:fs';
import {ConfinedTools} from ${JSON.stringify(path.resolve('dist/testbed/confinement/confined-tools.js'))};
const tools = new ConfinedTools({searchPath: ${JSON.stringify(systemPath)}, programs: ['ip', 'perl']});
await tools.loadConfinement();
void tools.run({program: 'perl', arguments: ['-e', 'sleep(600)'], netns: undefined, timeoutMs: 600000});
const children = () => readdirSync('/proc/self/task').map(task => readFileSync('/proc/self/task/' + task + '/children', 'utf8')).join(' ').trim().split(/ +/);
const look = () => children().length === 2 ? console.log(process.pid, ...children()) : setImmediate(look);
look();
`);
	// In a copy of the machine's mounts that nobody else changes meanwhile.
	const shell = execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `
		before=$(cat /proc/self/mountinfo)
		"$0" "$1"
		echo "status $?"
		[ "$before" = "$(cat /proc/self/mountinfo)" ] && echo 'same mounts'
	`, process.execPath, program], {reject: false});
	const [pid, ...children] = await new Promise<readonly number[]>(resolve => {
		shell.stdout.once('data', (text: Uint8Array) => {
			resolve(String(text).trim().split(' ').map(Number));
		});
	});
	t.is(children.length, 2);
	t.true(children.every(child => existsSync(`/proc/${child}`)));
	process.kill(pid!, 'SIGKILL');
	const {stdout} = await shell;
	t.regex(stdout, /\nstatus 137\nsame mounts$/u);
	while (children.some(child => existsSync(`/proc/${child}`))) {
		await wait(10); // eslint-disable-line no-await-in-loop -- Until they are gone; the limit is the test's own.
	}
});

test('in a chroot, and with shared mounts, tools are confined as well, and no mount leaks', async t => {
	const program = path.resolve('dist/testbed/confinement/confined-tools.js');
	const text = `import {readFileSync} from 'node:fs';
const {ConfinedTools} = await import(${JSON.stringify(program)});
const before = readFileSync('/proc/self/mountinfo', 'utf8');
const tools = new ConfinedTools({searchPath: ${JSON.stringify(systemPath)}, programs: ['ip', 'nft', 'perl']});
const {stdout, stderr} = await tools.run({program: 'perl', arguments: ['-e', 'print(-e "/proc/self" ? "proc " : "none ", -e "/root" ? "root " : "no-root ", -e "/etc/passwd" ? "passwd" : "no-passwd")'], netns: undefined, timeoutMs: 60000});
console.log(stdout + stderr, before === readFileSync('/proc/self/mountinfo', 'utf8') ? 'same mounts' : 'other mounts');
`;
	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-chroot-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	mkdirSync(path.join(folder, 'mounts'));
	// A root that is no mount itself, in a mount namespace that is gone with this command. What is mounted there is shared, as systemd has it.
	const {stdout} = await execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', `
		mount -t tmpfs tmpfs "$1/mounts"
		mount --make-rshared /
		root="$1/mounts/root"
		for folder in /*; do
			case "$folder" in /lost+found|/tmp) continue;; esac
			if [ -L "$folder" ]; then mkdir -p "$root"; cp -P "$folder" "$root$folder"
			elif [ -d "$folder" ]; then mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"
			fi
		done
		# The checkout may lie in the folder that is left out.
		mkdir -p "$root$3"; mount --rbind "$3" "$root$3"
		printf '%s' "$2" > "$root/program.mjs"
		"$0" "$root/program.mjs"
		before=$(cat /proc/self/mountinfo)
		chroot "$root" "$0" /program.mjs
		[ "$before" = "$(cat /proc/self/mountinfo)" ] && echo 'and outside'
	`, process.execPath, folder, text, path.resolve('.')]);
	t.is(stdout, 'proc no-root passwd same mounts\nproc no-root passwd same mounts\nand outside');
});

test('a process that runs no tool, or only asks how tools are confined, ends by itself', async t => {
	const start = `const {loadConfinement, prepareConfinement} = await import(${JSON.stringify(path.resolve('dist/testbed/confinement/run-confined.js'))}); prepareConfinement();`;
	for (const more of ['', 'await loadConfinement();']) {
		await t.notThrowsAsync(execa(process.execPath, ['--input-type=module', '--eval', `${start}${more}`], {timeout: 60_000, killSignal: 'SIGKILL'}), more); // eslint-disable-line no-await-in-loop -- One after the other.
	}
});

test('the testbed says how tools are confined on this machine', async t => {
	const {walls, unusable} = await loadConfinement();
	t.deepEqual(unusable, []);
	t.true(walls.sockets && Number.isInteger(walls.landlock), JSON.stringify(walls));
});
