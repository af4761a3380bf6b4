/**
The script that reads a pod's network namespace from within, in a debug container, and its output. It asks for the same as `live/read-namespace.ts` and keeps the same rules: no table is made, no module is loaded for looking.
*/

import {backendsOf, factsOf} from '../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {LiveListener, LivePod, LiveRules} from '../live/live-pod.js';
import {
	addressesIn, loopbackAddressesIn, nameserversIn, routingIn,
} from '../live/netns-facts.js';
import {savePrograms} from '../live/rules.js';
import {waitingSocketsIn} from '../live/sockets.js';
import {ipFlags} from '../system/ip-flags.js';

/** The programs that the image must have, besides a shell. */
export const imagePrograms: readonly string[] = ['cat', 'grep', 'ip', 'nft', ...backendsOf('iptables').flatMap(backend => families().map(family => saveProgramOf(backend, family)))];

/**
The script, for any POSIX shell. `$1` marks the lines between the parts; `$2` is a file whose existence ends the container.

A part is a command's output between two such lines, the second with its exit status. The first goes to standard error as well, where it divides the messages.
*/
export const podScript = String.raw`
mark=$1
part() {
	name=$1
	shift
	printf '%s begin %s\n' "$mark" "$name"
	printf '%s begin %s\n' "$mark" "$name" >&2
	"$@"
	printf '\n%s end %s %s\n' "$mark" "$name" "$?"
}
file() {
	if [ -e "$1" ]; then part "$1" cat "$1"; fi
}
file /proc/modules
for name in tcp tcp6 udp udp6 ip_tables_names ip6_tables_names; do
	file "/proc/net/$name"
done
if [ ! -e /proc/modules ] || grep -q '^nf_tables ' /proc/modules || grep -q ' nf_tables_newtable' /proc/kallsyms; then
	part nft nft -s list ruleset
	if nft list tables 2>/dev/null | grep -q '^table ip '; then part iptables-nft-save iptables-nft-save; fi
	if nft list tables 2>/dev/null | grep -q '^table ip6 '; then part ip6tables-nft-save ip6tables-nft-save; fi
fi
if grep -q . /proc/net/ip_tables_names 2>/dev/null; then part iptables-legacy-save iptables-legacy-save; fi
if grep -q . /proc/net/ip6_tables_names 2>/dev/null; then part ip6tables-legacy-save ip6tables-legacy-save; fi
part addresses ip -j address
for family in -4 -6; do
	part "rules$family" ip -j -N "$family" rule
	part "routes$family" ip -j -N "$family" route show table all
done
file /etc/resolv.conf
part machine uname -m
if [ -e /proc/modules ]; then part modules-after cat /proc/modules; fi
printf '%s done\n' "$mark"
: >"$2"
`;

function families(): readonly AddressFamily[] {
	return ['ipv4', 'ipv6'];
}

function saveProgramOf(backend: Backend, family: AddressFamily): string {
	return factsOf(backend).tools.find(({program}) => savePrograms[family].test(program))!.program;
}

/** The output of one command. */
export type Part = {readonly output: string; readonly status: number; readonly stderr: string};

/**
Divides the script's output; undefined if it did not come to its end.
*/
export function partsOf({stdout, stderr}: {readonly stdout: string; readonly stderr: string}, mark: string): ReadonlyMap<string, Part> | undefined {
	const messages = new Map(stderr.split(`${mark} begin `).slice(1).map(text => {
		const end = text.indexOf('\n');
		return [text.slice(0, end), text.slice(end + 1).trim()] as const;
	}));
	const parts = new Map<string, Part>();
	let rest = stdout;
	for (;;) {
		if (rest === `${mark} done\n`) {
			return parts;
		}

		const name = /^(?<name>\S+)\n/u.exec(rest.startsWith(`${mark} begin `) ? rest.slice(`${mark} begin `.length) : '')?.groups?.['name'];
		if (name === undefined) {
			return undefined;
		}

		const start = `${mark} begin ${name}\n`.length;
		const end = rest.indexOf(`\n${mark} end ${name} `, start - 1);
		const last = end === -1 ? -1 : rest.indexOf('\n', end + 1);
		if (last === -1) {
			return undefined;
		}

		const status = Number(rest.slice(end + `\n${mark} end ${name} `.length, last));
		parts.set(name, {output: rest.slice(start, Math.max(start, end)), status, stderr: messages.get(name) ?? ''});
		rest = rest.slice(last + 1);
	}
}

/** The first command that failed, of those whose failure leaves something unknown. A kernel without policy routing, or without IPv6, has no rules and no further tables. */
export function failureIn(parts: ReadonlyMap<string, Part>): (Part & {readonly name: string}) | undefined {
	for (const [name, part] of parts) {
		const isAbsent = /^(?:rules|routes)-/u.test(name) && /not supported|FIB table does not exist/u.test(part.stderr);
		if (part.status !== 0 && !isAbsent && name !== '/etc/resolv.conf') {
			return {name, ...part};
		}
	}

	return undefined;
}

/** Machines whose words have the most significant byte first (uname(1)). */
const isBigEndian = /^(?:s390x?|ppc(?:64)?|mips(?:64)?|sparc64)$/u;

function modulesIn(text: string | undefined): readonly string[] {
	return (text ?? '').split('\n').map(line => line.split(' ')[0]!).filter(name => name !== '');
}

function rulesIn(textOf: (name: string) => string | undefined): LiveRules {
	return {
		listing: textOf('nft') ?? '',
		saved: backendsOf('iptables').map(backend => ({backend, texts: {ipv4: textOf(saveProgramOf(backend, 'ipv4')) ?? '', ipv6: textOf(saveProgramOf(backend, 'ipv6')) ?? ''}})),
	};
}

/**
What the parts say about the pod. Users have the numbers that they have in the pod.

@throws {TestbedError} UNREADABLE for output that is not understood.
*/
export function livePodOf(parts: ReadonlyMap<string, Part>, place: string): LivePod {
	const textOf = (name: string): string | undefined => parts.get(name)?.output;
	const order = isBigEndian.test((textOf('machine') ?? '').trim()) ? 'BE' : 'LE';
	const sockets = (['tcp', 'udp'] as const).flatMap(protocol => ['', '6'].flatMap(suffix => waitingSocketsIn(textOf(`/proc/net/${protocol}${suffix}`) ?? '', protocol, order)));
	const listeners = sockets.map(({inode: _, ...socket}): LiveListener => ({...socket, gid: null, process: null}));
	const {devices, addresses} = addressesIn(textOf('addresses') ?? '');
	const routed = families().map(family => routingIn(family, {rules: textOf(`rules${ipFlags[family]}`) ?? '', routes: textOf(`routes${ipFlags[family]}`) ?? ''}));
	const before = new Set(modulesIn(textOf('/proc/modules')));
	const nameservers = parts.get('/etc/resolv.conf');
	return {
		place,
		pid: null,
		rules: rulesIn(textOf),
		addresses,
		devices,
		routing: {
			loopbackAddresses: loopbackAddressesIn(addresses),
			markRules: routed.flatMap(({markRules}) => markRules),
			localRoutes: routed.flatMap(({localRoutes}) => localRoutes),
		},
		modules: modulesIn(textOf('modules-after')).filter(name => !before.has(name)),
		listeners: [...new Map(listeners.map(listener => [JSON.stringify(listener), listener])).values()],
		nameservers: nameservers?.status === 0 ? nameserversIn(nameservers.output) : null,
	};
}
