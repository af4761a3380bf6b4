/**
Tries what each restriction of the rule tools denies: perl, which is part of Debian's base system, is run in place of a tool. Each attempt is made with all restrictions, with none, and with each alone, which shows that it works if nothing denies it, and which restrictions deny it.
*/

import process from 'node:process';
import {once} from 'node:events';
import {
	lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {ConfinedTools} from '../../testbed/confinement/confined-tools.js';
import {wallNames, type WallName} from '../../testbed/confinement/walls.js';
import {systemPath} from './_run.js';

const numbers = process.arch === 'arm64'
	? {
		mount: 40, faccessat: 48, clone: 220, clone3: 435, unshare: 97, ioUringSetup: 425,
	}
	: {
		mount: 165, faccessat: 269, clone: 56, clone3: 435, unshare: 272, ioUringSetup: 425,
	};

/** The targets of the attempts, all of which belong to the test. */
const folder = mkdtempSync(path.join(tmpdir(), 'testbed-walls-'));
const file = path.join(folder, 'secret');
const socketPath = path.join(folder, 'socket');
const abstractName = path.basename(folder);
writeFileSync(file, 'a secret\n');

const servers = [net.createServer(), net.createServer(), net.createServer()] as const;
for (const server of servers) {
	server.unref();
	server.on('connection', connection => {
		connection.destroy();
	});
}

const all = new Map<string, ConfinedTools>();

test.before(async () => {
	const [ofPath, abstract, tcp] = servers;
	ofPath.listen(socketPath);
	abstract.listen(`\0${abstractName}`);
	tcp.listen(0, '127.0.0.1');
	await Promise.all(servers.map(async server => server.listening || once(server, 'listening')));
	for (const [name, without] of [['all', []], ['none', wallNames], ...wallNames.map(wall => [wall, wallNames.filter(other => other !== wall)] as const)] as const) {
		all.set(name, new ConfinedTools({searchPath: systemPath, programs: ['ip', 'nft', 'perl'], without}));
	}
});

test.after.always(async () => {
	await Promise.all([...all.values()].map(async tools => tools[Symbol.asyncDispose]()));
	rmSync(folder, {recursive: true});
});

async function perl(walls: string, text: string): Promise<string> {
	const {stdout, stderr, exitCode, signal} = await all.get(walls)!.run({
		program: 'perl', arguments: ['-'], netns: undefined, input: text, environment: {}, timeoutMs: 60_000,
	});
	return exitCode === 0 ? stdout : `status ${exitCode ?? signal}: ${stdout}${stderr}`;
}

/** `act` is an expression that is true when it worked; its error is the system's. */
type Attempt = {
	readonly title: string; readonly act: string | (() => string); readonly deniedBy: readonly WallName[];
	/** The error that shows that the kernel would have done it: where doing it would do harm, nonsense is asked for. */
	readonly wouldBe?: string;
	/** Versions of Landlock before this one do not deny it. */
	readonly landlockSince?: number;
};

const tcpPort = (): number => (servers[2].address() as net.AddressInfo).port;
/** Node fills abstract names up with zeros or does not, by its version. */
const unixConnect = (address: string): string => `socket($s, 1, 1, 0) && (connect($s, pack('S a*', 1, "${address}")) || connect($s, pack('S a108', 1, "${address}")))`;
const folderOpens = (at: string): string => `opendir($d, '${at}')`;

/** A file of /etc that is no link and that no rule tool needs. A root that was just made by mmdebstrap has no /etc/shadow. */
const secret = ['/etc/shadow', '/etc/fstab', '/etc/issue', '/etc/debian_version'].find(file => lstatSync(file, {throwIfNoEntry: false})?.isFile())!;

const attempts: readonly Attempt[] = [
	{title: 'read a file of the machine', act: `open($f, '<', '${file}')`, deniedBy: ['files', 'landlock']},
	{title: `open ${secret}`, act: `open($f, '<', '${secret}')`, deniedBy: ['files', 'landlock']},
	{title: 'list /root', act: folderOpens('/root'), deniedBy: ['files', 'landlock']},
	{title: 'list /sys', act: folderOpens('/sys'), deniedBy: ['files', 'landlock']},
	{title: 'list /var', act: folderOpens('/var'), deniedBy: ['files', 'landlock']},
	{title: 'list /run', act: folderOpens('/run'), deniedBy: ['files', 'landlock']},
	{title: 'write to a file of the machine', act: `open($f, '>>', '${file}')`, deniedBy: ['files', 'landlock']},
	{title: 'make a file', act: `open($f, '>', '${folder}/new') && unlink('${folder}/new')`, deniedBy: ['files', 'landlock']},
	{title: 'open a sysctl for writing', act: 'open($f, \'+<\', \'/proc/sys/kernel/core_pattern\')', deniedBy: ['files', 'landlock']},
	{title: 'see another process', act: `readlink('/proc/${process.pid}/root')`, deniedBy: ['files', 'capabilities', 'landlock']},
	{title: 'reach the machine through another process', act: `open($f, '<', '/proc/${process.pid}/root${file}')`, deniedBy: ['files', 'capabilities', 'landlock']},
	{title: 'read what another process was started with', act: `open($f, '<', '/proc/${process.pid}/cmdline')`, deniedBy: ['files']},
	{
		title: 'signal another process', act: `kill(0, ${process.pid})`, deniedBy: ['files', 'landlock'], landlockSince: 6,
	},
	{title: 'run a program of the machine', act: '!system({\'/usr/bin/true\'} \'true\')', deniedBy: ['files', 'landlock']},
	{
		title: 'run a library as a program', deniedBy: ['landlock'],
		act: () => `open(STDOUT, '>', '/dev/null') && !system({'${libraryThatRuns()}'} 'library')`,
	},
	{
		title: 'mount', act: `syscall(${numbers.mount}, $n = 'none', $p = '/proc', $t = 'no-such-type', 0, 0) == 0`, deniedBy: ['capabilities', 'landlock'], wouldBe: 'No such device',
	},
	{title: 'change the root', act: 'chroot(\'/proc\')', deniedBy: ['capabilities']},
	{title: 'connect to a UNIX socket', act: unixConnect(socketPath), deniedBy: ['files', 'sockets']},
	{
		title: 'connect to an abstract UNIX socket', act: unixConnect(String.raw`\0${abstractName}`), deniedBy: ['landlock', 'sockets'], landlockSince: 6,
	},
	{
		title: 'connect by TCP', act: () => `socket($s, 2, 1, 0) && connect($s, pack('S n C4 x8', 2, ${tcpPort()}, 127, 0, 0, 1))`, deniedBy: ['landlock', 'sockets'], landlockSince: 4,
	},
	...([
		['a TCP socket', 2, 1, 0], ['a TCP socket of IPv6', 10, 1, 0], ['a UDP socket', 2, 2, 0], ['a UDP socket of IPv6', 10, 2, 0], ['a raw socket of TCP', 2, 3, 6], ['a raw socket of ICMPv6', 10, 3, 58],
		['a packet socket', 17, 3, 0], ['a UNIX socket', 1, 2, 0], ['a netlink socket of KOBJECT_UEVENT', 16, 3, 15], ['a netlink socket of GENERIC', 16, 3, 16],
	] as const).map(([what, family, type, protocol]): Attempt => ({title: `open ${what}`, act: `socket($s, ${family}, ${type}, ${protocol})`, deniedBy: ['sockets']})),
	...([
		['netlink of ROUTE', 16, 3, 0], ['netlink of NETFILTER', 16, 3, 12], ['raw, protocol RAW', 2, 3, 255], ['raw, protocol RAW, IPv6', 10, 3, 255],
	] as const).map(([what, family, type, protocol]): Attempt => ({title: `open a socket that the tools need: ${what}`, act: `socket($s, ${family}, ${type}, ${protocol})`, deniedBy: []})),
	{title: 'make a pair of sockets', act: 'socketpair($a, $b, 1, 2, 0)', deniedBy: ['sockets']},
	{
		title: 'open a ring of io_uring', act: `syscall(${numbers.ioUringSetup}, 0, 0) == 0`, deniedBy: ['sockets'], wouldBe: 'Bad address',
	},
	{
		title: 'make a user namespace by unshare', act: `syscall(${numbers.unshare}, 0x10000000) == 0`, deniedBy: ['sockets'],
	},
	{
		title: 'make a user namespace by clone', act: `syscall(${numbers.clone}, 0x10000200, 0, 0, 0, 0) == 0`, deniedBy: ['sockets'], wouldBe: 'Invalid argument',
	},
	{
		title: 'clone3', act: `syscall(${numbers.clone3}, 0, 0) == 0`, deniedBy: ['sockets'], wouldBe: 'Invalid argument',
	},
	{title: 'read the names of users', act: 'getpwnam(\'root\') ne \'\'', deniedBy: []},
	{title: 'read the names of ports', act: 'defined(getservbyname(\'http\', \'tcp\'))', deniedBy: []},
	{title: 'throw something away', act: 'open($f, \'>\', \'/dev/null\') && print($f \'x\') && close($f)', deniedBy: []},
];

/** A library that is a program as well: that of C. */
function libraryThatRuns(): string {
	return /\s(?<path>\/\S*\/libc\.so\.6)$/mu.exec(readFileSync('/proc/self/maps', 'utf8'))!.groups!['path']!;
}

for (const {title, act, deniedBy, wouldBe, landlockSince = 1} of attempts) {
	test(`${deniedBy.length === 0 ? 'allowed' : 'denied'}: ${title}`, async t => {
		const {walls: {landlock}} = await all.get('all')!.loadConfinement();
		const denying = deniedBy.filter(wall => wall !== 'landlock' || landlock >= landlockSince);
		const text = `open(O, '>&STDOUT'); print(O ((${typeof act === 'string' ? act : act()}) ? 'done' : "denied: $!"), "\\n");`;
		const works = wouldBe === undefined ? 'done\n' : `denied: ${wouldBe}\n`;
		for (const walls of all.keys()) {
			const said = await perl(walls, text); // eslint-disable-line no-await-in-loop -- In the order of the walls.
			const isDenied = walls === 'all' ? denying.length > 0 : denying.includes(walls as WallName);
			if (isDenied) {
				t.regex(said, /^denied: /u, walls);
				t.not(said, works, walls);
			} else {
				t.is(said, works, walls);
			}
		}
	});
}
