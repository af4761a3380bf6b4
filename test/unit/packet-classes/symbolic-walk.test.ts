/** The walk of sets compared with a walk of single packets: any random packet is in exactly one class, and meets the rules predicted for its class. */

import test from 'ava';
import fc from 'fast-check';
import {generate} from '../../../src/istio/generate.js';
import {printAddress} from '../../../src/netfilter/address.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet} from '../../../src/netfilter/types.js';
import type {ClassSet} from '../../../src/packet-classes/classify.js';
import {placeOfClass, type ExactPacket} from '../../../src/packet-classes/class-of-packet.js';
import type {Program} from '../../../src/packet-classes/symbolic-walk.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {
	anyPacketOf, classesHolding, classesOf, predictedOf, programsOf, rulesOfRelease, rulesOfTable,
} from '../../helpers/class-sets.js';
import {printWalk, walkPacket} from '../../helpers/packet-walk.js';
import {anyRun} from '../../helpers/istio-options.js';
import {randomBaseChains} from '../../helpers/random-base-chains.js';
import {anyPacket} from '../../helpers/random-packets.js';
import {randomRule} from '../../helpers/random-rules.js';

/** Fixed, so that a run that fails can be looked at again; how many packets a rule set is asked for. */
const seed = 6;
const packetsEach = 25;

/** Draws packets of a set, at random and from its classes. The answer: how many walks were known. */
function compareWalks(program: Program, family: AddressFamily, among = packetsEach): number {
	const classSet = classesOf([program], family);
	let known = 0;
	const drawn = fc.sample(anyPacket([program.ruleSet], family), {numRuns: among, seed});
	const ofClasses = classSet.classes.flatMap(packetClass => fc.sample(anyPacketOf(classSet, packetClass), {numRuns: 2, seed}));
	for (const packet of [...drawn, ...ofClasses]) {
		const [found, ...more] = classesHolding(classSet, packet);
		if (found === undefined || more.length > 0) {
			throw new Error(`${found === undefined ? 0 : more.length + 1} classes hold ${JSON.stringify(packet)}`);
		}

		const [predicted, walked] = [predictedOf(found), printWalk(walkPacket(program, packet, family))];
		if (predicted !== 'not-known' && walked !== 'not-known' && predicted.join(' > ') !== walked.join(' > ')) {
			throw new Error(`${JSON.stringify(packet)} met ${walked.join(' > ')} and not ${predicted.join(' > ')}`);
		}

		known += predicted === 'not-known' || walked === 'not-known' ? 0 : 1;
	}

	return known / (drawn.length + ofClasses.length);
}

test('any options of any release: each packet is in one class, and meets the rules foretold', t => {
	let all = 0;
	let known = 0;
	fc.assert(fc.property(anyRun, fc.constantFrom(...addressFamilies), fc.constantFrom('iptables-nft' as const, 'nftables' as const), (run, family, backend) => {
		fc.pre(backend === 'iptables-nft' || run.release.name === '1.30');
		known += compareWalks({ruleSet: generate({...run, families: addressFamilies, backend}), localMarks: [{mark: 1337, mask: 0xFF_FF_FF_FF}]}, family);
		all++;
	}), {numRuns: 10, seed});
	t.true(known / all > 0.8, `${known} of ${all}`);
});

test('any rules: each packet is in one class, and meets the rules foretold', t => {
	let known = 0;
	let all = 0;
	fc.assert(fc.property(fc.array(randomRule('ipv4'), {maxLength: 5}), fc.array(randomRule('ipv4'), {maxLength: 2}), fc.constantFrom('PREROUTING', 'POSTROUTING', 'INPUT'), (rules, others, hook) => {
		const dump = ['*mangle', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':FORWARD ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING DROP', ':OTHER -', ...rules.map(rule => `-A OUTPUT ${rule}`), '-A OTHER -m mark --mark 0x1/0x3', ...others.map(rule => `-A ${hook} ${rule}`), 'COMMIT', ''].join('\n');
		known += compareWalks({ruleSet: parseSave(dump, 'ipv4'), localMarks: []}, 'ipv4');
		all++;
	}), {numRuns: 60, seed});
	t.true(known / all > 0.5, `${known} of ${all}`);
});

/** Any mark: some bits of those that the rules look at, and some that they do not. */
const anyMark = fc.tuple(fc.integer({min: 0, max: 0xFF}), fc.constantFrom(0, 0x1_00_00, 0x80_00_00_00)).map(([low, high]) => low + high);

const markRules = fc.oneof(
	fc.tuple(fc.constantFrom('', '! '), fc.constantFrom('mark', 'connmark'), fc.integer({min: 0, max: 0xFF}), fc.integer({min: 1, max: 0xFF})).map(([not, module, value, mask]) => `-m ${module} ${not}--mark ${value & mask}/${mask} -j RETURN`),
	fc.tuple(fc.constantFrom('--set-xmark', '--set-mark'), fc.integer({min: 0, max: 0xFF}), fc.integer({min: 1, max: 0xFF})).map(([option, value, mask]) => `-j MARK ${option} ${value & mask}/${mask}`),
	fc.integer({min: 0, max: 0xFF}).map(value => `-j MARK --set-mark ${value}`),
	fc.constantFrom('-j CONNMARK --save-mark', '-j CONNMARK --restore-mark', '-j CONNMARK --set-xmark 0x3/0x7', '-p udp'),
);

test('marks that rules ask for and change: each is in one class, and meets the rules foretold', t => {
	const probe = {
		origin: 'pod', protocol: 'tcp', packet: 'first', source: '10.244.1.10', sourcePort: 40_000, destination: {address: '192.0.2.1', port: 80}, uid: 1000, gid: 1000,
	} as const;
	const drawn = new Set<string>();
	fc.assert(fc.property(fc.array(markRules, {minLength: 1, maxLength: 6}), fc.array(anyMark, {minLength: 8, maxLength: 8}), (rules, marks) => {
		const program = {ruleSet: rulesOfTable('mangle', rules.map(rule => `-A OUTPUT ${rule}`)), localMarks: [{mark: 5, mask: 7}]};
		const classSet = classesOf([program]);
		for (const mark of marks) {
			const found = classesHolding(classSet, {...probe, mark});
			const walked = printWalk(walkPacket(program, {...probe, mark}, 'ipv4'));
			t.deepEqual(found.map(packetClass => predictedOf(packetClass)), [walked], `mark ${mark}`);
			drawn.add(String(walked));
		}
	}), {numRuns: 150, seed});
	t.true(drawn.size > 20, `${drawn.size} ways`);
});

test('a mark that only a route asks for parts the packets', t => {
	const program = {ruleSet: rulesOfTable('mangle', ['-A POSTROUTING -o lo -j RETURN', '-A POSTROUTING -o eth0 -j RETURN']), localMarks: [{mark: 5, mask: 7}]};
	const classSet = classesOf([program]);
	const probe = {
		origin: 'pod', protocol: 'tcp', packet: 'first', source: '10.244.1.10', sourcePort: 40_000, destination: {address: '192.0.2.1', port: 80}, uid: 1000, gid: 1000,
	} as const;
	t.deepEqual(classesHolding(classSet, {...probe, mark: 0x1D}).map(packetClass => predictedOf(packetClass)), [['mangle POSTROUTING#1']]);
	t.deepEqual(classesHolding(classSet, {...probe, mark: 4}).map(packetClass => predictedOf(packetClass)), [['mangle POSTROUTING#2']]);
});

test('a connection that one nat table has translated is not asked about by the next', t => {
	const ruleSet = parseNft(`table ip one {
	chain a {
		type nat hook output priority -100; policy accept;
		tcp dport 80 redirect to :15001
	}
}
table ip two {
	chain b {
		type nat hook output priority -90; policy accept;
		meta l4proto tcp redirect to :15002
	}
}
`);
	const classSet = classesOf(programsOf(ruleSet));
	const pathSummaries = classSet.classes.filter(({origin}) => origin === 'pod').map(packetClass => String(predictedOf(packetClass)));
	t.deepEqual([...new Set(pathSummaries)].toSorted(), ['', 'one a#1', 'two b#1']);
});

test('any native chains of types nat and filter, at any priorities: each packet is in one class, and meets the rules foretold', t => {
	let known = 0;
	let all = 0;
	fc.assert(fc.property(randomBaseChains, fc.constantFrom(...addressFamilies), (text, family) => {
		known += compareWalks({ruleSet: parseNft(text), localMarks: []}, family);
		all++;
	}), {numRuns: 60, seed});
	t.true(known / all > 0.8, `${known} of ${all}`);
});

/** The rules of OUTPUT that any packet of the pod meets, in order, by class. */
function outputPathsOf(text: string): readonly string[] {
	return [...new Set(classesOf(programsOf(parseNft(text))).classes.filter(({origin, isLocal}) => origin === 'pod' && !isLocal).map(packetClass => String(predictedOf(packetClass))))].toSorted();
}

test('the priority of a nat chain orders it among nat chains alone', t => {
	t.deepEqual(outputPathsOf(`table ip one {
	chain filter {
		type filter hook output priority 0; policy accept;
		tcp dport 15001 drop
	}
	chain nat {
		type nat hook output priority 50; policy accept;
		tcp dport 80 redirect to :15001
	}
}
`), ['', 'one filter#1', 'one nat#1,one filter#1']);
});

test('what one nat chain accepts, the next may redirect; what it drops by its policy, no other sees', t => {
	const text = (policy: string, rule: string): string => `table ip one {
	chain first {
		type nat hook output priority -110; policy ${policy};
		${rule}
	}
	chain second {
		type nat hook output priority -90; policy accept;
		tcp dport 80 redirect to :15001
	}
}
`;
	t.deepEqual(outputPathsOf(text('accept', 'meta l4proto tcp accept')), ['', 'one first#1', 'one first#1,one second#1']);
	t.deepEqual(outputPathsOf(text('drop', 'tcp dport 81 accept')), ['', 'one first#1'], 'port 80 is dropped');
});

test('of two chains with one priority, the one that was made last is asked first', t => {
	t.deepEqual(outputPathsOf(`table ip one {
	chain first {
		type filter hook output priority 0; policy accept;
		tcp dport 80 accept
	}
	chain second {
		type filter hook output priority 0; policy accept;
		tcp dport 80 accept
	}
}
`), ['', 'one second#1,one first#1']);
});

test('where no rule turns conntrack on, nat is not asked', t => {
	const dump = (more: string): RuleSet => parseSave(`*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p udp -j ACCEPT\n${more}COMMIT\n`, 'ipv4');
	const pathSummariesOf = (ruleSet: RuleSet): readonly string[] => [...new Set(classesOf(programsOf(ruleSet)).classes.map(packetClass => String(predictedOf(packetClass))))].toSorted();
	t.deepEqual(pathSummariesOf(dump('')), ['', 'filter OUTPUT#1']);
	t.deepEqual(pathSummariesOf(dump('-A OUTPUT -p udp -m conntrack --ctstate NEW -j ACCEPT\n')), ['', 'filter OUTPUT#1', 'nat OUTPUT#1']);
	t.deepEqual(pathSummariesOf(dump('-A OUTPUT -p udp -m length --length 1:9 -j ACCEPT\n')), ['', 'filter OUTPUT#1', 'nat OUTPUT#1'], 'an unknown match may');
});

test('two rule sets together part the packets at least as far as each of them alone', t => {
	const [one, other] = programsOf(rulesOfRelease('release:1.17'), rulesOfRelease('release:1.30 --redirect-dns -x 10.96.0.0/12 -u 1337,2000'));
	const [first, second, both] = [classesOf([one!]), classesOf([other!]), classesOf([one!, other!])];
	for (const packetClass of both.classes) {
		const packets = fc.sample(anyPacketOf(both, packetClass), {numRuns: 6, seed});
		for (const [place, alone] of [first, second].entries()) {
			const found = new Set(packets.flatMap(packet => classesHolding(alone, packet)));
			t.is(found.size, 1);
			t.deepEqual(predictedOf([...found][0]!), predictedOf(packetClass, place));
		}
	}

	t.true(both.classes.length > Math.max(first.classes.length, second.classes.length));
});

/** The full product of the values that rules can tell apart. */
function everyPacket({fields: {intervals, family}}: ClassSet): readonly ExactPacket[] {
	let packets: ReadonlyArray<Readonly<Record<string, bigint>>> = [{}];
	for (const name of ['protocol', 'source', 'destination', 'destination-port', 'uid', 'gid', 'mark'] as const) {
		packets = packets.flatMap(packet => intervals[name].map(({first}) => ({...packet, [name]: first})));
	}

	return packets.flatMap(packet => (['pod', 'remote'] as const).map((origin): ExactPacket => {
		const own = (name: string): number | undefined => origin === 'pod' ? Number(packet[name]) : undefined;
		return {
			origin,
			protocol: packet['protocol'] === 0n ? 'tcp' : 'udp',
			packet: 'first',
			source: printAddress({family, value: packet['source']!}),
			sourcePort: 40_000,
			destination: {address: printAddress({family, value: packet['destination']!}), port: Number(packet['destination-port'])},
			uid: own('uid'),
			gid: own('gid'),
			mark: own('mark'),
		};
	}));
}

test('what a class leaves open changes nothing: every combination of the values that rules can tell apart meets what its class was foretold', t => {
	const program = {
		ruleSet: rulesOfTable('nat', [
			'-A PREROUTING -s 192.0.2.0/24 -j DROP',
			'-A OUTPUT -p tcp -j MINE',
			'-A OUTPUT -p udp -m udp --dport 53 -m owner --uid-owner 1337 -j RETURN',
			'-A OUTPUT -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053',
			'-A MINE -s 127.0.0.6/32 -o lo -j RETURN',
			'-A MINE -p tcp ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j REDIRECT --to-ports 15006',
			'-A MINE -m owner --uid-owner 1337 -j RETURN',
			'-A MINE -m owner --gid-owner 1337 -m mark --mark 0x1/0x1 -j RETURN',
			'-A MINE -p tcp -d 10.96.0.0/12 -j REDIRECT --to-ports 15001',
		]), localMarks: [],
	};
	const classSet = classesOf([program]);
	const outside = new Set<string>();
	let combinations = 0;
	for (const packet of everyPacket(classSet)) {
		const place = placeOfClass(classSet, packet);
		if (place === undefined) {
			outside.add(`${packet.origin} ${packet.source} ${packet.destination.address}`);
			continue;
		}

		combinations++;
		const walked = printWalk(walkPacket(program, packet, 'ipv4'));
		if (String(walked) !== String(predictedOf(classSet.classes[place]!))) {
			t.fail(`${JSON.stringify(packet)} met ${String(walked)}`);
		}
	}

	t.true(combinations > 1000 && classSet.classes.length < combinations / 20, `${combinations} combinations, ${classSet.classes.length} classes`);
	t.true([...outside].every(text => /^remote | 0\.| 127\.| 224\.| 10\.244\.1\.(?:0|255)\b|^pod (?!10\.244\.1\.10 |127\.)/u.test(text)), [...outside].join('; '));
});

test('a condition that is not understood makes no answer up: the packets that come to it are in doubt, the others are not', t => {
	const classSet = classesOf(programsOf(rulesOfTable('nat', ['-A OUTPUT -p udp -j RETURN', '-A OUTPUT -m length --length 10:200 -j MINE', '-A MINE -m owner --uid-owner 1337 -j RETURN'])));
	const pod = classSet.classes.filter(({origin}) => origin === 'pod');
	for (const packetClass of pod) {
		const isUdp = packetClass.packetSet.protocol === 0b10n;
		t.deepEqual(predictedOf(packetClass), isUdp ? ['nat OUTPUT#1'] : 'not-known');
		t.deepEqual(packetClass.predicted[0]!.doubts.map(({chain, number}) => `${chain}#${number}`), isUdp ? [] : ['OUTPUT#2']);
	}

	// Some may go on into the chain, so they are told apart by what it asks.
	t.true(pod.some(({packetSet}) => packetSet.protocol === 0b01n && packetSet.uid === 0b010n));
});

test('a policy of DROP, goto and a target that drops end the way', t => {
	const pathSummaries = (lines: readonly string[], policy = 'ACCEPT') => {
		const ruleSet = parseSave(['*filter', ':INPUT ACCEPT', ':FORWARD ACCEPT', `:OUTPUT ${policy}`, ':MINE -', ...lines, 'COMMIT', '*mangle', ':POSTROUTING ACCEPT', '-A POSTROUTING -j ACCEPT', 'COMMIT', ''].join('\n'), 'ipv4');
		return [...new Set(classesOf(programsOf(ruleSet)).classes.filter(({origin, packetSet}) => origin === 'pod' && packetSet.protocol === 0b01n).map(packetClass => String(predictedOf(packetClass))))];
	};

	t.deepEqual(pathSummaries(['-A OUTPUT -p udp -j ACCEPT'], 'DROP'), ['']);
	t.deepEqual(pathSummaries(['-A OUTPUT -p tcp -j REJECT --reject-with icmp-port-unreachable', '-A OUTPUT -j ACCEPT']), ['filter OUTPUT#1']);
	t.deepEqual(pathSummaries(['-A OUTPUT -p tcp -g MINE', '-A OUTPUT -j DROP']), ['filter OUTPUT#1,mangle POSTROUTING#1']);
	t.deepEqual(pathSummaries(['-A OUTPUT -p tcp -j MINE', '-A OUTPUT -j DROP', '-A MINE -j RETURN']), ['filter OUTPUT#1,filter MINE#1,filter OUTPUT#2']);
});
