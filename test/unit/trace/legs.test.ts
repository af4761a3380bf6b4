import test from 'ava';
import {printEndpoint, stepsOfPath, type Endpoint, type Traversal} from '../../../src/netfilter/path.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {Joiner, type Evidence} from '../../../src/trace/legs.js';
import type {Flow} from '../../../src/trace/flows.js';
import {loopStops, type SocketRecord} from '../../../src/trace/sockets.js';
import {header} from './_events.js';
import {
	accepted, appPort, attempted, byProxy, elsewhere, ended, hit, onward, opened, owner, packet, proxyPort, remote, traversal, watched, whole,
} from './_legs.js';

const refusedOnward: SocketRecord = {...ended('refused'), id: 'proxy-out'};

const ruleSet: RuleSet = parseSave('*nat\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n*raw\n:OUTPUT ACCEPT [0:0]\nCOMMIT', 'ipv4');
const direct = {sockets: [opened(), accepted(), ended('connected')], packets: [packet()], owners: [owner()], ruleSet};
const proxied = {
	...direct, sockets: [opened(), byProxy, onward, accepted({peer: proxyPort})], packets: [packet(), packet({from: proxyPort})],
};
const unanswered = (...sockets: readonly SocketRecord[]): readonly SocketRecord[] => [opened(), ...sockets];

type Row = {
	readonly title: string;
	/** What differs from the evidence of `from`: a connection of the app straight to the remote, unless it says otherwise. */
	readonly evidence: Partial<Evidence>;
	readonly from?: Evidence;
	readonly steps: string;
	readonly gaps?: ReadonlyArray<readonly [kind: string, message: string]>;
	readonly loop?: boolean;
};

const nat = 'OUTPUT#1 > POSTROUTING';
const name = 'app 10.244.1.10:40000 → 10.244.1.20:8080';
const invalidOne: SocketRecord = {...opened(), packet: 'invalid'};
const notCalledInvalid = `The packet of ${name} was sent as one that conntrack should consider invalid, but the trace does not show that it did.`;
const notCarried = 'proxy:15001 accepted a connection to 10.244.1.20:8080 but did not open the next leg.';

const nobody: Endpoint = {address: '172.17.0.2', port: 8080};
const isSomewhere = (address: string): boolean => address !== nobody.address;

/** What conntrack holds of the app's connection, sent to another place and seen there with another source. */
function flowTo(to: Endpoint, seenAs: Endpoint = appPort): Flow {
	return {
		family: 'ipv4', protocol: 'tcp', source: appPort, destination: remote, reply: {source: to, destination: seenAs}, zone: 0, isReplied: false,
	};
}

/** A connection without an answer, under a rule that gives it another destination. */
function translatedTo(address: string): Evidence {
	return {...direct, sockets: unanswered(ended('timeout', 'no answer within 5 ms')), ruleSet: parseSave(`*nat\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -j DNAT --to-destination ${address}\nCOMMIT`, 'ipv4')};
}

const droppedOnArrival = [traversal({
	hook: 'input', table: 'filter', chain: 'INPUT', hits: [{...hit(2, 'INPUT'), table: 'filter', text: '-p tcp --sport 8080 -j DROP'}], end: {by: 'rule', verdict: 'drop'}, inInterface: 'eth0', outInterface: undefined, source: remote, destination: appPort,
})];
const cameIn: readonly Traversal[] = [{...whole[0]!, hook: 'prerouting', inInterface: 'eth0', outInterface: undefined}];

const rows: readonly Row[] = [
	{title: 'straight to a listener', evidence: {}, steps: `app > ${nat} > remote:8080`},
	{title: 'carried on by the proxy', from: proxied, evidence: {}, steps: `app > ${nat} > proxy:15001 > ${nat} > remote:8080`},
	{title: 'a table without rules is no part of the path', evidence: {packets: [packet({traversals: [traversal({table: 'raw'}), ...whole]})]}, steps: `app > ${nat} > remote:8080`},
	{title: 'nobody says that it opened the connection', evidence: {sockets: []}, steps: '', gaps: [['no-end', 'No actor reported that it opened the connection probe.']]},
	{title: 'the proxy does not carry it on', from: proxied, evidence: {sockets: [opened(), byProxy]}, steps: `app > ${nat} > proxy:15001`, gaps: [['no-end', notCarried]]},
	{
		title: 'the proxy carries it on twice', from: proxied, evidence: {sockets: [...proxied.sockets, {...onward, id: 'again', from: elsewhere}]}, steps: `app > ${nat} > proxy:15001 > ${nat} > remote:8080`, gaps: [
			['ambiguous', 'proxy:15001 opened 2 connections for one that it accepted.'],
		],
	},
	{
		title: 'the proxy tried to carry it on, and the trace shows the one packet that this can be', from: proxied, evidence: {
			sockets: [opened(), byProxy, watched, attempted, refusedOnward], owners: [owner(), owner({from: proxyPort, uid: 1337, gid: 1337})], packets: [packet({entry: 'output'}), packet({from: proxyPort, entry: 'output'})],
		}, steps: `app > ${nat} > proxy:15001 > ${nat} > refused`,
	},
	{
		title: 'the proxy tried to carry it on, and no packet can be that', from: proxied, evidence: {
			sockets: [opened(), byProxy, watched, attempted, refusedOnward],
		}, steps: `app > ${nat} > proxy:15001`, gaps: [['no-end', 'proxy could not open a connection to 10.244.1.20:8080, but the trace shows no first packet of its user to that address that nothing else explains.']],
	},
	{
		title: 'the proxy sent something that it did not report', from: proxied, evidence: {
			sockets: [...proxied.sockets, watched], owners: [owner(), owner({from: {...proxyPort, port: 40_009}, uid: 1337, gid: 1337})], packets: [...proxied.packets, packet({from: {...proxyPort, port: 40_009}, entry: 'output'})],
		}, steps: `app > ${nat} > proxy:15001 > ${nat} > remote:8080`, gaps: [['unclaimed', 'The user of proxy sent a first packet from 10.244.1.10:40009 to 10.244.1.20:8080, but proxy did not report it.']],
	},
	{title: 'a listener that asks for nothing need not carry on', evidence: {sockets: [opened(), accepted({stop: 'proxy:15090'})]}, steps: `app > ${nat} > proxy:15090`},
	{title: 'the packet is not in the trace', evidence: {packets: []}, steps: 'app > remote:8080', gaps: [['not-traced', `The first packet of ${name} does not appear in the trace.`]]},
	{title: 'the switch did not see the packet', evidence: {packets: [packet({seen: false})]}, steps: `app > ${nat} > remote:8080`, gaps: [['not-traced', `The first packet of ${name} does not appear in the trace.`]]},
	{
		title: 'no table shows the packet', evidence: {packets: [packet({traversals: [traversal({table: 'raw'})]})]}, steps: 'app > remote:8080', gaps: [
			['not-traced', `The first packet of ${name} was seen, but no chain of nat shows it.`],
		],
	},
	{title: 'no table has a rule', evidence: {packets: [packet({traversals: []})], ruleSet: {tables: []}}, steps: 'app > remote:8080'},
	{title: 'it arrived, and a chain on the way is missing', evidence: {packets: [packet({traversals: whole.slice(0, 1)})]}, steps: 'app > OUTPUT#1 > remote:8080', gaps: [['not-traced', `The first packet of ${name} arrived, but the trace does not show it in nat POSTROUTING.`]]},
	{
		title: 'it was refused, and a chain on the way is missing', evidence: {sockets: unanswered(ended('refused')), packets: [packet({traversals: whole.slice(0, 1)})]}, steps: 'app > OUTPUT#1 > refused', gaps: [['not-traced', `The first packet of ${name} arrived, but the trace does not show it in nat POSTROUTING.`]],
	},
	{
		title: 'a traversal is open', evidence: {packets: [packet({traversals: [traversal({hits: [hit(1)], end: {by: 'open'}}), whole[1]!]})]}, steps: `app > ${nat} > remote:8080`, gaps: [['open-traversal', `The trace of ${name} does not say how nat OUTPUT was left.`]],
	},
	{title: 'a rule that the set does not hold', evidence: {packets: [packet({traversals: [traversal({hits: [hit(undefined)]}), whole[1]!]})]}, steps: 'app > OUTPUT#? > POSTROUTING > remote:8080', gaps: [['open-traversal', `The trace of ${name} names handle 9 in nat OUTPUT, which no rule has.`]]},
	{title: 'a repetition that went the same way', evidence: {packets: [packet(), packet()]}, steps: `app > ${nat} > remote:8080`},
	{title: 'a repetition that only the switch met', evidence: {packets: [packet(), packet({traversals: []})]}, steps: `app > ${nat} > remote:8080`},
	{title: 'the socket sent its packet again, and conntrack knew the connection', evidence: {packets: [packet(), packet({traversals: [traversal({hits: [hit(2)]}), whole[1]!]})]}, steps: `app > ${nat} > remote:8080`},
	{title: 'a second packet of another number that went another way', evidence: {packets: [packet(), packet({header: header({source: appPort, destination: remote, sequence: 4711}), traversals: [traversal({hits: [hit(2)]}), whole[1]!]})]}, steps: `app > ${nat} > remote:8080`, gaps: [['ambiguous', `A repeated packet of ${name} took another path than the first.`]]},
	{title: 'the kernel names two users', evidence: {owners: [owner(), owner({uid: 5})]}, steps: `app > ${nat} > remote:8080`, gaps: [['credentials', `The kernel names more than one user for ${name}: 1000:1000, 5:1000.`]]},
	{title: 'the owners of other sockets do not count', evidence: {owners: [owner(), owner({uid: 5, family: 'ipv6'}), owner({uid: 5, protocol: 'udp'}), owner({uid: 5, from: {...appPort, port: 1}}), owner({uid: 5, from: {...appPort, address: elsewhere.address}}), owner({uid: 5, to: {...remote, port: 1}}), owner({uid: 5, to: {...remote, address: elsewhere.address}})]}, steps: `app > ${nat} > remote:8080`},
	{title: 'NFLOG names the same user', evidence: {packets: [packet({owner: {uid: 1000, gid: 1000}})]}, steps: `app > ${nat} > remote:8080`},
	{title: 'NFLOG names another user', evidence: {packets: [packet({owner: {uid: 1000, gid: 5}})]}, steps: `app > ${nat} > remote:8080`, gaps: [['credentials', `For ${name} the socket match says 1000:1000 and NFLOG 1000:5.`]]},
	{title: 'nobody accepted it, and its process said nothing', evidence: {sockets: unanswered()}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: its process reported nothing more about it.`]]},
	{title: 'nobody accepted it in time', evidence: {sockets: unanswered(ended('timeout', 'no answer within 5 ms'))}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]]},
	{title: 'it connected, and nobody says that it accepted', evidence: {sockets: unanswered(ended('connected'))}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: something answered it, but no listener of this topology has accepted it.`]]},
	{title: 'refused', evidence: {sockets: unanswered(ended('refused', 'ECONNREFUSED'))}, steps: `app > ${nat} > refused`},
	{title: 'a packet that conntrack calls invalid meets no chain of nat', evidence: {sockets: [invalidOne, ended('refused')], packets: [packet({traversals: [], entry: 'output', isInvalid: true})]}, steps: 'app > refused'},
	{
		title: 'a packet that was to be invalid, and of which conntrack says nothing', evidence: {sockets: [invalidOne, ended('refused')], packets: [packet({entry: 'output'})]}, steps: `app > ${nat} > refused`, gaps: [['unwitnessed', notCalledInvalid]],
	},
	{
		title: 'the same where it met nothing', evidence: {sockets: [invalidOne, ended('refused')], packets: [packet({traversals: [], entry: 'output'})]}, steps: 'app > refused', gaps: [
			['unwitnessed', notCalledInvalid], ['not-traced', `The first packet of ${name} was seen, but no chain of nat shows it.`],
		],
	},
	{
		title: 'the same where a rule drops it', evidence: {sockets: [invalidOne, ended('timeout')], packets: [packet({traversals: [traversal({hits: [hit(3)], end: {by: 'rule', verdict: 'drop'}})]})]}, steps: 'app > OUTPUT#3 > dropped by OUTPUT#3', gaps: [['unwitnessed', notCalledInvalid]],
	},
	{title: 'unreachable', evidence: {sockets: unanswered(ended('unreachable', 'EHOSTUNREACH'))}, steps: `app > ${nat} > unreachable`},
	{
		title: 'dropped by a rule', evidence: {sockets: unanswered(ended('timeout')), packets: [packet({traversals: [traversal({hits: [hit(3)], end: {by: 'rule', verdict: 'drop'}})]})]}, steps: 'app > OUTPUT#3 > dropped by OUTPUT#3',
	},
	{
		title: 'dropped by a policy', evidence: {sockets: unanswered(ended('timeout')), packets: [packet({traversals: [traversal({hits: [hit(3)], end: {by: 'policy', verdict: 'drop'}})]})]}, steps: 'app > OUTPUT#3 > dropped',
	},
	{
		title: 'two listeners accepted from one port: the destination tells', evidence: {sockets: [opened(), accepted({id: 'other', stop: 'istiod:8080', local: elsewhere}), accepted()]}, steps: `app > ${nat} > remote:8080`,
	},
	{
		title: 'two listeners accepted from one port, and neither is the destination', evidence: {sockets: [opened(), accepted({id: 'a', local: elsewhere}), accepted({id: 'b', local: elsewhere})]}, steps: `app > ${nat} > unknown`, gaps: [
			['ambiguous', '2 listeners accepted a connection from 10.244.1.10:40000.'], ['no-end', `Nobody accepted, refused or dropped ${name}: its process reported nothing more about it.`],
		],
	},
	{
		title: 'two listeners accepted from one port to the same destination', evidence: {sockets: [opened(), accepted({id: 'a'}), accepted({id: 'b'})]}, steps: `app > ${nat} > unknown`, gaps: [
			['ambiguous', '2 listeners accepted a connection from 10.244.1.10:40000.'], ['no-end', `Nobody accepted, refused or dropped ${name}: its process reported nothing more about it.`],
		],
	},
	{
		title: 'one port, two destinations, one listener: that of the other', evidence: {sockets: [opened(), ended('refused'), opened({id: 'other', to: elsewhere}), accepted({local: elsewhere})]}, steps: `app > ${nat} > refused`,
	},
	{
		title: 'one port, two destinations, one listener: by the original destination', evidence: {sockets: [opened(), opened({id: 'other', to: elsewhere}), byProxy, onward, accepted({peer: proxyPort})], packets: proxied.packets}, steps: `app > ${nat} > proxy:15001 > ${nat} > remote:8080`,
	},
	{
		title: 'one port, two destinations, and a listener that either may have met', evidence: {sockets: [opened(), ended('connected'), opened({id: 'other', to: elsewhere}), accepted({local: {address: '127.0.0.1', port: 15_090}})]}, steps: `app > ${nat} > unknown`, gaps: [
			['ambiguous', '1 listeners accepted a connection from 10.244.1.10:40000.'], ['no-end', `Nobody accepted, refused or dropped ${name}: something answered it, but no listener of this topology has accepted it.`],
		],
	},
	{
		title: 'behind a rule that gave it another source: its listener sees that one', evidence: {sockets: [opened(), accepted({peer: elsewhere, local: {address: '127.0.0.1', port: 15_053}, stop: 'agent:15053'})], flows: [flowTo({address: '127.0.0.1', port: 15_053}, elsewhere)]}, steps: `app > ${nat} > agent:15053`,
	},
	{
		title: 'the same where conntrack does not show the connection', evidence: {sockets: [opened(), accepted({peer: elsewhere}), ended('connected')]}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: something answered it, but no listener of this topology has accepted it.`]],
	},
	{
		title: 'a new destination that nobody has', from: translatedTo(nobody.address), evidence: {flows: [flowTo(nobody)], isSomewhere}, steps: `app > ${nat} > nowhere (172.17.0.2:8080)`,
	},
	{
		title: 'the same, by the rule alone: the kernel dropped it before conntrack had noted it', from: translatedTo(nobody.address), evidence: {packets: [packet({traversals: whole.slice(0, 1)})], isSomewhere}, steps: 'app > OUTPUT#1 > nowhere (172.17.0.2:8080)',
	},
	{
		title: 'the same, and the network says that it is unreachable', from: translatedTo(nobody.address), evidence: {sockets: unanswered(ended('unreachable', 'EHOSTUNREACH')), flows: [flowTo(nobody)], isSomewhere}, steps: `app > ${nat} > nowhere (172.17.0.2:8080)`,
	},
	{
		title: 'a new destination that somebody has, who does not answer', from: translatedTo(elsewhere.address), evidence: {flows: [flowTo(elsewhere)], isSomewhere}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{
		title: 'a recording that does not say who has which address', from: translatedTo(nobody.address), evidence: {flows: [flowTo(nobody)]}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{title: 'from outside, to another host', from: translatedTo(elsewhere.address), evidence: {packets: [packet({traversals: cameIn})], flows: [], isSomewhere}, steps: `app > OUTPUT#1 > nowhere (${printEndpoint(elsewhere)})`},
	{
		title: 'the same, where conntrack has the connection', from: translatedTo(elsewhere.address), evidence: {packets: [packet({traversals: cameIn})], flows: [flowTo(elsewhere)], isSomewhere}, steps: 'app > OUTPUT#1 > unknown', gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{
		title: 'bound to a device, redirected to a loopback address', evidence: {sockets: [opened({device: 'eth0'}), ended('timeout')], flows: [flowTo(byProxy.local)], isSomewhere}, steps: `app > ${nat} > lost (127.0.0.1:15001)`,
	},
	{
		title: 'the same of a socket that is bound to nothing', evidence: {sockets: unanswered(ended('timeout', 'no answer within 5 ms')), flows: [flowTo(byProxy.local)], isSomewhere}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{
		title: 'the same of one that is bound to lo', evidence: {sockets: [opened({device: 'lo'}), ended('timeout', 'no answer within 5 ms')], packets: [packet({traversals: [whole[0]!, traversal({chain: 'POSTROUTING', outInterface: 'lo'})]})], flows: [flowTo(byProxy.local)], isSomewhere}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{
		title: 'a rule dropped the answer', evidence: {sockets: unanswered(ended('timeout')), packets: [packet(), packet({from: remote, to: appPort, traversals: droppedOnArrival})]}, steps: `app > ${nat} > answer-dropped by filter:INPUT#2`,
	},
	{
		title: 'a policy dropped the answer, which comes from where the connection was really sent', from: translatedTo(elsewhere.address), evidence: {sockets: unanswered(ended('timeout')), flows: [flowTo(elsewhere)], packets: [packet(), packet({from: elsewhere, to: appPort, traversals: [{...droppedOnArrival[0]!, hits: [], end: {by: 'policy', verdict: 'drop'}}]})]}, steps: `app > ${nat} > answer-dropped`,
	},
	{
		title: 'one of two answers came through', evidence: {sockets: unanswered(ended('timeout', 'no answer within 5 ms')), packets: [packet(), packet({from: remote, to: appPort, traversals: droppedOnArrival}), packet({from: remote, to: appPort, traversals: [{...droppedOnArrival[0]!, hits: [], end: {by: 'policy', verdict: 'accept'}}]})]}, steps: `app > ${nat} > unknown`, gaps: [['no-end', `Nobody accepted, refused or dropped ${name}: no answer within 5 ms.`]],
	},
	{title: 'a loop that the proxy cut', from: proxied, evidence: {sockets: [opened(), byProxy, {kind: 'cut', id: 'proxy-in', reason: 'loop'}]}, steps: `app > ${nat} > proxy:15001`, loop: true},
];

for (const {title, evidence, steps, gaps = [], loop = false, from = direct} of rows) {
	test(`legs: ${title}`, t => {
		const observation = new Joiner({...from, ...evidence}).join('probe');
		t.is(stepsOfPath(observation.path).join(' > '), steps);
		t.deepEqual(observation.gaps.map(({kind, message}) => [kind, message]), gaps.map(row => [...row]));
		t.is(observation.loop, loop);
	});
}

test('legs: a lost end has its place, its rule, and a reason', t => {
	const endOf = (evidence: Evidence) => new Joiner(evidence).join('probe').path.legs[0]!.end;
	const nowhere = endOf({...translatedTo(nobody.address), flows: [flowTo(nobody)], isSomewhere});
	t.like(nowhere, {kind: 'nowhere', at: nobody, by: {chain: 'OUTPUT', number: 1}, reason: 'decided by OUTPUT#1; the new destination 172.17.0.2:8080 does not exist in this topology'});
	const dropped = endOf({...direct, sockets: unanswered(ended('timeout')), packets: [packet(), packet({from: remote, to: appPort, traversals: droppedOnArrival})]});
	t.like(dropped, {kind: 'answer-dropped', at: remote, by: {chain: 'INPUT', number: 2}, reason: 'it arrived at 10.244.1.20:8080, and filter:INPUT#2 dropped the answer (-p tcp --sport 8080 -j DROP)'});
	const lost = endOf({...direct, sockets: [opened({device: 'eth0'}), ended('timeout')], flows: [flowTo(byProxy.local)], isSomewhere});
	t.like(lost, {kind: 'lost', at: byProxy.local, by: {chain: 'OUTPUT', number: 1}});
	t.regex('reason' in lost ? lost.reason : '', /^OUTPUT#1 sets the destination 127\.0\.0\.1:15001, but its socket is bound to eth0, so it left by eth0 /u);
});

test('legs: a connection that is never cut off is a loop as well, and ends', t => {
	const port = (number: number): Endpoint => ({address: '10.244.1.10', port: 1000 + number});
	const sockets = Array.from({length: 50}, (_, number): readonly SocketRecord[] => [
		opened({id: number === 0 ? 'probe' : `out-${number}`, parent: number === 0 ? undefined : `in-${number - 1}`, from: port(number)}),
		{...byProxy, id: `in-${number}`, peer: port(number)},
	]).flat();
	const packets = Array.from({length: 50}, (_, number) => packet({from: port(number)}));
	const {path, loop, gaps} = new Joiner({...direct, sockets, packets}).join('probe');
	t.is(path.legs.length, loopStops + 1);
	t.true(loop);
	t.deepEqual(gaps, []);
});

test('legs: a leg has its socket\'s owner, by the socket match or by NFLOG', t => {
	const socketOf = (evidence: Partial<Evidence>) => new Joiner({...direct, ...evidence}).join('probe').path.legs[0]!.socket;
	t.deepEqual(socketOf({}), {uid: 1000, gid: 1000});
	t.deepEqual(socketOf({owners: [], packets: [packet({owner: {uid: 3, gid: 4}})]}), {uid: 3, gid: 4});
	t.is(socketOf({owners: []}), undefined);
	t.is(socketOf({owners: [owner({uid: 5})], packets: [packet({entry: 'prerouting'})]}), undefined, 'sent in another namespace, from a port that the pod uses as well');
	t.deepEqual(socketOf({owners: [owner({uid: 5, gid: 5})], packets: [packet({entry: 'output'})]}), {uid: 5, gid: 5});
});

test('legs: IPv6 addresses are in brackets, and the tables are those of IPv6', t => {
	const from: Endpoint = {address: '2001:db8:1::10', port: 40_000};
	const to: Endpoint = {address: '2001:db8:1::20', port: 8080};
	const {path, gaps} = new Joiner({
		...direct,
		sockets: [opened({family: 'ipv6', from, to}), accepted({peer: from, local: to})],
		packets: [],
	}).join('probe');
	t.deepEqual(gaps.map(({message}) => message), ['The first packet of app [2001:db8:1::10]:40000 → [2001:db8:1::20]:8080 does not appear in the trace.']);
	t.is(path.legs[0]!.family, 'ipv6');
	const traced = new Joiner({
		...direct,
		sockets: [opened({family: 'ipv6', from, to}), accepted({peer: from, local: to})],
		packets: [packet({from, to, traversals: [traversal({family: 'ip6', table: 'nat'})]})],
	}).join('probe');
	t.deepEqual(traced.path.legs[0]!.traversals, []);
	t.deepEqual(traced.gaps, []);
});

const udp = {protocol: 'udp'} as const;

test('UDP and TCP with the same ports are distinguished, each with its packet, its owner and its flow', t => {
	const udpPacket = {...packet(), header: {...header({source: appPort, destination: remote}), protocol: 17}};
	const joiner = new Joiner({
		sockets: [opened(), opened({...udp, id: 'query'}), accepted(), accepted({...udp, id: 'asked', stop: 'dns:8080'})],
		packets: [packet(), udpPacket],
		owners: [owner(), owner({...udp, uid: 2000})],
		ruleSet: {tables: []},
		flows: [{
			...udp, family: 'ipv4', source: appPort, destination: remote, reply: {source: remote, destination: appPort}, zone: 2, isReplied: true,
		}],
	});
	const [tcpLeg, udpLeg] = [joiner.join('probe'), joiner.join('query')];
	t.deepEqual([tcpLeg.gaps, udpLeg.gaps], [[], []]);
	t.deepEqual([tcpLeg, udpLeg].map(({path: {legs: [leg]}}) => [leg?.protocol, leg?.end.kind === 'accepted' ? leg.end.stop : '', leg?.socket?.uid, leg?.flow?.zone]), [['tcp', 'remote:8080', 1000, undefined], ['udp', 'dns:8080', 2000, 2]]);
});

test('a connection that the kernel refused to send is a leg without a packet, and no gap', t => {
	const unsent = {
		kind: 'unsent', actor: 'proxy', family: 'ipv4', source: '127.0.0.6', to: remote, reason: 'connect EINVAL',
	} as const;
	const evidence = {packets: [packet()], owners: [owner()], ruleSet: {tables: []}};
	const carried = new Joiner({...evidence, sockets: [opened(), byProxy, {...unsent, id: 'proxy-out', parent: 'proxy-in'}]}).join('probe');
	t.deepEqual(carried.gaps, []);
	t.deepEqual(stepsOfPath(carried.path).slice(-2), ['proxy:15001', 'unreachable']);
	const first = new Joiner({...evidence, sockets: [{...unsent, id: 'probe', parent: undefined, source: undefined}]}).join('probe');
	t.deepEqual(first.gaps, []);
	t.deepEqual(first.path.legs.map(({from: {address, port}, end}) => [address, port, end]), [['0.0.0.0', 0, {kind: 'unreachable', reason: 'connect EINVAL'}]]);
	// Nobody said anything: that stays a gap.
	t.is(new Joiner({...evidence, sockets: [opened(), byProxy]}).join('probe').gaps[0]?.kind, 'no-end');
});
