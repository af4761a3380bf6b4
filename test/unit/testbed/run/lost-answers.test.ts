/** When an answer counts as missing: only if nothing is left to do. Each case has one thing that is. */

import test from 'ava';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {repetitionsThatTell} from '../../../../src/netfilter/repeated-packets.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {addressFamilies} from '../../../../src/mesh/topology.js';
import {loadRuleInput} from '../../../../testbed/inputs/rules.js';
import {
	endLostConnections, isNothingLeft, nothingLeft, type WatchedRun,
} from '../../../../testbed/run/lost-answers.js';

/** What is the case in a sandbox; a test changes some of it. */
class FakeRun {
	packets = 100;
	begun = 3;
	hasOpenTcp = false;
	isExpected = false;
	isDrained = true;
	seen: string[] = [];
	asked: number[] = [];
	givenUp: string[] = [];
	onIdle: () => void = () => undefined;

	/** What the code under test looks at, with the current values. */
	get watched(): Omit<WatchedRun, 'pod' | 'ruleSet'> {
		const actorGroup: WatchedRun['actorGroup'] = {
			actors: new Map(),
			begun: 0,
			hasOpenTcp: false,
			untilIdle: async () => {
				this.seen.push('idle');
				this.onIdle();
			},
			giveUp: reason => {
				this.givenUp.push(reason);
			},
		};
		const packetWatch: WatchedRun['packetWatch'] = {
			packets: 0,
			drain: () => {
				this.seen.push('drain');
				return this.isDrained;
			},
			isAnyExpected: ({firstPackets}) => {
				this.asked.push(firstPackets);
				return this.isExpected;
			},
		};
		return {
			actorGroup: Object.defineProperties(actorGroup, {begun: {get: () => this.begun}, hasOpenTcp: {get: () => this.hasOpenTcp}}),
			packetWatch: Object.defineProperties(packetWatch, {packets: {get: () => this.packets}}),
		};
	}
}

async function isOver(fake: FakeRun, {repetitions = 0, signal = new AbortController().signal} = {}): Promise<boolean> {
	return isNothingLeft({...fake.watched, repetitions, signal});
}

test('nothing is left: the kernel has processed all packets before the processes are asked', async t => {
	const fake = new FakeRun();
	t.true(await isOver(fake, {repetitions: 1}));
	t.deepEqual(fake.seen, ['drain', 'idle']);
	t.deepEqual(fake.asked, [1], 'at the end: reading the tables takes longest');
});

for (const [title, change] of [
	['a packet was sent meanwhile', fake => {
		fake.onIdle = () => {
			fake.packets++;
		};
	}],
	['a connection was begun meanwhile', fake => {
		fake.onIdle = () => {
			fake.begun++;
		};
	}],
	['the kernel asks for a neighbor', fake => {
		fake.isExpected = true;
	}],
	['the kernel has begun to ask for a neighbor', fake => {
		fake.onIdle = () => {
			fake.isExpected = true;
		};
	}],
	['the kernel does not process its packets', fake => {
		fake.isDrained = false;
	}],
] as const satisfies ReadonlyArray<readonly [string, (fake: FakeRun) => void]>) {
	test(`something is left: ${title}`, async t => {
		const fake = new FakeRun();
		change(fake);
		t.false(await isOver(fake));
	});
}

test('a process that does not become idle is waited for', async t => {
	const fake = new FakeRun();
	const {actorGroup, packetWatch} = fake.watched;
	let end: (() => void) | undefined;
	let answer: boolean | undefined;
	const asked = (async () => {
		answer = await isNothingLeft({
			actorGroup: {
				...actorGroup, begun: 3, hasOpenTcp: false,
				untilIdle: async () => new Promise(resolve => {
					end = resolve;
				}),
			},
			packetWatch, repetitions: 0, signal: new AbortController().signal,
		});
	})();
	await new Promise(resolve => {
		setTimeout(resolve, 50);
	});
	t.is(answer, undefined);
	end!();
	await asked;
	t.true(answer);
});

test('when all connections are over, nothing is decided any more', async t => {
	const over = new AbortController();
	const fake = new FakeRun();
	fake.onIdle = () => {
		over.abort();
	};

	t.false(await isOver(fake, {signal: over.signal}));
});

const alike = parseSave('*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 10.0.0.1/32 -j DROP\nCOMMIT\n', 'ipv4');
const counting = parseSave('*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 1/sec -j DROP\nCOMMIT\n', 'ipv4');

/** Looks for some time, and returns what was given up. */
async function watch(fake: FakeRun, ruleSet: RuleSet): Promise<readonly string[]> {
	const over = new AbortController();
	const looking = endLostConnections({...fake.watched, ruleSet, pod: undefined as unknown as WatchedRun['pod']}, over.signal);
	const until = performance.now() + 2000;
	while (performance.now() < until && fake.givenUp.length === 0) {
		await new Promise(resolve => { // eslint-disable-line no-await-in-loop -- Until it was given up.
			setTimeout(resolve, 10);
		});
	}

	over.abort();
	await looking;
	return fake.givenUp;
}

test('an answer that cannot come is not waited for', async t => {
	t.deepEqual(await watch(new FakeRun(), alike), [nothingLeft]);
	const ofTcp = new FakeRun();
	ofTcp.hasOpenTcp = true;
	t.deepEqual(await watch(ofTcp, alike), [nothingLeft]);
	t.deepEqual(await watch(new FakeRun(), counting), [nothingLeft], 'nobody repeats a datagram');
});

test('under rules that count packets, TCP may have an answer later', async t => {
	const fake = new FakeRun();
	fake.hasOpenTcp = true;
	t.deepEqual(await watch(fake, counting), []);
	t.deepEqual(fake.seen, [], 'nobody is asked');
});

test('as long as packets are sent, nobody is asked', async t => {
	const fake = new FakeRun();
	const {watched} = fake;
	const over = new AbortController();
	const looking = endLostConnections({
		...watched, ruleSet: alike, pod: undefined as unknown as WatchedRun['pod'],
		packetWatch: {
			...watched.packetWatch,
			get packets() {
				return fake.packets++;
			},
		},
	}, over.signal);
	await new Promise(resolve => {
		setTimeout(resolve, 200);
	});
	over.abort();
	await looking;
	t.deepEqual(fake.seen, []);
	t.deepEqual(fake.givenUp, []);
});

test('the sidecar\'s rules treat repeated packets alike; under TPROXY, one repetition shows it', t => {
	const of = (source: string) => repetitionsThatTell(loadRuleInput({source, families: addressFamilies}).ruleSet.tables);
	t.is(of('release:1.30'), 0);
	t.is(of('release:1.30 --redirect-dns'), 0);
	t.is(of('release:1.30 -m TPROXY'), 1);
});
