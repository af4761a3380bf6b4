/**
Whether this machine can do what a run needs, found out by doing it: each check programs a real rule, or traces a real packet, in a scratch namespace. A tool that merely exists, or exits 0, proves nothing (facts: `iptables-save` always exits 0).
*/

import process from 'node:process';
import {
	iptablesBackends, type AddressFamily, type Backend, type IptablesBackend,
} from '../src/netfilter/types.js';
import {addressFamilies} from '../src/scenario/topology.js';
import type {TraceEvent} from '../src/trace/event.js';
import {decodeNflog} from '../src/trace/nflog.js';
import {decodeNftTrace} from '../src/trace/nft-trace.js';
import {confinementChecks} from './doctor/confinement.js';
import {TestbedError} from './errors.js';
import {run} from './exec.js';
import {LockFile} from './lock-file.js';
import {Netns} from './sandbox/netns.js';
import {tool} from './sandbox/rules.js';
import {NetlinkTraceSource} from './tracer/netlink-source.js';

/** One thing that was tried. `needs` names the kernel option or module, `mend` the command that brings it. */
export type Finding = {
	readonly what: string;
	readonly ok: boolean;
	readonly reason: string | undefined;
	readonly needs: string;
	readonly mend: string;
};

type Check = {readonly what: string; readonly needs: string; readonly mend: string; readonly act: () => Promise<void>};

const restart = 'Use a kernel with it; Debian\'s linux-image-amd64 has all of them.';

function mendOf(module: string): string {
	return `modprobe ${module}`;
}

/** Rules that a sidecar's sets are made of, with what each needs in the kernel. */
const samples = [
	{
		what: 'nat table', table: 'nat', rule: '-A OUTPUT -j ACCEPT', legacy: {ipv4: 'iptable_nat', ipv6: 'ip6table_nat'}, nft: 'nft_chain_nat',
	},
	{
		what: 'owner match', table: 'nat', rule: '-A OUTPUT -m owner --uid-owner 1337 -j RETURN', legacy: {ipv4: 'xt_owner', ipv6: 'xt_owner'}, nft: 'xt_owner',
	},
	{
		what: 'REDIRECT target', table: 'nat', rule: '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001', legacy: {ipv4: 'xt_REDIRECT', ipv6: 'xt_REDIRECT'}, nft: 'nft_redir',
	},
	{
		what: 'TPROXY target', table: 'mangle', rule: '-A PREROUTING -p tcp -j TPROXY --on-port 15006 --tproxy-mark 0x539/0xffffffff', legacy: {ipv4: 'xt_TPROXY', ipv6: 'xt_TPROXY'}, nft: 'xt_TPROXY',
	},
	{
		what: 'conntrack match', table: 'mangle', rule: '-A PREROUTING -m conntrack --ctstate INVALID -j DROP', legacy: {ipv4: 'xt_conntrack', ipv6: 'xt_conntrack'}, nft: 'xt_conntrack',
	},
] as const;

/** The same as native nft rules, in a table of both families. */
const nativeSamples = [
	{
		what: 'nat table', chain: 'type nat hook output priority -100', rule: 'counter accept', module: 'nft_chain_nat',
	},
	{
		what: 'owner match', chain: 'type nat hook output priority -100', rule: 'meta skuid 1337 counter return', module: 'nf_tables',
	},
	{
		what: 'REDIRECT target', chain: 'type nat hook output priority -100', rule: 'meta l4proto tcp counter redirect to :15001', module: 'nft_redir',
	},
	{
		what: 'TPROXY target', chain: 'type filter hook prerouting priority -150', rule: 'meta l4proto tcp tproxy ip to :15006 meta mark set 1337 counter accept', module: 'nft_tproxy',
	},
	{
		what: 'conntrack match', chain: 'type filter hook prerouting priority -150', rule: 'ct state invalid counter drop', module: 'nft_ct',
	},
] as const;

const nativeTable = 'testbed-doctor';

function nativeText(chain: string, rule: string): string {
	return `table inet ${nativeTable} {\n\tchain sample {\n\t\t${chain};\n\t\t${rule}\n\t}\n}\n`;
}

function nativeChecks(): readonly Check[] {
	return nativeSamples.map(({what, chain, rule, module}) => ({
		what: `nftables: ${what}`,
		needs: module,
		mend: mendOf(module),
		async act() {
			await scratch(async netns => netns.run('nft', ['-f', '-'], {input: nativeText(chain, rule)}));
		},
	}));
}

async function scratch<T>(act: (netns: Netns) => Promise<T>): Promise<T> {
	await using netns = Netns.create('doctor');
	await netns.run('ip', ['link', 'set', 'lo', 'up']);
	const result = await act(netns); // The namespace lives until this is done.
	return result;
}

async function restore(netns: Netns, {backend, family, text, lockFile}: {
	readonly backend: IptablesBackend; readonly family: AddressFamily; readonly text: string; readonly lockFile: string;
}): Promise<void> {
	await netns.run(tool(backend, family, 'restore'), [], {input: text, environment: {XTABLES_LOCKFILE: lockFile}});
}

function sampleChecks(backend: IptablesBackend, lockFile: string): readonly Check[] {
	return addressFamilies.flatMap(family => samples.map(({what, table, rule, legacy, nft}) => {
		const module = backend === 'iptables-legacy' ? legacy[family] : nft;
		return {
			what: `${backend}, ${family}: ${what}`,
			needs: backend === 'iptables-legacy' ? module : `${module} (and nft_compat)`,
			mend: mendOf(module),
			async act() {
				await scratch(async netns => {
					await restore(netns, {
						backend, family, text: `*${table}\n${rule}\nCOMMIT\n`, lockFile,
					});
				});
			},
		};
	}));
}

/** Opens a connection to a closed port: its SYN walks the rules all the same. */
async function sendPacket(netns: Netns, family: AddressFamily): Promise<void> {
	const host = family === 'ipv4' ? '127.0.0.1' : '::1';
	await netns.run(process.execPath, ['-e', `require('net').connect(9, '${host}').on('error', () => {})`]);
}

/** A native rule on a packet's way, seen in the trace. */
function nativeTraceCheck(family: AddressFamily): Check {
	return {
		what: `nftables, ${family}: a packet's trace, read by netlink`,
		needs: 'nf_tables (NFT_TRACE is part of it)',
		mend: mendOf('nf_tables'),
		async act() {
			await scratch(async netns => {
				await netns.run('nft', ['-f', '-'], {input: nativeText('type nat hook output priority -100', 'meta l4proto tcp counter redirect to :9')});
				await assertTraced(netns, {backend: 'nftables', family, isRule: ({table, chain}) => table === nativeTable && chain === 'sample'});
			});
		},
	};
}

/** Opens a connection and looks for the rule that it met among the trace events. */
async function assertTraced(netns: Netns, {backend, family, isRule}: {readonly backend: Backend; readonly family: AddressFamily; readonly isRule: (event: TraceEvent) => boolean}): Promise<void> {
	const isLegacy = backend === 'iptables-legacy';
	await using source = new NetlinkTraceSource(netns, {backend, bufferBytes: 1 << 20});
	await source.start();
	await sendPacket(netns, family);
	const {datagrams} = await source.stop();
	const events = datagrams
		.filter(({stream}) => stream === (isLegacy ? 'nflog' : 'nft'))
		.flatMap(({bytes}): readonly TraceEvent[] => (isLegacy ? decodeNflog(bytes) : decodeNftTrace(bytes)).events);
	if (!events.some(event => event.kind === 'rule' && isRule(event))) {
		throw new TestbedError('MACHINE', {message: `A connection was opened, and of ${events.length} trace events none shows the rule that it met.`});
	}
}

function traceCheck(backend: IptablesBackend, family: AddressFamily, lockFile: string): Check {
	const legacy = backend === 'iptables-legacy';
	return {
		what: `${backend}, ${family}: a packet's trace, read by netlink`,
		needs: legacy ? 'nf_tables and nfnetlink_log' : 'nf_tables (NFT_TRACE is part of it)',
		mend: mendOf(legacy ? 'nfnetlink_log' : 'nf_tables'),
		async act() {
			await scratch(async netns => {
				await restore(netns, {
					// Without a rule that needs conntrack nat is not consulted at all (measured), so it is a REDIRECT.
					backend, family, text: '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 9\nCOMMIT\n', lockFile,
				});
				await assertTraced(netns, {backend, family, isRule: ({table, chain}) => table === 'nat' && chain === 'OUTPUT'});
			});
		},
	};
}

function generalChecks(): readonly Check[] {
	return [
		{
			what: 'network namespaces',
			needs: 'NET_NS, and root',
			mend: 'sudo env "PATH=$PATH" npm run testbed -- doctor',
			async act() {
				await scratch(async () => undefined);
			},
		},
		{
			what: 'veth pairs',
			needs: 'veth',
			mend: mendOf('veth'),
			async act() {
				await scratch(async netns => netns.run('ip', ['link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1']));
			},
		},
		{
			what: 'IPv6 in a namespace',
			needs: 'ipv6',
			mend: 'Boot without ipv6.disable=1.',
			async act() {
				await scratch(async netns => {
					netns.setSysctl('net/ipv6/conf/all/disable_ipv6', '0');
					await netns.run('ip', ['addr', 'add', '::6/128', 'dev', 'lo']);
				});
			},
		},
		...(['ip', 'nft'] as const).map(program => ({
			what: `the program ${program}`,
			needs: program === 'ip' ? 'the package iproute2' : 'the package nftables',
			mend: `apt-get install -y ${program === 'ip' ? 'iproute2' : 'nftables'}`,
			async act() {
				await run(program, ['-V']);
			},
		})),
	];
}

async function examine({what, needs, mend, act}: Check): Promise<Finding> {
	try {
		await act();
		return {
			what, ok: true, reason: undefined, needs, mend,
		};
	} catch (error) {
		const known = error instanceof TestbedError;
		return {
			what,
			ok: false,
			reason: error instanceof Error ? error.message : String(error),
			needs: known && error.code === 'MISSING_PROGRAM' ? error.message : needs,
			mend: known && error.hint !== undefined ? error.hint : (mend === '' ? restart : mend),
		};
	}
}

/** Tries everything, one after the other: a module is loaded by the first rule that needs it. */
export async function diagnose(onFinding: (finding: Finding) => void = () => undefined): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	await using lockFile = await LockFile.create();
	const checks = [
		...generalChecks(),
		...await confinementChecks(),
		...iptablesBackends.flatMap(backend => [
			...sampleChecks(backend, lockFile.path),
			...addressFamilies.map(family => traceCheck(backend, family, lockFile.path)),
		]),
		...nativeChecks(),
		...addressFamilies.map(family => nativeTraceCheck(family)),
	];
	for (const check of checks) {
		const finding = await examine(check); // eslint-disable-line no-await-in-loop -- The first user of a module loads it; side by side the order of causes would be lost.
		findings.push(finding);
		onFinding(finding);
	}

	return findings;
}
