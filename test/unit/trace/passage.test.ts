import test from 'ava';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {Hook} from '../../../src/netfilter/types.js';
import {canMeetChain, chainsMissed} from '../../../src/trace/passage.js';
import type {TracedPacket} from '../../../src/trace/packets.js';
import {header} from './_events.js';

/** `nat OUTPUT eth0`: table, chain, and the interface by which the packet leaves. */
function packet(...places: readonly string[]): TracedPacket {
	return {
		header: header(),
		seen: true,
		entry: undefined,
		owner: undefined,
		traversals: places.map(place => {
			const [table, chain, outInterface] = place.split(' ') as [string, string, string | undefined];
			return {
				hook: (table === 't' ? 'output' : chain.toLowerCase()) as Hook, family: 'ip', table, chain, hits: [], end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface, source: header().source, destination: header().destination,
			};
		}),
	};
}

const natWith = (rule: string) => parseSave(`*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT ${rule}\nCOMMIT`, 'ipv4').tables;
const nat = natWith('-p tcp -j REDIRECT --to-ports 15001');
const idle = natWith('-j ACCEPT');
const raw = parseSave('*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT', 'ipv4').tables;
const filter = parseSave('*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT', 'ipv4').tables;
const mixed = (rule: string) => parseNft(`table ip t {\n\tchain one {\n\t\ttype nat hook output priority -100; policy accept;\n\t\t${rule}\n\t}\n\n\tchain two {\n\t\ttype filter hook output priority 0; policy accept;\n\t\taccept\n\t}\n}\n`).tables;
const onlyOutput = [{...nat[0]!, chains: nat[0]!.chains.filter(({name}) => name === 'OUTPUT')}];

const rows: ReadonlyArray<readonly [title: string, packet: TracedPacket, tables: typeof nat, missed: readonly string[]]> = [
	['out by eth0', packet('nat OUTPUT eth0', 'nat POSTROUTING eth0'), nat, []],
	['out by eth0, without the end', packet('nat OUTPUT eth0'), nat, ['nat POSTROUTING']],
	['out by eth0, without the beginning', packet('nat POSTROUTING eth0'), nat, ['nat OUTPUT']],
	['over lo: nat does not look again', packet('nat OUTPUT eth0', 'nat POSTROUTING lo'), nat, []],
	['over lo: the others do', packet('nat OUTPUT eth0', 'nat POSTROUTING lo'), [...nat, ...raw], ['raw PREROUTING', 'raw OUTPUT']],
	['over lo: the others did', packet('raw OUTPUT eth0', 'nat OUTPUT eth0', 'nat POSTROUTING lo', 'raw PREROUTING'), [...nat, ...raw], []],
	['over lo without nat: one of two', packet('filter OUTPUT lo', 'filter INPUT'), [...filter, ...raw], ['raw PREROUTING', 'raw OUTPUT']],
	['from outside', packet('nat PREROUTING', 'nat INPUT'), nat, []],
	['from outside, without the end', packet('nat PREROUTING'), nat, ['nat INPUT']],
	['from outside, without the beginning', packet('raw PREROUTING', 'nat INPUT'), [...nat, ...raw], ['nat PREROUTING']],
	['from outside: a table without that chain', packet('raw PREROUTING', 'nat PREROUTING', 'nat INPUT'), [...nat, ...raw], []],
	['conntrack left it out: nat is not asked at all', packet('raw OUTPUT eth0'), [...nat, ...raw], []],
	['a chain that the kernel does not have', packet('nat OUTPUT eth0'), onlyOutput, []],
	['no tables', packet('nat OUTPUT eth0'), [], []],
	['a native table of both kinds', packet('t two eth0'), mixed('tcp dport 80 redirect to :15001'), ['t one']],
	['the same where conntrack is off', packet('t two eth0'), mixed('tcp dport 80 accept'), []],
	['the same where conntrack calls the packet invalid', {...packet('t two eth0'), isInvalid: true}, mixed('tcp dport 80 redirect to :15001'), []],
];

for (const [title, traced, tables, missed] of rows) {
	test(`the chains that a packet which arrived must have passed: ${title}`, t => {
		t.deepEqual([...chainsMissed(traced, tables)].toSorted(), [...missed].toSorted());
	});
}

const sentOnly = parseNft('table inet t {\n\tchain o {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta l4proto tcp redirect to :15001\n\t}\n}\n').tables;
const regularOnly = parseNft('table inet t {\n\tchain o {\n\t\taccept\n\t}\n}\n').tables;

for (const [title, entry, tables, can, isInvalid] of [
	['what is sent meets a chain at output', 'output', sentOnly, true],
	['what comes in does not', 'prerouting', sentOnly, false],
	['a packet whose entry is not known can', undefined, sentOnly, true],
	['a table without base chains is met by nobody', 'output', regularOnly, false],
	['no table at all', undefined, [], false],
	['what conntrack calls invalid does not meet nat', 'output', sentOnly, false, true],
	['nor iptables\' nat', 'prerouting', nat, false, true],
	['it meets the others', 'output', [...nat, ...filter], true, true],
	['nor does anything else where no rule turns conntrack on', 'output', idle, false],
	['iptables has its chains without rules too', 'prerouting', nat, true],
] as ReadonlyArray<readonly [title: string, entry: Hook | undefined, tables: typeof nat, can: boolean, isInvalid?: true]>) {
	test(`whether a packet can meet a chain: ${title}`, t => {
		t.is(canMeetChain({entry, ...(isInvalid === true ? {isInvalid} : {})}, tables), can);
	});
}
