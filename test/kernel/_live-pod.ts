/**
A pod with real processes: a namespace with addresses and rules, a proxy and an app that listen as their own users, and a resolv.conf of its own. It ends with its standard input.
*/

import process from 'node:process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa, type ResultPromise} from 'execa';
import {searchPath} from '../../testbed/system/commands.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {printTexts} from '../../src/netfilter/rule-texts.js';
import {languageOf} from '../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {testbed} from './_cli.js';

/** Rules to restore in a pod: the program, and its input. */
export type PodRules = {readonly program: readonly [string, ...string[]]; readonly input: string};

/** What a pod is made of. Defaults: an IPv4 address, a proxy of user 1337, an app of user 1000, no rules. */
export type PodSettings = {
	readonly rules?: readonly PodRules[];
	readonly proxy?: {readonly uid: number; readonly gid: number} | null;
	readonly isDual?: boolean;
	/** Further commands that are run in it first. */
	readonly commands?: readonly string[];
	/** The name server in its /etc/resolv.conf. */
	readonly nameserver?: string;
};

/** The rules of an input for a back end, as its own programs read them. */
export function rulesOfInput(source: string, backend: Backend, families: readonly AddressFamily[] = ['ipv4', 'ipv6']): readonly PodRules[] {
	const {ruleSet} = loadRuleInput({
		source, families, backend, isForShow: true,
	});
	return printTexts(languageOf(backend), ruleSet, families).map(({family, text}): PodRules => ({
		program: family === null ? ['nft', '-f', '-'] : [`${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend.replace('iptables-', '')}-restore`], input: text,
	}));
}

/** A listener as its own process: a user, a group, ports. It ends with its input. */
const listener = `
const net = require('node:net');
const ports = process.argv.slice(1).map(Number);
let waiting = ports.length;
for (const port of ports) {
	net.createServer().listen(port, '0.0.0.0', () => {
		if (--waiting === 0) {
			process.stdout.write('ready');
		}
	});
}
process.stdin.on('end', () => process.exit()).resume();
`;

const program = `
const {execFileSync, spawn} = require('node:child_process');
const {commands, rules, listeners} = JSON.parse(process.argv[1]);
for (const command of commands) {
	execFileSync('sh', ['-c', command], {stdio: ['ignore', 'ignore', 'inherit']});
}
for (const {program: [file, ...words], input} of rules) {
	execFileSync(file, words, {input, stdio: ['pipe', 'ignore', 'inherit']});
}
let waiting = listeners.length;
const ready = () => process.stdout.write('ready\\n');
for (const {uid, gid, ports} of listeners) {
	const child = spawn(process.execPath, ['-e', ${JSON.stringify(listener)}, ...ports.map(String)], {uid, gid, stdio: ['pipe', 'pipe', 'inherit']});
	child.stdout.once('data', () => {
		if (--waiting === 0) {
			ready();
		}
	});
}
if (waiting === 0) {
	ready();
}
process.stdin.on('end', () => process.exit()).resume();
`;

/** A running pod. */
export class LivePodProcess implements AsyncDisposable {
	/** Starts one; resolves when everything in it is there. */
	static async start({rules = [], proxy = {uid: 1337, gid: 1337}, isDual = false, commands = [], nameserver = '10.96.0.10'}: PodSettings = {}): Promise<LivePodProcess> {
		const folder = mkdtempSync(path.join(tmpdir(), 'live-pod-'));
		writeFileSync(path.join(folder, 'resolv.conf'), `search default.svc.cluster.local\nnameserver ${nameserver}\noptions ndots:5\n`);
		const settings = {
			commands: [
				`mount --bind ${folder}/resolv.conf /etc/resolv.conf`,
				// In IPv6, the kernel sends reports of its own, which rules count.
				...(isDual ? [] : ['echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6']),
				'ip link set lo up',
				'ip link add net1 type veth peer name peer1',
				'ip address add 10.7.7.7/24 dev net1',
				...(isDual ? ['ip address add fd07::7/64 dev net1 nodad'] : []),
				'ip link set peer1 up',
				'ip link set net1 up',
				...commands,
			],
			rules,
			listeners: [...(proxy === null ? [] : [{...proxy, ports: [15_001, 15_006]}]), {uid: 1000, gid: 2000, ports: [8080]}],
		};
		const child = execa('unshare', ['--net', '--mount', '--propagation', 'private', process.execPath, '-e', program, JSON.stringify(settings)], {
			reject: false, stdin: 'pipe', env: {XTABLES_LOCKFILE: path.join(folder, 'lock'), PATH: searchPath},
		}) as ResultPromise;
		const pod = new LivePodProcess(child, folder);
		const isReady = await new Promise<boolean>(resolve => {
			child.stdout!.once('data', () => {
				resolve(true);
			});
			child.once('close', () => {
				resolve(false);
			});
		});
		if (!isReady) {
			const {stderr} = await child;
			await pod[Symbol.asyncDispose]();
			throw new Error(`The pod did not start: ${String(stderr)}`);
		}

		return pod;
	}

	readonly #child: ResultPromise;
	readonly #folder: string;

	private constructor(child: ResultPromise, folder: string) {
		this.#child = child;
		this.#folder = folder;
	}

	/** Its first process. */
	get pid(): number {
		return this.#child.pid!;
	}

	/** Runs a shell command in its network namespace; returns what it printed. */
	async shell(command: string): Promise<string> {
		const {stdout} = await execa('nsenter', [`--net=/proc/${this.pid}/ns/net`, 'sh', '-c', command], {env: {PATH: searchPath}});
		return stdout;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#child.stdin?.end();
		await this.#child;
		rmSync(this.#folder, {recursive: true, force: true});
	}
}

/** The name server of a Docker container, in the other back end than most rules. */
export const dockerDns: readonly PodRules[] = [{
	program: ['iptables-legacy-restore'], input: `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER_OUTPUT - [0:0]
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40001
COMMIT
`,
}];

/** Runs `testbed` with JSON as its output; null if it printed nothing. */
export async function json<T>(given: readonly string[]): Promise<{readonly exitCode: number | undefined; readonly report: T; readonly stderr: string}> {
	const {exitCode, stdout, stderr} = await testbed([...given, '--format', 'json']);
	return {exitCode, report: (stdout === '' ? null : JSON.parse(stdout)) as T, stderr};
}
